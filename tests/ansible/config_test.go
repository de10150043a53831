package ansible_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/settings"
)

// TestSampleConfig: examples/craton.yml loads as it is, and with every line uncommented; then it has every setting,
// with the name of its environment variable.
func TestSampleConfig(t *testing.T) {
	sample, err := os.ReadFile(filepath.Join(root, "examples", "craton.yml"))
	if err != nil {
		t.Fatal(err)
	}
	// "#key: value" is a commented-out setting, "# Text" is a comment.
	everything := regexp.MustCompile(`(?m)^( *)#([a-z_]+:)`).ReplaceAllString(string(sample), "$1$2")

	sections := settings.Sections()
	for name, text := range map[string]string{"as it stands": string(sample), "every line": everything} {
		file := filepath.Join(t.TempDir(), "craton.yml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("CRATON_CONFIG", file)
		if _, err := settings.Load(nil, sections...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	var has map[string]any
	if err := yaml.Unmarshal([]byte(everything), &has); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{} // by name: two sections can stand under one
	for _, section := range sections {
		for _, s := range section.Settings {
			want[section.Name] = append(want[section.Name], s.Name)
			if !regexp.MustCompile(`(?m)^ *#?` + s.Name + `:.* # ` + s.Env + `\b`).MatchString(string(sample)) {
				t.Errorf("the line of %s does not name %s", s.Name, s.Env)
			}
		}
	}
	for name, want := range want {
		keys := has
		if name != "" {
			keys, _ = has[name].(map[string]any)
		}
		got := slices.DeleteFunc(slices.Collect(maps.Keys(keys)), func(key string) bool {
			return name == "" && slices.ContainsFunc(sections, func(s settings.Section) bool { return s.Name == key })
		})
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("section %q (-settings +sample):\n%s", name, diff)
		}
	}
	if strings.Contains(everything, "\t") {
		t.Error("YAML takes no tabs")
	}
}
