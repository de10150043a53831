package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/modules"
	"github.com/craton-fleet/craton/modules/ansible"
)

// wrong are values that a field of a type must not have, and the words that matter of what is said of them.
func wrong(f *schema.Field) map[any]string {
	word := map[any]string{
		strings.Repeat("ü", schema.MaxText+1): "256 characters ... 255",
		strings.Repeat("x", 1<<17-64):         "131008 characters ... 255",
		"a\nb":                                "control character",
		"a\u200bb":                            "U+200B ... invisible ... direction",
	}
	switch f.Type {
	case schema.LongText:
		return map[any]string{strings.Repeat("ü", schema.MaxLongText/2+1): "65536 bytes ... 65535"}
	case schema.Address:
		maps.Copy(word, map[any]string{
			"10.0.0.256":  `"10.0.0.256" ... IP address ... 10.20.0.11 ... 2001:db8::11`,
			"10.0.0.1/24": `"10.0.0.1/24" ... IP address ... /length`,
			"fe80::1%e0":  `"fe80::1%e0" ... zone ... %e0`,
			" 10.0.0.1":   `" 10.0.0.1" ... IP address ... 10.20.0.11 ... 2001:db8::11`,
		})
	case schema.Prefix:
		word["10.0.0.0"] = `"10.0.0.0" ... range ... 10.20.0.0/24 ... 2001:db8::/64`
	case schema.Integer:
		return map[any]string{1 << 31: "2147483648 ... too large ... 32 bits"}
	case schema.Flag, schema.Reference:
		return nil
	}
	return word
}

// taken tells what the API takes nevertheless, as the original does: any text for a network's range and its gateway,
// and numbers that its databases cannot all hold.
func taken(f *schema.Field, value any) bool {
	text, ok := value.(string)
	return f.Type == schema.Integer || ok && len(text) < 20 && (f.Type == schema.Prefix || f.Key == "gateway")
}

// refused runs a command line, and gives what it says when it ends with an error.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	s := output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
	if status := cli.Run(t.Context(), args, s, cli.Version{}, inventory.Command(s)); status == 0 {
		t.Errorf("craton %.200s does it:\n%s", strings.Join(args, " "), out.String())
	}
	return errs.String()
}

// task runs a module, and gives its result.
func task(t *testing.T, name string, args map[string]any) map[string]any {
	t.Helper()
	in, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "args")
	if err := os.WriteFile(file, in, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	ansible.Run([]string{name, file}, nil, &out, modules.Lookup)
	var result map[string]any
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return result
}

// TestRefusals: a value that a field cannot have is refused by every face: fleet file and module say the same of it,
// before anything is read or written, the command line and the server what the API says; and nobody's error is as long
// as the value.
func TestRefusals(t *testing.T) {
	f := newFleet(t)
	const longest = 2000
	for _, k := range schema.All() {
		if k.View {
			continue
		}
		fields := append([]schema.Field{{Key: k.Title, Type: schema.Text}}, k.Fields...)
		for i := range fields {
			field, option := &fields[i], fields[i].Option()
			if field.Key == k.Title {
				option = "name"
			}
			for value, says := range wrong(field) {
				what := fmt.Sprintf("%s %s %.40q", k.Name, option, fmt.Sprint(value))
				body := f.body(k)
				body[field.Key] = value
				if k != schema.Project && !taken(field, value) {
					_, err := f.Collection(craton.Kind(k.Name)).Create(t.Context(), body)
					if err == nil || len(err.Error()) > longest {
						t.Errorf("%s: the server or its client: %.200v", what, err)
					}
					if text := refused(t, append([]string{k.Name + "-create"}, arguments(k, body)...)...); len(text) > longest {
						t.Errorf("%s: the command line: %.200s", what, text)
					}
				}
				said := ""
				if !excused("modules", k) {
					args := map[string]any{"name": body[k.Title], "_ansible_check_mode": true}
					for _, other := range k.Fields {
						if v, ok := body[other.Key]; ok {
							args[other.Option()] = v
						}
					}
					msg := fmt.Sprint(task(t, "craton_"+k.Ident(), args)["msg"])
					if !wording.Has(msg, option+" ... "+says) {
						t.Errorf("%s: the module: %.200v", what, msg)
					}
					said = strings.TrimPrefix(msg, option+" ")
				}
				if !excused("fleet file", k) {
					_, err := fleetfile.FromValue(f.around(k, option, value))
					if err == nil || !wording.Has(err.Error(), option+": ... "+says) || !strings.HasSuffix(err.Error(), said) || len(err.Error()) > longest {
						t.Errorf("%s: the fleet file: %.200v", what, err)
					}
				}
			}
		}
	}
}

// around is a fleet file with nothing but one object, and all that it stands in, of which one field has a value.
func (f *fleet) around(k *schema.Kind, option string, value any) any {
	o, _ := f.inFile(k, map[*schema.Kind]string{k: "object"})
	for i := range k.Fields {
		if k.Fields[i].Type == schema.Reference {
			delete(o, k.Fields[i].Option())
		}
	}
	o[option] = value
	list := k.List
	if other, ok := lists[k]; ok {
		list = other
	}
	for _, in := range map[*schema.Kind][]*schema.Kind{
		schema.Region: {schema.Cloud}, schema.Cell: {schema.Region, schema.Cloud}, schema.Network: {schema.Region, schema.Cloud},
		schema.Host: {schema.Region, schema.Cloud}, schema.NetworkDevice: {schema.Region, schema.Cloud},
		schema.NetworkInterface: {schema.Host, schema.Region, schema.Cloud},
	}[k] {
		above, _ := f.inFile(in, map[*schema.Kind]string{in: "above"})
		delete(above, "parent")
		above[list] = []any{o}
		o, list = above, in.List
	}
	return map[string]any{list: []any{o}}
}

// TestOtherProjects: who sees several projects can name an object of another one by its id, and the API does not put
// together what is not of one project: the module refuses it in check mode already, in the same words.
func TestOtherProjects(t *testing.T) {
	f := newFleet(t)
	own := f.make(t, schema.Project, map[string]any{"name": "own"}).ID()
	t.Setenv("CRATON_URL", "sqlite:"+f.file)
	t.Setenv("OS_PROJECT_ID", own)
	tried := 0
	for _, k := range schema.All() {
		if k == schema.User || excused("modules", k) { // root makes users of any project
			continue
		}
		args := map[string]any{"name": f.unique("module")}
		refers := false
		for i := range k.Fields {
			field := &k.Fields[i]
			args[field.Option()] = fmt.Sprint(f.value(field))
			refers = refers || field.Type == schema.Reference
		}
		if !refers {
			continue
		}
		tried++
		done := task(t, "craton_"+k.Ident(), args)
		args["_ansible_check_mode"] = true
		foreseen := task(t, "craton_"+k.Ident(), args)
		if msg := fmt.Sprint(foreseen["msg"]); msg != done["msg"] || !strings.HasSuffix(msg, "the project "+own) {
			t.Errorf("%s:\nforeseen %v\nfor real %v", k.Name, msg, done["msg"])
		}
	}
	if tried < 5 {
		t.Errorf("only %d kinds were tried", tried)
	}
	parent, err := f.Hosts.Get(t.Context(), f.ids[schema.Host].(int))
	if err != nil {
		t.Fatal(err)
	}
	host := f.around(schema.Host, "parent", parent.Name)
	text, err := json.Marshal(host)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := refused(t, "apply", "--check", file); !strings.Contains(said, "parent: there is no host or network device "+parent.Name) {
		t.Errorf("a name of another project, in a file: %s", said)
	}
}
