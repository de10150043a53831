package inventory

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/settings"
)

// TestDocs: the guide's table of settings is that of the code.
func TestDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "docs", "inventory.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, s := range settings.Inventory.Settings {
		if s.Env != "CRATON_INVENTORY_"+strings.ToUpper(s.Name) {
			t.Errorf("%s: environment %s", s.Name, s.Env)
		}
		row := fmt.Sprintf("| `%s` | ", s.Name)
		if s.Default != "" {
			row += fmt.Sprintf("`%s` ", s.Default)
		}
		want = append(want, row+"|")
		for _, choice := range s.Choices {
			if !strings.Contains(string(text), "`"+choice+"`") && !strings.Contains(s.Default, choice) {
				t.Errorf("%s: the choice %s is not explained", s.Name, choice)
			}
		}
	}
	_, table, _ := strings.Cut(string(text), "| setting | default | meaning |\n|---|---|---|\n")
	for line := range strings.Lines(table) {
		cells := strings.SplitAfterN(line, "|", 4)
		if len(cells) < 4 {
			break
		}
		got = append(got, strings.Join(cells[:3], ""))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/inventory.md (-code +docs):\n%s", diff)
	}
}

// TestDefaultOptions: the library's defaults are the settings'.
func TestDefaultOptions(t *testing.T) {
	t.Parallel()
	v, err := settings.Load(nil, settings.Inventory)
	if err != nil {
		t.Fatal(err)
	}
	o, err := FromSettings(v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(DefaultOptions(), o); diff != "" {
		t.Errorf("(-library +settings):\n%s", diff)
	}
	for _, s := range settings.Inventory.Settings {
		if s.Name == "groups" {
			for _, c := range s.Choices {
				if !slices.Contains([]GroupKind{CloudGroups, RegionGroups, CellGroups, LabelGroups, TypeGroups, ActiveGroups, KindGroups, ParentGroups, "none"}, GroupKind(c)) {
					t.Errorf("the choice %s is no kind of groups", c)
				}
			}
		}
	}
}
