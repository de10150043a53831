package fleetfile

import (
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/wording"
)

// TestSetsOfAFile: where the server remembers no sets, the user's own file tells which there are, and what belongs to
// them.
func TestSetsOfAFile(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	o := &original{}
	c := o.client(t)
	fl := &reconcile.Fleet{Client: c}
	if all, err := fl.Sets(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
	plan := func(note string, set reconcile.SetOptions) *reconcile.Plan {
		t.Helper()
		p, err := fl.PlanTree(t.Context(), parse(t, `clouds: [{name: a, note: `+note+`, regions: [{name: r}]}]`).Tree(), Options{Set: set})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := plan("x", reconcile.SetOptions{Name: "web"})
	if notes := p.SetNotes(); !p.Set.New || len(notes) != 1 || !wording.Has(notes[0], "set web ... new") {
		t.Error(notes)
	}
	if _, err := fl.ApplyPlan(t.Context(), p, Options{}); err != nil {
		t.Fatal(err)
	}
	if all, err := fl.Sets(t.Context(), ""); err != nil || len(all) != 1 || all[0].Name != "web" || all[0].Members != 2 {
		t.Errorf("%v %v", all, err)
	}
	if notes := plan("y", reconcile.SetOptions{}).SetNotes(); len(notes) != 1 || !wording.Has(notes[0], "2 ... objects ... set web ... --set web (in a task set: web)") {
		t.Error(notes)
	}
	if notes := plan("x", reconcile.SetOptions{}).SetNotes(); notes != nil {
		t.Error(notes)
	}
	if notes := plan("x", reconcile.SetOptions{Name: "wbe", Adopt: true}).SetNotes(); len(notes) != 1 || !strings.HasSuffix(notes[0], "Did you mean the set web?") {
		t.Error(notes)
	}
}
