package modules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/modules/ansible"
)

// The documentation of every module can be made, and says nothing that is not so.
func TestSpecs(t *testing.T) {
	t.Parallel()
	specs := Specs()
	if len(specs) != 32 || len(Names()) != len(specs) {
		t.Fatalf("%d modules, %d names", len(specs), len(Names()))
	}
	known := map[string]*ansible.Spec{}
	for _, s := range specs {
		known[fullName(s.Name)] = s
	}
	for _, s := range specs {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		if _, err := s.Sidecar(); err != nil {
			t.Error(err)
		}
		for _, f := range s.Fragments {
			if _, err := f.PythonFile(); err != nil {
				t.Error(err)
			}
		}
		for _, see := range s.SeeAlso {
			if known[see.Module] == nil {
				t.Errorf("%s refers to %s", s.Name, see.Module)
			}
		}
		options := map[string]bool{}
		for _, o := range s.AllOptions() {
			options[o.Name] = true
		}
		for _, m := range regexp.MustCompile(`\bO\(([a-z_]+)`).FindAllStringSubmatch(allText(s), -1) {
			if !options[m[1]] {
				t.Errorf("%s: the documentation names the option %s, which it does not have", s.Name, m[1])
			}
		}
		if strings.HasSuffix(s.Short, ".") || !s.SupportsCheckMode {
			t.Errorf("%s: %q", s.Name, s.Short)
		}
	}
}

func allText(s *ansible.Spec) string {
	texts := append(append([]string{}, s.Description...), s.Notes...)
	for _, o := range s.AllOptions() {
		texts = append(texts, o.Description...)
	}
	var returns func([]ansible.Return)
	returns = func(list []ansible.Return) {
		for _, r := range list {
			texts = append(texts, r.Description...)
			returns(r.Contains)
		}
	}
	returns(s.Returns)
	return strings.Join(texts, "\n")
}

// Each example uses options that its module has, with values that the module takes.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	specs := map[string]*ansible.Spec{}
	for _, s := range Specs() {
		specs[fullName(s.Name)] = s
	}
	for _, s := range Specs() {
		var tasks []map[string]any
		if err := yaml.Unmarshal([]byte(s.Examples), &tasks); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		own := false
		for _, task := range tasks {
			for key, value := range task {
				of := specs[key]
				if of == nil {
					if strings.HasPrefix(key, "craton.fleet.") {
						t.Errorf("%s: an example of the unknown module %s", s.Name, key)
					}
					continue
				}
				own = own || of.Name == s.Name
				in, _ := value.(map[string]any)
				if _, err := ansible.NewTask(of, in, nil); err != nil {
					t.Errorf("%s: %v: %v", s.Name, task["name"], err)
				}
			}
		}
		if !own {
			t.Errorf("%s has no example", s.Name)
		}
	}
}

// What a module returns is what its documentation lists.
func TestReturnsAreDocumented(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	for _, l := range lives {
		if l.name == "network_interface" || l.name == "host" || l.name == "network_device" || l.name == "network" || l.name == "project" || l.name == "cell" || l.name == "region" || l.name == "cloud" {
			r := resourceOf(l.name)
			got := a.OK(t, true, r.moduleName(), l.create.With(args{"protected": false})).Dict(l.name)
			documented := map[string]bool{}
			for _, ret := range r.spec().Returns[0].Contains {
				documented[ret.Name] = true
				if _, ok := got[ret.Name]; !ok {
					t.Errorf("%s: %s is documented and not returned", r.moduleName(), ret.Name)
				}
			}
			for key := range got {
				if !documented[key] {
					t.Errorf("%s: %s is returned and not documented", r.moduleName(), key)
				}
			}
		}
	}
}

// What is documented are fields of the kind, in its order, and a field without words of its own gets some.
func TestFieldsAreTheSchemas(t *testing.T) {
	t.Parallel()
	for _, k := range schema.All() {
		r := resourceOf(k.Name)
		var want, got []string
		for _, f := range k.Fields {
			if slices.ContainsFunc(r.fields, func(d fieldDoc) bool { return d.option == f.Option() }) {
				want = append(want, f.Option())
			}
		}
		for _, d := range r.fields {
			got = append(got, d.option)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-schema +modules):\n%s", k.Name, d)
		}
		if !k.Updatable() {
			continue
		}
		added := *k
		added.Fields = append(slices.Clone(k.Fields), schema.Field{Key: "serial_number"}, schema.Field{Key: "ports", Type: schema.Integer})
		r = &resource{Kind: &added, doc: r.doc, fields: r.fields}
		for option, want := range map[string]string{
			"serial_number": fmt.Sprintf("The serial number of the %s.", k.Noun()),
			"ports":         fmt.Sprintf("The ports of the %s.", k.Noun()),
		} {
			s := r.spec()
			i := slices.IndexFunc(s.Options, func(o ansible.Option) bool { return o.Name == option })
			if i < 0 || s.Options[i].Description[0] != want {
				t.Errorf("%s: %s is not an option with the words %q", k.Name, option, want)
			}
			j := slices.IndexFunc(s.Returns[0].Contains, func(r ansible.Return) bool { return r.Name == option })
			if j < 0 || !strings.HasPrefix(s.Returns[0].Contains[j].Description[0], want) {
				t.Errorf("%s: %s is not in the result with the words %q", k.Name, option, want)
			}
		}
	}
}
