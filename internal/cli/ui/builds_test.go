package ui_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestBuilds: the page, and the templates of HTML that only it uses, are in the full program, and in none that is built
// without it.
func TestBuilds(t *testing.T) {
	t.Parallel()
	for tags, want := range map[string]bool{"": true, "nopage": false, "collection": false} {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, "./cmd/craton")
		list.Dir = "../../.."
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"html/template", "github.com/craton-fleet/craton/internal/web"} {
			if has := strings.Contains("\n"+string(out), "\n"+name+"\n"); has != want {
				t.Errorf("tags %q: %s: %v", tags, name, has)
			}
		}
	}
}
