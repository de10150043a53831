package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReproducible: one commit, in two clones in two folders, gives the same bytes.
func TestReproducible(t *testing.T) {
	nfpm := os.Getenv(variable)
	if nfpm == "" {
		t.Skip("takes minutes: make release-test")
	}
	var sums []string
	for _, name := range []string{"one", "another folder"} {
		dir := filepath.Join(t.TempDir(), name)
		output(t, "git", "clone", "-q", root, dir)
		cmd := exec.CommandContext(t.Context(), "go", "run", "./tools/release", "-version", "0.1.0", "-as", first, "-commit", "abc1234", "-nfpm", nfpm, "-collection=false", "linux/amd64")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		text, err := os.ReadFile(filepath.Join(dir, "dist", "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, string(text))
	}
	if sums[0] != sums[1] || strings.Count(sums[0], "\n") != 4 {
		t.Errorf("%s\n%s", sums[0], sums[1])
	}
}
