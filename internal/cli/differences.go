package cli

import (
	"fmt"
	"strings"
)

// Difference is one difference between this command line and python-cratonclient's.
type Difference struct {
	ID       string // stable, for tests and references
	Where    string // the commands concerned
	Original string // what the original does
	Ours     string // what this one does
	Reason   string
	// Recorded are the recorded command lines, without the program's name, that show the difference. The replay test
	// requires that exactly these differ, each in this way only.
	Recorded []string
}

// Differences is the complete list. docs/cli-differences.md is generated from it, and a test replays recorded sessions
// of the original to prove that they contain no other differences.
var Differences = []Difference{
	{
		ID: "more", Where: "Usage lines, choices and help",
		Original: "They contain the commands, options and formats of the original.",
		Ours:     "They also contain the new commands, options and formats. Everything else in them is the same.",
		Reason:   "Help must cover every command and option.",
		Recorded: []string{"cloud-create"},
	},
	{
		ID: "names", Where: "`<cloud>`, `<region>`, `<cell>`, `<host>`, `<project>`, and every option that takes an id",
		Original: "The value must be an id. Any other value is the error `invalid int value`, with status 2.",
		Ours:     "The value can be an id, a name, or a path such as `dfw/web-01` if the name is not unique. A number is an id. If no object has that id, commands look for an object with that name; delete commands and options do not. An unknown name is an error with status 1. If several objects have the name, the error lists them with their ids. Names are looked up only in your own project.",
		Reason:   "Names are easier to remember than ids.",
		Recorded: []string{"cloud-show abc"},
	},
	{
		ID: "message", Where: "Error responses of the server",
		Original: "The client prints a fixed sentence for each status, and discards the server's message.",
		Ours:     "`craton` prints the same sentence, then the server's message, and the cause if it is known.",
		Reason:   "The sentence `The request sent to the server was invalid.` alone does not say what was invalid.",
	},
	{
		ID: "fields", Where: "`--fields` with a field that the list does not have",
		Original: "The error is `Invalid field \"bogus\"`.",
		Ours:     "The error is the same line, followed by the most similar field, if there is one, and a list of all fields.",
		Reason:   "After a typing mistake, you need to know which fields exist.",
		Recorded: []string{"region-list --fields bogus"},
	},
	{
		ID: "wrong-subcommand", Where: "An unknown subcommand, or an option that the subcommand does not have",
		Original: "For an unknown subcommand, the client prints the list of all subcommands. For an unknown option, it prints the usage of the program.",
		Ours:     "For an unknown subcommand, `craton` suggests the most similar ones, and says where the list is. For an unknown option, it prints the usage of the subcommand, and names the option with its value.",
		Reason:   "The likely fix must not be hidden in a list of a hundred subcommands.",
		Recorded: []string{"bogus"},
	},
	{
		ID: "status", Where: "Invalid arguments of new commands and options",
		Original: "These commands and options do not exist.",
		Ours:     "They are errors with status 2 and the usage of the command, like all mistakes that the original finds while it parses the arguments. A label command without a label is one of them. Mistakes that the original finds later have status 1, as in the original: `Nothing to update...`, `Invalid field`, `Invalid limit`, `--detail` with `--fields`, an invalid `--sort-key`, and `help` for an unknown subcommand.",
		Reason:   "A script must be able to distinguish its own mistakes from an error of the server.",
	},
	{
		ID: "classes", Where: "Errors of deletes and of variables",
		Original: "They show names of Python classes and Python's own messages: `Failed to delete cloud 1 due to \"<class 'cratonclient.exceptions.Conflict'>:...\"`, `not enough values to unpack (expected 2, got 1)`.",
		Ours:     "They say what is wrong: `Failed to delete cloud 1: ...`, `\"ntp:foo\" is not key=value; did you mean ntp=foo?`.",
		Reason:   "Python's class names do not help you to fix the mistake.",
	},
	{
		ID: "unusual-status", Where: "Responses with a status that the original does not handle: 429, 502, 503, 504 and others",
		Original: "The client crashes with a RecursionError.",
		Ours:     "`craton` prints the server's message after a fixed sentence: `Something went wrong with the request.` for a status below 500, and `HTTP Server-side Error` for 500 and above.",
		Reason:   "A crash explains nothing.",
	},
	{
		ID: "detail", Where: "`--detail` of cloud-list, region-list, cell-list, host-list and device-list",
		Original: "The client sends a parameter that the API does not have, so the response is always 400.",
		Ours:     "`craton` sends `details=true`.",
		Reason:   "The option never worked.",
	},
	{
		ID: "sort-key", Where: "`--sort-key` of cell-list and host-list",
		Original: "The client sends a parameter that the API does not have, so the response is always 400.",
		Ours:     "`craton` sends `sort_keys`, with the field in lower case and the id as the last key.",
		Reason:   "The option never worked. Without the id, objects with equal values are lost between pages.",
	},
	{
		ID: "columns", Where: "The columns `variables` and `labels` in lists",
		Original: "`variables` contains the internal text of a Python object, and `labels` is always empty.",
		Ours:     "With `--detail` or `--fields`, `variables` contains the object's resolved variables, and `labels` its labels. If the server does not include labels in lists, `craton` sends one more request for each object.",
		Reason:   "The columns must show variables and labels.",
	},
	{
		ID: "list-vars", Where: "`--vars` of region-list and cell-list with several values",
		Original: "Only the first value of each `--vars` is used.",
		Ours:     "All values are used.",
		Reason:   "Ignoring values makes the list wrong.",
	},
	{
		ID: "active-and-labels", Where: "`-a` and `-l` of host-create and host-update",
		Original: "Every value is sent as text, so the response is always 400.",
		Ours:     "`-a` takes true or false. `-l` takes a label, and can be repeated; host-update adds the labels to the existing ones.",
		Reason:   "The options never worked.",
	},
	{
		ID: "reactivate", Where: "host-update without `-a`",
		Original: "An inactive host becomes active.",
		Ours:     "An inactive host stays inactive. Without any option, host-update fails with `Nothing to update...`, like the other update commands.",
		Reason:   "A change of the note, for example, must not put a host back into service.",
	},
	{
		ID: "empty-texts", Where: "host-update with an empty text, such as `--note ''`",
		Original: "The empty text is not sent.",
		Ours:     "The empty text is sent.",
		Reason:   "Otherwise, a note could not be cleared.",
	},
	{
		ID: "host-delete-text", Where: "Errors of host-delete",
		Original: "The error is `Failed to delete cell ...`.",
		Ours:     "The error is `Failed to delete host ...`.",
		Reason:   "The object is a host.",
	},
	{
		ID: "delete-asks", Where: "Deleting an object that contains others",
		Original: "The object and its contents are deleted without confirmation.",
		Ours:     "The command counts the contents. On a terminal, it asks for confirmation; elsewhere, it requires `--yes`. With `--dry-run`, it only shows what would be deleted. Deleting your own user also asks for confirmation, or requires `--yes`.",
		Reason:   "A single mistyped word must not delete a cloud of 12,000 hosts.",
	},
	{
		ID: "json", Where: "Messages such as `Host 1 has been successfully updated.` with `--format json`",
		Original: "The message is on standard output, before the JSON.",
		Ours:     "The message is on standard error, in every format except the default.",
		Reason:   "Standard output must be valid JSON.",
	},
	{
		ID: "whole-lists", Where: "Lists with `--format json`",
		Original: "Each page is printed when it arrives, so an error on a later page leaves half an array.",
		Ours:     "The list is printed when all pages have arrived.",
		Reason:   "Half an array is not valid JSON.",
	},
	{
		ID: "more-follow", Where: "Lists that show only a part of the objects",
		Original: "Nothing says that there are more objects.",
		Ours:     "The line `30 shown, more follow: --all` on standard error says so, in every format. If a page is full, `craton` sends one more request to find out whether there are more objects.",
		Reason:   "A page of 30 objects looks like a complete fleet.",
	},
	{
		ID: "exact-numbers", Where: "Numbers in variables with `--format json`",
		Original: "Numbers are printed as Python prints them.",
		Ours:     "Numbers are printed with the digits that the server sent. In tables, this applies to numbers that Python cannot represent.",
		Reason:   "The output must show the value that was set.",
	},
	{
		ID: "words", Where: "vars-set and vars-delete with arguments when standard input is not a terminal",
		Original: "The command is refused, so it never works in scripts, cron and CI.",
		Ours:     "The arguments are used. Standard input is read only if there are none.",
		Reason:   "Scripts need these commands most.",
	},
	{
		ID: "json-values", Where: "vars-set with values in braces, brackets or quotes",
		Original: "Values in braces and brackets are text. Text in double quotes loses all quotes at its beginning and end.",
		Ours:     "Valid JSON is read as JSON. Other values of this kind are read as in the original.",
		Reason:   "Otherwise, lists and dictionaries could only be set through standard input.",
	},
	{
		ID: "scalars", Where: "vars-set, and `--vars` of create commands, with values such as `t`, `y`, `none`, `007`, `0819`, `1e3`, `0x1F`, `nan`",
		Original: "The client has its own spellings of booleans and null, and reads every number that Python's float accepts: `t` is true, `none` is null, `007` is 7.0, and `1e3` is 1000.0. JSON has no `nan`, so the response to it is 500.",
		Ours:     "Values are read as in a fleet file, and in Ansible's own YAML files: `yes` and `on` are true, `null` and `~` are null, and `007` and `0x1F` are the integers 7 and 31. The other values in the title are text. A warning names each value that is text here, but not in the original.",
		Reason:   "A value must mean the same everywhere.",
	},
	{
		ID: "any-key", Where: "vars-set and vars-delete with the keys `item_id`, `_id`, `base_path`, `skip_merge`, `self`",
		Original: "These keys change the URL of the request, are ignored, or cause an error.",
		Ours:     "These keys are like all others.",
		Reason:   "They conflict only with names in the original's code.",
	},
	{
		ID: "options-anywhere", Where: "The position of options and subcommands",
		Original: "Global options must come before the subcommand. After the object of vars-set and vars-delete, all arguments are keys and values.",
		Ours:     "Options may come before or after the subcommand, and also after the object of vars-set and vars-delete. After `--`, all arguments are keys and values.",
		Reason:   "You need not remember an order.",
	},
	{
		ID: "abbreviations", Where: "Long options",
		Original: "They may be abbreviated. `--f` always means `--format`, even if the subcommand has other options with `f`.",
		Ours:     "They must be written in full. For an abbreviation, the error names the option that may be meant.",
		Reason:   "In a script, an abbreviation would change its meaning when an option is added.",
	},
	{
		ID: "help", Where: "`-h` after a subcommand",
		Original: "The client shows the main help.",
		Ours:     "`craton` shows the help of the subcommand, like `craton help <subcommand>`.",
		Reason:   "You want to know about the subcommand.",
	},
	{
		ID: "settings", Where: "A missing URL, missing credentials, and `--craton-version` other than 1",
		Original: "The errors are `Could not find requested endpoint in Service Catalog.`, `Some of the parameters required to authenticate were missing.` and `No module named ...`.",
		Ours:     "The error says what to set, and which setting has the invalid version.",
		Reason:   "The original's errors do not name the settings that you have to change.",
	},
	{
		ID: "slash", Where: "A URL that ends in `/v1/`",
		Original: "The URL becomes `.../v1//v1`, and the response is 404.",
		Ours:     "The URL means the same with and without the last slash.",
		Reason:   "Both are the same URL.",
	},
	{
		ID: "retries", Where: "Reads that fail with 500; lost connections; the statuses 429, 502, 503 and 504",
		Original: "The command fails.",
		Ours:     "`craton` sends the request again, as many times as the setting `retries` allows, unless that could create an object twice.",
		Reason:   "The original server occasionally responds with 500 to valid requests.",
	},
	{
		ID: "width", Where: "Tables with emoji and other characters that are two columns wide, and all tables on a terminal",
		Original: "The client counts only some East Asian characters as two columns. Tables are as wide as their contents.",
		Ours:     "`craton` counts columns as terminals do. On a terminal, it wraps cells of tables that are too wide, prints headings in bold, and shows control characters as escapes. Output in a pipe or file is not changed in these ways.",
		Reason:   "A table with broken lines is hard to read, and data in the fleet must not control your terminal.",
	},
	{
		ID: "names-in-lists", Where: "Lists on a terminal, without `--fields`",
		Original: "They show the ids of clouds, regions, cells, parents, devices, networks and projects.",
		Ours:     "They show names, in columns such as `Cloud`, `Region` and `Cell`. If a few requests are not enough to find all names of a column, the column shows ids. With `--fields`, in other formats, and in a pipe or file, lists show ids.",
		Reason:   "You read names more easily; programs need ids.",
	},
	{
		ID: "narrow", Where: "Lists on a terminal that is too narrow for all columns, without `--fields` and `--detail`",
		Original: "Lists are as wide as their contents.",
		Ours:     "Lists drop columns, and standard error names the dropped ones. The times are dropped first, then columns with the same value in all rows (`active`, types, netmask, cloud, region), then netmask, types and `active`. Ids, names and addresses are never dropped or wrapped, so a list can still be too wide.",
		Reason:   "You must be able to copy an address in one piece, and rows of one line are easy to scan.",
	},
	{
		ID: "api-key", Where: "user-show and user-list",
		Original: "These commands do not exist.",
		Ours:     "They show asterisks instead of API keys, which the original server includes in its responses. user-create shows the new key.",
		Reason:   "Whoever sees your screen must not see a key.",
	},
}

// DifferencesMarkdown renders [Differences] as the page docs/cli-differences.md.
func DifferencesMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Differences from python-cratonclient's command line

<!-- Made from internal/cli/differences.go by "go test ./internal/cli -run TestDifferencesPage -update". Do not edit. -->

The commands, options, exit codes and output of ` + "`craton`" + ` are those of python-cratonclient, except for the differences on this page.
All of them are deliberate, and the list is complete. A test replays recorded commands of the original, and compares standard output, standard
error and exit code byte for byte. "The client" is the original; the id of a difference is used in the source code.
`)
	for _, d := range Differences {
		fmt.Fprintf(&b, "\n## %s\n\n* Original: %s\n* Here: %s\n* Why: %s\n* Id: `%s`\n", d.Where, d.Original, d.Ours, d.Reason, d.ID)
	}
	return b.String()
}
