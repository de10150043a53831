package store

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestMigrationsKnowEveryColumn compares the tables that the migrations create with the entities, whose columns come
// from the schema.
func TestMigrationsKnowEveryColumn(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	s := fresh(t)
	types := map[Type]string{Int: "integer", Text: "text", Bool: "boolean", Time: "integer", UUID: "text"}
	wide := strings.NewReplacer("bigint", "integer") // both have 64 bits
	for _, k := range schema.All() {
		e := known[k]
		if e == nil {
			t.Errorf("%s: no entity", k.Name)
			continue
		}
		want := map[string]string{}
		for _, c := range append(e.secrets(), e.Columns...) {
			if c.expr == "" {
				want[c.Name] = types[c.Type]
				if !c.Nullable {
					want[c.Name] += " not null"
				}
			}
		}
		got := map[string]string{}
		err := s.read(t.Context(), func(ctx context.Context, q *session) error {
			var name, typ string
			var required, key bool
			return q.each(ctx, `SELECT name, lower(type), "notnull", pk > 0 FROM pragma_table_info(?)`, []any{e.Table}, []any{&name, &typ, &required, &key}, func() {
				if typ = wide.Replace(typ); required || key {
					typ += " not null"
				}
				got[name] = typ
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: table %s (-the schema says, +the migrations made):\n%s", k.Name, e.Table, d)
		}
	}
}
