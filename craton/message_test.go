package craton_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// TestMessage: what is written says why, the call's own words before the client's, and nothing is said where nothing
// changes.
func TestMessage(t *testing.T) {
	t.Parallel()
	var seen []string
	mux, c := newServer(t, craton.WithMessage("nightly run"))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.Header.Get("X-Craton-Message"))
		reply(w, 200, plain)
	})
	ctx := craton.ContextWithMessage(t.Context(), "für den Umzug")
	for _, err := range []error{
		second(c.Clouds.Get(ctx, 7)),
		second(c.Clouds.Create(ctx, craton.CloudCreate{Name: "c"})),
		second(c.Clouds.Update(t.Context(), 7, craton.CloudUpdate{Note: new("x")})),
		second(c.Hosts.Move(ctx, 7, craton.DeviceMove{RegionID: 1})),
		c.Clouds.Delete(craton.ContextWithMessage(t.Context(), ""), 7),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{"GET ", "POST für den Umzug", "PUT nightly run", "POST für den Umzug", "DELETE nightly run"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	seen = nil
	for text, words := range map[string]string{"two\nlines": "the message contains a control character", strings.Repeat("x", 1025): "the message has 1025 bytes, but at most 1024 are allowed"} {
		err := c.Clouds.Delete(craton.ContextWithMessage(t.Context(), text), 7)
		if err == nil || !strings.Contains(err.Error(), words) || seen != nil {
			t.Errorf("%.20q: %v, sent %v", text, err, seen)
		}
	}
}
