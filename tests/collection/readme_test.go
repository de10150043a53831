package collection_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/page"
)

// TestReadme goes from nothing to a managed fleet as the README does in its shell-session block: in an empty home, with
// the collection where `make collection` puts it. The console blocks, which need no collection, are run with the program.
func TestReadme(t *testing.T) {
	inEmptyHome(t, func(t *testing.T, h *home) {
		h.onlyNewest(t)
		text, err := os.ReadFile(filepath.Join(root, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		readme := page.Parse(string(text))
		commands := readme.Commands["shell-session"]
		if len(commands) < 2 || commands[0].Text != "make collection" || readme.Files["grow.yml"] == "" {
			t.Fatalf("the README does not begin with make collection, or has no grow.yml: %v", commands)
		}
		file, err := tarball()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Dir(file), filepath.Join(h.dir, "dist")); err != nil {
			t.Fatal(err)
		}
		h.write(t, "grow.yml", readme.Files["grow.yml"])
		complaints, err := page.Run(t.Context(), commands[1:], h.dir, h.env)
		if err != nil {
			t.Fatal(err)
		}
		if len(complaints) > 0 {
			t.Errorf("README.md:\n%s", strings.Join(complaints, "\n"))
		}
	})
}
