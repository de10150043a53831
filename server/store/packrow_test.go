package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestListedRows: a row of a listing equals the row of the individual object, whether rows are packed or not, and
// whatever its texts contain.
func TestListedRows(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	var parent any
	for i, odd := range []string{"plain", `"quotes" and \ and /`, "\u00fc\u2028\U0001d11e", "line\nbreak\ttab", "[1,2]", "null", "7", "\x7f\u00a0 ", "\u00fc"} {
		values := Values{"note": odd, "device_type": odd, "active": i%2 == 0, "cell_id": int64(1)}
		if parent != nil {
			values["parent_id"] = parent
		}
		parent = create(t, s, Hosts, sc, host(fmt.Sprint("h", i), values))
	}
	look(t, s, func(ctx context.Context, v *View) error {
		page, err := v.List(ctx, Hosts, sc, List{Limit: 100, Sort: []string{"created_at", "id"}})
		if err != nil || len(page.Rows) < 9 {
			t.Fatalf("%d rows, %v", len(page.Rows), err)
		}
		for _, row := range page.Rows {
			alone, err := v.Get(ctx, Hosts, sc, idText(row[Hosts.Index("id")]))
			if err != nil {
				return err
			}
			if diff := cmp.Diff(alone, row); diff != "" {
				t.Errorf("(-alone +listed):\n%s", diff)
			}
		}
		return nil
	})
}
