package iotronic

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

// runCommand runs the command with what it is told by flags.
func runCommand(t *testing.T, url string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := Command(output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(append([]string{"--iotronic-url", url, "--os-token", iotronictest.Admin.Token, "--max-retries", "0"}, args...))
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

func TestCommand(t *testing.T) {
	t.Parallel()
	town := boards(t)
	for file, args := range map[string][]string{
		"boards.json":         {"--list", "--pretty"},
		"graph.txt":           {"--graph", "--hosts"},
		"boards_trusted.json": {"--list", "--pretty", "--groups", "status", "--trust-templates", "--exclude-fields", "[a-df-z]*"},
		"boards_extra.json": {"--list", "--pretty", "--groups", "fleet", "--facts", "none", "--extra-variables", "[a-r]*,ansible_u*",
			"--exclude-variables", "mg*", "--address-from", "extra.mgmt.ip,connectivity.local_ip"},
		"boards_filtered.json": {"--list", "--pretty", "--facts", "none", "--filters", "fleet=roofs of town,status=online", "--filters", "status=registered"},
	} {
		want, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		out, errs, err := runCommand(t, town.URL, args...)
		if err != nil || errs != "" || out != string(want) {
			t.Errorf("%s: error %v, stderr %q\n%s", file, err, errs, cmp.Diff(string(want), out))
		}
	}
}

// TestCommandHost: every host alone is what the inventory has for it.
func TestCommandHost(t *testing.T) {
	t.Parallel()
	town := boards(t)
	list, _, err := runCommand(t, town.URL, "--list")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Meta struct {
			Hostvars map[string]json.RawMessage `json:"hostvars"`
		} `json:"_meta"`
	}
	if err := json.Unmarshal([]byte(list), &doc); err != nil || len(doc.Meta.Hostvars) != 3 {
		t.Fatalf("%v: %s", err, list)
	}
	for name, want := range doc.Meta.Hostvars {
		if got, _, err := runCommand(t, town.URL, "--host", name); err != nil || got != string(want)+"\n" {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(string(want)+"\n", got))
		}
	}
}

// TestCommandFailures: nothing on standard output, and an error of one line.
func TestCommandFailures(t *testing.T) {
	t.Parallel()
	town, twins := boards(t), boards(t)
	twins.Add("boards", object{"name": "pi-01", "code": "c9"})
	nonsense := boards(t)
	nonsense.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/detail") {
			_, _ = w.Write([]byte("<html>\n</html>"))
			return true
		}
		return false
	})
	for name, c := range map[string]struct {
		url  string
		args []string
		want string
	}{
		"down":          {"http://127.0.0.1:1", []string{"--list"}, "cannot reach the Ironic or Iotronic API"},
		"nonsense":      {nonsense.URL, []string{"--list"}, "not JSON"},
		"a wrong token": {town.URL, []string{"--list", "--os-token", "hush"}, "401 Unauthorized: The request you have made requires authentication. Set token (OS_TOKEN) to a valid one"},
		"twins":         {twins.URL, []string{"--list"}, `two hosts are called "pi-01"`},
		"twins alone":   {twins.URL, []string{"--host", "pi-02"}, `two hosts are called "pi-01"`},
		"no such host":  {town.URL, []string{"--host", "pi-03"}, `the inventory has no host "pi-03"`},
		"kept out":      {town.URL, []string{"--host", "pi-02", "--filters", "status=online"}, `the inventory has no host "pi-02"; perhaps filters keep it out`},
		"empty host":    {town.URL, []string{"--host", ""}, `the inventory has no host ""`},
		"nothing said":  {town.URL, nil, "--list, --host NAME or --graph"},
		"bad hostname":  {town.URL, []string{"--list", "--hostname", "qualified"}, "name, uuid, unique"},
		"half a group":  {town.URL, []string{"--list", "--groups", "status,none"}, "groups is none and also something else"},
		"own facts":     {town.URL, []string{"--list", "--facts", "hostvars"}, "facts cannot be called hostvars, which Ansible sets itself"},
		"bad group":     {town.URL, []string{"--list", "--groups", "label"}, `"label", which is not allowed`},
		"bad filter":    {town.URL, []string{"--list", "--filters", "online"}, "write FIELD=VALUE"},
		"bad pattern":   {town.URL, []string{"--list", "--exclude-fields", "["}, `"["`},
		"bad dialect":   {town.URL, []string{"--list", "--dialect", "openstack"}, "iotronic-boards"},
		"other dialect": {town.URL, []string{"--list", "--dialect", "ironic"}, "the dialect is set to ironic, and the server is Iotronic; set the dialect to what it is, or to auto"},
		"no url":        {"", []string{"--list", "--os-token", ""}, "no Ironic or Iotronic is configured: set CRATON_IOTRONIC_URL"},
	} {
		out, errs, err := runCommand(t, c.url, c.args...)
		if err == nil || out != "" || errs != "" {
			t.Errorf("%s: error %v, stdout %q, stderr %q", name, err, out, errs)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || strings.Contains(output.OneLine(err), "\n") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: error %q, want %q", name, err, c.want)
		}
	}
}

// TestDefaultOptions: the library's defaults are the settings', and its words theirs.
func TestDefaultOptions(t *testing.T) {
	t.Parallel()
	v, err := settings.Load(nil, settings.IotronicInventory)
	if err != nil {
		t.Fatal(err)
	}
	o, err := FromSettings(v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(DefaultOptions(), o); diff != "" {
		t.Errorf("(-library +settings):\n%s", diff)
	}
	for _, s := range settings.IotronicInventory.Settings {
		switch s.Name {
		case "groups":
			var words []string
			for _, k := range allGroups {
				words = append(words, string(k))
			}
			if words = append(words, "none"); !slices.Equal(words, s.Choices) {
				t.Errorf("groups: %v and %v", words, s.Choices)
			}
		case "hostname":
			if !slices.Equal(s.Choices, []string{string(ByName), string(ByUUID), string(Unique)}) {
				t.Errorf("hostname: %v", s.Choices)
			}
		}
	}
}
