package cli

import (
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/wording"
)

// TestKeysTwice: JSON that has a key twice is refused, whichever way it comes.
func TestKeysTwice(t *testing.T) {
	t.Parallel()
	run := user(t, small)
	for _, args := range [][]string{{"host-vars-set", "web-01", `x={"a":{"b":1,"b":2}}`}, {"cloud-create", "-n", "c", "--vars", `x={"a":{"b":1,"b":2}}`}} {
		if status, out, errs := run(nil, args...); status != 1 || out != "" || !wording.Has(errs, "x.a.b ... twice") {
			t.Errorf("%v: %d %q %q", args, status, out, errs)
		}
	}
	if _, err := object.ReadJSON(strings.NewReader(`{"a":1,"b":2,"a":3}`)); err == nil || !wording.Has(err.Error(), "standard input: a ... twice") {
		t.Error(err)
	}
}
