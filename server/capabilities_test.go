package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
)

// TestCapabilities: what is told is there, and everybody may ask; the revision is where the change log goes on.
func TestCapabilities(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	clients := map[string]*craton.Client{}
	for name, who := range map[string]caller{"root": f.root, "admin": f.a.admin, "member": f.b.member} {
		c, err := craton.New(f.url, craton.WithLocalAuth(who.user, who.key, who.project))
		if err != nil {
			t.Fatal(err)
		}
		clients[name] = c
	}
	var first *craton.Capabilities
	for name, c := range clients {
		caps, err := c.Capabilities(t.Context())
		if err != nil || !slices.IsSorted(caps.Features) || caps.Revision == "" || caps.Horizon != 0 {
			t.Fatalf("%s: %+v %v", name, caps, err)
		}
		for _, feature := range []string{"changes", "compression", "diff", "etag", "fleet", "history", "message", "move", "protected", "sets", "undo", "where"} {
			if !caps.Has(feature) || caps.Has("") {
				t.Errorf("%s: not %s, but %v", name, feature, caps.Features)
			}
		}
		if caps.Hashes("x") {
			t.Errorf("%s: %v", name, caps.HashedKeys)
		}
		first = caps
	}
	if n := len(f.must(f.root, 200, "GET", "/v1/changes?after="+first.Revision, "").objects(t, "changes")); n != 0 {
		t.Errorf("%d changes behind the newest", n)
	}
	if got := f.must(f.root, 200, "GET", "/v1/fleet", "").Header.Get("X-Craton-Revision"); got != first.Revision {
		t.Errorf("the fleet is of revision %q, not %q", got, first.Revision)
	}
	f.must(f.a.member, 200, "PUT", "/v1/hosts/"+f.a.host, `{"note":"changed"}`)
	if changes := f.must(f.root, 200, "GET", "/v1/changes?after="+first.Revision, "").objects(t, "changes"); len(changes) != 1 || changes[0]["kind"] != "host" {
		t.Errorf("changes since: %v", changes)
	}
	revision, _, _ := strings.Cut(first.Revision, "-")
	if got := f.must(f.b.member, 200, "GET", "/v1/capabilities?at="+revision, "").Header.Get("X-Craton-Revision"); got != first.Revision {
		t.Errorf("revision %s is called %q, not %q", revision, got, first.Revision)
	}
	f.status(f.root, 400, "GET", "/v1/capabilities?at=99999", "")
	f.status(f.root, 400, "GET", "/v1/capabilities?at="+revision+"&at="+revision, "") // of one moment
	f.status(caller{}, 401, "GET", "/v1/capabilities", "")
	f.status(f.root, 400, "GET", "/v1/capabilities?x=1", "")
	f.status(f.root, 405, "POST", "/v1/capabilities", "{}")
}
