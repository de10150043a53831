package modules

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/wording"
)

func TestVariables(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	a.OK(t, true, "craton_host", args{"name": "web1", "region": "dfw", "ip_address": "10.0.0.8", "device_type": "vm"})
	for _, target := range []args{
		{"kind": "project"}, {"kind": "project", "name": "bootstrap"}, {"kind": "cloud", "name": "east"}, {"kind": "region", "id": 1}, {"kind": "cell", "name": "row-a", "region": "dfw"},
		{"kind": "host", "name": "web1", "cloud": "east", "region": "dfw"}, {"kind": "network_device", "name": "sw1"}, {"kind": "network", "name": "front"},
	} {
		run := func(changed bool, in args, want map[string]any) {
			t.Helper()
			in = target.With(in)
			predicted := a.OK(t, changed, variablesName, in.With(checking))
			got := a.OK(t, changed, variablesName, in.With(diffing))
			for _, o := range []output{predicted, got, a.OK(t, false, variablesName, in)} {
				if d := cmp.Diff(want, o["variables"]); d != "" {
					t.Errorf("%v: %s", in, d)
				}
			}
			if d := cmp.Diff(predicted["diff"], got["diff"]); d != "" {
				t.Errorf("%v: the diffs differ: %s", in, d)
			}
		}
		run(true, args{"variables": map[string]any{"a": 1, "b": nil}, "variables_mode": "replace"}, map[string]any{"a": 1.0, "b": nil})
		run(true, args{"variables": map[string]any{"c": "x"}}, map[string]any{"a": 1.0, "b": nil, "c": "x"})
		run(false, args{"variables": map[string]any{"a": 1.0}}, map[string]any{"a": 1.0, "b": nil, "c": "x"})
		run(true, args{"remove": "a,zz", "variables": map[string]any{"c": "y"}}, map[string]any{"b": nil, "c": "y"})
		run(true, args{"variables": map[string]any{}, "variables_mode": "replace"}, map[string]any{})
	}
	on := args{"kind": "host", "name": "web1"}
	a.Fails(t, variablesName, on, "required: variables, remove")
	a.Fails(t, variablesName, on.With(args{"variables": map[string]any{"a": 1}, "remove": "a"}), `"a" ... set ... removed`)
	a.Fails(t, variablesName, args{"kind": "host", "name": "nobody", "remove": "a"}, `no host "nobody"`)
	a.Fails(t, variablesName, args{"kind": "host", "id": "99", "remove": "a"}, "no host ... id 99")
	a.Fails(t, variablesName, args{"kind": "cloud", "name": "east", "region": "dfw", "remove": "a"}, "region: it does not say where a cloud is")
	a.Fails(t, variablesName, args{"kind": "cloud", "remove": "a"}, "name, id")
}

// Digits that no float holds survive every module.
func TestVariablesKeepTheirDigits(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const big = `{"big":123456789012345678901234567890,"f":1.50}`
	_, text := run(t, "craton_cloud", a.Connection.With(args{"name": "c", "variables": big}), nil)
	if !strings.Contains(text, `"big":123456789012345678901234567890`) || !strings.Contains(text, `"f":1.50`) {
		t.Error(text)
	}
	_, text = run(t, "craton_cloud_info", a.Connection, nil)
	if !strings.Contains(text, "123456789012345678901234567890") {
		t.Error(text)
	}
}

const fleetFile = `
clouds:
  - name: east
    note: n
    regions:
      - name: dfw
        hosts:
          - {name: web1, ip_address: 10.0.0.1, device_type: server, labels: [web], variables: {v: 1}}
`

func TestFleet(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	src := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(src, []byte(fleetFile), 0o600); err != nil {
		t.Fatal(err)
	}
	file := args{"src": src}
	predicted := a.OK(t, true, fleetName, file.With(checking))
	got := a.OK(t, true, fleetName, file.With(diffing))
	want := []any{
		map[string]any{"kind": "cloud", "name": "east", "action": "created", "fields": []any{"note"}},
		map[string]any{"kind": "region", "name": "east/dfw", "action": "created", "fields": []any{}},
		map[string]any{"kind": "host", "name": "east/dfw/web1", "action": "created", "fields": []any{"ip_address", "device_type", "labels", "variables"}},
	}
	for _, o := range []output{predicted, got} {
		if d := cmp.Diff(want, o["changes"]); d != "" {
			t.Error(d)
		}
		if o["created"] != 3.0 || o["updated"] != 0.0 || o["unchanged"] != 0.0 || len(o["diff"].([]any)) != 3 {
			t.Errorf("%v", o)
		}
	}
	if d := cmp.Diff(predicted["diff"], got["diff"]); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]any{"before": map[string]any{}, "after": map[string]any{"name": "dfw"},
		"before_header": "region east/dfw", "after_header": "region east/dfw"}, got["diff"].([]any)[1]); d != "" {
		t.Error(d)
	}
	if again := a.OK(t, false, fleetName, file.With(diffing)); again["unchanged"] != 3.0 || again["diff"] != nil || len(again["changes"].([]any)) != 0 {
		t.Errorf("again: %v", again)
	}
	task := args{"fleet": map[string]any{"clouds": []any{map[string]any{"name": "east", "note": "m"}}}}
	diff := a.OK(t, true, fleetName, task.With(diffing)).Dict("diff")
	if d := cmp.Diff(map[string]any{"before": map[string]any{"note": "n"}, "after": map[string]any{"note": "m"},
		"before_header": "cloud east", "after_header": "cloud east"}, diff); d != "" {
		t.Error(d)
	}
	a.Fails(t, fleetName, args{}, "required: fleet, src")
	a.Fails(t, fleetName, args{"src": src + "x"}, "src: ", "no such file")
	a.Fails(t, fleetName, args{"fleet": map[string]any{"clowds": nil}}, "clowds", "clouds")
}

// A fleet in a file: no server, and check mode of a file that is not there leaves nothing behind.
func TestSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fleet.db")
	env := map[string]string{"CRATON_URL": "sqlite:" + path}
	run := func(name string, in args) output {
		t.Helper()
		o, _ := run(t, name, in, env)
		return o
	}
	if o := run("craton_cloud_info", nil); o["failed"] != true || !strings.Contains(o.Msg(), "fleet.db") {
		t.Errorf("reading what is not there: %v", o)
	}
	predicted := run("craton_cloud", args{"name": "east"}.With(checking))
	if _, err := os.Stat(path); err == nil {
		t.Fatal("check mode has made the file")
	}
	got := run("craton_cloud", args{"name": "east"}.With(diffing))
	asPredicted(t, "cloud", predicted, got)
	if o := run("craton_cloud", args{"name": "east"}.With(checking)); o["changed"] != false {
		t.Errorf("again: %v", o)
	}
	if o := run("craton_user", args{"name": "u"}); o["changed"] != true {
		t.Errorf("a user: %v", o)
	}
	// A second project has a cloud of the same name, and each task its own.
	other := run("craton_project", args{"name": "other"}).Dict("project")["id"]
	if o := run("craton_cloud_info", nil); !strings.Contains(o.Msg(), "several projects") {
		t.Errorf("which project? %v", o)
	}
	mine := args{"project_id": got.Dict("cloud")["project_id"]}
	theirs := args{"project_id": other}
	second := run("craton_cloud", args{"name": "east"}.With(theirs))
	if second["changed"] != true || second.Dict("cloud")["project_id"] != other {
		t.Errorf("the other's cloud: %v", second)
	}
	run("craton_region", args{"name": "dfw", "cloud": "east"}.With(theirs))
	for _, in := range []args{mine, theirs} {
		if o := run("craton_cloud", args{"name": "east"}.With(in)); o["changed"] != false || o["failed"] != nil {
			t.Errorf("again in %v: %v", in, o)
		}
		if n := len(names(t, run("craton_cloud_info", in), "clouds")); n != 1 {
			t.Errorf("%d clouds in %v", n, in)
		}
	}
	if o := run("craton_region", args{"name": "dfw", "state": "absent"}.With(mine)); o["changed"] != false {
		t.Errorf("the other's region was found: %v", o)
	}
	env["OS_PROJECT_ID"] = got.Dict("cloud")["project_id"].(string)
	if o := run("craton_variables", args{"kind": "project", "variables": map[string]any{"a": 1}}); o["changed"] != true {
		t.Errorf("the project: %v", o)
	}
}

func TestConnection(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if o, _ := run(t, "craton_cloud_info", nil, nil); !wording.Has(o.Msg(), "option url ... CRATON_URL") {
		t.Errorf("without a URL: %v", o)
	}
	env := map[string]string{}
	for option, name := range map[string]string{"url": "CRATON_URL", "username": "OS_USERNAME", "password": "OS_PASSWORD", "project_id": "OS_PROJECT_ID"} {
		env[name] = a.Connection[option].(string)
	}
	if o, _ := run(t, "craton_cloud_info", nil, env); o["failed"] != nil {
		t.Errorf("by the environment: %v", o)
	}
	const secret = "not-the-right-key"
	o, text := run(t, "craton_cloud_info", args{"password": secret}, env)
	if o["failed"] != true || strings.Contains(text, secret) || strings.Contains(text, env["OS_PASSWORD"]) {
		t.Errorf("a wrong key: %s", text)
	}
	// A note that holds the key is what the fleet has; the module itself does not tell it.
	note := "my " + env["OS_PASSWORD"]
	o, text = run(t, "craton_cloud", args{"name": "c", "note": note}, env)
	if o["changed"] != true || o.Dict("cloud")["note"] != note || strings.Count(text, env["OS_PASSWORD"]) != 1 {
		t.Errorf("the key in a note: %s", text)
	}
	if o, _ := run(t, "craton_cloud_info", args{"timeout": "soon"}, env); !wording.Has(o.Msg(), "timeout ... number of seconds") {
		t.Errorf("a bad timeout: %v", o)
	}
}

// TestMessage: a task says why it changes something, in its option or in the environment.
func TestMessage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	last := func() string {
		t.Helper()
		c, err := craton.New(a.Connection["url"].(string), craton.WithLocalAuth(a.Connection["username"].(string), a.Connection["password"].(string), a.Connection["project_id"].(string)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(t.Context(), "GET", "/changes", url.Values{"limit": {"1000"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		all := gjson.GetBytes(resp.Body, "changes.#.message").Array()
		return all[len(all)-1].Str
	}
	a.OK(t, true, "craton_cloud", args{"name": "c", "change_message": "the first cloud"})
	if got := last(); got != "the first cloud" {
		t.Errorf("the change log has %q", got)
	}
	if o, text := run(t, "craton_variables", args{"kind": "cloud", "name": "c", "variables": args{"a": 1}}.With(a.Connection), map[string]string{"CRATON_MESSAGE": "pipeline 42"}); o["changed"] != true {
		t.Fatal(text)
	}
	if got := last(); got != "pipeline 42" {
		t.Errorf("the change log has %q", got)
	}
	a.OK(t, true, "craton_fleet", args{"fleet": map[string]any{"clouds": []any{map[string]any{"name": "d"}}}, "change_message": "a document"})
	if got := last(); got != "a document" {
		t.Errorf("the change log has %q", got)
	}
	a.Fails(t, "craton_cloud", args{"name": "c", "note": "n", "change_message": "two\nlines"}, "the message contains a control character")
}
