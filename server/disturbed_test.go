package server_test

import (
	"fmt"
	"testing"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestDisturbed: what this package's fixtures promise where writes are disturbed. They are, nobody notices, and ids
// follow each other.
func TestDisturbed(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Disturbed)
	f := newFixture(t)
	for n := range 300 {
		made := f.must(f.root, 201, "POST", "/v1/clouds", fmt.Sprintf(`{"name":"c%d"}`, n))
		if id := fmt.Sprint(made.JSON["id"]); id != fmt.Sprint(n+1) {
			t.Fatalf("cloud %d has the id %s", n+1, id)
		}
		f.must(f.root, 200, "PUT", "/v1/clouds/1/variables", fmt.Sprintf(`{"n":%d}`, n))
	}
	if n := enginetest.Disturbances(t, f.database); n < 3 {
		t.Errorf("%d disturbances", n)
	}
}
