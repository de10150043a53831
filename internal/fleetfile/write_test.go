package fleetfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleettest"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/internal/value"
)

// said is what a file says of an object, without where it stands in the file.
type said struct {
	Kind, Name, In string
	Values         map[string]any
	Refs           map[string]string
	Labels         []string
	Variables      craton.Variables
}

func saidBy(objects []*reconcile.Wanted) map[string]said {
	all := map[string]said{}
	for _, o := range objects {
		s := said{Kind: o.Kind.Name, Name: o.Name, Values: o.Values, Labels: o.Labels, Variables: o.Variables, Refs: map[string]string{}}
		if o.In != nil {
			s.In = pathOf(o.In)
		}
		for option, ref := range o.Refs {
			s.Refs[option] = ref.Text
			if ref.Target != nil {
				s.Refs[option] = "-> " + pathOf(ref.Target)
			}
		}
		all[pathOf(o)] = s
	}
	return all
}

var sameSaid = cmp.Options{
	cmp.Comparer(func(a, b json.RawMessage) bool { return value.EqualJSON(a, b) }),
	cmp.FilterValues(func(a, b any) bool { // nothing and nothing in it
		x, y := reflect.ValueOf(a), reflect.ValueOf(b)
		return x.IsValid() && y.IsValid() && x.Kind() == reflect.Map && y.Kind() == reflect.Map && x.Len()+y.Len() == 0
	}, cmp.Ignore()),
}

// written writes a file's tree, and reads it back.
func written(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, f *File,
) string {
	t.Helper()
	write := func(f *File) string {
		var b bytes.Buffer
		if err := Write(&b, &reconcile.Tree{Name: f.name, Objects: f.objects}, ""); err != nil {
			t.Fatalf("%v", err)
		}
		return b.String()
	}
	text := write(f)
	for _, part := range []int{1 << 20, 200} {
		again, err := parseInParts("written", strings.NewReader(text), part)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(saidBy(f.objects), saidBy(again.objects), sameSaid); diff != "" {
			t.Fatalf("in parts of %d (-was +is):\n%s\n%s", part, diff, text)
		}
		if twice := write(again); twice != text {
			t.Fatalf("written again it is another text (-first +second):\n%s", cmp.Diff(text, twice))
		}
	}
	return text
}

// TestWrite: what is written of any fleet is read as that fleet, and always the same.
func TestWrite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.OneOf(fleettest.Small(), fleettest.Texty()).Draw(t, "data")
		f, err := FromValue(data)
		if err != nil {
			if isRefusal(err) {
				return
			}
			t.Fatalf("%v", err)
		}
		written(t, f)
	})
}

// TestWriteAsAnsible: PyYAML, as Ansible uses it, reads what is written as we do.
func TestWriteAsAnsible(t *testing.T) {
	t.Parallel()
	var texts []string
	for i := range 300 {
		f, err := FromValue(fleettest.Texty().Example(i))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, written(t, f))
	}
	compareWithAnsible(t, texts, func(string) bool { return true })
}

func TestWriteRealFleet(t *testing.T) {
	t.Parallel()
	file, err := os.Open(skip.RealFleet(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	f, err := Parse("real", file)
	if err != nil {
		t.Fatal(err)
	}
	written(t, f)
}

// TestWriteLooks shows how a file looks, and how parents and networks are named.
func TestWriteLooks(t *testing.T) {
	t.Parallel()
	const text = `# made for a test
#
# of two lines
project:
  variables:
    ntp: ntp.example.net
clouds:
  - name: east
    note: first
    regions:
      - name: dfw
        cells:
          - name: c1
            hosts:
              - name: vm1
                note: |
                  two
                  lines
                ip_address: 10.20.0.3
                device_type: vm
                active: false
                labels:
                  - db
                  - web
                parent: kvm1
                variables:
                  motd: "no"
                interfaces:
                  - name: eth0
                    interface_type: ethernet
                    ip_address: 10.20.0.3
                    speed: 10000
                    network: mgmt
        networks:
          - name: mgmt
            cidr: 10.20.0.0/24
            gateway: 10.20.0.1
            netmask: 255.255.255.0
            cell: c1
        hosts:
          - name: kvm1
            ip_address: 10.20.0.2
            device_type: server
            parent: dfw/sw1
        network_devices:
          - name: sw1
            ip_address: 10.20.0.1
            device_type: switch
            os_version: "15.10"
            vlans: 1-10
      - name: ord
        networks:
          - name: mgmt
            cidr: 10.30.0.0/24
            gateway: 10.30.0.1
            netmask: 255.255.255.0
        hosts:
          - name: vm2
            ip_address: 10.30.0.3
            device_type: vm
            parent: vm1
            interfaces:
              - name: eth0
                interface_type: ethernet
                ip_address: 10.30.0.3
                network: dfw/mgmt
        network_devices:
          - name: sw1
            ip_address: 10.30.0.1
            device_type: switch
            parent: null
`
	f, err := Parse("looks", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Write(&b, &reconcile.Tree{Objects: f.objects}, "made for a test\n\nof two lines\n"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Replace(text, `vlans: 1-10`, `vlans: "1-10"`, 1), b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Reset()
	if err := Write(&b, &reconcile.Tree{}, "\u2028\x00\n"); err != nil || b.String() != "# \ufffd\ufffd\nclouds: []\n" {
		t.Errorf("of nothing: %q %v", b.String(), err)
	}
}

// TestWriteRefuses: what no file can say is told, all of it, and nothing is written.
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	cloud := &reconcile.Wanted{Kind: schema.Cloud, Name: "a\x1bb"}
	region := &reconcile.Wanted{Kind: schema.Region, Name: "r", In: cloud}
	host := func(name string) *reconcile.Wanted {
		return &reconcile.Wanted{Kind: schema.Host, Name: name, In: region, Values: map[string]any{"ip_address": "10.0.0.1", "device_type": "x"}}
	}
	bad := host("bad")
	bad.Values["ip_address"], bad.Values["device_type"] = "nowhere", nil
	bad.Labels = []string{""}
	bad.Variables = craton.Variables{"": []byte("1"), "big": []byte("1e400"), "deep": []byte(strings.Repeat("[", 300) + strings.Repeat("]", 300)), "nul": []byte(`{"a":"\u0000"}`)}
	one, two := host("same"), host("same")
	circle := host("circle")
	circle.Refs = map[string]*reconcile.Reference{"parent": {Target: circle}}
	child := host("child")
	child.Refs = map[string]*reconcile.Reference{"parent": {Target: one}}
	var b strings.Builder
	err := Write(&b, &reconcile.Tree{Name: "the fleet", Objects: []*reconcile.Wanted{cloud, region, bad, one, two, circle, child}}, "x")
	if err == nil || b.Len() > 0 {
		t.Fatalf("%v %q", err, b.String())
	}
	for _, want := range []string{"control character", "ip_address: is", "device_type", "labels[0]: is empty", "is not a name for a variable", "too large", "deeper than 200", "NUL", "is used twice", "its own parent", "no reference identifies"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	for _, tree := range [][]*reconcile.Wanted{{{Kind: schema.User, Name: "u"}}, {{Kind: schema.Host, Name: "h"}}, {{Kind: schema.Cloud, Name: "c", In: cloud}}} {
		if err := Write(&b, &reconcile.Tree{Objects: tree}, ""); err == nil {
			t.Errorf("%v is written", tree[0])
		}
	}
}

// FuzzWrite: what can be read can be written, and is read again.
func FuzzWrite(f *testing.F) {
	for _, s := range append(fleettest.Written, "a\n b", "\t", "a\r\nb") {
		raw, _ := value.Encode(s)
		f.Add(fmt.Sprintf(`{"clouds":[{"name":"x","note":%s,"variables":{"v":[%s,{%s:null}]},"regions":[{"name":"r","hosts":[{"name":"h","ip_address":"::1","device_type":"t","parent":null}]}]}]}`, raw, raw, raw))
	}
	f.Add("clouds:\n- name: a\n  variables: &x {a: 1e3, b: 0x1F}\n- name: b\n  variables: {<<: *x, c: |+\n    x\n\n  }\n")
	f.Fuzz(func(t *testing.T, text string) {
		if f, err := Parse("fuzz", strings.NewReader(text)); err == nil {
			written(t, f)
		}
	})
}
