package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/store/engine"
)

// longLog inserts many changes of hosts into the log, and has PostgreSQL collect statistics.
func longLog(t *testing.T, s *Store, project string) {
	t.Helper()
	err := s.engine.Write(t.Context(), engine.Work{Run: func(ctx context.Context, tx engine.Tx) error {
		values := fmt.Sprintf("SELECT 100 + g, 1, 'c', 0, '%s', '', '', '', '', '', 'host', (g %% 50)::text, '', 'update', '{}', '{}' FROM generate_series(1, 20000) g", project)
		if err := tx.Exec(ctx, insertChanges+" "+values, nil); err != nil {
			return err
		}
		return tx.Exec(ctx, "ANALYZE changes", nil)
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestMarksCostLittle: marks need one statement, which uses indexes of the log and does not read objects.
func TestMarksCostLittle(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	for i := range 50 {
		create(t, s, Hosts, sc, host(fmt.Sprint("h", i), nil))
	}
	if enginetest.Now() != enginetest.SQLite {
		longLog(t, s, sc.Project)
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
			text, args := b.statement(scope)
			plan := explain(t, s, text, args)
			for _, table := range []string{"SCAN changes", "Seq Scan on changes", "Scan Backward using changes_pkey", "devices", "hosts", "projects", "TEMP B-TREE"} {
				if strings.Contains(plan, table) {
					t.Errorf("%s, all %v: %s in\n%s", name, scope.All, table, plan)
				}
			}
		}
	}
}
