package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/where"
)

// modelled is an object as the matcher of terms sees it, without the store.
type modelled struct {
	e      *Entity
	name   string
	fields map[string]string
	labels []string
	paths  map[string][]string
	chain  []map[string]string // variables of its levels, nearest first
	up     []map[string]string // own variables of a device and of its parents
	path   []string
}

func (m *modelled) Field(key string) string  { return m.fields[key] }
func (m *modelled) Labels() []string         { return m.labels }
func (m *modelled) Path(key string) []string { return m.paths[key] }
func (m *modelled) Variable(name string, own bool) (string, bool) {
	for i, level := range m.chain {
		if v, has := level[name]; has {
			return v, true
		}
		if i == 0 && own {
			break
		}
	}
	return "", false
}

var (
	whereNames  = []string{"a", "A", "ab", "a*b", "a?b", "a[b]", "a%b", "a_b", `a\b`, "b", "ä", "web 01", "a/b", "é", "10"}
	whereTexts  = []string{"", "a", "x*y", "line\nother", "%", "[a]", "ab"}
	whereValues = append(slices.Clone(someValues), `"a"`, `"ab"`, `"a*b"`, `["a","b"]`, `[{"x":"a"},{"x":2}]`, `"10"`, `10`, `15e-1`, `1.50`, `-0.0`, `"a\"b"`, `"\u00e9x"`, `{"x":["a%","a_b"]}`,
		`1.0`, `10e-1`, `100e-2`, `0.1E1`, `20`, `2e0`, `0.0`, `-0`, `150e-2`, `["a",10]`, `"a much longer text than an index holds of it, a"`, `"a much longer text than an index holds of it, b"`)
	whereIPs   = []string{"10.0.0.1", "10.0.0.2", "10.1.0.1", "192.168.0.1", "2001:db8::1", "::ffff:10.0.0.1"}
	whereGlobs = []string{"*", "?", "a*", "*b", "a?b", `"a*b"`, `a"*"*`, "*a*b*", "??", "a[*", `a\*`, "a%*", "a_?", "A", "a", "ab", "b", "10", `"10"`, `"web 01"`, "ä", "é*", `""`, `"a/b"`, "null", "true", "*line*"}
)

// drawTerms draws a text of terms, most of which are valid for some kind.
func drawTerms(r *rapid.T) string {
	some := func(of []string, label string) string { return rapid.SampledFrom(of).Draw(r, label) }
	var terms []string
	for range rapid.IntRange(1, 3).Draw(r, "terms") {
		field := some([]string{"name", "name", "label", "note", "type", "ip", "ip", "id", "active", "cloud", "region", "cell", "parent", "region_id", "parent_id", "model_name", "gateway", "cidr", "a", "b", "Z", `"key with blank"`, "own:a", "own:b", "a.x", "a.0", "own:a.x", "a.x.y"}, "field")
		bang := some([]string{"", "", "!"}, "!")
		if rapid.IntRange(0, 4).Draw(r, "alone") == 0 {
			terms = append(terms, bang+field)
			continue
		}
		var values []string
		for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(r, "alternatives") {
			var v string
			switch field {
			case "ip", "gateway":
				v = some(append([]string{"10.0.0.0/8", "10.0.0.0/30", "::/0", "0.0.0.0/0", "2001:db8::/32"}, whereIPs...), "ip")
			case "id", "region_id", "parent_id":
				v = strconv.Itoa(rapid.IntRange(1, 60).Draw(r, "id"))
			case "active":
				v = some([]string{"true", "false"}, "flag")
			case "region", "cell", "parent":
				if v = some(whereGlobs, "place"); rapid.Bool().Draw(r, "around") {
					v = some(whereGlobs, "around") + "/" + v
				}
				if field != "region" && rapid.IntRange(0, 4).Draw(r, "far") == 0 {
					v = some(whereGlobs, "far") + "/" + v
				}
			case "name", "label", "note", "type", "cloud", "model_name", "cidr":
				v = some(whereGlobs, "text")
			default:
				v = some(append([]string{"1", "1.0", `["a"]`, `{"x":1}`, "[]", "yes", "2", "10", "-0", "10*", "a much*", `"a much longer text than an index holds of it, a"`, `"a much longer text than an index holds"*`, `"a much longer text than an index"*b`, "1.5", "0", `"a\"b"`, `{"x":["a_b"]}`}, whereGlobs...), "value")
			}
			values = append(values, v)
		}
		if len(values) > 1 {
			slices.Sort(values)
			values = slices.Compact(values)
		}
		terms = append(terms, bang+field+some([]string{"=", "=", "!="}, "op")+strings.Join(values, ","))
	}
	return strings.Join(terms, " ")
}

// drawPieces draws sizes that are so small that a small fleet has several pieces.
func drawPieces(r *rapid.T) pieces {
	some := func(least, most int, label string) int { return rapid.IntRange(least, most).Draw(r, label) }
	return pieces{first: some(1, 4, "first"), narrow: some(1, 5, "narrow"), max: some(1, 8, "most"), owners: some(0, 3, "owners"), cheap: some(0, 4, "cheap")}
}

// TestWhereAgainstModel builds random fleets, and compares the results of listings with random terms, page by page,
// with the results of the matcher for each object.
func TestWhereAgainstModel(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	// Objects of other projects are never found.
	other := value.NewUUID()
	if _, err := s.Create(t.Context(), Projects, Scope{Project: other}, CreateParams{Values: Values{"id": other, "name": "p"}}); err != nil {
		t.Fatal(err)
	}
	stranger := create(t, s, Clouds, Scope{Project: other}, CreateParams{Values: Values{"name": "a"}})
	strange := create(t, s, Regions, Scope{Project: other}, CreateParams{Values: Values{"name": "a", "cloud_id": stranger}})
	create(t, s, Hosts, Scope{Project: other}, CreateParams{Values: Values{"name": "a", "cloud_id": stranger, "region_id": strange, "ip_address": "10.0.0.1", "device_type": "a"}, Labels: []string{"a"}})
	rapid.Check(t, func(r *rapid.T) {
		project := value.NewUUID()
		sc := Scope{Project: project}
		if _, err := s.Create(t.Context(), Projects, sc, CreateParams{Values: Values{"id": project, "name": "p"}}); err != nil {
			r.Fatal(err)
		}
		var all []*modelled
		variables := func() (map[string]string, []Variable) {
			own := rapid.MapOfN(rapid.SampledFrom(someKeys), rapid.SampledFrom(whereValues), 0, 3).Draw(r, "variables")
			var set []Variable
			for _, k := range slices.Sorted(maps.Keys(own)) {
				set = append(set, Variable{Name: k, Value: own[k]})
			}
			return own, set
		}
		ofProject, set := variables()
		if err := s.SetVariables(t.Context(), Projects, sc, project, set); err != nil {
			r.Fatal(err)
		}
		taken := map[string]bool{}
		add := func(e *Entity, within string, n CreateParams, paths map[string][]string, above ...map[string]string) (*modelled, int64) {
			name := rapid.SampledFrom(whereNames).Draw(r, "name")
			for taken[within+e.Table+name] {
				name += "b"
			}
			taken[within+e.Table+name] = true
			n.Values["name"] = name
			own, set := variables()
			n.Variables = set
			id := create(t, s, e, sc, n)
			m := &modelled{e: e, name: name, fields: map[string]string{}, labels: n.Labels, paths: paths, chain: append([]map[string]string{own}, above...)}
			for k, v := range n.Values {
				m.fields[k] = fmt.Sprint(v)
			}
			m.fields["id"] = strconv.FormatInt(id, 10)
			all = append(all, m)
			return m, id
		}
		text := func() string { return rapid.SampledFrom(whereTexts).Draw(r, "text") }
		var devices []*modelled
		for range rapid.IntRange(1, 2).Draw(r, "clouds") {
			cloud, cloudID := add(Clouds, "", CreateParams{Values: Values{"note": text()}}, map[string][]string{})
			cloud.paths[""] = []string{cloud.name}
			for range rapid.IntRange(0, 2).Draw(r, "regions") {
				region, regionID := add(Regions, fmt.Sprint(cloudID), CreateParams{Values: Values{"cloud_id": cloudID}}, map[string][]string{"cloud_id": {cloud.name}}, cloud.chain[0], ofProject)
				at := []string{cloud.name, region.name}
				region.paths[""] = at
				place := Values{"cloud_id": cloudID, "region_id": regionID}
				cell, cellID := add(Cells, fmt.Sprint(regionID), CreateParams{Values: maps.Clone(place)}, map[string][]string{"cloud_id": {cloud.name}, "region_id": at}, region.chain[0], cloud.chain[0], ofProject)
				cell.paths[""] = append(slices.Clone(at), cell.name)
				network := maps.Clone(place)
				network["cidr"], network["gateway"], network["netmask"] = text(), rapid.SampledFrom(append([]string{"no address"}, whereIPs...)).Draw(r, "gateway"), ""
				add(Networks, project, CreateParams{Values: network}, map[string][]string{"cloud_id": {cloud.name}, "region_id": at})
				for range rapid.IntRange(0, 5).Draw(r, "devices") {
					values := maps.Clone(place)
					values["ip_address"], values["device_type"], values["note"] = rapid.SampledFrom(whereIPs).Draw(r, "ip"), rapid.SampledFrom(whereNames).Draw(r, "type"), text()
					switch rapid.IntRange(0, 3).Draw(r, "active") {
					case 0:
						values["active"] = false
					case 1, 2:
						values["active"] = true
					}
					paths := map[string][]string{"cloud_id": {cloud.name}, "region_id": at}
					above := []map[string]string{region.chain[0], cloud.chain[0], ofProject}
					if rapid.Bool().Draw(r, "in cell") {
						values["cell_id"] = cellID
						above = append([]map[string]string{cell.chain[0]}, above...)
						paths["cell_id"] = cell.paths[""]
					}
					var up []map[string]string
					if len(devices) > 0 && rapid.Bool().Draw(r, "has parent") {
						p := rapid.SampledFrom(devices).Draw(r, "parent")
						values["parent_id"], _ = strconv.ParseInt(p.fields["id"], 10, 64)
						paths["parent_id"], up = p.path, p.up
					}
					e := rapid.SampledFrom([]*Entity{Hosts, NetworkDevices}).Draw(r, "kind")
					if e == NetworkDevices {
						values["model_name"] = text()
					}
					labels := rapid.SliceOfDistinct(rapid.SampledFrom(whereNames), rapid.ID[string]).Draw(r, "labels")
					d, _ := add(e, fmt.Sprint(regionID), CreateParams{Values: values, Labels: labels[:min(len(labels), 2)]}, paths, append(slices.Clone(up), above...)...)
					d.labels = labels[:min(len(labels), 2)]
					d.path = append(slices.Clone(at), d.name)
					d.up = append([]map[string]string{d.chain[0]}, up...)
					devices = append(devices, d)
				}
			}
		}
		for range 25 {
			text := drawTerms(r)
			k := rapid.SampledFrom(append([]*schema.Kind{schema.Host, schema.Host, schema.Host}, where.Kinds...)).Draw(r, "of")
			w, err := where.Parse(k, text)
			if err != nil {
				continue
			}
			e := known[k]
			var want []string
			for _, m := range all {
				if (m.e == e || e == Devices && m.e.IsDevice()) && w.Match(m) {
					want = append(want, m.fields["id"])
				}
			}
			for _, descending := range []bool{false, true} {
				if descending {
					slices.Reverse(want)
				}
				s.pieces = drawPieces(r)
				l := List{Sort: []string{"created_at", "id"}, Descending: descending, Limit: rapid.IntRange(2, 12).Draw(r, "limit"), Where: w}
				var got []string
				before := ""
				for {
					page, err := s.List(t.Context(), e, sc, l)
					if err != nil {
						r.Fatalf("%s where %s: %v", e.Name, text, err)
					}
					if len(got) > l.Limit && page.Prev != before {
						r.Fatalf("%s where %s: the page before begins behind %q, not %q", e.Name, text, page.Prev, before)
					}
					for _, row := range page.Rows {
						got = append(got, idText(row[e.Index("id")]))
					}
					if len(page.Rows) < l.Limit {
						break
					}
					before, l.Marker = l.Marker, got[len(got)-1]
				}
				if diff := cmp.Diff(want, got); diff != "" {
					r.Fatalf("%s where %s (%s, -want +got):\n%s", e.Name, text, w, diff)
				}
			}
		}
	})
}

// TestCheap: a cheap listing fails if and only if it would have to read very many values. Values that an index finds
// are cheap, regardless of the number of other values.
func TestCheap(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	s.pieces = pieces{first: 4, narrow: 8, max: 16, owners: 2, cheap: 10}
	for n := range 60 {
		h := host(fmt.Sprintf("h-%d", n), nil)
		h.Variables = []Variable{{Name: "serial", Value: fmt.Sprintf(`"SN%04d"`, n)}, {Name: "tenth", Value: strconv.Itoa(n / 10)}, {Name: "list", Value: `["a"]`}}
		if n%20 == 0 {
			h.Variables = append(h.Variables, Variable{Name: "few", Value: strconv.Itoa(n)})
		}
		create(t, s, Hosts, sc, h)
	}
	served := s.Served()
	for _, c := range []struct {
		terms     string
		found     int
		expensive bool
	}{
		{"serial=SN0055", 1, false}, {"serial=SN006*", 0, false}, {"serial=SN000*", 10, false}, {"tenth=5", 10, false}, {"few=40", 1, false}, {"few=*", 0, false}, {"nobody", 0, false},
		{"serial=*55", 1, true}, {"serial=*", 60, true}, {"list=b", 0, true}, {"list=a", 60, true}, {"serial!=*", 0, true}, {"ip=10.0.0.9", 0, false}, {"ip=10.9.0.0/16", 0, true},
		{"serial=*5 tenth=5", 1, false}, {"serial=SN0055 list=b", 0, false},
	} {
		w, err := where.Parse(schema.Host, c.terms)
		if err != nil {
			t.Fatal(err)
		}
		for _, cheap := range []bool{false, true} {
			page, err := s.List(t.Context(), Hosts, sc, List{Sort: []string{"created_at", "id"}, Limit: 100, Where: w, Cheap: cheap})
			if expensive := served && cheap && c.expensive; expensive != errors.Is(err, ErrExpensive) || !expensive && err != nil {
				t.Errorf("%s, cheap %t: %v", c.terms, cheap, err)
			} else if err == nil && len(page.Rows) != c.found {
				t.Errorf("%s, cheap %t: %d hosts, want %d", c.terms, cheap, len(page.Rows), c.found)
			}
		}
	}
}
