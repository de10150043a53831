package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/cli"
)

// TestIotronicUsage: mistakes in the arguments, which are found before anything is sent.
func TestIotronicUsage(t *testing.T) {
	t.Parallel()
	a := endpoint{"http://127.0.0.1:1", "t"}
	const whole = "usage: craton iotronic [--format {default,json,yaml,csv}]\n"
	for line, want := range map[string][2]string{
		"node-lst":                    {"", "craton iotronic: error: argument <subcommand>: invalid choice: 'node-lst'; did you mean node-list?\n"},
		"nodes":                       {"", "'nodes'; did you mean node-list?\n\"craton iotronic help node-list\" shows its options, \"craton iotronic help\" all subcommands.\n"},
		"board lst":                   {"", "'board lst'; did you mean board-list?\n"},
		"nonsense":                    {"", "craton iotronic: error: argument <subcommand>: invalid choice: 'nonsense'\n\"craton iotronic help\" lists all subcommands.\n"},
		"host-list":                   {"", "'host-list'; did you mean node-list?\n"},
		"node-list --nonsense":        {"usage: craton iotronic node-list ", "craton iotronic node-list: error: unrecognized arguments: --nonsense\n"},
		"node-list x":                 {"usage: craton iotronic node-list ", "craton iotronic node-list: error: unrecognized arguments: x\n"},
		"node-list --format jsn":      {whole, "craton iotronic: error: argument --format: invalid choice: 'jsn' (choose from 'default', 'json', 'yaml', 'csv')\n"},
		"node-list --limit x":         {"usage: craton iotronic node-list ", "craton iotronic node-list: error: argument --limit: invalid int value: 'x'\n"},
		"node-list --maintenance on!": {"usage: craton iotronic node-list ", "error: argument --maintenance: invalid choice: 'on!' (choose from 'true', 'false')\n"},
		"node-list --sort-dir up":     {"usage: craton iotronic node-list ", "error: argument --sort-dir: invalid choice: 'up' (choose from 'asc', 'desc')\n"},
		"node-list --fields":          {"usage: craton iotronic node-list ", "error: argument --fields: expected at least one argument\n"},
		"node-show":                   {"usage: craton iotronic node-show ", "error: the following arguments are required: <node>\n"},
		"node-power":                  {"usage: craton iotronic node-power [--soft] [--wait <seconds>]\n", "error: the following arguments are required: <node>, <power-state>\n"},
		"node-power n":                {"usage: craton iotronic node-power ", "error: the following arguments are required: <power-state>\n"},
		"node-power n up":             {"usage: craton iotronic node-power ", "error: argument <power-state>: invalid choice: 'up' (choose from 'on', 'off', 'reboot')\n"},
		"node-power n on off":         {"usage: craton iotronic node-power ", "error: unrecognized arguments: off\n"},
		"node-set-maintenance n so":   {"usage: craton iotronic node-maintenance ", "error: argument <maintenance>: invalid choice: 'so' (choose from "},
		"node-provision n up":         {"usage: craton iotronic node-provision ", "error: argument <target>: invalid choice: 'up' (choose from 'active', 'deleted', "},
		"node-show ''":                {"usage: craton iotronic node-show ", "error: argument <node>: expected an id or a name\n"},
		"board-create -n x":           {"usage: craton iotronic board-create -n <name> --code <code> ", "error: the following arguments are required: --code, --latitude, --longitude, --altitude\n"},
		"board-list --status onlin":   {"usage: craton iotronic board-list ", "error: argument --status: invalid choice: 'onlin' (choose from 'registered', 'offline', 'online')\n"},
		"":                            {whole, "craton iotronic: error: the following arguments are required: <subcommand>\n"}, // for there are options
	} {
		got := a.run(t, "", line)
		if got.Exit != 2 || got.Stdout != "" || !strings.HasPrefix(got.Stderr, want[0]) || !strings.Contains(got.Stderr, want[1]) {
			t.Errorf("%s: exit %d\n%s%s", line, got.Exit, got.Stdout, got.Stderr)
		}
	}
}

// TestIotronicHelp: craton iotronic shows its help, which names every subcommand; each has one of its own, and a manual
// page.
func TestIotronicHelp(t *testing.T) {
	t.Parallel()
	help := func(line string) string {
		t.Helper()
		var got session
		if got = runBare(t, split(line)...); got.Exit != 0 || got.Stderr != "" {
			t.Fatalf("%s: %+v", line, got)
		}
		return got.Stdout
	}
	main := help("iotronic")
	for _, line := range []string{"iotronic --help", "iotronic -h", "help iotronic", "iotronic help"} {
		if diff := cmp.Diff(main, help(line)); diff != "" {
			t.Errorf("%s:\n%s", line, diff)
		}
	}
	if outer := help("help"); strings.Count(outer, "\n  iotronic ") != 1 || strings.Contains(outer, "node-list") {
		t.Error(outer)
	}
	pages := cli.ManPages(cli.Version{Release: "0.1.0"})
	_, list, _ := strings.Cut(main, "\nSubcommands:\n")
	list, _, _ = strings.Cut(list, "\nOptions")
	n := 0
	for line := range strings.Lines(list) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name := strings.Fields(line)[0]
		n++
		own := help("help iotronic " + name)
		if !strings.HasPrefix(own, "usage: craton iotronic "+name) || !strings.Contains(own, "--help") {
			t.Errorf("%s:\n%s", name, own)
		}
		if name != "help" && !strings.Contains(own, "\nFor I") {
			t.Errorf("%s does not say which servers have it:\n%s", name, own)
		}
		if strings.Contains(own, "--os-password") || strings.Contains(own, "--iotronic-url") {
			t.Errorf("%s repeats what all have:\n%s", name, own)
		}
		for _, line := range []string{"iotronic " + name + " --help", "iotronic help " + name} {
			if diff := cmp.Diff(own, help(line)); diff != "" {
				t.Errorf("%s:\n%s", line, diff)
			}
		}
		if page := pages["craton-iotronic-"+name+".1"]; name != "help" && !strings.Contains(page, ".BR craton\\-iotronic (1)\n") {
			t.Errorf("the page of %s: %s", name, page)
		}
	}
	if n != 97 {
		t.Errorf("%d subcommands", n)
	}
	if page := pages["craton-iotronic.1"]; !strings.Contains(page, `\fB\-\-iotronic\-url\fR`) || !strings.Contains(page, `\fB\-\-os\-cloud\fR`) {
		t.Error(page)
	}
	if got := help("iotronic help node-set-power-state"); got != help("help iotronic node-power") || !strings.Contains(got, "\nFor Ironic. Also called node-set-power-state.\n") {
		t.Error(got)
	}
	options := help("help iotronic options")
	for _, want := range []string{"that talks to Ironic or Iotronic", "  --iotronic-url IOTRONIC_URL\n", "  --os-application-credential-id OS_APPLICATION_CREDENTIAL_ID\n", "CRATON_IOTRONIC_DIALECT\n"} {
		if !strings.Contains(options, want) {
			t.Errorf("no %q in:\n%s", want, options)
		}
	}
	if strings.Contains(options, "--craton-") || options != help("iotronic help options") {
		t.Error(options)
	}
	if got := runBare(t, "iotronic", "help", "node-lst"); got.Exit != 1 || got.Stderr != "ERROR: 'node-lst' is not a valid subcommand; did you mean node-list?\n" {
		t.Errorf("%+v", got)
	}
}

// TestBaremetalTable: the guide's table of another client's verbs names commands that there are.
func TestBaremetalTable(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "iotronic.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(guide), "| `baremetal` | `craton iotronic` |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	list := runBare(t, "iotronic", "--help").Stdout
	n := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		for i, word := range strings.Split(cells[2], "`") {
			if i%2 == 0 || !strings.Contains(word, "-") || strings.HasPrefix(word, "-") {
				continue
			}
			if n++; !strings.Contains(list, "\n  "+word+" ") {
				t.Errorf("there is no %s", word)
			}
		}
	}
	if n < 15 {
		t.Errorf("%d commands", n)
	}
}
