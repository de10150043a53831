package fleetfile

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleettest"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/server"
)

// fleet returns what plans and applies.
func (s api) fleet() *reconcile.Fleet {
	if s.by != nil {
		return &reconcile.Fleet{Client: s.by, Project: s.project}
	}
	return &reconcile.Fleet{Client: s.Client}
}

func (s api) apply(ctx context.Context, f *File, o Options) (*Result, error) {
	return s.fleet().ApplyTree(ctx, f.Tree(), o)
}

// project is one of those of a server that has several: admin sees it alone, and root, whose own it is now, all of
// them.
type project struct {
	id          string
	admin, root *recorder
	user, key   string
}

// newProjects returns a server with two projects.
func newProjects(t fixture, dir string) (projects [2]project) {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	s, err := server.Open(ctx, database(t, dir), server.Options{Create: true})
	fail(err)
	t.Cleanup(func() { _ = s.Close() })
	b, err := s.Bootstrap(ctx)
	fail(err)
	root, err := craton.New("http://embedded", craton.WithTransport(inProcess{s.Handler()}), craton.WithRetries(0), craton.WithLocalAuth(b.Username, b.APIKey, b.ProjectID))
	fail(err)
	for i := range projects {
		name := fmt.Sprint("team", i)
		p, err := root.Projects.Create(ctx, craton.ProjectCreate{Name: name})
		fail(err)
		u, err := root.Users.Create(ctx, craton.UserCreate{Username: name, ProjectID: p.ID, IsAdmin: true})
		fail(err)
		h, err := s.Embedded(ctx, p.ID)
		fail(err)
		projects[i] = project{id: p.ID, admin: &recorder{Handler: s.Handler()}, root: &recorder{Handler: h}, user: u.Username, key: string(u.APIKey)}
	}
	return projects
}

// asAdmin returns a client that sees the project alone. through may put something between the two.
func (p *project) asAdmin(t fixture, through func(http.Handler) http.Handler) *craton.Client {
	t.Helper()
	c, err := craton.New("http://embedded", craton.WithTransport(inProcess{through(p.admin)}), craton.WithRetries(0), craton.WithLocalAuth(p.user, p.key, p.id))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// asRoot returns a client that sees all projects.
func (p *project) asRoot(t fixture, through func(http.Handler) http.Handler) *craton.Client {
	t.Helper()
	c, err := craton.New("http://embedded", craton.WithTransport(inProcess{through(p.root)}), craton.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (p *project) writes() []string { return append(p.admin.writes(), p.root.writes()...) }

func straight(h http.Handler) http.Handler { return h }

// api returns the project's, for its admin or for root.
func (p *project) api(t *rapid.T) api {
	s := api{Client: p.asAdmin(t, straight), writes: p.writes, moves: true, project: p.id}
	if rapid.Bool().Draw(t, "is root") {
		s.by = p.asRoot(t, straight)
	} else {
		s.by = s.Client
	}
	return s
}

// oneOfSeveral returns a fleet of a server that has another project, with a fleet whose names are the same; nothing
// that is done to the one may be seen in the other, which the function checks.
func oneOfSeveral(t *rapid.T, dir string) (s api, check func()) {
	projects := newProjects(t, dir)
	other := projects[1].api(t)
	applied(t, other, "the other project")
	renameSome(t, other)
	before, values := snapshot(t, other), resolved(t, other)
	return projects[0].api(t), func() {
		if d := cmp.Diff(before, snapshot(t, other)); d != "" {
			t.Fatalf("the other project (-was +is):\n%s", d)
		}
		if d := cmp.Diff(values, resolved(t, other)); d != "" {
			t.Fatalf("values in the other project (-were +are):\n%s", d)
		}
	}
}

// renameSome gives objects other names, of those that random fleets have. It returns what devices were called, and are
// now, by their places.
func renameSome(t *rapid.T, s api) map[string]string {
	ctx := t.Context()
	before := devicePlaces(t, s)
	for _, k := range []struct {
		kind  craton.Kind
		names []string
	}{
		{craton.KindCloud, fleettest.Clouds},
		{craton.KindRegion, fleettest.Regions},
		{craton.KindCell, fleettest.Cells},
		{craton.KindHost, fleettest.Devices},
		{craton.KindNetworkDevice, fleettest.Devices},
		{craton.KindNetwork, []string{"n", "m"}},
		{craton.KindNetworkInterface, []string{"eth0", "eth1"}},
	} {
		if rapid.IntRange(0, 3).Draw(t, "renames") > 0 {
			continue
		}
		c := s.Collection(k.kind)
		var all []*craton.Object
		for o, err := range c.All(ctx, nil) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, o)
		}
		for _, o := range all {
			if rapid.Bool().Draw(t, "renamed") {
				name := rapid.SampledFrom(k.names).Draw(t, "name")
				if !s.moves && taken(t, s, k.kind, o, name) { // which the original answers with 409 or 500
					continue
				}
				if _, err := c.Update(ctx, o.ID(), map[string]any{schema.Cloud.Title: name}); err != nil && !craton.IsConflict(err) {
					t.Fatal(err)
				}
			}
		}
	}
	after, now := devicePlaces(t, s), map[string]string{}
	for id, was := range before {
		now[was] = after[id]
	}
	return now
}

// taken reports whether something has a name where an object is.
func taken(t *rapid.T, s api, kind craton.Kind, o *craton.Object, name string) bool {
	kinds := []craton.Kind{kind}
	if kind == craton.KindHost || kind == craton.KindNetworkDevice {
		kinds = []craton.Kind{craton.KindHost, craton.KindNetworkDevice}
	}
	scope := map[craton.Kind]string{craton.KindCloud: "", craton.KindRegion: "cloud_id", craton.KindNetworkInterface: "device_id"}
	in, ok := scope[kind]
	if !ok {
		in = "region_id"
	}
	for _, kind := range kinds {
		for other, err := range s.Collection(kind).All(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if string((*other)["name"]) == fmt.Sprintf("%q", name) && string((*other)[in]) == string((*o)[in]) {
				return true
			}
		}
	}
	return false
}

// devicePlaces returns the devices by id, as the model has them.
func devicePlaces(t *rapid.T, s api) map[int]string {
	places, regions, clouds := map[int]string{}, map[int]string{}, map[int]string{}
	fail := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for o, err := range s.Clouds.All(t.Context(), craton.CloudListOptions{}) {
		fail(err)
		clouds[o.ID] = o.Name
	}
	for o, err := range s.Regions.All(t.Context(), craton.RegionListOptions{}) {
		fail(err)
		regions[o.ID] = clouds[o.CloudID] + "/" + o.Name
	}
	for o, err := range s.Hosts.All(t.Context(), craton.HostListOptions{}) {
		fail(err)
		places[o.ID] = regions[o.RegionID] + "/" + o.Name
	}
	for o, err := range s.NetworkDevices.All(t.Context(), craton.NetworkDeviceListOptions{}) {
		fail(err)
		places[o.ID] = regions[o.RegionID] + "/" + o.Name
	}
	return places
}

// named returns a model whose parents have the names that they have now.
func (m model) named(now map[string]string) model {
	if len(now) == 0 {
		return m
	}
	out := maps.Clone(m)
	for path, o := range m {
		if parent, _ := o["parent"].(string); parent != "" && now[parent] != "" && now[parent] != parent {
			o = maps.Clone(o)
			o["parent"] = now[parent]
			out[path] = o
		}
	}
	return out
}

// isRefusal reports whether an error of a random fleet says that it is a bad one.
func isRefusal(err error) bool {
	return err != nil && slices.ContainsFunc([]string{"form a loop", "its own parent"}, func(s string) bool { return strings.Contains(err.Error(), s) })
}
