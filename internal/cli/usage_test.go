package cli

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/skip"
)

// originalUsage are the usage lines of the original, on one line each (contract §8.7).
const originalUsage = `
usage: craton project-create -n <name>
usage: craton project-list [-n <name>] [--detail] [--fields <fields> [<fields> ...]] [--all] [--limit <limit>] [--marker <marker>]
usage: craton cloud-create -n <name> [--note NOTE]
usage: craton cloud-list [--fields <fields> [<fields> ...]] [--all] [--detail] [--limit <limit>] [--marker <marker>]
usage: craton cloud-update [-n <name>] [--note NOTE] <cloud>
usage: craton region-create -n <name> --cloud <cloud> [--note NOTE]
usage: craton region-list [--cloud <cloud>] [--fields <fields> [<fields> ...]] [--detail] [--all] [--limit <limit>] [--marker <marker>] [--vars <vars> [<vars> ...]]
usage: craton region-update [-n <name>] [--cloud <cloud>] [--note NOTE] <region>
usage: craton device-list [--fields <fields> [<fields> ...]] [--detail] [--all] [--sort-key <field>] [--sort-dir <direction>] [--limit <limit>] [--marker <marker>] [--cloud <cloud>] [-r <region>] [-c <cell>] [--parent <parent>] [--descendants] [--active <active>]
usage: craton host-create -n <name> -i <ipaddress> -r <region> --cloud <cloud> [-c <cell>] -t <type> [-a ACTIVE] [--note NOTE] [-l LABELS]
usage: craton host-list [-r <region>] [--cloud <cloud>] [-c <cell>] [--detail] [--sort-key <field>] [--sort-dir <direction>] [--fields <fields> [<fields> ...]] [--all] [--limit <limit>] [--marker <marker>] [--device-type <device_type>] [--vars <vars>] [--label <label>] [--ip <ip_address>]
usage: craton host-update [-n <name>] [-i <ipaddress>] [-r <region>] [--cloud <cloud>] [-c <cell>] [-a ACTIVE] [--note NOTE] [-l LABELS] <host>
usage: craton cell-create -n <name> -r <region> --cloud <cloud> [--note NOTE]
usage: craton cell-list [-r <region>] [--cloud <cloud>] [--detail] [--sort-key <field>] [--sort-dir <direction>] [--fields <fields> [<fields> ...]] [--all] [--limit <limit>] [--marker <marker>] [--vars <vars> [<vars> ...]]
usage: craton cell-update [-n <name>] [-r <region>] [--cloud <cloud>] [--note NOTE] <cell>
usage: craton help [<subcommand>]
`

// TestUsageLines: the usage of each command is the original's, with what is new at the end of the options.
func TestUsageLines(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(originalUsage), "\n")
	for _, r := range []string{"project", "cloud", "region", "cell", "host"} {
		for _, verb := range []string{"show <%>", "delete <%>", "vars-get <%>", "vars-set <%> ...", "vars-delete <%> ..."} {
			lines = append(lines, "usage: craton "+r+"-"+strings.ReplaceAll(verb, "%", r))
		}
	}
	p := testProgram()
	for _, want := range lines {
		name := strings.Fields(want)[2]
		p.Define(name)
		got := strings.Join(strings.Fields(argparse.UsageOf(p.Commands[name])), " ")
		if strings.HasSuffix(name, "-create") {
			got = strings.Replace(got, " [--vars <key=value> [<key=value> ...]]", "", 1)
		}
		got = strings.Replace(got, " [--yes] [--dry-run]", "", 1)
		got = strings.Replace(got, " [--at <time>] [--omit-hashed]", "", 1)
		got = strings.Replace(got, " [--where <terms>]", "", 1)
		got = strings.Replace(got, " [--recreate]", "", 1)
		got = strings.Replace(strings.Replace(got, " [--protected]", "", 1), " [--no-protected]", "", 1)
		switch name {
		case "host-create":
			got = strings.Replace(got, " [--parent <parent>]", "", 1)
		case "host-update":
			got = strings.Replace(got, " [-t <type>] [--parent <parent>]", "", 1)
		}
		if got != want {
			t.Errorf("usage of %s:\n%s, want\n%s", name, got, want)
		}
	}
}

// pythonUsage prints the usage that argparse makes of the same arguments, at several widths.
const pythonUsage = `
import argparse, json, os, sys
if sys.version_info >= (3, 12):
    sys.exit(3)  # wraps in its own way
out = []
for command in json.load(sys.stdin):
    parser = argparse.ArgumentParser(prog=command["Prog"], add_help=False)
    for o in command["Options"]:
        flags = (["-" + o["Short"]] if o["Short"] else []) + ["--" + o["Long"]]
        if o["Switch"]:
            parser.add_argument(*flags, action="store_true", required=o["Required"])
        else:
            parser.add_argument(*flags, metavar=o["Meta"], nargs="+" if o["Words"] else None, required=o["Required"])
    if command["Target"]:
        parser.add_argument("target", metavar=command["Target"])
    for i, name in enumerate(command["More"]):
        parser.add_argument("more%d" % i, metavar=name)
    if command["Rest"]:
        parser.add_argument("rest", metavar="<words>", nargs=argparse.REMAINDER)
    for columns in command["Columns"]:
        os.environ["COLUMNS"] = str(columns)
        out.append(parser.format_usage())
json.dump(out, sys.stdout)
`

// TestUsageAsArgparse compares the usage of every command with what a real argparse makes of the same arguments.
func TestUsageAsArgparse(t *testing.T) {
	t.Parallel()
	type argument struct {
		Short, Long, Meta       string
		Words, Switch, Required bool
	}
	type parser struct {
		Prog, Target string
		More         []string
		Rest         bool
		Options      []argument
		Columns      []int
	}
	columns := []int{30, 45, 60, 80, 100, 200}
	var parsers []parser
	var ours []string
	for _, r := range object.Resources() {
		for _, c := range r.Commands() {
			p := parser{Prog: "craton " + c.Name, Rest: c.Rest, Columns: columns, Options: []argument{}}
			var optional, positional []string
			for i := range c.Options {
				o := &c.Options[i]
				p.Options = append(p.Options, argument{o.Short, o.Long, o.Meta, o.Kind == argparse.WordsOption, o.Kind == argparse.SwitchOption, o.Required})
				optional = append(optional, o.Usage()...)
			}
			if c.Target {
				p.Target = r.Positional()
				positional = append(positional, p.Target)
			}
			p.More = []string{}
			for _, a := range c.More {
				p.More = append(p.More, a.Name)
				positional = append(positional, a.Name)
			}
			if c.Rest {
				positional = append(positional, "...")
			}
			parsers = append(parsers, p)
			for _, n := range columns {
				ours = append(ours, argparse.WrapUsage(p.Prog, optional, positional, n))
			}
		}
	}
	python3, err := exec.LookPath("python3")
	if err != nil {
		skip.Packages(t, "python3")
	}
	in, err := json.Marshal(parsers)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python3, "-c", pythonUsage)
	cmd.Stdin = bytes.NewReader(in)
	text, err := cmd.Output()
	if cmd.ProcessState.ExitCode() == 3 {
		t.Skip("the python3 of this machine wraps usage in another way than Python 3.6")
	}
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ours); diff != "" {
		t.Errorf("(-argparse +ours):\n%s", diff)
	}
}
