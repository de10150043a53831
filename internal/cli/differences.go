package cli

import (
	"fmt"
	"strings"
)

// Difference is one way in which this command line differs from python-cratonclient's.
type Difference struct {
	ID       string // stable, for tests and references
	Where    string // the commands concerned
	Original string // what the original does
	Ours     string // what this one does
	Reason   string
	// Recorded are the recorded command lines, without the program's name, that show the difference. The replay test
	// demands that exactly these differ, each in this one way.
	Recorded []string
}

// Differences is the whole list. docs/cli-differences.md is made from it, and a test replays recorded sessions of the
// original to prove that there are no others among these.
var Differences = []Difference{
	{
		ID: "more", Where: "Usage lines, choices, help",
		Original: "Describe its own commands", Ours: "The same texts, with the new commands, options and formats added",
		Reason:   "Help should cover everything that exists.",
		Recorded: []string{"cloud-create"},
	},
	{
		ID: "names", Where: "`<cloud>`, `<region>`, `<cell>`, `<host>`, `<project>`, and every option that takes an id",
		Original: "Ids only; anything else is `invalid int value` with status 2", Ours: "An id or a name, or CONTAINER/NAME if a name is not unique. A number is an id; as the argument of a subcommand, a number that is nobody's id is tried as a name (except by delete). An unknown name is status 1; an ambiguous one lists the matches with their ids. Only objects of the caller's own project can be named",
		Reason:   "People know names.",
		Recorded: []string{"cloud-show abc"},
	},
	{
		ID: "message", Where: "Every error response of the server",
		Original: "A fixed sentence for each status, and nothing from the server", Ours: "The sentence, then the server's message and what is known about its cause",
		Reason: "`The request sent to the server was invalid.` does not say what was invalid.",
	},
	{
		ID: "fields", Where: "`--fields` with a field that the list does not have",
		Original: "`Invalid field \"bogus\"`", Ours: "The same line, followed by the nearest field and a list of all fields", Reason: "After a typing mistake, people want to know what is right.",
		Recorded: []string{"region-list --fields bogus"},
	},
	{
		ID: "wrong-subcommand", Where: "An unknown subcommand, or an option that the subcommand does not have",
		Original: "The list of all subcommands; the usage of the program",
		Ours:     "The probable subcommand, or the nearest ones, and where to find the list. For options, the usage of the subcommand, and the option with its value.",
		Reason:   "The likely fix should come first, not somewhere among a hundred others.",
		Recorded: []string{"bogus"},
	},
	{
		ID: "status", Where: "Invalid arguments of commands and options that the original does not have, and of label commands without a label",
		Original: "Does not have these commands and options", Ours: "Status 2, with the usage, like every mistake that the original detects while it parses the arguments. Mistakes that it detects later keep status 1: `Nothing to update...`, `Invalid field`, `Invalid limit`, `--detail` with `--fields`, an invalid `--sort-key`, `help` for an unknown subcommand",
		Reason: "A script must be able to distinguish its own mistakes from a refusal by the fleet.",
	},
	{
		ID: "classes", Where: "Errors of deletes and of variables",
		Original: "`Failed to delete cloud 1 due to \"<class 'cratonclient.exceptions.Conflict'>:...\"`, `not enough values to unpack (expected 2, got 1)`",
		Ours:     "`Failed to delete cloud 1: ...`, `\"ntp:foo\" is not key=value; did you mean ntp=foo?`", Reason: "The names of Python classes do not help anybody.",
	},
	{
		ID: "unusual-status", Where: "Responses with a status for which the original has no class: 429, 502, 503, 504 and others",
		Original: "Crashes with RecursionError", Ours: "`Something went wrong with the request.` below 500, `HTTP Server-side Error` from 500 on, and the server's message",
		Reason: "A crash explains nothing.",
	},
	{
		ID: "detail", Where: "`--detail` of cloud-list, region-list, cell-list, host-list and device-list",
		Original: "Sends a parameter that the API does not have: always 400", Ours: "Sends `details=true`",
		Reason: "It never worked.",
	},
	{
		ID: "sort-key", Where: "`--sort-key` of cell-list and host-list",
		Original: "Sends a parameter that the API does not have: always 400", Ours: "Sends `sort_keys`, in lower case, with the id as the last key",
		Reason: "It never worked; without the id, objects with the same key are lost between pages.",
	},
	{
		ID: "columns", Where: "The columns `variables` and `labels` in lists",
		Original: "The text of a Python object; always empty", Ours: "The object's resolved variables, and its labels, with `--detail` or `--fields`. If the server does not include labels in lists, that is one request for each object",
		Reason: "That is what the columns are for.",
	},
	{
		ID: "list-vars", Where: "`--vars` of region-list and cell-list with several values",
		Original: "Only the first value of each `--vars` is used", Ours: "All values are used",
		Reason: "Ignoring values makes the list wrong.",
	},
	{
		ID: "active-and-labels", Where: "`-a` and `-l` of host-create and host-update",
		Original: "Any value is sent as text: always 400", Ours: "`-a` takes true or false; `-l` takes a label, and can be repeated. host-update adds labels to the existing ones",
		Reason: "They never worked.",
	},
	{
		ID: "reactivate", Where: "host-update without `-a`",
		Original: "Makes an inactive host active", Ours: "Leaves it inactive. Without any option, it fails with `Nothing to update...`, like the others",
		Reason: "A note must not put a host back into service.",
	},
	{
		ID: "empty-texts", Where: "host-update with an empty text, such as `--note ''`",
		Original: "Omitted from the request", Ours: "Sent",
		Reason: "This is how to clear a note.",
	},
	{
		ID: "host-delete-text", Where: "Errors of host-delete",
		Original: "`Failed to delete cell ...`", Ours: "`Failed to delete host ...`",
		Reason: "It is a host.",
	},
	{
		ID: "delete-asks", Where: "Deleting an object that contains others",
		Original: "Deletes everything in it, without asking", Ours: "Counts the contents, and on a terminal asks for confirmation; elsewhere it requires `--yes`. `--dry-run` only counts them. user-delete also asks users for confirmation before they delete themselves.",
		Reason: "A single mistyped word must not delete a cloud of 12,000 hosts.",
	},
	{
		ID: "json", Where: "Messages such as `Host 1 has been successfully updated.` with `--format json`",
		Original: "On standard output, before the JSON", Ours: "On standard error, with every format except the default",
		Reason: "The output must be valid JSON.",
	},
	{
		ID: "whole-lists", Where: "Lists with `--format json`",
		Original: "Printed page by page: an error on a later page leaves half an array", Ours: "Printed once all pages have arrived",
		Reason: "Half a document is useless.",
	},
	{
		ID: "more-follow", Where: "Incomplete lists",
		Original: "Say nothing", Ours: "Say `30 shown, more follow: --all` on standard error, in every format. If a page is full, one more request is needed to find out.",
		Reason: "A page of 30 looks like a complete fleet.",
	},
	{
		ID: "exact-numbers", Where: "Numbers in variables with `--format json`",
		Original: "As Python prints them", Ours: "With the digits that the server sent; for numbers that Python cannot represent, in tables too",
		Reason: "What was set must be what is shown.",
	},
	{
		ID: "words", Where: "vars-set and vars-delete with arguments when standard input is not a terminal",
		Original: "Refused, so they never work in scripts, cron and CI", Ours: "The arguments are used; standard input is read only if there are none",
		Reason: "Scripts need these commands most.",
	},
	{
		ID: "json-values", Where: "vars-set with values in braces, brackets or quotes",
		Original: "`{...}` and `[...]` stay text, and all outer quotes are stripped from quoted text", Ours: "Valid JSON is read as JSON; anything else is text, as in the original",
		Reason: "Otherwise, nested values could only be set through standard input.",
	},
	{
		ID: "scalars", Where: "vars-set, and `--vars` of create, with values such as `t`, `y`, `none`, `007`, `0819`, `1e3`, `0x1F`, `nan`",
		Original: "Has its own spellings of booleans and null, and reads whatever Python's float accepts: `t` is true, `none` is null, `007` and `1e3` are 7.0 and 1000.0; `nan` is a float that JSON does not have: 500", Ours: "The same as in a fleet file and in Ansible's own YAML files: `yes` and `on` are true, `null` and `~` are null, `007` and `0x1F` are the integers 7 and 31, the others are text. A warning names each text that the original would not have read as text",
		Reason: "The same text must mean the same value everywhere.",
	},
	{
		ID: "any-key", Where: "vars-set and vars-delete with the keys `item_id`, `_id`, `base_path`, `skip_merge`, `self`",
		Original: "Change the URL of the request, or are swallowed", Ours: "Are ordinary keys",
		Reason: "They only conflict with names inside the original.",
	},
	{
		ID: "options-anywhere", Where: "The position of options and subcommands",
		Original: "Global options must come before the subcommand; after the object of vars-set and vars-delete, everything is data", Ours: "Options may come before or after the subcommand. After the object of vars-set and vars-delete, the command's options are still options; after `--`, everything is data",
		Reason: "Nobody should have to remember what goes where.",
	},
	{
		ID: "abbreviations", Where: "Long options",
		Original: "May be abbreviated; `--f` is `--format`, whatever the subcommand has", Ours: "Must be written in full; the error names the probable option",
		Reason: "In a script, an abbreviation changes its meaning when an option is added.",
	},
	{
		ID: "help", Where: "`-h` after a subcommand",
		Original: "Shows the main help", Ours: "Shows the help of the subcommand, as `craton help <subcommand>` does",
		Reason: "That is what the user is asking about.",
	},
	{
		ID: "settings", Where: "A missing URL or missing credentials; `--craton-version` other than 1",
		Original: "`Could not find requested endpoint in Service Catalog.`, `Some of the parameters required to authenticate were missing.`, `No module named ...`",
		Ours:     "Says what to set, and where an invalid version came from", Reason: "These messages name things that the user cannot see or change.",
	},
	{
		ID: "slash", Where: "A URL ending in `/v1/`",
		Original: "Becomes `.../v1//v1`: 404", Ours: "The same as without the slash",
		Reason: "It is the same URL.",
	},
	{
		ID: "retries", Where: "Reads that fail with 500, lost connections, 429, 502, 503, 504",
		Original: "Fail", Ours: "Are retried, as the setting `retries` says",
		Reason: "The original server occasionally fails valid requests with 500.",
	},
	{
		ID: "width", Where: "Tables with emoji and other double-width characters, and every table on a terminal",
		Original: "Counts only some East Asian characters as two columns; tables are as wide as their contents", Ours: "Counts as terminals do. On a terminal, cells of tables that are too wide are wrapped, headings are bold, and control characters are shown as escapes; piped output is never changed",
		Reason: "A table with broken lines is hard to read, and fleet data must not control a terminal.",
	},
	{
		ID: "names-in-lists", Where: "Lists on a terminal, without `--fields`",
		Original: "Show the ids of clouds, regions, cells, parents, devices, networks and projects", Ours: "Show their names, as `Cloud`, `Region`, `Cell` and so on. If a few requests are not enough to find all names of a column, it shows ids. With `--fields`, in other formats, and in piped output, ids remain ids",
		Reason: "People know names; programs need ids.",
	},
	{
		ID: "narrow", Where: "Lists on a terminal that is too narrow for all columns, without `--fields` and `--detail`",
		Original: "Are as wide as their contents", Ours: "Drop columns, and list them on standard error: first the times, then columns with the same value in all rows (`active`, types, netmask, cloud, region), then netmask, types and `active`. Ids, names and addresses are never dropped or wrapped: if they alone are too wide, the table exceeds the width",
		Reason: "An address must be copyable in one piece, and single-line rows are easy to scan.",
	},
	{
		ID: "api-key", Where: "user-show and user-list",
		Original: "Does not have these commands", Ours: "Show asterisks where the original server discloses API keys. user-create shows the new key",
		Reason: "A key on a screen is a leaked key.",
	},
}

// DifferencesMarkdown renders [Differences] as the page docs/cli-differences.md.
func DifferencesMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Differences from python-cratonclient's command line

<!-- Made from internal/cli/differences.go by "go test ./internal/cli -run TestDifferencesPage -update". Do not edit. -->

The commands, options, exit codes and output of ` + "`craton`" + ` are those of python-cratonclient. A test replays recorded
sessions of the original and compares standard output, standard error and exit code byte for byte. All differences are
deliberate; this is the complete list.
`)
	for _, d := range Differences {
		fmt.Fprintf(&b, "\n## %s\n\n* Original: %s\n* Here: %s\n* Why: %s\n* Id in tests and comments: `%s`\n", strings.TrimSuffix(d.Where, "."), stop(d.Original), stop(d.Ours), stop(d.Reason), d.ID)
	}
	return b.String()
}

// stop ends a sentence that has no end.
func stop(s string) string { return strings.TrimSuffix(s, ".") + "." }
