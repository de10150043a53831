package fleetfile

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleettest"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/skip"
)

// exported returns the file that makes the API's fleet.
func exported(t interface {
	fixture
	Fatalf(format string, args ...any)
}, fl *reconcile.Fleet,
) (*File, string) {
	t.Helper()
	whole, err := fl.ReadTree(t.Context(), 8)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var b bytes.Buffer
	if err := Write(&b, &whole.Tree, "a comment"); err != nil {
		t.Fatalf("%v", err)
	}
	f, err := Parse("exported", bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return f, b.String()
}

// checkExport: the file of a fleet changes nothing there, and makes the same fleet elsewhere.
func checkExport(t interface {
	fixture
	Fatalf(format string, args ...any)
}, from, empty api, snapshot func(api) model,
) {
	t.Helper()
	f, text := exported(t, from.fleet())
	from.writes()
	r, err := from.apply(t.Context(), f, Options{})
	if err != nil || r.Changed() || len(from.writes()) > 0 {
		t.Fatalf("applied where it is from: %v %+v\n%s", err, r, text)
	}
	if _, err := empty.apply(t.Context(), f, Options{AllowDuplicates: true}); err != nil {
		t.Fatalf("applied to an empty fleet: %v\n%s", err, text)
	}
	if diff := cmp.Diff(snapshot(from), snapshot(empty)); diff != "" {
		t.Fatalf("the fleets differ (-from +made):\n%s\n%s", diff, text)
	}
	if _, again := exported(t, empty.fleet()); again != text {
		t.Fatalf("of the fleet that it makes another file is written:\n%s", cmp.Diff(text, again))
	}
}

// applyRandom makes a random fleet, on top of another one, in which some were renamed.
func applyRandom(t *rapid.T, s api) {
	for range 2 {
		data := rapid.OneOf(fleettest.Small(), fleettest.Texty()).Draw(t, "fleet")
		if s.moves {
			fleettest.Protect(t, data)
		}
		f, err := FromValue(data)
		if err == nil {
			_, err = s.apply(t.Context(), f, Options{AllowDuplicates: true})
		}
		folds := err != nil && strings.Contains(err.Error(), "differ only in case") // which the original refuses, and we cannot know
		if e := (*Error)(nil); err != nil && !errors.As(err, &e) && !folds {
			t.Fatalf("%v", err)
		}
		renameSome(t, s)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	t.Run("original", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			var apis [2]api
			for i := range apis {
				s := &original{}
				c, err := craton.New("http://embedded", craton.WithTransport(inProcess{s}), craton.WithRetries(0))
				if err != nil {
					t.Fatal(err)
				}
				apis[i] = api{Client: c, writes: s.writes}
			}
			applyRandom(t, apis[0])
			checkExport(t, apis[0], apis[1], func(s api) model { return snapshot(t, s) })
		})
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		most := size(8)
		runs, failed := 0, false
		rapid.Check(t, func(t *rapid.T) {
			if runs++; runs > most && !failed { // opening databases takes its time
				return
			}
			failed = true
			d, err := os.MkdirTemp(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			empty, err := os.MkdirTemp(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			r := newServer(t, empty)
			c, err := craton.New("http://embedded", craton.WithTransport(inProcess{r}), craton.WithRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			s, others := oneOfSeveral(t, d)
			applyRandom(t, s)
			checkExport(t, s, api{Client: c, writes: r.writes, moves: true}, func(s api) model { return snapshot(t, s) })
			others()
			failed = false
		})
	})
}

func TestExportRealFleet(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(skip.RealFleet(t))
	if err != nil {
		t.Fatal(err)
	}
	s := serverAPI(t)
	apply(t, s.Client, string(file), Options{})
	checkExport(t, s, serverAPI(t), func(s api) model {
		f, _ := exported(t, s.fleet())
		all := model{}
		for path, o := range saidBy(f.objects) {
			fields := map[string]any{}
			maps.Copy(fields, o.Values)
			for name, v := range o.Variables {
				fields["variable "+name] = normal(v)
			}
			all[path] = fields
		}
		return all
	})
	f, _ := exported(t, s.fleet())
	if f.Len() != parse(t, string(file)).Len() {
		t.Errorf("%d objects, the file has %d", f.Len(), parse(t, string(file)).Len())
	}
}

// TestExportPart: what is chosen comes with all that it needs, and nothing else.
func TestExportPart(t *testing.T) {
	t.Parallel()
	s := serverAPI(t)
	apply(t, s.Client, `
project: {variables: {p: 1}}
clouds:
- name: e
  regions:
  - name: r
    cells: [{name: c, hosts: [{name: vm, ip_address: 10.0.0.3, device_type: x, parent: kvm, interfaces: [{name: eth0, interface_type: x, ip_address: 10.0.0.3, network: w/s/n}]}]}, {name: d}]
    hosts: [{name: kvm, ip_address: 10.0.0.2, device_type: x, parent: sw}, {name: other, ip_address: 10.0.0.4, device_type: x, parent: vm}]
    network_devices: [{name: sw, ip_address: 10.0.0.1, device_type: x, interfaces: [{name: p1, interface_type: x, ip_address: 10.0.0.1}]}]
- name: w
  regions:
  - name: s
    networks: [{name: n, cidr: 10.0.0.0/8, gateway: 10.0.0.1, netmask: 255.0.0.0, cell: k}, {name: m, cidr: 10.0.0.0/8, gateway: 10.0.0.1, netmask: 255.0.0.0}]
    cells: [{name: k}]
  - name: t
`, Options{})
	whole, err := (&reconcile.Fleet{Client: s.Client}).ReadTree(t.Context(), 8)
	if err != nil {
		t.Fatal(err)
	}
	whole.Part(func(w *reconcile.Wanted) bool { return w.Name == "vm" })
	var got []string
	for _, o := range whole.Objects {
		got = append(got, pathOf(o))
	}
	want := strings.Fields(`project clouds[e] clouds[w] clouds[e].regions[r] clouds[w].regions[s] clouds[e].regions[r].cells[c] clouds[w].regions[s].cells[k] clouds[w].regions[s].networks[n]
		clouds[e].regions[r].hosts[kvm] clouds[e].regions[r].cells[c].hosts[vm] clouds[e].regions[r].network_devices[sw]
		clouds[e].regions[r].cells[c].hosts[vm].interfaces[eth0] clouds[e].regions[r].network_devices[sw].interfaces[p1]`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
