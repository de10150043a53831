package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/wording"
)

func testProgram() *argparse.Program {
	return newProgram(output.Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, Version{Release: "0.1.0", Whole: "0.1.0 (whole)"}, nil)
}

func TestArrange(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"host-list":                                      "host-list",
		"--format json host-list":                        "host-list --format json",
		"--format=json host-list --all":                  "host-list --format=json --all",
		"--craton-url host-show host-list":               "host-list --craton-url host-show",
		"--limit 10 host-list":                           "host-list --limit 10",
		"-r 1 --all host-list":                           "host-list -r 1 --all",
		"-- host-list":                                   "host-list --",
		"host-list --fields id name --all":               "host-list --fields=id --fields=name --all",
		"host-list --fields=id --all":                    "host-list --fields=id --all",
		"host-list --limit -1":                           "host-list --limit -1",
		"host-list --label --fields":                     "host-list --label --fields", // a value, however it looks
		"host-list -r1 --fields id":                      "host-list -r1 --fields=id",
		"region-list --vars a:1 b:2 --vars c:3 -- x":     "region-list --vars=a:1 --vars=b:2 --vars=c:3 -- x",
		"host-vars-set 1 a=1 -5=x --note=y":              "host-vars-set -- 1 a=1 -5=x --note=y",
		"host-vars-set 1 a=1 --format json b=2":          "host-vars-set --format json -- 1 a=1 b=2",
		"--format json host-vars-set 1 a=1":              "host-vars-set --format json -- 1 a=1",
		"host-vars-set 1 -- --format json":               "host-vars-set -- 1 --format json",
		"host-vars-delete --bogus 1 a":                   "host-vars-delete --bogus -- 1 a",
		"host-vars-delete 1 - --validate-certs=false -x": "host-vars-delete --validate-certs=false -- 1 - -x",
		"host-vars-get 1 -h":                             "host-vars-get 1 -h",
		"host-vars-set 1 a=1 -h":                         "host-vars-set -h -- 1 a=1",
		"--config x server bootstrap":                    "server --config x bootstrap",
		"--version":                                      "--version",
		"--format json":                                  "--format json",
	} {
		got, _, err := testProgram().Arrange(strings.Fields(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", line, diff)
		}
	}
}

func TestUnknownSubcommand(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"hots-list":                         "invalid choice: 'hots-list'",
		"--format json nope 1":              "invalid choice: 'nope'",
		"--bogus 1 nope":                    "invalid choice: 'nope'",
		"-- nope":                           "invalid choice: 'nope'",
		"--format json":                     "the following arguments are required: <subcommand>",
		"host-list --fields":                "argument --fields: expected at least one argument",
		"host-list --fields --all":          "argument --fields: expected at least one argument",
		"host-list --limit":                 "argument --limit: expected one argument",
		"host-list -r":                      "argument -r/--region: expected one argument",
		"host-list --all=1":                 "argument --all: ignored explicit argument '1'",
		"host-list -z":                      "unrecognized arguments: -z",
		"host-list ---":                     "unrecognized arguments: ---",
		"host-create -a perhaps":            "argument -a/--active: invalid choice: 'perhaps' (choose from 'true', 'false')",
		"server nonsense":                   "unrecognized arguments: nonsense",
		"undo a b":                          "unrecognized arguments: b",
		"apply":                             "the following arguments are required: FILE",
		"plan":                              "the following arguments are required: FILE",
		"cloud-show":                        "the following arguments are required: <cloud>",
		"host-create -n a -t b":             "the following arguments are required: -i/--ip_address, -r/--region, --cloud",
		"completion tcsh":                   "argument <shell>: invalid choice: 'tcsh' (choose from 'bash', 'zsh', 'fish')",
		"completion":                        "the following arguments are required: <shell>",
		"region-create -n a --cloud= --all": "argument --cloud: expected an id or a name",
	} {
		err := testProgram().Run(t.Context(), strings.Fields(line))
		if e, ok := errors.AsType[*argparse.UsageError](err); !ok || !strings.Contains(e.Text, want) || !strings.HasPrefix(e.Usage, "usage: craton") && !strings.Contains(e.Text, "<subcommand>") {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
	for line, want := range map[string]string{
		"create": "host-create", "delete 3": "host-delete", "update": "host-update", "vars": "host-vars-get", "labels": "host-labels-get", "login": "config",
		"create host": "host-create", "vars host": "host-vars-get", "apply-show": "apply", "config-list": "config", "init": "apply",
	} {
		if err := testProgram().Run(t.Context(), strings.Fields(line)); err == nil || !strings.Contains(err.Error(), "; did you mean "+want+"?\n") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if err := testProgram().Run(t.Context(), []string{"hots-list"}); !strings.Contains(err.Error(), "; did you mean host-list?\n") {
		t.Errorf("no hint: %v", err)
	}
}

// TestVariableOf: words are what a fleet file has, and JSON in braces, brackets and quotes is JSON.
func TestVariableOf(t *testing.T) {
	t.Parallel()
	const text, notJSON = "text ... Ansible's YAML ... ", "text ... not JSON ... fleet file ... "
	quoted := func(instead string) string {
		return "text ... fleet file ... quotes ... " + instead
	}
	dated := func(instead string) string {
		return "text ... quotes ... Ansible ... " + instead
	}
	for word, want := range map[string][2]string{
		`"text"`: {`"text"`}, `"5"`: {`"5"`}, `""`: {`""`}, `"""`: {`""`}, `"a"b"`: {`"a\"b"`}, `"a`: {`"a"`}, `"a\nb"`: {`"a\nb"`}, `"no"`: {`"no"`},
		`5`: {`5`}, `-5`: {`-5`}, `0`: {`0`}, `123456789012345678901234567890`: {`123456789012345678901234567890`},
		`007`: {`7`}, `0644`: {`420`}, `+5`: {`5`}, `-0`: {`0`}, `1_000`: {`1000`}, `_1`: {`"_1"`}, `0x10`: {`16`}, `0b11`: {`3`}, `0o17`: {`"0o17"`},
		`0819`: {`"0819"`, text + "write 819"}, ` 1`: {`" 1"`, text + "write 1"}, `1__0`: {`10`},
		`1.5`: {`1.5`}, `1.50`: {`1.50`}, `.5`: {`0.5`}, `5.`: {`5.0`}, `.`: {`"."`}, `1e`: {`"1e"`}, `1.0e+3`: {`1.0e+3`}, `1_0.5`: {`10.5`},
		`1e3`: {`"1e3"`, text + "write 1000"}, `-.5`: {`"-.5"`, text + "write -0.5"},
		`12e4567`: {`"12e4567"`, text + "exponent ... 1.0e+3"},
		`TRUE`:    {`true`}, `on`: {`true`}, `Yes`: {`true`}, `off`: {`false`}, `no`: {`false`}, `yEs`: {`"yEs"`, text + "write true"},
		`t`: {`"t"`, text + "write true"}, `y`: {`"y"`, text + "write true"}, `N`: {`"N"`, text + "write false"},
		`null`: {`null`}, `Null`: {`null`}, `~`: {`null`}, `None`: {`"None"`, text + "write null"},
		`nan`: {`"nan"`}, `-inf`: {`"-inf"`}, `.inf`: {`".inf"`, quoted("not ... JSON")},
		`12:30`: {`"12:30"`, quoted("750")}, `08:30`: {`"08:30"`},
		`52:54:00:12:34:56`: {`"52:54:00:12:34:56"`, quoted("41135085296")},
		`2024-01-02`:        {`"2024-01-02"`}, `2024-01-02T10:00:00Z`: {`"2024-01-02T10:00:00Z"`, dated("2024-01-02T10:00:00+00:00")}, `=`: {`"="`, quoted("an error")}, `<<`: {`"\u003c\u003c"`, quoted("an error")},
		`text`: {`"text"`}, `a b`: {`"a b"`}, `<&>`: {`"\u003c\u0026\u003e"`}, `é`: {`"é"`}, `10.20.0.11`: {`"10.20.0.11"`},
		`{"a": 1}`: {`{"a": 1}`}, `[1,2]`: {`[1,2]`}, `{a}`: {`"{a}"`, notJSON + "a mapping"}, `[`: {`"["`, notJSON + "an error"}, `[a, no]`: {`"[a, no]"`, notJSON + "a list"}, `[{"a": .5}]`: {`"[{\"a\": .5}]"`, notJSON + "a list"},
		`'no'`: {`"'no'"`, quoted("another text")}, `no # x`: {`"no # x"`, quoted("true or false")}, `yes `: {`"yes "`, quoted("true or false")}, `a: b`: {`"a: b"`, quoted("an error")},
		`*x`: {`"*x"`, quoted("an error")}, `!vault x`: {`"!vault x"`, quoted("an error")}, `- a`: {`"- a"`, quoted("an error")}, `a#b: `: {`"a#b: "`, quoted("an error")},
		`2024-01-02 10:00:00`: {`"2024-01-02 10:00:00"`, dated("2024-01-02T10:00:00")},
		`{{ x }}`:             {`"{{ x }}"`}, "a\nb: c": {`"a\nb: c"`}, `http://x:80/#a`: {`"http://x:80/#a"`}, `a,b`: {`"a,b"`}, `/x`: {`"/x"`},
	} {
		got, note := object.VariableOf(word)
		if string(got) != want[0] || (note == "") != (want[1] == "") || !wording.Has(note, want[1]) || !gjson.ValidBytes(got) {
			t.Errorf("%s: %s (%s), want %s", word, got, note, want)
		}
	}
}

// FuzzVariableOf: whatever the word, its value is JSON.
func FuzzVariableOf(f *testing.F) {
	for _, word := range []string{`"`, `"a"b"`, `{"a": 1}`, `{`, `1e400`, `-0`, `1_0`, "\x80", "none"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if word == "" { // a key to remove
			return
		}
		if got, _ := object.VariableOf(word); !gjson.ValidBytes(got) {
			t.Errorf("%q: %s", word, got)
		}
	})
}
