package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/wording"
)

// TestMistakes: what is wrong in the arguments themselves ends with status 2 and the usage of the command, whichever
// command it is and whenever it is found; what the fleet, the server or a file says ends with 1. What the original
// tells with status 1 keeps that.
func TestMistakes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	f.must(t, "host-create -n web-01 --cloud east -r dfw -t server -i 10.0.0.1")
	file := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(file, []byte("clouds: [{name: c}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := file + ".plan"
	if got := f.run(t, nil, "plan", file, "--out", plan); got.Exit != 3 {
		t.Fatal(got)
	}
	for line, want := range map[string]string{
		"host-move web-01":                                      "Nowhere to move to... Please specify --region or --cell",
		"host-move --where name=* --yes":                        "Nowhere to move to",
		"cell-move c1":                                          "required: -r/--region",
		"host-labels-add web-01":                                "Nothing to add",
		"host-labels-delete web-01":                             "Nothing to delete",
		"host-update web-01 --protected --no-protected":         "not allowed with argument",
		"host-update --where name=* --name x":                   "-n/--name: not allowed",
		"host-update --where name=* -r 1 --recreate":            "--recreate: not allowed",
		"host-update web-01 --yes":                              "argument --yes: ",
		"host-update --where naem=x --note n":                   "naem ... name",
		"host-create -n cafe\u0301 --cloud east -r 1 -t x -i 1": `argument -n/--name: ... "cafe\u0301" ... NFC`,
		"host-vars-set --where name=* --yes":                    "key=value",
		"host-list --at nonsense":                               "--at",
		"host-list --omit-hashed":                               "--at",
		"host-list --limit x":                                   "invalid int value",
		"host-list --timeout never":                             "--timeout",
		"host-list --retries x":                                 "--retries",
		"user-key-create x --expires nonsense":                  "--expires",
		"protect":                                               "required: KIND, OBJECT",
		"protect rack r1":                                       "argument KIND: invalid choice: 'rack'",
		"unprotect host":                                        "required: OBJECT",
		"plan":                                                  "required: FILE",
		"plan " + plan + " --out x":                             "plan ... cannot be made from a plan",
		"apply " + plan + " --move":                             "saved plan ... as it is",
		"plan " + file + " --prune":                             "a set: name it",
		"plan " + file + " --set a/b":                           "contains a slash",
		"apply " + file + " --set x --allow-deletes 3":          "without --prune",
		"apply " + file + " --set x --prune --allow-deletes x":  "argument --allow-deletes: invalid int value: 'x'",
		"host-delete -- web-01 --yes":                           "unrecognized arguments: --yes ... before --",
		"apply " + file + " --at 1":                             "--at",
		"undo":                                                  "required: REVISION|REQUEST",
		"config no.such":                                        "no setting ... no.such",
		"frob":                                                  "invalid choice: 'frob'",
		"completion tcsh":                                       "invalid choice",
	} {
		got := f.run(t, strings.NewReader(""), split(strings.ReplaceAll(line, `\u0301`, "\u0301"))...)
		if got.Exit != 2 || got.Stdout != "" || !strings.Contains(got.Stderr, ": error: ") || !wording.Has(got.Stderr, want) {
			t.Errorf("craton %s: exit %d\n%s%s", line, got.Exit, got.Stdout, got.Stderr)
		}
	}
	for line, want := range map[string]string{
		"host-move web-01 -r nowhere":    "nowhere",
		"host-show absent":               "No host has the name",
		"plan absent.yml":                "absent.yml",
		"undo 999999":                    "",
		"host-update web-01":             "Nothing to update", // these are the original's
		"host-list --fields bogus":       "Invalid field",
		"host-list --limit -1":           "Invalid limit",
		"host-list --detail --fields id": "Cannot specify both",
		"host-list --sort-key bogus":     "bogus",
		"help bogus":                     "is not a valid subcommand",
	} {
		got := f.run(t, strings.NewReader(""), split(line)...)
		if got.Exit != 1 || got.Stdout != "" || !strings.HasPrefix(got.Stderr, "ERROR: ") || !wording.Has(got.Stderr, want) {
			t.Errorf("craton %s: exit %d\n%s%s", line, got.Exit, got.Stdout, got.Stderr)
		}
	}

	s := iotronictest.Start(t, iotronictest.Nodes2017, iotronictest.NoAuth())
	a := endpoint{s.URL, "t"}
	for line, want := range map[string]string{
		"node-list --limit -1":             "Invalid limit",
		"node-list --detail --fields name": "Cannot specify both",
		"node-list --fields bogus":         "Invalid field",
		"node-list --fields ,":             "--fields is empty",
		"node-update n bogus":              "is not path=value",
		"node-update n remove a=1":         "remove takes paths without values",
		"node-update n =1":                 "has no path",
		"node-update n a=1 a=2":            "is changed twice",
		"node-update n add":                "Please specify what to add",
		"node-list --timeout soon":         "soon",
		"node-create":                      "requires --code, --name",
	} {
		got := a.run(t, "", line)
		if got.Exit != 2 || got.Stdout != "" || !strings.Contains(got.Stderr, ": error: ") || !wording.Has(got.Stderr, want) {
			t.Errorf("craton iotronic %s: exit %d\n%s%s", line, got.Exit, got.Stdout, got.Stderr)
		}
	}
}
