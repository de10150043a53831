package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestLeastAnsible: the doctor and the collection want the same Ansible.
func TestLeastAnsible(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "meta", "runtime.yml"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^requires_ansible: ["']?>=([0-9]+\.[0-9]+)`).FindSubmatch(text)
	if m == nil || string(m[1]) != leastAnsible {
		t.Errorf("meta/runtime.yml requires %q, the doctor %s", m, leastAnsible)
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
