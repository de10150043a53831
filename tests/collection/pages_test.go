package collection_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/page"
)

// TestReadme goes from nothing to a managed fleet as the README does in its shell-session block: in an empty home, with
// the collection where `make collection` puts it. The console blocks, which need no collection, are run with the
// program.
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
		h.follow(t, "README.md", commands[1:])
	})
}

// TestIotronicGuide does what the modules' section of docs/iotronic.md does in its shell-session block, to a real
// Ironic.
func TestIotronicGuide(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.onlyNewest(t)
		text, err := os.ReadFile(filepath.Join(root, "docs", "iotronic.md"))
		if err != nil {
			t.Fatal(err)
		}
		metal := openstacktest.NewIronic(t) // the guide lists what there is, and examples that run meanwhile make nodes as well
		guide := page.Parse(atHome.Replace(strings.ReplaceAll(string(text), "http://ironic.example:6385", metal.URL)))
		commands := guide.Commands["shell-session"]
		if len(commands) < 5 || guide.Files["metal.yml"] == "" {
			t.Fatalf("the guide has no session of Ansible, or no metal.yml: %v", commands)
		}
		h.write(t, "metal.yml", guide.Files["metal.yml"])
		h.write(t, "ipmi-password", "hush-hush\n")
		h.follow(t, "docs/iotronic.md", commands, "IRONIC_MAX_RETRIES=20")
	})
}

// follow types the commands of a page, with more of an environment, and demands what the page shows.
func (h *home) follow(t *testing.T, name string, commands []page.Command, env ...string) {
	t.Helper()
	complaints, err := page.Run(t.Context(), commands, h.dir, append(h.env[:len(h.env):len(h.env)], env...))
	if err != nil {
		t.Fatal(err)
	}
	if len(complaints) > 0 {
		t.Errorf("%s:\n%s", name, strings.Join(complaints, "\n"))
	}
}
