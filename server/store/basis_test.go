package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestMarksCostLittle: what tells that a fleet is unchanged is one statement,
// which looks into indexes of the log and reads nothing of the fleet.
func TestMarksCostLittle(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	for i := range 50 {
		create(t, s, Hosts, sc, host(fmt.Sprint("h", i), nil))
	}
	whole := Basis{Kinds: []string{"project", "cloud", "region", "cell", "host", "network-device", "network", "network-interface"}}
	one := Basis{Own: &Object{"host", "7"}, Objects: []Object{{"cell", "1"}, {"region", "1"}, {"cloud", "1"}, {"project", sc.Project}}}
	for name, b := range map[string]Basis{"fleet": whole, "host": one} {
		for _, scope := range []Scope{sc, {All: true}} {
			before := s.statements.Load()
			var m Marks
			err := s.View(t.Context(), false, func(ctx context.Context, v *View) (err error) {
				m, err = v.Marks(ctx, scope, b)
				return err
			})
			if err != nil || m.Newest == "" || m.Log.Revision == 0 || (m.Own == "") != (b.Own == nil) {
				t.Errorf("%s: %+v %v", name, m, err)
			}
			if n := s.statements.Load() - before; n != 1 {
				t.Errorf("%s: %d statements", name, n)
			}
			if enginetest.Now() != enginetest.SQLite {
				continue
			}
			text, args := b.statement(scope)
			plan := explain(t, s, text, args)
			for _, table := range []string{"SCAN changes", "devices", "hosts", "projects", "TEMP B-TREE"} {
				if strings.Contains(plan, table) {
					t.Errorf("%s, all %v: %s in\n%s", name, scope.All, table, plan)
				}
			}
		}
	}
}
