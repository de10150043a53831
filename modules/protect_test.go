package modules

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProtectedOption: every kind is protected and let go by its own module, as predicted, and only where something
// differs.
func TestProtectedOption(t *testing.T) {
	t.Parallel()
	for _, l := range lives {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.place(t)
			name := "craton_" + l.name
			say := func(changed bool, o args) {
				t.Helper()
				predicted := a.OK(t, changed, name, o.With(checking))
				done := a.OK(t, changed, name, o.With(diffing))
				asPredicted(t, l.name, predicted, done)
				for side, want := range map[string]any{"before": !o["protected"].(bool) == changed, "after": o["protected"]} {
					of := done.Dict("diff")[side].(map[string]any)
					if len(of) > 0 && of["protected"] != want && (side == "after" || changed) {
						t.Errorf("%s: protected is %v, not %v", side, of["protected"], want)
					}
				}
				if done.Dict(l.name)["protected"] != o["protected"] {
					t.Errorf("%v", done[l.name])
				}
			}
			on, off := l.create.With(args{"protected": true}), l.create.With(args{"protected": false})
			say(true, on)
			say(false, on)
			if got := a.OK(t, false, name, l.create).Dict(l.name); cmp.Diff(nil, got["protected"]) != "" {
				t.Errorf("nobody asked: %v", got)
			}
			gone := l.create.With(args{"state": "absent"})
			id := fmt.Sprint(a.OK(t, false, name, l.create).Dict(l.name)["id"])
			for _, o := range []args{gone, gone.With(checking)} {
				a.Fails(t, name, o, "cannot be deleted: ... protected; ... craton unprotect ", " "+id+", ... protected: false")
			}
			if l.name == "network_interface" { // what is in it, by force too
				sw := args{"name": "sw1", "region": "dfw", "state": "absent"}
				a.Fails(t, "craton_network_device", sw.With(checking), `network interface "eth0" (id `+id+`) ... protected`)
				a.Fails(t, "craton_cloud", args{"name": "east", "state": "absent", "force": true}.With(checking), `network interface "eth0" (id `+id+`) ... protected`)
			}
			say(true, off)
			say(false, off)
			a.OK(t, true, name, gone)
			say(true, off) // made without it
			a.OK(t, true, name, gone)
		})
	}
}

// TestInfoOfProtected: objects say whether they are protected, and can be asked for by that.
func TestInfoOfProtected(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	for _, name := range []string{"web1", "web2"} {
		a.OK(t, true, "craton_host", args{"name": name, "region": "dfw", "ip_address": "10.0.0.9", "device_type": "server", "protected": name == "web2"})
	}
	a.OK(t, true, "craton_project", args{"id": a.Connection["project_id"], "protected": true})
	for module, list := range map[string]string{"craton_host_info": "hosts", "craton_device_info": "devices"} {
		for on, want := range map[bool]string{true: "web2", false: map[string]string{"hosts": "web1", "devices": "web1 sw1"}[list]} {
			if got := names(t, a.OK(t, false, module, args{"protected": on}), list); fmt.Sprint(got) != "["+want+"]" {
				t.Errorf("%s, protected %t: %v", module, on, got)
			}
		}
	}
	got := a.OK(t, false, "craton_project_info", args{"id": a.Connection["project_id"]})["projects"].([]any)[0].(map[string]any)
	if got["protected"] != true {
		t.Error(got)
	}
}

// TestFleetSets: what is about sets is predicted as it is done, told, and a name that is nearly another one's is a
// warning.
func TestFleetSets(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	fleet := func(note string) args {
		return args{"fleet": map[string]any{"clouds": []any{map[string]any{"name": "east", "note": note}}}}
	}
	both := func(changed bool, in args) (plan map[string]any, warnings []any) {
		t.Helper()
		predicted, done := a.OK(t, changed, fleetName, in.With(checking)), a.OK(t, changed, fleetName, in)
		for _, key := range []string{"plan", "changes", "warnings", "created", "updated", "joined"} {
			if d := cmp.Diff(predicted[key], done[key]); d != "" {
				t.Errorf("%s (-check +run):\n%s", key, d)
			}
		}
		warnings, _ = done["warnings"].([]any)
		return done.Dict("plan"), warnings
	}
	if plan, warnings := both(true, fleet("a").With(args{"set": "web"})); plan["set_new"] != true || warnings != nil {
		t.Error(plan, warnings)
	}
	belongs := []any{map[string]any{"name": "web", "members": 1.0}}
	plan, warnings := both(true, fleet("b"))
	if d := cmp.Diff([]any{"1 of these objects belongs to the set web: use --set web (in a task set: web) to keep it up to date."}, warnings); d != "" || cmp.Diff(belongs, plan["sets"]) != "" {
		t.Error(plan, d)
	}
	if plan, warnings := both(false, fleet("b")); cmp.Diff([]any{}, plan["sets"]) != "" || warnings != nil {
		t.Error(plan, warnings)
	}
	more := args{"fleet": map[string]any{"clouds": []any{map[string]any{"name": "west"}}}, "set": "wbe"}
	if _, warnings := both(true, more); cmp.Diff([]any{"The set wbe is new: no objects belong to it yet. Did you mean the set web?"}, warnings) != "" {
		t.Error(warnings)
	}
}
