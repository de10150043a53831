package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/internal/varquery"
)

// model is a test's model of a fleet: each object's own variables, and the objects that it inherits from. It is
// independent of the store's SQL.
type model struct {
	own   map[string]map[string]string
	chain map[string][]string // each object and the objects it inherits from, nearest first
}

func (m model) value(object, key string, resolved bool) (string, bool) {
	for i, o := range m.chain[object] {
		if v, ok := m.own[o][key]; ok {
			return v, true
		}
		if i == 0 && !resolved {
			break
		}
	}
	return "", false
}

var (
	someKeys   = []string{"a", "b", "Z", "key with blank"}
	someValues = []string{`null`, `1`, `1.0`, `"1"`, `true`, `[1,2]`, `{"x":1}`, `{"x":{"y":[1]}}`, `""`, `[[1]]`}
	someExprs  = []string{`a:1`, `a:null`, `b:"1"`, `Z:true`, `a.x:1`, `a[0]:1`, `a[*]:2`, `b.*.y[0]:1`, `a:{"x":1}`, `a:[1]`, `a:1,b:1`, `"key with blank":1`, `b:""`, `a.x.y:[1]`, `missing:1`}
)

// TestVariablesAgainstModel builds random fleets, and compares the own and resolved variables of all objects, and the
// vars filter, with the model.
func TestVariablesAgainstModel(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	rapid.Check(t, func(r *rapid.T) {
		project := value.NewUUID() // each fleet has a project of its own
		sc := Scope{Project: project}
		if _, err := s.Create(t.Context(), Projects, sc, CreateParams{Values: Values{"id": project, "name": "p"}}); err != nil {
			r.Fatal(err)
		}
		m := model{own: map[string]map[string]string{}, chain: map[string][]string{}}
		variables := func(object string) []Variable {
			own := rapid.MapOfN(rapid.SampledFrom(someKeys), rapid.SampledFrom(someValues), 0, 3).Draw(r, object)
			m.own[object] = own
			var set []Variable
			for _, k := range slices.Sorted(maps.Keys(own)) {
				set = append(set, Variable{Name: k, Value: own[k]})
			}
			return set
		}
		if err := s.SetVariables(t.Context(), Projects, sc, project, variables("project")); err != nil {
			r.Fatal(err)
		}
		entities := map[string]*Entity{}
		add := func(e *Entity, n CreateParams, chain ...string) (string, int64) {
			object := fmt.Sprintf("%s-%d", e.Table, len(m.chain))
			n.Values["name"] = object
			n.Variables = variables(object)
			entities[object] = e
			m.chain[object] = append([]string{object}, chain...)
			return object, create(t, s, e, sc, n)
		}
		type device struct {
			object string
			id     int64
			up     []string // the device and its ancestors
		}
		var devices []device
		for range rapid.IntRange(1, 2).Draw(r, "clouds") {
			cloud, cloudID := add(Clouds, CreateParams{Values: Values{}})
			for range rapid.IntRange(0, 2).Draw(r, "regions") {
				region, regionID := add(Regions, CreateParams{Values: Values{"cloud_id": cloudID}}, cloud, "project")
				place := Values{"cloud_id": cloudID, "region_id": regionID}
				cell, cellID := add(Cells, CreateParams{Values: maps.Clone(place)}, region, cloud, "project")
				add(Networks, CreateParams{Values: Values{"cloud_id": cloudID, "region_id": regionID, "cidr": "", "gateway": "", "netmask": ""}})
				for range rapid.IntRange(0, 4).Draw(r, "devices") {
					values := maps.Clone(place)
					values["ip_address"], values["device_type"] = "10.0.0.1", "x"
					d := device{}
					if len(devices) > 0 && rapid.Bool().Draw(r, "has parent") {
						p := rapid.SampledFrom(devices).Draw(r, "parent")
						values["parent_id"] = p.id
						d.up = p.up
					}
					above := []string{region, cloud, "project"}
					if rapid.Bool().Draw(r, "in cell") {
						values["cell_id"] = cellID
						above = append([]string{cell}, above...)
					}
					e := rapid.SampledFrom([]*Entity{Hosts, NetworkDevices}).Draw(r, "kind")
					d.object, d.id = add(e, CreateParams{Values: values}, append(slices.Clone(d.up), above...)...)
					d.up = append([]string{d.object}, d.up...)
					devices = append(devices, d)
				}
			}
		}

		for _, e := range []*Entity{Clouds, Regions, Cells, Hosts, NetworkDevices, Networks} {
			for which, resolved := range map[Variables]bool{Own: false, Resolved: true} {
				held := rapid.SampledFrom([]int{0, 200, fullViewBytes}).Draw(r, "held") // the result does not depend on the memory
				page, sets := listed(t, s, e, sc, List{Sort: []string{"id"}, Limit: 100}, which, held)
				for i, row := range page.Rows {
					object := row[e.Index("name")].(string)
					var want []Variable
					for _, k := range slices.Sorted(slices.Values(someKeys)) {
						if v, ok := m.value(object, k, resolved); ok {
							want = append(want, Variable{Name: k, Value: v})
						}
					}
					if diff := cmp.Diff(want, sets[i], cmpopts.EquateEmpty()); diff != "" {
						r.Fatalf("%s resolved=%v (-want +got):\n%s", object, resolved, diff)
					}
				}
				expr := rapid.SampledFrom(someExprs).Draw(r, "expr")
				s.pieces = drawPieces(r)
				terms, err := varquery.Parse(expr)
				if err != nil {
					r.Fatal(err)
				}
				var want, got []string
				for object, kind := range entities {
					matches := kind == e
					for _, term := range terms {
						v, ok := m.value(object, term.Key, resolved)
						matches = matches && ok && term.Match(v)
					}
					if matches {
						want = append(want, object)
					}
				}
				page, err = s.List(t.Context(), e, sc, List{Sort: []string{"name"}, Limit: 100, Vars: terms, VarsOfAll: resolved})
				if err != nil {
					r.Fatal(err)
				}
				for _, row := range page.Rows {
					got = append(got, row[e.Index("name")].(string))
				}
				slices.Sort(want)
				if diff := cmp.Diff(want, got); diff != "" {
					r.Fatalf("%s vars=%s resolved=%v (-want +got):\n%s", e.Table, expr, resolved, diff)
				}
			}
		}
	})
}

// listed returns a page with the variables of its rows, in a view with a budget of held bytes.
func listed(t *testing.T, s *Store, e *Entity, sc Scope, l List, which Variables, held int) (page *Page, sets [][]Variable) {
	t.Helper()
	err := s.View(t.Context(), true, func(ctx context.Context, v *View) (err error) {
		v.budget = held
		if page, err = v.List(ctx, e, sc, l); err != nil {
			return err
		}
		return v.Sets(ctx, e, page.Rows, which, func(i int, set Set) error {
			if i != len(sets) {
				t.Errorf("set %d comes after %d", i, len(sets))
			}
			var all []Variable
			for v, err := range set.All() {
				if err != nil {
					return err
				}
				all = append(all, v)
			}
			sets = append(sets, all)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return page, sets
}

// TestPagesAreComplete checks that each row is on exactly one page, for any sort keys in both directions, with nulls
// and equal values, and that prev is the marker of the previous page.
func TestPagesAreComplete(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	notes := []any{nil, "x", "y", "x"}
	for i := range 47 {
		create(t, s, Hosts, sc, host(fmt.Sprintf("h%02d", i), Values{"note": notes[i%4], "device_type": fmt.Sprint(i % 3), "active": i%2 == 0}))
	}
	for _, keys := range [][]string{{"created_at", "id"}, {"id"}, {"note"}, {"note", "id"}, {"cloud_id"}, {"active", "note", "name"}, {"cell_id"}, {"device_type", "cell_id"}, {"hostname"}, {"id", "note"}} {
		for _, descending := range []bool{false, true} {
			l := List{Sort: keys, Descending: descending, Limit: 10}
			var ids []any
			var pages []string // first id of each page
			for {
				page, err := s.List(t.Context(), Hosts, sc, l)
				if err != nil {
					t.Fatal(err)
				}
				before := len(pages)
				if len(page.Rows) > 0 && before >= 1 {
					prev := l
					prev.Marker = page.Prev
					back, err := s.List(t.Context(), Hosts, sc, prev)
					if err != nil {
						t.Fatal(err)
					}
					if got := idText(back.Rows[0][Hosts.Index("id")]); got != pages[before-1] {
						t.Errorf("%v: prev of page %d begins with %s, want %s", keys, before, got, pages[before-1])
					}
				}
				if len(page.Rows) == 0 {
					break
				}
				pages = append(pages, idText(page.Rows[0][Hosts.Index("id")]))
				for _, row := range page.Rows {
					ids = append(ids, row[Hosts.Index("id")])
				}
				l.Marker = idText(ids[len(ids)-1])
			}
			seen := map[any]bool{}
			for _, id := range ids {
				seen[id] = true
			}
			if len(ids) != 47 || len(seen) != 47 {
				t.Errorf("sort %v descending=%v: %d rows, %d different, want 47", keys, descending, len(ids), len(seen))
			}
		}
	}
}
