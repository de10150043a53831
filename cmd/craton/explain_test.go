package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/cli/explain"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/server"
)

// team is a craton server over http with a fleet in it, as root and as a member of its project see it.
type team struct {
	url, project string
	root, member [2]string // name and key
	client       *craton.Client
	config       string // an empty file: the developer's own plays no part
	requests     atomic.Int32
}

func newTeam(t *testing.T, fleet string) *team {
	t.Helper()
	ctx := t.Context()
	s, err := server.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b, err := s.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tm := &team{project: b.ProjectID, root: [2]string{b.Username, b.APIKey}, config: filepath.Join(t.TempDir(), "config.yml")}
	if err := os.WriteFile(tm.config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	handler := s.Handler()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tm.requests.Add(1)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	tm.url = h.URL
	if tm.client, err = craton.New(tm.url, craton.WithLocalAuth(b.Username, b.APIKey, b.ProjectID)); err != nil {
		t.Fatal(err)
	}
	file, err := fleetfile.Parse("fleet.yml", strings.NewReader(fleet))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fleetfile.Apply(ctx, tm.client, file, fleetfile.Options{}); err != nil {
		t.Fatal(err)
	}
	user, err := tm.client.Users.Create(ctx, craton.UserCreate{Username: "member", ProjectID: b.ProjectID})
	if err != nil {
		t.Fatal(err)
	}
	tm.member = [2]string{"member", string(user.APIKey)}
	return tm
}

// craton runs the program as a user of the team.
func (tm *team) craton(t *testing.T, as [2]string, args ...string) []byte {
	t.Helper()
	args = append(slices.Clone(args), "--config", tm.config,
		"--craton-url", tm.url, "--os-username", as[0], "--os-password", as[1], "--os-project-id", tm.project)
	var out, errs bytes.Buffer
	s := output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
	// Not by way of run, which sets a variable that tests beside each other share.
	if code := cli.Run(t.Context(), args, s, cli.Version{}, inventory.Command(s), explain.New(s)); code != 0 {
		t.Fatalf("%v: exit %d\n%s", args[0], code, &errs)
	}
	return out.Bytes()
}

// someFleet returns a fleet file of devices with parents in chains, and variables at every level that hide each other.
func someFleet(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 0))
	values := []string{`null`, `false`, `0`, `""`, `{}`, `[]`, `1.0`, `12345678901234567890123`, `"null"`, `"<&>"`, `"{{ x }}"`, `"é"`,
		`{"x":1,"y":[1,null]}`, `{"x":2}`, `[1,2]`, `"text"`}
	keys := []string{"a", "b", "c", "d", "e", "f", "g-h", "é"}
	variables := func() string {
		own := map[string]string{}
		for range r.IntN(5) {
			own[keys[r.IntN(len(keys))]] = values[r.IntN(len(values))]
		}
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(own)) {
			parts = append(parts, fmt.Sprintf("%q: %s", k, own[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	n := 0
	devices := func(indent string, parents []string) (text string) {
		hosts, others := indent+"hosts:\n", indent+"network_devices:\n"
		for range 2 + r.IntN(3) {
			n++
			line := fmt.Sprintf("%s- {name: dev%d, ip_address: 10.0.0.%d, device_type: x, variables: %s", indent, n, n, variables())
			if len(parents) > 0 && r.IntN(3) > 0 {
				line += ", parent: " + parents[r.IntN(len(parents))]
			}
			parents = append(parents, fmt.Sprintf("dev%d", n))
			if r.IntN(3) == 0 {
				others += line + "}\n"
			} else {
				hosts += line + "}\n"
			}
		}
		for _, list := range []string{hosts, others} {
			if strings.Contains(list, "- {") {
				text += list
			}
		}
		return text
	}
	var b strings.Builder
	fmt.Fprintf(&b, "project: {variables: %s}\nclouds:\n", variables())
	for c := range 2 {
		fmt.Fprintf(&b, "  - name: c%d\n    variables: %s\n    regions:\n", c, variables())
		for g := range 2 {
			fmt.Fprintf(&b, "      - name: r%d\n        variables: %s\n        cells:\n", g, variables())
			for l := range 2 {
				fmt.Fprintf(&b, "          - name: l%d\n            variables: %s\n%s", l, variables(), devices("            ", nil))
			}
			b.WriteString(devices("        ", nil))
		}
	}
	return b.String()
}

// explained is what the tests read of the explanation.
type explained struct {
	Device struct {
		Type, Name string
		ID         int
	}
	Order    []place
	Complete bool
	// Each variable.
	Variables map[string]struct {
		Value   json.RawMessage
		From    place
		Shadows []struct {
			Value json.RawMessage
			From  place
		}
	}
}

type place struct {
	Type string
	ID   any
	Name *string
}

func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestExplainAgrees: what counts according to explain is what the API resolves and what the inventory gives, for every
// device of fleets with parents and nulls, whoever asks; and the values that it shows for a level are the level's own.
func TestExplainAgrees(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			tm := newTeam(t, someFleet(seed))
			var listed struct {
				Meta struct {
					Hostvars map[string]map[string]json.RawMessage
				} `json:"_meta"`
			}
			if err := json.Unmarshal(tm.craton(t, tm.root, "inventory", "--list", "--network-devices", "--facts", "none", "--trust-templates"), &listed); err != nil {
				t.Fatal(err)
			}
			if len(listed.Meta.Hostvars) < 20 {
				t.Fatalf("only %d hosts", len(listed.Meta.Hostvars))
			}
			shadows, nulls := 0, 0
			for name, hostvars := range listed.Meta.Hostvars {
				delete(hostvars, "ansible_host")
				delete(hostvars, "craton_stale") // which is about the inventory
				var e explained
				if err := json.Unmarshal(tm.craton(t, tm.root, "explain", name, "--format", "json"), &e); err != nil {
					t.Fatal(err)
				}
				want := map[string]string{}
				for k, v := range hostvars {
					want[k] = compact(t, v)
				}
				got := map[string]string{}
				for k, v := range e.Variables {
					got[k] = compact(t, v.Value)
					shadows += len(v.Shadows)
					if got[k] == "null" && len(v.Shadows) > 0 {
						nulls++
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-inventory +explain):\n%s", name, diff)
				}
				if diff := cmp.Diff(resolved(t, tm.client, e.Device.Type, e.Device.ID), got); diff != "" {
					t.Errorf("%s (-API +explain):\n%s", name, diff)
				}
				checkLevels(t, tm.client, name, &e)
				checkMember(t, tm, name, &e)
			}
			if shadows == 0 || nulls == 0 {
				t.Errorf("the fleet shows nothing: %d values are shadowed, %d by null", shadows, nulls)
			}
		})
	}
}

func resolved(t *testing.T, c *craton.Client, kind string, id int) map[string]string {
	t.Helper()
	get := c.Hosts.ResolvedVariables
	if kind == "network-device" {
		get = c.NetworkDevices.ResolvedVariables
	}
	v, err := get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for k, raw := range v {
		all[k] = compact(t, raw)
	}
	return all
}

// checkLevels compares every value that is shown with the API's own variables of that object.
func checkLevels(t *testing.T, c *craton.Client, name string, e *explained) {
	t.Helper()
	got := map[string]string{}
	at := func(p place, key string) string { return fmt.Sprintf("%s %v %s", p.Type, p.ID, key) }
	for key, v := range e.Variables {
		got[at(v.From, key)] = compact(t, v.Value)
		for _, s := range v.Shadows {
			got[at(s.From, key)] = compact(t, s.Value)
		}
	}
	want := map[string]string{}
	for _, level := range e.Order {
		number, _ := level.ID.(float64)
		id := int(number)
		var own craton.Variables
		var err error
		switch level.Type {
		case "host":
			own, err = c.Hosts.Variables(t.Context(), id)
		case "network-device":
			own, err = c.NetworkDevices.Variables(t.Context(), id)
		case "cell":
			own, err = c.Cells.Variables(t.Context(), id)
		case "region":
			own, err = c.Regions.Variables(t.Context(), id)
		case "cloud":
			own, err = c.Clouds.Variables(t.Context(), id)
		case "project":
			own, err = c.Projects.Variables(t.Context(), level.ID.(string))
		}
		if err != nil {
			t.Fatal(err)
		}
		for key, v := range own {
			want[at(level, key)] = compact(t, v)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: what the levels have (-API +explain):\n%s", name, diff)
	}
}

// checkMember: who may not read the project sees the same, less what other levels hide of it.
func checkMember(t *testing.T, tm *team, name string, root *explained) {
	t.Helper()
	var e explained
	if err := json.Unmarshal(tm.craton(t, tm.member, "explain", name, "--format", "json"), &e); err != nil {
		t.Fatal(err)
	}
	if e.Complete || !root.Complete {
		t.Errorf("%s: complete is %v for a member, %v for root", name, e.Complete, root.Complete)
	}
	for key, v := range root.Variables {
		if n := len(v.Shadows); n > 0 && v.Shadows[n-1].From.Type == "project" {
			v.Shadows = v.Shadows[:n-1]
			root.Variables[key] = v
		}
		if v.From.Type == "project" {
			v.From.Name = nil
			root.Variables[key] = v
		}
	}
	if diff := cmp.Diff(root.Variables, e.Variables); diff != "" {
		t.Errorf("%s (-root +member):\n%s", name, diff)
	}
}

// TestExplainRequests: explaining one host costs as many requests in a large fleet as in a small one.
func TestExplainRequests(t *testing.T) {
	t.Parallel()
	cost := func(hosts int) int32 {
		var b strings.Builder
		b.WriteString("clouds: [{name: c, regions: [{name: r, cells: [{name: l, hosts: [\n")
		for i := range hosts {
			fmt.Fprintf(&b, "{name: h%d, ip_address: 10.0.%d.%d, device_type: x},\n", i, i/256, i%256)
		}
		b.WriteString("]}]}]}]\n")
		tm := newTeam(t, b.String())
		tm.requests.Store(0)
		tm.craton(t, tm.root, "explain", "r/h7")
		return tm.requests.Load()
	}
	few, many := cost(10), cost(500)
	if few != many || few > 20 {
		t.Errorf("%d requests among 10 hosts, %d among 500", few, many)
	}
}
