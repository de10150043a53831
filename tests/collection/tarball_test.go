package collection_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/tools/collection"
)

// TestTarball builds the collection for this system as `make collection` does: each step is told with the time since
// the beginning, and what has not changed is neither built nor packed again.
func TestTarball(t *testing.T) {
	if os.Getenv("CRATON_TEST_SANITY") == "" {
		t.Skip("builds the program with the flags of a release: `make sanity` runs it")
	}
	version, err := readVersion()
	if err != nil {
		t.Fatal(err)
	}
	system := runtime.GOOS + "/" + runtime.GOARCH
	program := filepath.Join(root, ".cache", "collection", strings.ReplaceAll(system, "/", "-"))
	dir := t.TempDir()
	build := func() (os.FileInfo, string) {
		cmd := exec.CommandContext(t.Context(), "go", "run", "./tools/collection/build", "tarball", "-version", version, "-commit", "abc1234", "-o", dir, system)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		info, err := os.Stat(program)
		if err != nil {
			t.Fatal(err)
		}
		return info, string(out)
	}
	before, out := build()
	steps := regexp.MustCompile(`^ *[0-9.]+ s  building the program for ` + system + `
 *[0-9.]+ s  packing
 *[0-9.]+ s  \S*craton-fleet-` + regexp.QuoteMeta(version) + `\.tar\.gz \([0-9.]+ MB\)
$`)
	if !steps.MatchString(out) {
		t.Errorf("steps:\n%s", out)
	}
	// The two other systems that are published take nine tenths of this one, together: `make collection` builds them
	// all, and fails.
	tarball, err := os.Stat(filepath.Join(dir, "craton-fleet-"+version+".tar.gz"))
	if err != nil || 19*tarball.Size()/10 > collection.MaxSize {
		t.Errorf("%d bytes of one system leave no place for three within %d: %v", tarball.Size(), collection.MaxSize, err)
	}
	if after, out := build(); !os.SameFile(before, after) {
		t.Errorf("built again, though nothing changed:\n%s", out)
	}
}
