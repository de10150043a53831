package craton_test

import (
	"net/http"
	"testing"

	"github.com/craton-fleet/craton/craton"
)

// TestIfUnchanged: writes with the tag of an object are conditional, reads are not, and a server without tags is asked
// without.
func TestIfUnchanged(t *testing.T) {
	t.Parallel()
	var got []string
	for _, tag := range []string{`"own.newest.hash"`, ""} {
		mux, c := newServer(t)
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			got = append(got, r.Method+" "+r.Header.Get("If-Match")+" "+r.Header.Get("If-None-Match"))
			if tag != "" {
				w.Header().Set("Etag", tag)
			}
			reply(w, 200, `{"id": 3, "name": "a"}`)
		})
		h, is, err := c.Hosts.GetTagged(t.Context(), 3)
		if err != nil || is != tag || h.ID != 3 {
			t.Fatal(h, is, err)
		}
		ctx := craton.ContextIfUnchanged(t.Context(), is)
		if _, err := c.Hosts.Update(ctx, 3, craton.HostUpdate{Note: new("x")}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Hosts.Get(ctx, 3); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{`GET  "none"`, `PUT "own.newest.hash" `, "GET  ", `GET  "none"`, "PUT  ", "GET  "}
	for i, w := range want {
		if got[i] != w {
			t.Errorf("request %d: %s, want %s", i, got[i], w)
		}
	}
}
