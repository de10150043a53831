package collection_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/modules"
)

// TestDocumentation: ansible-doc lists every module, and shows its page with the options of its fragments.
func TestDocumentation(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		var listed map[string]string
		stdout, stderr, _ := h.try(t, nil, "ansible-doc", "-l", "-j", "craton.fleet")
		if err := json.Unmarshal([]byte(stdout), &listed); err != nil {
			t.Fatalf("%v\n%s", err, stdout)
		}
		if strings.Contains(stderr, "WARNING") || strings.Contains(stderr, "ERROR") {
			t.Errorf("ansible-doc -l complains:\n%s", stderr)
		}
		specs := modules.Specs()
		if len(listed) != len(specs) {
			t.Errorf("%d modules are listed, of %d: %v", len(listed), len(specs), listed)
		}
		names := []string{"-j"}
		for _, s := range specs {
			if listed["craton.fleet."+s.Name] != s.Short {
				t.Errorf("%s is listed as %q", s.Name, listed["craton.fleet."+s.Name])
			}
			names = append(names, "craton.fleet."+s.Name)
		}
		var pages map[string]struct {
			Doc struct {
				Options map[string]any
			}
			Examples string
			Return   map[string]any
		}
		if err := json.Unmarshal([]byte(h.run(t, "ansible-doc", names...)), &pages); err != nil {
			t.Fatal(err)
		}
		for _, s := range specs {
			page := pages["craton.fleet."+s.Name]
			if len(page.Doc.Options) != len(s.AllOptions()) || len(page.Return) != len(s.Returns) || page.Examples == "" {
				t.Errorf("%s: %d options of %d, %d return values of %d", s.Name, len(page.Doc.Options), len(s.AllOptions()), len(page.Return), len(s.Returns))
			}
		}
		page := h.run(t, "ansible-doc", "-t", "inventory", "craton.fleet.craton")
		for _, want := range []string{"craton_groups", "CRATON_INVENTORY_VARS", "keyed_groups", "cache_plugin"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page of the inventory plugin has no %q", want)
			}
		}
	})
}
