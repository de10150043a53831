package inventory

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
	"github.com/craton-fleet/craton/server"
)

// small is a fleet with all that the real server is to be tested with.
const small = `
project: {variables: {ntp: project, p: {a: [1, null]}}}
clouds:
- name: east
  variables: {ntp: east, cloud: true}
  regions:
  - name: dfw
    variables: {ntp: dfw, masked: here}
    cells:
    - name: c1
      variables: {rack: a1}
      network_devices:
      - {name: tor, ip_address: 10.0.0.1, device_type: switch, variables: {uplink: et-0, masked: by the switch}, labels: [lab]}
      hosts:
      - {name: kvm, ip_address: 10.0.0.2, device_type: server, parent: tor, variables: {memory: 512}}
      - {name: web, ip_address: 10.0.0.3, device_type: virtual, parent: kvm, labels: [web, canary], variables: {p: null, t: "{{ x }}"}}
    hosts:
    - {name: bastion, ip_address: "2001:DB8::1", device_type: server, active: false}
- name: west
  regions:
  - {name: ord, hosts: [{name: db, ip_address: 10.1.0.1, device_type: server, parent: east/dfw/kvm, labels: [db], note: text}]}
`

// TestOnCratonServer: every host has the variables that the server itself resolves for it, in both forms, for root
// and for a member who may not read the project; labels come without a request of their own.
func TestOnCratonServer(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"small": small, "fedora": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if text == "" {
				fleet, err := os.ReadFile(skip.RealFleet(t))
				if err != nil {
					t.Fatal(err)
				}
				text = string(fleet)
			}
			root, member, asked := onServer(t, text)
			o := DefaultOptions()
			o.NetworkDevices = true
			want := map[string]map[string]any{}
			for form, client := range map[string]*craton.Client{"merged": root, "layered": root, "member": member} {
				o.Vars = Merged
				if form == "layered" {
					o.Vars = Layered
				}
				fleet, err := Load(t.Context(), client, o)
				if err != nil {
					t.Fatal(err)
				}
				if len(want) == 0 {
					want = resolvedByServer(t, root, fleet)
				}
				_, got := ansibletest.MustRead(t, render(t, fleet, o, false))
				for _, v := range got {
					delete(v, "craton")
					delete(v, "ansible_host")
				}
				if have := ansibletest.Stripped(got); !reflect.DeepEqual(want, have) { // cmp takes long for 47,000 variables
					t.Errorf("%s (-server +inventory):\n%.3000s", form, cmp.Diff(want, have))
				}
			}
			if n := asked.of("labels"); n > 0 {
				t.Errorf("%d requests for labels", n)
			}
			o.Vars, o.Hostname, o.Facts = Merged, Qualified, ""
			list, err := Load(t.Context(), root, o)
			if err != nil {
				t.Fatal(err)
			}
			doc := render(t, list, o, false)
			for i, d := range list.Hosts {
				if i%10 != 0 {
					continue
				}
				name := list.hostName(d, Qualified)
				one, err := Host(t.Context(), member, o, name)
				if err != nil || !strings.Contains(doc, fmt.Sprintf("%q:%s", name, one)) {
					t.Errorf("Host(%s): error %v\n%.500s", name, err, one)
				}
			}
		})
	}
}

// TestOneRegionListsNoCells: the answer with a region has its cells, however many there are elsewhere. A cell is found
// by its name.
func TestOneRegionListsNoCells(t *testing.T) {
	t.Parallel()
	root, _, asked := onServer(t, small)
	for name, test := range map[string]struct {
		set  func(*Options)
		want bool
	}{
		"region":           {func(o *Options) { o.Regions = []string{"east/dfw"} }, false},
		"cloud":            {func(o *Options) { o.Clouds = []string{"east"} }, false},
		"cell in a region": {func(o *Options) { o.Regions, o.Cells = []string{"east/dfw"}, []string{"c1"} }, true},
	} {
		o := DefaultOptions()
		test.set(&o)
		asked.forget()
		one, err := Load(t.Context(), root, o)
		if err != nil || len(one.Hosts) == 0 {
			t.Fatalf("%s: %d hosts, %v", name, len(one.Hosts), err)
		}
		if cells, fleets := asked.of("cells"), asked.of("fleet"); cells > 0 != test.want || fleets != 1 {
			t.Errorf("%s: %d requests for cells, %d for the fleet", name, cells, fleets)
		}
	}
}

// requests counts those to read something, by the last word of their path.
type requests struct {
	mu sync.Mutex
	n  map[string]int
}

func (r *requests) of(word string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n[word]
}

func (r *requests) note(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n[path[strings.LastIndexByte(path, '/')+1:]]++
}

func (r *requests) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n = map[string]int{}
}

// onServer loads a fleet into craton server on a file, and gives clients of root and of a member of its project.
func onServer(t *testing.T, text string) (root, member *craton.Client, asked *requests) {
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
	asked = &requests{n: map[string]int{}}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			asked.note(r.URL.Path)
		}
		s.Handler().ServeHTTP(w, r)
	})
	as := func(user, key string) *craton.Client {
		c, err := craton.New("http://embedded", craton.WithTransport(direct{h}), craton.WithLocalAuth(user, key, b.ProjectID))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	root = as(b.Username, b.APIKey)
	file, err := fleetfile.Parse("fleet.yml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fleetfile.Apply(ctx, root, file, fleetfile.Options{}); err != nil {
		t.Fatal(err)
	}
	user, err := root.Users.Create(ctx, craton.UserCreate{Username: "member", ProjectID: b.ProjectID})
	if err != nil {
		t.Fatal(err)
	}
	asked.forget()
	return root, as("member", string(user.APIKey)), asked
}

// resolvedByServer returns what the server says every listed device has.
func resolvedByServer(t *testing.T, c *craton.Client, f *Fleet) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	ctx := context.Background()
	for _, d := range f.Hosts {
		get := c.Hosts.ResolvedVariables
		if d.Kind == NetworkDeviceKind {
			get = c.NetworkDevices.ResolvedVariables
		}
		v, err := get(ctx, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		h := map[string]any{}
		for k, raw := range v {
			if h[k], err = ansibletest.ReadMarked(raw); err != nil {
				t.Fatal(err)
			}
		}
		all[d.Name] = h
	}
	return all
}
