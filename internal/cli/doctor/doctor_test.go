package doctor

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLeastAnsible: the doctor and the collection want the same Ansible.
func TestLeastAnsible(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "meta", "runtime.yml"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^requires_ansible: ["']?>=([0-9]+\.[0-9]+)`).FindSubmatch(text)
	if m == nil || string(m[1]) != minAnsible {
		t.Errorf("meta/runtime.yml requires %q, the doctor %s", m, minAnsible)
	}
}

// TestHostvarsFaults: the releases that lose the marks of strings from hostvars, as docs/inventory.md has them.
func TestHostvarsFaults(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"": "", "2.14.18": "in a list", "2.15.13": "in a list", "2.16.0": "in a list", "2.16.13": "in a list", "2.16.14": "and changes", "2.16.19": "and changes",
		"2.17.6": "in a list", "2.17.7": "and changes", "2.18.0": "in a list", "2.18.0rc1": "in a list", "2.18.1": "and changes", "2.19.0": "", "2.19.0b1": "", "2.22.0rc1": "",
	} {
		if got := hostvarsFaults(version); !strings.HasPrefix(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q", version, got)
		}
	}
}

func TestOlderThan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version, than string
		want          bool
	}{
		{"2.14.18", "2.14", false}, {"2.9.27", "2.14", true}, {"2.13.0rc1", "2.14", true}, {"2.22.0b2", "2.19", false},
		{"3.0.0", "2.14", false}, {"2", "2.14", true}, {"", "2.14", true}, {"2.19.0b1", "2.19", false},
	} {
		if got := olderThan(c.version, c.than); got != c.want {
			t.Errorf("olderThan(%q, %q) = %v", c.version, c.than, got)
		}
	}
}
