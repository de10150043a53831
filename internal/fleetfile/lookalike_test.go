package fleetfile

import (
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// TestLookalikes: what has a name in Unicode's decomposed form, as the original takes it, stays; a new name is composed, and none that looks like
// one that is there. Each is a refusal that programs know.
func TestLookalikes(t *testing.T) {
	t.Parallel()
	const composed, decomposed, other = "caf\u00e9", "cafe\u0301", "u\u0308ber"
	s := &original{}
	c, err := craton.New("http://embedded", craton.WithTransport(inProcess{s}), craton.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Clouds.Create(t.Context(), craton.CloudCreate{Name: decomposed}); err != nil {
		t.Fatal(err)
	}
	apply := func(names ...string) (*Result, []reconcile.Problem) {
		t.Helper()
		var clouds []any
		for _, name := range names {
			clouds = append(clouds, map[string]any{"name": name})
		}
		f, err := FromValue(map[string]any{"clouds": clouds})
		if err != nil {
			t.Fatal(err)
		}
		s.writes()
		r, err := Apply(t.Context(), c, f, Options{})
		refused := reconcile.Refusals(err)
		if (err != nil) != (refused != nil) || err != nil && len(s.writes()) > 0 {
			t.Fatal(err)
		}
		return r, refused
	}
	if r, refused := apply(decomposed); refused != nil || r.Changed() {
		t.Errorf("%v %v", r, refused)
	}
	for name, want := range map[string]reconcile.Reason{composed: reconcile.ReasonLookalike, other: reconcile.ReasonInvalid} {
		_, refused := apply(name)
		if len(refused) != 1 || refused[0].Reason != want || refused[0].Kind != "cloud" || refused[0].Object != name || refused[0].Do == "" || !strings.HasSuffix(refused[0].Message, refused[0].Do) {
			t.Errorf("%q: %+v", name, refused)
		}
	}
	if _, refused := apply("east", other); len(refused) != 1 {
		t.Errorf("%v", refused)
	}
}
