package modules

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/wording"
)

// TestMoveOption moves what stands elsewhere, with all that it has, as predicted.
func TestMoveOption(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	a.OK(t, true, "craton_region", args{"name": "ams", "cloud": "east"})
	a.OK(t, true, "craton_cell", args{"name": "row-c", "region": "ams"})
	device := args{"name": "web1", "region": "dfw", "cell": "row-a", "ip_address": "10.0.0.9", "device_type": "server", "parent": "sw1", "labels": []string{"l"}, "variables": vars}
	for _, name := range []string{"host", "network_device"} {
		module := "craton_" + name
		was := a.OK(t, true, module, device).Dict(name)
		move := func(o args) map[string]any {
			t.Helper()
			o = o.With(args{"name": "web1", "move": true})
			predicted := a.OK(t, true, module, o.With(checking))
			done := a.OK(t, true, module, o.With(diffing))
			asPredicted(t, name, predicted, done)
			a.OK(t, false, module, o)
			return done.Dict(name)
		}
		a.Fails(t, module, args{"name": "web1", "region": "dfw", "cell": "row-b"}, "cannot change cell", "move: true ... "+strings.ReplaceAll(name, "_", " "), "recreate: true")
		move(args{"region": "dfw", "cell": "row-b"})
		now := move(args{"region": "ams"})
		if now["cell_id"] != nil || now["id"] != was["id"] {
			t.Errorf("%v", now)
		}
		now = move(args{"region": "ams", "cell": "row-c", "ip_address": "10.0.0.10", "labels": []string{"m"}, "variables": map[string]any{"new": 1}})
		if now["ip_address"] != "10.0.0.10" || len(now["labels"].([]any)) != 2 || len(now["variables"].(map[string]any)) != len(vars)+1 {
			t.Errorf("not moved and changed: %v", now)
		}
		now = timeless(move(device.With(args{"labels_mode": "exact", "variables_mode": "replace"})))
		if d := cmp.Diff(timeless(was), now); d != "" {
			t.Errorf("there and back:\n%s", d)
		}
		// A name that is there, and one that several have.
		a.OK(t, true, module, device.With(args{"region": "ams", "cell": "row-c"}))
		a.Fails(t, module, args{"id": was["id"], "region": "ams", "move": true}, `"web1" ... taken`)
		a.OK(t, true, "craton_region", args{"name": "ord" + name, "cloud": "east"})
		a.Fails(t, module, args{"name": "web1", "region": "ord" + name, "move": true}, `"web1" ... 2 objects`)
		a.OK(t, true, module, args{"name": "web1", "region": "ams", "state": "absent"})
		a.OK(t, true, module, args{"id": was["id"], "state": "absent"})
	}
	// A cell takes along what is in it.
	a.OK(t, true, "craton_host", device)
	cell := args{"name": "row-a", "region": "ams", "move": true, "note": "moved"}
	predicted := a.OK(t, true, "craton_cell", cell.With(checking))
	asPredicted(t, "cell", predicted, a.OK(t, true, "craton_cell", cell.With(diffing)))
	a.OK(t, false, "craton_cell", cell)
	a.OK(t, false, "craton_host", args{"name": "web1", "region": "ams", "cell": "row-a"})
	a.OK(t, true, "craton_cell", args{"name": "row-z", "region": "ams", "move": true}) // nothing to move: it is made
}

// TestMoveUnsupported is refused by a server that knows no moves, which the original is, and created again where
// that is asked for.
func TestMoveUnsupported(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	created := 0
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/capabilities"), strings.HasSuffix(r.URL.Path, "/move"), strings.HasSuffix(r.URL.Path, "/protected"):
			http.NotFound(w, r)
			return true
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/hosts"):
			if created++; created > 1 {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte(`{"status": 400, "message": "no"}`))
				return true
			}
		}
		return false
	}
	host := args{"name": "web1", "region": "dfw", "cell": "row-a", "ip_address": "10.0.0.9", "device_type": "server", "labels": []string{"l"}, "variables": map[string]any{"key": 12345678901234567890.0}}
	a.OK(t, true, "craton_host", host)
	move := args{"name": "web1", "region": "dfw", "cell": "row-b", "move": true}
	a.Fails(t, "craton_host", move, `cannot change cell "row-a" ... "row-b" ... host "web1"`, "cannot move", "recreate: true")
	a.Fails(t, "craton_host", move.With(args{"protected": true}), "protected: ... cannot protect")
	got := a.Task(t, "craton_host", move.With(args{"recreate": true}))
	if got["failed"] == nil || got["changed"] != true {
		t.Fatalf("%v", got)
	}
	for _, want := range []string{"deleted ... not ... recreated", `"ip_address":"10.0.0.9"`, `"labels":["l"]`, `"key":12345678901234567000`, `"cell_id":2`} {
		if !wording.Has(got.Msg(), want) {
			t.Errorf("%s is not in: %s", want, got.Msg())
		}
	}
	created = -2
	a.OK(t, true, "craton_host", host)
	a.OK(t, true, "craton_host", move.With(args{"recreate": true}))
	a.OK(t, false, "craton_host", move)
}
