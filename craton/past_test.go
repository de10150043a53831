package craton_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// remembering returns a server with a change log: it answers capabilities, and shows revision 12.
func remembering(t *testing.T, features string) (mux *http.ServeMux, c *craton.Client, rec *recorder) {
	t.Helper()
	mux, c = newServer(t)
	rec = new(recorder)
	mux.HandleFunc("/v1/capabilities", rec.wrap(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("at") {
			w.Header().Set("X-Craton-Revision", "12-0b5e1f2a")
		}
		reply(w, 200, `{"features": [`+features+`], "horizon": 3, "revision": "40-aa", "version": "0.1.0"}`)
	}))
	mux.HandleFunc("/v1/clouds", rec.wrap(listing(`{"clouds": `, `{"id": 1, "name": "east"}`, "")))
	return mux, c, rec
}

const withAt = `"at", "changes", "fleet"`

// TestAt: a time becomes one revision, which all requests of the client then name, those of the next pages of a walk
// too; what knows nothing of states is not told one, and the client that it was made of stays in the present.
func TestAt(t *testing.T) {
	t.Parallel()
	mux, c, rec := remembering(t, withAt)
	mux.HandleFunc("/v1/hosts/7", rec.wrap(always(200, `{"id": 7, "name": "web-01", "ip_address": "192.0.2.1"}`)))
	mux.HandleFunc("/v1/fleet", rec.wrap(always(200, "{\"fleet\": {\"format\": 1}}\n{\"end\": {\"count\": 0}}\n")))
	mux.HandleFunc("/v1/changes", rec.wrap(always(200, `{"changes": [{"revision": 11}, {"revision": 12}, {"revision": 13}], "next": "13-x", "more": true}`)))
	ctx := t.Context()
	past, err := c.At(ctx, craton.Past{At: "2026-11-20T09:30:00Z", OmitHashed: true})
	if err != nil {
		t.Fatal(err)
	}
	if past.Revision() != "12-0b5e1f2a" || c.Revision() != "" {
		t.Errorf("revisions %q and %q", past.Revision(), c.Revision())
	}
	for _, err := range past.Clouds.All(ctx, craton.CloudListOptions{}) {
		if err != nil {
			t.Error(err)
		}
	}
	_, err = past.Hosts.GetResolved(ctx, 7)
	stream, errFleet := past.Fleet(ctx, craton.FleetOptions{CloudID: 1})
	if err != nil || errFleet != nil {
		t.Fatal(err, errFleet)
	}
	stream.Close()
	var seen []int64
	for change, err := range past.Changes(ctx, craton.ChangeOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, change.Revision)
	}
	if diff := cmp.Diff([]int64{11, 12}, seen); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if _, err := c.Hosts.Get(ctx, 7); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rec.all() {
		got = append(got, strings.TrimSuffix(r.Path+"?"+r.Query, "?"))
	}
	const pinned = "at=12-0b5e1f2a&concealed=omit"
	want := []string{
		"/v1/capabilities",
		"/v1/capabilities?at=2026-11-20T09:30:00Z&concealed=omit",
		"/v1/clouds?" + pinned + "&limit=100", "/v1/clouds?" + pinned + "&limit=100&marker=1", "/v1/clouds?" + pinned + "&limit=10&sort_dir=desc",
		"/v1/hosts/7?" + pinned, "/v1/fleet?at=12-0b5e1f2a&cloud_id=1&concealed=omit", "/v1/changes?limit=1000",
		"/v1/hosts/7?resolved-values=false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAtOnlyReads: nothing that would write is sent.
func TestAtOnlyReads(t *testing.T) {
	t.Parallel()
	_, c, rec := remembering(t, withAt)
	past, err := c.At(t.Context(), craton.Past{At: "12"})
	if err != nil {
		t.Fatal(err)
	}
	before := len(rec.all())
	for _, err := range []error{
		second(past.Clouds.Create(t.Context(), craton.CloudCreate{Name: "c"})),
		second(past.Clouds.Update(t.Context(), 7, craton.CloudUpdate{Note: new("x")})),
		second(past.Hosts.Move(t.Context(), 7, craton.DeviceMove{RegionID: 1})),
		second(past.Hosts.SetVariables(t.Context(), 7, craton.Variables{})),
		past.Clouds.Delete(t.Context(), 7),
	} {
		if err == nil || err.Error() != "craton: the past can only be read" {
			t.Errorf("error %v", err)
		}
	}
	if after := len(rec.all()); after != before {
		t.Errorf("%d requests were sent", after-before)
	}
}

// TestAtRefused: a server that cannot show the past never shows the present instead; what one refuses is its own error.
func TestAtRefused(t *testing.T) {
	t.Parallel()
	_, original := newServer(t) // which answers 404
	_, older, _ := remembering(t, `"changes"`)
	for want, c := range map[string]*craton.Client{
		" has no change log: the original Craton server keeps none":     original,
		" is craton server 0.1.0, which cannot do this yet; upgrade it": older,
	} {
		past, err := c.At(t.Context(), craton.Past{At: "12"})
		if err == nil || past != nil || !strings.HasSuffix(err.Error(), want) || !strings.HasPrefix(err.Error(), "127.0.0.1:") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	mux, c := newServer(t)
	mux.HandleFunc("/v1/capabilities", func(w http.ResponseWriter, r *http.Request) {
		switch at := r.URL.Query().Get("at"); at {
		case "1":
			reply(w, 410, `{"message": "The change log begins at revision 7.", "status": 410}`)
		default:
			reply(w, 200, `{"features": ["at"]}`)
		}
	})
	if _, err := c.At(t.Context(), craton.Past{At: "1"}); craton.StatusOf(err) != 410 || !strings.Contains(err.Error(), "begins at revision 7") {
		t.Errorf("error %v", err)
	}
	if _, err := c.At(t.Context(), craton.Past{At: "2"}); err == nil || !strings.Contains(err.Error(), "lacks the header X-Craton-Revision") {
		t.Errorf("without a revision: error %v", err)
	}
}
