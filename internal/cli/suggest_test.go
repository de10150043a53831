package cli

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/output"
)

// TestSuggest: what people type where a subcommand should stand, and what is suggested.
func TestSuggest(t *testing.T) {
	t.Parallel()
	names := append(testProgram().Names(), "inventory", "doctor", "explain")
	for line, want := range map[string]string{
		"host list": "host-list", "hosts": "host-list", "host": "host-list", "hostlist": "host-list", "host-lst": "host-list", "hosts-list": "host-list", "list hosts": "host-list",
		"host_list": "host-list", "ls": "host-list", "host ls": "host-list", "HOST-LIST": "host-list", "host-get 1": "host-show", "host rm web": "host-delete",
		"delete host web": "host-delete", "create cloud": "cloud-create", "add-cloud": "cloud-create", "clouds": "cloud-list", "network device list": "network-device-list",
		"network-devices": "network-device-list", "host vars get": "host-vars-get", "host-vars": "host-vars-get", "devices": "device-list", "export": "inventory",
		"import fleet.yml": "apply", "serve": "server", "hsots": "host-list", "inventry": "inventory", "bogus": "", "frobnicate x": "",
		"show region dfw": "region-show", "users": "user-list", "cell edit": "cell-update", "check": "doctor",
	} {
		if got := argparse.Suggest(strings.Fields(line), names); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	for line, want := range map[string]string{
		"host list --help": "usage: craton host-list ", "--format json network device list --help": "usage: craton network-device-list ", "host vars get --help": "usage: craton host-vars-get ",
		"host vars-get -h": "usage: craton host-vars-get ", "help cell update": "usage: craton cell-update ", "help network device vars get": "usage: craton network-device-vars-get ",
		"__complete host li": "list\t", "__complete network device vars ": "delete\t", "__complete network device-li": "device-list\t", "__complete host list --reg": "--region\t",
	} {
		var out bytes.Buffer
		err := newProgram(output.Streams{In: strings.NewReader(""), Out: &out, Err: io.Discard}, Version{}, nil).Run(t.Context(), strings.Split(line, " "))
		if err != nil || !strings.HasPrefix(out.String(), want) {
			t.Errorf("%s: %v, %.200q", line, err, out.String())
		}
	}
	err := testProgram().Run(t.Context(), strings.Fields("host lst --region dfw"))
	e, ok := errors.AsType[*argparse.UsageError](err)
	if !ok || e.Usage != "" || e.Error() != "craton: error: argument <subcommand>: invalid choice: 'host lst'; did you mean host-list?\n"+
		"\"craton help host-list\" shows its options, \"craton help\" all subcommands." {
		t.Errorf("%v", err)
	}
}

// TestUnknownOptions are told with their value and the usage of their subcommand.
func TestUnknownOptions(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][2]string{
		"host-list --regoin dfw --all": {"usage: craton host-list ", "craton host-list: error: unrecognized arguments: --regoin dfw; did you mean --region?"},
		"host-list --regoin=dfw":       {"usage: craton host-list ", "craton host-list: error: unrecognized arguments: --regoin=dfw; did you mean --region?"},
		"--regoin dfw host-list":       {"usage: craton host-list ", "craton host-list: error: unrecognized arguments: --regoin dfw; did you mean --region?"},
		"cloud-delete --force east":    {"usage: craton cloud-delete ", "craton cloud-delete: error: unrecognized arguments: --force east"},
		"apply --chek x.yml":           {"usage: craton apply ", "craton apply: error: unrecognized arguments: --chek x.yml; did you mean --check?"},
	} {
		err := testProgram().Run(t.Context(), strings.Fields(line))
		e, ok := errors.AsType[*argparse.UsageError](err)
		if !ok || !strings.HasPrefix(e.Usage, want[0]) || e.Error() != want[1] {
			t.Errorf("%s: %v", line, err)
		}
	}
}
