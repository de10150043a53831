package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/skip"
)

// TestManPages: there is a page for every subcommand, and a real groff finds nothing wrong with any.
func TestManPages(t *testing.T) {
	t.Parallel()
	pages := cli.ManPages(cli.Version{Release: "0.1.0"})
	for _, name := range []string{"craton.1", "craton-host-list.1", "craton-network-interface-show.1", "craton-server-bootstrap.1", "craton-help.1"} {
		if pages[name] == "" {
			t.Errorf("no page %s", name)
		}
	}
	if len(pages) < 80 {
		t.Errorf("%d pages", len(pages))
	}
	if page := pages["craton-host-list.1"]; !strings.Contains(page, ".TP\n\\fB\\-r\\fR, \\fB\\-\\-region\\fR <region>\nregion, by id or name\n") {
		t.Error(page)
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		skip.Packages(t, "groff-base")
	}
	dir := t.TempDir()
	args := []string{"-man", "-Tascii", "-ww", "-z"}
	for name, page := range pages {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if out, err := exec.CommandContext(t.Context(), groff, args...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
