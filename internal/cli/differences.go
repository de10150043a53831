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
		Original: "What it has", Ours: "The same texts, with the commands, options and formats that are new",
		Reason:   "What is there should be said.",
		Recorded: []string{"cloud-create"},
	},
	{
		ID: "names", Where: "`<cloud>`, `<region>`, `<cell>`, `<host>`, `<project>`, and every option that takes an id",
		Original: "Ids only; anything else is `invalid int value` with status 2", Ours: "An id or a name, or CONTAINER/NAME where a name is not unique. A number is an id; the one behind a subcommand, if nobody has it, is tried as a name (not by delete). A name that nothing has is status 1, one that several have lists them with their ids. Only objects of the caller's own project have names",
		Reason:   "People know names.",
		Recorded: []string{"cloud-show abc"},
	},
	{
		ID: "message", Where: "Every error that the server answered with",
		Original: "A fixed sentence for each status, and nothing of what the server said", Ours: "The sentence, then the server's message and what is known about its cause",
		Reason: "`The request sent to the server was invalid.` does not tell what was.",
	},
	{
		ID: "fields", Where: "`--fields` with a field that the list does not have",
		Original: "`Invalid field \"bogus\"`", Ours: "The same line, and below it the nearest field and all there are", Reason: "Who mistypes wants to know what is right.",
		Recorded: []string{"region-list --fields bogus"},
	},
	{
		ID: "wrong-subcommand", Where: "A subcommand that does not exist, and an option that its subcommand does not have",
		Original: "The list of all subcommands; the usage of the program",
		Ours:     "The subcommand that was probably meant, or those that are nearest, and where the list is. The usage of the subcommand, and the option with its value.",
		Reason:   "What is right should stand first, and not among a hundred others.",
		Recorded: []string{"bogus"},
	},
	{
		ID: "status", Where: "Mistakes in the arguments of what the original has not, and of label commands without a label",
		Original: "Has no such commands and options", Ours: "Status 2, with the usage, as every mistake that the original finds while it reads the arguments. What it finds later keeps its status 1: `Nothing to update...`, `Invalid field`, `Invalid limit`, `--detail` with `--fields`, a wrong `--sort-key`, `help` of nothing",
		Reason: "A script must be able to tell a mistake of its own from a fleet that says no.",
	},
	{
		ID: "classes", Where: "Errors of deletes and of variables",
		Original: "`Failed to delete cloud 1 due to \"<class 'cratonclient.exceptions.Conflict'>:...\"`, `not enough values to unpack (expected 2, got 1)`",
		Ours:     "`Failed to delete cloud 1: ...`, `\"ntp:foo\" is not key=value; did you mean ntp=foo?`", Reason: "Names of Python classes tell nobody anything.",
	},
	{
		ID: "unusual-status", Where: "Answers with a status that the original has no class for: 429, 502, 503, 504 and others",
		Original: "Dies with RecursionError", Ours: "`Something went wrong with the request.` below 500, `HTTP Server-side Error` from 500 on, and the server's message",
		Reason: "A crash explains nothing.",
	},
	{
		ID: "detail", Where: "`--detail` of cloud-list, region-list, cell-list, host-list and device-list",
		Original: "Sends a parameter that the API does not know: always 400", Ours: "Sends `details=true`",
		Reason: "It never worked.",
	},
	{
		ID: "sort-key", Where: "`--sort-key` of cell-list and host-list",
		Original: "Sends a parameter that the API does not know: always 400", Ours: "Sends `sort_keys`, in lower case, with the id as the last key",
		Reason: "It never worked; without the id objects that are equal in the key are lost between pages.",
	},
	{
		ID: "columns", Where: "The columns `variables` and `labels` of lists",
		Original: "The text of an object inside the program; always empty", Ours: "The variables as the object sees them, and its labels, whether `--detail` or `--fields` asks for them. On a server that leaves labels out of lists that is one request for each object",
		Reason: "That is what the columns are for.",
	},
	{
		ID: "list-vars", Where: "`--vars` of region-list and cell-list with several words",
		Original: "Only the first word of each `--vars` counts", Ours: "All words count",
		Reason: "Words that are lost make the list wrong.",
	},
	{
		ID: "active-and-labels", Where: "`-a` and `-l` of host-create and host-update",
		Original: "Any value is sent as a text: always 400", Ours: "`-a` takes true or false; `-l` a label, several times if need be. host-update adds them to those that the host has",
		Reason: "They never worked.",
	},
	{
		ID: "reactivate", Where: "host-update without `-a`",
		Original: "Makes an inactive host active", Ours: "Leaves it as it is. Without any option it is `Nothing to update...`, as for the others",
		Reason: "A note must not put a host back into service.",
	},
	{
		ID: "empty-texts", Where: "host-update with an empty text, such as `--note ''`",
		Original: "Is left out of the request", Ours: "Is sent",
		Reason: "A note can be taken away.",
	},
	{
		ID: "host-delete-text", Where: "Errors of host-delete",
		Original: "`Failed to delete cell ...`", Ours: "`Failed to delete host ...`",
		Reason: "It is a host.",
	},
	{
		ID: "delete-asks", Where: "Deletes of an object that holds others",
		Original: "Delete all that it holds, without a word", Ours: "Count what goes along and ask on a terminal; elsewhere they need `--yes`. `--dry-run` shows it. user-delete asks the same before a user deletes itself.",
		Reason: "One wrong word must not delete a cloud of 12,000 hosts.",
	},
	{
		ID: "json", Where: "Sentences such as `Host 1 has been successfully updated.` with `--format json`",
		Original: "On standard output, before the JSON", Ours: "On standard error, with every format but the default one",
		Reason: "JSON stays JSON.",
	},
	{
		ID: "whole-lists", Where: "Lists with `--format json`",
		Original: "Printed page by page: an error on a later page leaves half an array", Ours: "Printed when all pages are there",
		Reason: "Half a document is none.",
	},
	{
		ID: "more-follow", Where: "Lists that do not show all there is",
		Original: "Say nothing", Ours: "Say `30 shown, more follow: --all` on standard error, in every format. One more request finds out, where a page is full.",
		Reason: "A page of 30 looks like a whole fleet.",
	},
	{
		ID: "exact-numbers", Where: "Numbers in variables with `--format json`",
		Original: "As Python writes them", Ours: "With the digits that the server sent; beyond what Python can hold also in tables",
		Reason: "What was set is what is shown.",
	},
	{
		ID: "words", Where: "vars-set and vars-delete with words where standard input is no terminal",
		Original: "Refused, so that they never work in scripts, cron and CI", Ours: "Words count; standard input is read only without any",
		Reason: "Scripts are where they are needed.",
	},
	{
		ID: "json-values", Where: "vars-set with values in braces, brackets or quotes",
		Original: "`{...}` and `[...]` stay texts, and of a text in quotes all outer quotes are cut off", Ours: "What is JSON is taken as such; what is not is a text as in the original",
		Reason: "Structures had no other way in than standard input.",
	},
	{
		ID: "scalars", Where: "vars-set, and `--vars` of create, with values such as `t`, `y`, `none`, `007`, `0819`, `1e3`, `0x1F`, `nan`",
		Original: "Words of its own for booleans and null, and what Python's float reads: `t` is true, `none` is null, `007` and `1e3` are 7.0 and 1000.0; `nan` is a float that JSON does not have: 500", Ours: "What the same text is in a fleet file and in Ansible's own YAML files: `yes` and `on` are true, `null` and `~` are null, `007` and `0x1F` are the integers 7 and 31, the others are texts. A warning names each text that was no text to the original",
		Reason: "One text, one value, whichever way it comes in.",
	},
	{
		ID: "any-key", Where: "vars-set and vars-delete with the keys `item_id`, `_id`, `base_path`, `skip_merge`, `self`",
		Original: "Change the request's address, or are swallowed", Ours: "Are keys",
		Reason: "They collide with names inside the original only.",
	},
	{
		ID: "options-anywhere", Where: "Options and subcommands",
		Original: "Global options stand before the subcommand only; after the object of vars-set and vars-delete everything is a word", Ours: "Every option may stand before or after the subcommand. After the object of vars-set and vars-delete an option of the command is an option; behind `--` everything is a word",
		Reason: "Nobody should have to remember which goes where.",
	},
	{
		ID: "abbreviations", Where: "Long options",
		Original: "May be abbreviated; `--f` is `--format`, whatever the subcommand has", Ours: "Are written in full; the error names the one that was probably meant",
		Reason: "An abbreviation in a script changes its meaning when an option is added.",
	},
	{
		ID: "help", Where: "`-h` behind a subcommand",
		Original: "Shows the main help", Ours: "Shows the help of the subcommand, as `craton help <subcommand>` does",
		Reason: "Who asks there, asks about it.",
	},
	{
		ID: "settings", Where: "A URL or credentials that are missing; `--craton-version` other than 1",
		Original: "`Could not find requested endpoint in Service Catalog.`, `Some of the parameters required to authenticate were missing.`, `No module named ...`",
		Ours:     "Says what to set, and where a wrong version came from", Reason: "There is no catalogue, and no module, that a user could look at.",
	},
	{
		ID: "slash", Where: "A URL that ends in `/v1/`",
		Original: "Becomes `.../v1//v1`: 404", Ours: "Is the same as without the slash",
		Reason: "It is the same address.",
	},
	{
		ID: "retries", Where: "Reads that fail with 500, lost connections, 429, 502, 503, 504",
		Original: "Fail", Ours: "Are repeated, as the setting `retries` says",
		Reason: "The original server answers some good requests with 500 now and then.",
	},
	{
		ID: "width", Where: "Tables with emoji and other characters of double width, and every table on a terminal",
		Original: "Counts two columns for some East Asian characters only; is as wide as it takes", Ours: "Counts as terminals do. On a terminal a table that is too wide gets its cells wrapped, headings are bold, and control characters are shown as escapes; piped output is never changed",
		Reason: "A table whose lines break is hard to read, and the data of a fleet must not steer a terminal.",
	},
	{
		ID: "names-in-lists", Where: "Lists on a terminal, without `--fields`",
		Original: "Show the ids of clouds, regions, cells, parents, devices, networks and projects", Ours: "Show their names, under `Cloud`, `Region`, `Cell` and so on. A column of which not every name can be found in a few requests shows ids. With `--fields`, with another format and in piped output ids stay ids",
		Reason: "People know names; programs need ids.",
	},
	{
		ID: "narrow", Where: "Lists on a terminal that has no room for all columns, without `--fields` and `--detail`",
		Original: "Are as wide as they take", Ours: "Leave out columns, and say on standard error which: when something was made; then what is the same in all rows of state, type, netmask, cloud and region; then type and state. Ids, names and addresses are never left out or broken: where they alone take more, the table stands over the edge",
		Reason: "Who copies an address needs it in one piece, and rows of one line are read at a glance.",
	},
	{
		ID: "api-key", Where: "user-show and user-list",
		Original: "Has no such commands", Ours: "Show stars where the original server gives away API keys. user-create shows the new key",
		Reason: "A key on a screen is a key lost.",
	},
}

// DifferencesMarkdown renders [Differences] as the page docs/cli-differences.md.
func DifferencesMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Differences from python-cratonclient's command line

<!-- Made from internal/cli/differences.go by "go test ./internal/cli -run TestDifferencesPage -update". Do not edit. -->

The commands, options, exit codes and output of ` + "`craton`" + ` are those of python-cratonclient. A test replays recorded
sessions of the original and compares standard output, standard error and exit code byte for byte. Where this command
line differs, it does so on purpose. This is the whole list.
`)
	for _, d := range Differences {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n* Original: %s\n* Here: %s\n* Why: %s\n", d.ID, strings.TrimSuffix(d.Where, "."), stop(d.Original), stop(d.Ours), stop(d.Reason))
	}
	return b.String()
}

// stop ends a sentence that has no end.
func stop(s string) string { return strings.TrimSuffix(s, ".") + "." }
