package fleetfile

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
)

var update = flag.Bool("update", false, "add the keys that docs/fleet-file.md lacks")

// TestDocs keeps docs/fleet-file.md true: its examples can be applied twice, and its tables have the keys of spec.go.
func TestDocs(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "docs", "fleet-file.md")
	manual, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		manual = addKeys(manual)
		if err := os.WriteFile(page, manual, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	examples := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```").FindAllStringSubmatch(string(manual), -1)
	if len(examples) < 5 {
		t.Errorf("only %d examples found", len(examples))
	}
	for _, e := range examples {
		s := serverAPI(t)
		apply(t, s.Client, e[1], Options{})
		if r := apply(t, s.Client, e[1], Options{}); r.Changed() {
			t.Errorf("applied again, this changes %+v:\n%s", r.Changes, e[1])
		}
	}

	for _, spec := range []*kindSpec{cloudSpec, regionSpec, cellSpec, hostSpec, networkDeviceSpec, networkSpec, interfaceSpec} {
		_, section, found := strings.Cut(string(manual), "### `"+spec.list+"`\n")
		if !found {
			t.Errorf("no section for %s", spec.list)
			continue
		}
		section, _, _ = strings.Cut(section, "\n##")
		var got, want [][3]string // key, required, can change
		for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|[^|]*\\|([^|]*)\\|([^|]*)\\|$").FindAllStringSubmatch(section, -1) {
			required := ""
			if strings.TrimSpace(row[2]) == "required" {
				required = "required"
			}
			got = append(got, [3]string{row[1], required, strings.TrimSpace(row[3])})
		}
		want = append(want, [3]string{"name", "required", "no"})
		yesNo := func(fixed bool) string {
			if fixed {
				return "no"
			}
			return "yes"
		}
		for _, key := range spec.options {
			f, required := spec.field(key), ""
			if f.Required {
				required = "required"
			}
			want = append(want, [3]string{key, required, yesNo(f.Fixed)})
		}
		if spec.Protects() {
			want = append(want, [3]string{reconcile.KeyProtected, "", "yes"})
		}
		if spec.hasLabels() {
			want = append(want, [3]string{"labels", "", "can be added"})
		}
		want = append(want, [3]string{"variables", "", yesNo(spec.Variables == schema.AtCreate)})
		for _, l := range spec.lists {
			want = append(want, [3]string{l.list, "", ""})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the table of %s (-spec +manual):\n%s", spec.list, diff)
		}
	}
}

// addKeys adds rows for fields that the tables of the manual do not have, before labels and variables.
func addKeys(manual []byte) []byte {
	values := map[schema.Type]string{schema.Text: "text", schema.LongText: "text of any length", schema.Address: "IPv4 or IPv6 address",
		schema.Prefix: "address range, such as 10.20.0.0/24", schema.Integer: "whole number", schema.Flag: "true or false"}
	text := string(manual)
	for _, spec := range []*kindSpec{cloudSpec, regionSpec, cellSpec, hostSpec, networkDeviceSpec, networkSpec, interfaceSpec} {
		begin := strings.Index(text, "### `"+spec.list+"`\n")
		for _, key := range spec.options {
			section, _, _ := strings.Cut(text[begin+1:], "\n##")
			if strings.Contains(section, "\n| `"+key+"` |") {
				continue
			}
			f, otherwise, changes := spec.field(key), "none", "yes"
			if f.Required {
				otherwise = "required"
			}
			if f.Fixed {
				changes = "no"
			}
			what, is := values[f.Type]
			if !is {
				what = "name of a " + reconcile.SpaceNoun(reconcile.Referred(spec.Kind, key)) + ", or null"
			}
			at := begin + 1 + regexp.MustCompile("\n\\| `(labels|variables)`").FindStringIndex(section)[0]
			text = text[:at] + "\n| `" + key + "` | " + what + " | " + otherwise + " | " + changes + " |" + text[at:]
		}
	}
	return []byte(text)
}

// TestExample: the fleet that the README begins with.
func TestExample(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(filepath.Join("..", "..", "examples", "fleet.yml"))
	if err != nil {
		t.Fatal(err)
	}
	s := serverAPI(t)
	apply(t, s.Client, string(file), Options{})
	if r := apply(t, s.Client, string(file), Options{}); r.Changed() {
		t.Errorf("applied again, it changes %+v", r.Changes)
	}
}

// TestDocsValues keeps the table of values true, by every spelling in it.
func TestDocsValues(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile(filepath.Join("..", "..", "docs", "fleet-file.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(manual), "\n### Values\n")
	section, _, _ = strings.Cut(section, "\n###")
	code := regexp.MustCompile("`([^`]+)`")
	checked := 0
	for _, row := range regexp.MustCompile(`(?m)^\| (`+"`"+`.*?) \| (.*) \|$`).FindAllStringSubmatch(section, -1) {
		becomes := code.FindAllStringSubmatch(row[2], -1)
		for i, spelling := range code.FindAllStringSubmatch(row[1], -1) {
			checked++
			value := spelling[1]
			f, err := Parse("f", strings.NewReader("project: {variables: {v: [ "+value+" ]}}"))
			if strings.HasPrefix(row[2], "an error") {
				if err == nil {
					t.Errorf("%s is read", value)
				}
				continue
			}
			if err != nil {
				t.Error(err)
				continue
			}
			want := value // "the number, exactly as it is written"
			switch {
			case strings.HasPrefix(row[2], "text"):
				want = `"` + strings.Trim(value, `'"`) + `"`
			case strings.HasPrefix(row[2], "`"):
				want = becomes[min(i, len(becomes)-1)][1]
			}
			if got := string(f.objects[0].Variables["v"]); got != "["+want+"]" {
				t.Errorf("%s is %s, want %s", value, got, want)
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d spellings found", checked)
	}
}
