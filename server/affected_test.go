package server_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestAffected: what an edit that is only looked at says of the hosts and network devices that it would change is what
// the edit then does to their resolved variables.
func TestAffected(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	random := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // not for secrets
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	keys, values := []string{"a", "b"}, []string{"1", "2", `{"x":[1]}`}
	variables := func() string {
		var own []string
		for _, key := range keys {
			if random.IntN(3) == 0 {
				own = append(own, `"`+key+`":`+pick(values))
			}
		}
		return `"variables":{` + strings.Join(own, ",") + `}`
	}
	n := 0
	post := func(path, body string) string {
		n++
		return f.must(f.root, 201, "POST", "/v1/"+path, fmt.Sprintf(`{"name":"n%d",%s,%s}`, n, variables(), body)).id(t)
	}
	ids := map[string][]string{}
	type place struct{ cloud, region, cell string }
	below := map[string][]string{} // kind and id of what is edited -> devices that inherit from it, and itself
	device := func(p place, network bool) {
		path, kind := "hosts", "host"
		if network {
			path, kind = "network-devices", "network-device"
		}
		body := `"ip_address":"192.0.2.1","device_type":"server","cloud_id":` + p.cloud + `,"region_id":` + p.region
		if p.cell != "" {
			body += `,"cell_id":` + p.cell
		}
		parent := ""
		if hosts := ids["host"]; len(hosts) > 0 && random.IntN(2) == 0 {
			parent = pick(hosts)
			body += `,"parent_id":` + parent
		}
		id := post(path, body)
		ids[kind] = append(ids[kind], id)
		for _, above := range []string{"cloud " + p.cloud, "region " + p.region, "cell " + p.cell} {
			below[above] = append(below[above], id)
		}
		for above, devices := range below {
			if above != kind+" "+id && strings.HasPrefix(above, "host ") && slices.Contains(devices, parent) {
				below[above] = append(devices, id)
			}
		}
		below[kind+" "+id] = append(below[kind+" "+id], id)
	}
	for range 2 {
		c := post("clouds", `"note":""`)
		ids["cloud"] = append(ids["cloud"], c)
		for range 2 {
			r := post("regions", `"cloud_id":`+c)
			ids["region"] = append(ids["region"], r)
			l := post("cells", `"cloud_id":`+c+`,"region_id":`+r)
			ids["cell"] = append(ids["cell"], l)
			for i := range 6 {
				p := place{cloud: c, region: r}
				if i%2 == 0 {
					p.cell = l
				}
				device(p, i == 3)
			}
		}
	}

	resolved := func() map[string]string {
		all := map[string]string{}
		for _, list := range []string{"hosts", "network-devices"} {
			for _, o := range f.must(f.root, 200, "GET", "/v1/"+list+"?details=true&limit=100", "").objects(t, strings.ReplaceAll(list, "-", "_")) {
				for _, key := range keys {
					text, err := json.Marshal(o["variables"].(map[string]any)[key])
					if err != nil {
						t.Fatal(err)
					}
					all[fmt.Sprint(o["id"])+" "+key] = string(text)
				}
			}
		}
		return all
	}
	told, shadowed := 0, 0
	for range enginetest.Size(60, 600) {
		kind := pick([]string{"cloud", "region", "cell", "host"})
		of := []string{pick(ids[kind]), pick(ids[kind])}
		edit := `"variables":{"a":` + pick(values) + `}`
		if random.IntN(3) == 0 {
			edit = `"variables":{"b":` + pick(values) + `},"remove_variables":["a"]`
		}
		body := fmt.Sprintf(`{"kind":%q,"where":"id=%s,%s",%s`, kind, of[0], of[1], edit)
		var said struct {
			Affected []struct {
				Name           string
				Hosts          int
				NetworkDevices int `json:"network_devices"`
				Shadowed       int
			}
			Effects []struct{ Name string }
		}
		text := f.must(f.root, 200, "POST", "/v1/bulk", body+`,"check":true}`).Text
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			t.Fatal(err)
		}
		own := func() map[string]string {
			all := map[string]string{}
			for _, row := range enginetest.Query(t, f.database, fmt.Sprintf("SELECT owner_id, key, value FROM variables WHERE owner_kind = %d AND owner_id IN (%s)",
				map[string]int{"cloud": 3, "region": 4, "cell": 5, "host": 6}[kind], strings.Join(of, ","))) {
				all[row[0]+" "+row[1]] = row[2]
			}
			return all
		}
		ownBefore, before := own(), resolved()
		if done := f.must(f.root, 200, "POST", "/v1/bulk", body+"}"); strings.Contains(done.Text, `"affected"`) {
			t.Errorf("an edit that is made tells what it would do: %s", done.Text)
		}
		ownAfter, after := own(), resolved()
		for _, key := range keys {
			var hosts, network, kept int
			seen := map[string]bool{}
			for _, id := range of {
				if ownBefore[id+" "+key] == ownAfter[id+" "+key] {
					continue
				}
				for _, d := range below[kind+" "+id] {
					switch {
					case seen[d]:
					case before[d+" "+key] == after[d+" "+key]:
						kept++
					case slices.Contains(ids["host"], d):
						hosts++
					default:
						network++
					}
					seen[d] = true
				}
			}
			var got [3]int
			for _, a := range said.Affected {
				if a.Name == key {
					got = [3]int{a.Hosts, a.NetworkDevices, a.Shadowed}
				}
			}
			if want := [3]int{hosts, network, kept}; got != want {
				t.Fatalf("%s: %s: hosts, network devices, shadowed: told %v, are %v\n%s", body, key, got, want, text)
			}
			told += hosts + network
			shadowed += kept
		}
	}
	if told < 50 || shadowed < 20 {
		t.Errorf("%d affected, %d shadowed: the test proves little", told, shadowed)
	}
}
