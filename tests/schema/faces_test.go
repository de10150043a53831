package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/modules"
	"github.com/craton-fleet/craton/modules/ansible"
	"github.com/craton-fleet/craton/server"
)

// exceptions are what faces do not know, and why: by face and kind, or face, kind and field.
var exceptions = map[string]string{
	"server device":              "a view of hosts and network devices: it shows theirs, and cannot be written to",
	"command line device":        "a view: it cannot be written to; its list is looked at",
	"command line device active": "device-list shows the recorded columns; --active filters",
	"fleet file user":            "users have keys, which a file must not hold: craton user-create, craton_user",
	"fleet file project":         "the project is the caller's own; a file gives its variables",
	"fleet file device":          "a view: its hosts and network devices have lists of their own",
	"modules device":             "a view: there is craton_device_info, but nothing to make",
	"inventory project":          "no host; it gives variables",
	"inventory user":             "no host",
	"inventory cloud":            "no host; it gives its name and variables",
	"inventory region":           "no host; it gives its name and variables",
	"inventory cell":             "no host; it gives its name and variables",
	"inventory network":          "no host, and no host inherits from it",
	"inventory network-interface": "no host; the v1 API lists interfaces only apart from their devices, which would cost the inventory as " +
		"many requests again",
	"inventory device": "hosts and network devices are looked at themselves",
}

// excused reports whether a face need not know a kind, or a field of it.
func excused(face string, k *schema.Kind, field ...string) bool {
	_, ok := exceptions[strings.Join(append([]string{face, k.Name}, field...), " ")]
	return ok
}

// fleet is a real server, with one object of every kind.
type fleet struct {
	*craton.Client
	file string
	ids  map[*schema.Kind]any
	n    int
}

// newFleet starts a server, and points the settings of this process at it.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fleet.db")
	s, err := server.Open(t.Context(), "sqlite:"+file, server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, value := range map[string]string{"CRATON_URL": h.URL, "OS_USERNAME": b.Username, "OS_PASSWORD": b.APIKey, "OS_PROJECT_ID": b.ProjectID} {
		t.Setenv(name, value)
	}
	c, err := craton.New(h.URL, craton.WithLocalAuth(b.Username, b.APIKey, b.ProjectID))
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{Client: c, file: file, ids: map[*schema.Kind]any{schema.Project: b.ProjectID}}
	for _, k := range schema.All() {
		if !k.View && k != schema.Project {
			f.ids[k] = id(f.make(t, k, f.body(k)))
		}
	}
	return f
}

// make creates an object by the client's untyped door.
func (f *fleet) make(t *testing.T, k *schema.Kind, body map[string]any) *craton.Object {
	t.Helper()
	o, err := f.Collection(craton.Kind(k.Name)).Create(t.Context(), body)
	if err != nil {
		t.Fatalf("%s: %v", k.Name, err)
	}
	return o
}

// body is a new object with all its fields.
func (f *fleet) body(k *schema.Kind) map[string]any {
	body := map[string]any{k.Title: f.unique("object")}
	for i := range k.Fields {
		if v := f.value(&k.Fields[i]); v != nil { // the first host has no parent
			body[k.Fields[i].Key] = v
		}
	}
	return body
}

// value is a value of a field, another one each time, where there is another.
func (f *fleet) value(field *schema.Field) any {
	switch field.Type {
	case schema.LongText:
		return f.unique(strings.Repeat("long ", schema.MaxText/4))
	case schema.Address:
		f.n++
		return fmt.Sprintf("10.20.%d.%d", f.n/200, f.n%200+1)
	case schema.Prefix:
		f.n++
		return fmt.Sprintf("10.%d.%d.0/24", 30+f.n/200, f.n%200)
	case schema.Integer:
		f.n++
		return f.n
	case schema.Flag:
		return field.Key != "active" // what it is not by default
	case schema.Reference:
		return f.ids[schema.ByName(field.To[0])]
	default:
		return f.unique(field.Key)
	}
}

func (f *fleet) unique(text string) string {
	f.n++
	return fmt.Sprintf("%s-%d", text, f.n)
}

func id(o *craton.Object) any {
	text := o.ID()
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return text
}

// same compares a value with what a face shows of it.
func same(want any, got json.RawMessage) bool {
	text := strings.Trim(string(got), `"`) // an interface's speed is a text where it is read (Q4)
	return len(got) > 0 && text == fmt.Sprint(want)
}

// run runs a command line, and gives what it prints.
func run(t *testing.T, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	s := output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
	if status := cli.Run(t.Context(), args, s, cli.Version{}, inventory.Command(s)); status != 0 {
		t.Fatalf("craton %s ends with %d:\n%s", strings.Join(args, " "), status, errs.String())
	}
	return out.Bytes()
}

// TestServer: every field is taken, kept and shown; what is required is asked for; what is fixed stays; all else
// changes.
func TestServer(t *testing.T) {
	f := newFleet(t)
	for _, k := range schema.All() {
		if excused("server", k) {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			c, body := f.Collection(craton.Kind(k.Name)), f.body(k)
			o, err := c.Get(t.Context(), f.make(t, k, body).ID())
			if err != nil {
				t.Fatal(err)
			}
			f.has(t, k, o, body)
			listed := false
			for row, err := range c.All(t.Context(), nil) {
				if err != nil {
					t.Fatal(err)
				}
				if row.ID() == o.ID() {
					listed = true
					f.has(t, k, row, body)
				}
			}
			if !listed {
				t.Error("it is in no list")
			}
			for i := range k.Fields {
				field := &k.Fields[i]
				less := f.body(k)
				if delete(less, field.Key); field.Required {
					if _, err := c.Create(t.Context(), less); !craton.IsBadRequest(err) {
						t.Errorf("without %s: %v", field.Key, err)
					}
				}
				if field.Fixed {
					if _, err := c.Update(t.Context(), o.ID(), map[string]any{field.Key: f.value(field)}); err == nil {
						t.Errorf("%s is fixed, and changes", field.Key)
					}
					continue
				}
				want := f.value(field)
				changed, err := c.Update(t.Context(), o.ID(), map[string]any{field.Key: want})
				if err != nil || !same(want, (*changed)[field.Key]) {
					t.Errorf("%s: %v, not %v: %v", field.Key, changed, want, err)
				}
			}
		})
	}
}

// has compares all fields of an object.
func (f *fleet) has(t *testing.T, k *schema.Kind, o *craton.Object, want map[string]any) {
	t.Helper()
	for key, value := range want {
		if !same(value, (*o)[key]) {
			t.Errorf("%s: %s is %s, not %v", k.Name, key, (*o)[key], value)
		}
	}
}

// named are options of the command line that are not called as the field is: as recorded of the original.
var named = map[string]string{
	"ip_address": "ip_address", "device_type": "type", "interface_type": "type", "username": "name", "is_admin": "admin",
}

func option(key string, f *schema.Field) string {
	if o, ok := named[key]; ok {
		return "--" + o
	}
	if f != nil {
		key = f.Option()
	}
	return "--" + strings.ReplaceAll(key, "_", "-")
}

// arguments are options for the members of a body.
func arguments(k *schema.Kind, body map[string]any) (args []string) {
	for _, key := range slices.Sorted(maps.Keys(body)) {
		f := k.Field(key)
		args = append(args, option(key, f))
		if key != "is_admin" { // a switch
			args = append(args, fmt.Sprint(body[key]))
		}
	}
	return args
}

// TestCommandLine: a create takes every field, a list shows it, an update changes what is not fixed.
func TestCommandLine(t *testing.T) {
	f := newFleet(t)
	object := func(t *testing.T, args ...string) *craton.Object {
		t.Helper()
		var o craton.Object
		if err := json.Unmarshal(run(t, append([]string{"--format", "json"}, args...)...), &o); err != nil {
			t.Fatal(err)
		}
		return &o
	}
	for _, k := range schema.All() {
		t.Run(k.Name, func(t *testing.T) {
			keys := []string{"id", k.Title}
			for _, field := range k.Fields {
				if !excused("command line", k, field.Key) {
					keys = append(keys, field.Key)
				}
			}
			want := map[string]any{}
			if !excused("command line", k) {
				want = f.body(k)
				o := object(t, append([]string{k.Name + "-create"}, arguments(k, want)...)...)
				f.has(t, k, o, want)
				f.has(t, k, object(t, k.Name+"-show", o.ID()), want)
				if k.Updatable() {
					changes := map[string]any{}
					for i := range k.Fields {
						if field := &k.Fields[i]; !field.Fixed {
							changes[field.Key] = f.value(field)
						}
					}
					f.has(t, k, object(t, append([]string{k.Name + "-update", o.ID()}, arguments(k, changes)...)...), changes)
					maps.Copy(want, changes)
				}
				want["id"] = o.ID()
			}
			var rows []craton.Object
			if err := json.Unmarshal(run(t, append([]string{"--format", "json", k.Name + "-list", "--all", "--fields"}, keys...)...), &rows); err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(rows, func(o craton.Object) bool { return want["id"] == nil || o.ID() == want["id"] })
			if i < 0 {
				t.Fatal("it is in no list")
			}
			f.has(t, k, &rows[i], want)
			for _, key := range keys {
				if rows[i][key] == nil {
					t.Errorf("its list has no %s", key)
				}
			}
		})
	}
}

// lists are the keys of fleet files that are not called as the API's lists are.
var lists = map[*schema.Kind]string{schema.NetworkInterface: "interfaces"}

// inFile is an object in a fleet file: references by name, no place.
func (f *fleet) inFile(k *schema.Kind, names map[*schema.Kind]string) (file, want map[string]any) {
	file, want = map[string]any{"name": names[k]}, map[string]any{k.Title: names[k]}
	for i := range k.Fields {
		field := &k.Fields[i]
		value := f.value(field)
		switch {
		case field.Key == "parent_id":
			file["parent"] = names[schema.ByName(field.To[0])]
		case field.Place() && (k != schema.Network || field.Key != "cell_id"):
		case field.Type == schema.Reference:
			file[field.Option()] = names[schema.ByName(field.To[0])]
		default:
			file[field.Key], want[field.Key] = value, value
		}
	}
	return file, want
}

// TestFleetFile: one file with an object of every kind and all fields, applied, gives these values; and where the
// schema lets a field change, another value in the file changes it.
func TestFleetFile(t *testing.T) {
	f := newFleet(t)
	names := map[*schema.Kind]string{}
	for _, k := range schema.All() {
		names[k] = "f-" + k.Name
	}
	listOf := func(k *schema.Kind) string {
		if list, ok := lists[k]; ok {
			return list
		}
		return k.List
	}
	want := map[*schema.Kind]map[string]any{}
	apply := func(last map[*schema.Kind]map[string]any) {
		file := map[*schema.Kind]map[string]any{}
		for _, k := range schema.All() {
			if excused("fleet file", k) {
				continue
			}
			file[k], want[k] = f.inFile(k, names)
			for _, field := range k.Fields {
				if before := last[k]; before != nil && field.Fixed && before[field.Key] != nil {
					file[k][field.Key], want[k][field.Key] = before[field.Key], before[field.Key]
				}
			}
		}
		delete(file[schema.Host], "parent") // it would be its own
		file[schema.NetworkDevice]["parent"] = names[schema.Host]
		for _, in := range [][2]*schema.Kind{
			{schema.NetworkDevice, schema.NetworkInterface}, {schema.Cell, schema.Host}, {schema.Cell, schema.NetworkDevice},
			{schema.Region, schema.Cell}, {schema.Region, schema.Network}, {schema.Cloud, schema.Region},
		} {
			file[in[0]][listOf(in[1])] = []any{file[in[1]]}
		}
		text, err := yaml.Marshal(map[string]any{schema.Cloud.List: []any{file[schema.Cloud]}})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := fleetfile.Parse("fleet.yml", bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		result, err := (&reconcile.Fleet{Client: f.Client, Project: fmt.Sprint(f.ids[schema.Project])}).ApplyTree(t.Context(), parsed.Tree(), reconcile.Options{})
		if err != nil || !result.Changed() {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, k := range schema.All() {
			if excused("fleet file", k) {
				continue
			}
			found := false
			for o, err := range f.Collection(craton.Kind(k.Name)).All(t.Context(), nil) {
				if err != nil {
					t.Fatal(err)
				}
				if same(names[k], (*o)[k.Title]) {
					found = true
					f.has(t, k, o, want[k])
					for _, field := range k.Fields { // places and other references
						if (*o)[field.Key] == nil || string((*o)[field.Key]) == "null" && (k != schema.Host || field.Key != "parent_id") {
							t.Errorf("%s: %s is %s", k.Name, field.Key, (*o)[field.Key])
						}
					}
				}
			}
			if !found {
				t.Errorf("there is no %s", names[k])
			}
		}
	}
	apply(nil)
	last := maps.Clone(want)
	apply(last)
}

// TestModules: the module of a kind has an option for every field, of its type, and shows it; the module runs.
func TestModules(t *testing.T) {
	f := newFleet(t)
	types := map[schema.Type]ansible.Type{schema.Integer: ansible.Int, schema.Flag: ansible.Bool}
	for _, k := range schema.All() {
		t.Run(k.Name, func(t *testing.T) {
			if _, ok := modules.Lookup("craton_" + k.Ident() + "_info"); !ok {
				t.Error("there is no info module")
			}
			if excused("modules", k) {
				return
			}
			m, ok := modules.Lookup("craton_" + k.Ident())
			if !ok {
				t.Fatal("there is no module")
			}
			args, want := map[string]any{"name": f.unique("module")}, map[string]any{}
			want[k.Title] = args["name"]
			for i := range k.Fields {
				field := &k.Fields[i]
				o := slices.IndexFunc(m.Spec.Options, func(o ansible.Option) bool { return o.Name == field.Option() })
				if o < 0 || m.Spec.Options[o].Type != types[field.Type] || len(m.Spec.Options[o].Description) == 0 {
					t.Errorf("%s is no option of it, of its type, with a description", field.Option())
				}
				if !slices.ContainsFunc(m.Spec.Returns[0].Contains, func(r ansible.Return) bool { return r.Name == field.Key }) {
					t.Errorf("%s is not documented in its result", field.Key)
				}
				want[field.Key] = f.value(field)
				args[field.Option()] = want[field.Key]
				if field.Type == schema.Reference {
					args[field.Option()] = fmt.Sprint(want[field.Key])
				}
			}
			in, err := json.Marshal(args)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "args")
			if err := os.WriteFile(file, in, 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if status := ansible.Run([]string{m.Spec.Name, file}, nil, &out, modules.Lookup); status != 0 {
				t.Fatalf("it ends with %d: %s", status, out.String())
			}
			var result map[string]json.RawMessage
			if err := json.Unmarshal(out.Bytes(), &result); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			var o craton.Object
			if err := json.Unmarshal(result[k.Ident()], &o); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			f.has(t, k, &o, want)
		})
	}
}

// TestInventory: what Craton knows of a device is in its facts, references by their names too.
func TestInventory(t *testing.T) {
	f := newFleet(t)
	t.Setenv("CRATON_INVENTORY_NETWORK_DEVICES", "true")
	t.Setenv("CRATON_INVENTORY_CACHE", "off") // of whoever runs the test
	var doc struct {
		Meta struct {
			Hostvars map[string]struct{ Craton craton.Object }
		} `json:"_meta"`
	}
	if err := json.Unmarshal(run(t, "inventory", "--list"), &doc); err != nil {
		t.Fatal(err)
	}
	for _, k := range schema.All() {
		if excused("inventory", k) {
			continue
		}
		o, err := f.Collection(craton.Kind(k.Name)).Get(t.Context(), fmt.Sprint(f.ids[k]))
		if err != nil {
			t.Fatal(err)
		}
		facts := doc.Meta.Hostvars[strings.Trim(string((*o)[k.Title]), `"`)].Craton
		if facts == nil {
			t.Fatalf("%s: not in the inventory: %v", k.Name, slices.Collect(maps.Keys(doc.Meta.Hostvars)))
		}
		for _, field := range k.Fields {
			if d := cmp.Diff(string((*o)[field.Key]), string(facts[field.Key])); d != "" {
				t.Errorf("%s: %s:\n%s", k.Name, field.Key, d)
			}
			if field.Type == schema.Reference && (facts[field.Option()] == nil || string((*o)[field.Key]) != "null" && string(facts[field.Option()]) == "null") {
				t.Errorf("%s: %s is not named", k.Name, field.Option())
			}
		}
	}
}

// TestDocs: the documentation of the modules, which ansible-doc shows, has every field; so have the tables of the fleet
// file, which its own test compares with what it reads.
func TestDocs(t *testing.T) {
	t.Parallel()
	for _, k := range schema.All() {
		name := "craton_" + k.Ident()
		if excused("modules", k) {
			name += "_info"
		}
		text, err := os.ReadFile(filepath.Join("..", "..", "plugins", "modules", name+".py"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range k.Fields {
			for _, key := range []string{f.Option(), f.Key} {
				if !bytes.Contains(text, []byte("  "+key+":\n")) {
					t.Errorf("%s does not document %s", name, key)
				}
			}
		}
	}
}

// TestExceptions: each is about a kind, and about a field that the kind has.
func TestExceptions(t *testing.T) {
	t.Parallel()
	for key := range exceptions {
		_, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(key, "command "), "fleet "), " ")
		kind, field, _ := strings.Cut(rest, " ")
		k := schema.ByName(kind)
		if k == nil || field != "" && k.Field(field) == nil {
			t.Errorf("%q is about nothing that the schema has", key)
		}
	}
}
