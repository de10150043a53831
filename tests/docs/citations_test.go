package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository.
const root = "../.."

// The documents that comments cite, by docs/reference/README.md.
const (
	craton  = "docs/reference/craton-api.md"
	ansible = "docs/reference/ansible-contract.md"
	ironic  = "docs/reference/iotronic-api.md"
)

var (
	heading = regexp.MustCompile(`(?m)^#+ ([0-9A-F](?:\.?[0-9]+)*)[. ]`)
	quirk   = regexp.MustCompile(`(?m)^\| (Q[0-9]+) \|`)
	cited   = regexp.MustCompile(`(?:§+ ?|(?:contract|reference),? section )([0-9A-F][0-9]*(?:\.[0-9]+)*)|\b(Q[0-9]+)\b`)
)

// TestCitations: what comments cite of the reference is there. A citation without a letter is of the v1 contract, but
// of Ironic's reference in the packages of Ironic and Iotronic.
func TestCitations(t *testing.T) {
	t.Parallel()
	known := map[string]map[string]bool{}
	for _, document := range []string{craton, ansible, ironic} {
		text, err := os.ReadFile(filepath.Join(root, document))
		if err != nil {
			t.Fatal(err)
		}
		known[document] = map[string]bool{}
		for _, m := range append(heading.FindAllStringSubmatch(string(text), -1), quirk.FindAllStringSubmatch(string(text), -1)...) {
			known[document][m[1]] = true
		}
		if len(known[document]) < 5 {
			t.Fatalf("%s has the sections %v only", document, known[document])
		}
	}
	found := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != ".":
			return fs.SkipDir
		case filepath.Ext(name) != ".go" && filepath.Ext(name) != ".py" || d.IsDir():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, m := range cited.FindAllStringSubmatch(line, -1) {
				section, document := m[1]+m[2], craton
				switch {
				case section[0] >= 'A' && section[0] <= 'F':
					document = ansible
				case m[2] == "" && (strings.Contains(name, "iotronic") || strings.Contains(name, "ironic")) && !strings.Contains(line, "contract"):
					document = ironic
				}
				if found++; !known[document][section] {
					t.Errorf("%s:%d: cites %s of %s, which has no such section", name, i+1, section, document)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 200 {
		t.Errorf("only %d citations were found", found)
	}
}

// TestUserPagesCiteNothing: who uses the program has the thing itself on the page, and no section of a contract.
func TestUserPagesCiteNothing(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"examples/*", "plugins/modules/*.py", "plugins/*/*.py"} {
		found, err := filepath.Glob(filepath.Join(root, more))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	for _, page := range append(pages, filepath.Join(root, "README.md"), filepath.Join(root, "CHANGELOG.md")) {
		if info, err := os.Stat(page); err != nil || info.IsDir() || filepath.Base(page) == "architecture.md" {
			continue
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if m := regexp.MustCompile(`§|contract section|contract holes|\(Q[0-9]+\)`).FindString(line); m != "" {
				t.Errorf("%s:%d: cites %q", page, i+1, m)
			}
		}
	}
}
