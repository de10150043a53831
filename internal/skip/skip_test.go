package skip

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// helper makes the test binary skip, as a test of another package would.
const helper = "CRATON_SKIP_HELPER"

// alone is a Go module with nothing beside it, for the test binary to stand in.
const alone = "CRATON_SKIP_ALONE"

func TestSkipped(t *testing.T) {
	if os.Getenv(helper) == "" {
		t.Skip("only as a part of TestRun")
	}
	t.Run("one", func(t *testing.T) { Packages(t, "zsh") })
	t.Run("two words", func(t *testing.T) { Packages(t, "fish", "zsh") })
	t.Run("runs", func(*testing.T) {})
	if dir := os.Getenv(alone); dir != "" {
		t.Run("real", func(t *testing.T) {
			t.Chdir(dir)
			RealFleet(t)
		})
	}
}

// run runs tests/run as make test does.
func run(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join("..", "..", "tests", "run"), args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestRun: the last line says what was skipped and how to have it; without anything skipped there is none, and the exit
// status is that of go test.
func TestRun(t *testing.T) {
	t.Parallel()
	out, err := run(t, []string{helper + "=1"}, "-count=1", "-run=^TestSkipped$", "./internal/skip")
	if err != nil || !strings.Contains(out, "ok  \t") || !strings.HasSuffix(out, "\n2 skipped: apt-get install --no-install-recommends fish zsh\n") {
		t.Errorf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module alone\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = run(t, []string{helper + "=1", alone + "=" + dir}, "-count=1", "-run=^TestSkipped$", "./internal/skip")
	if err != nil || !strings.HasSuffix(out, "\n1 skipped: the real fleet, ../shared/data/fedora-fleet.yml, is not here (.ci/run has it)\n2 skipped: apt-get install --no-install-recommends fish zsh\n") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = run(t, nil, "-count=1", "-run=^TestNothing$", "./internal/skip")
	if err != nil || strings.Contains(out, "skipped") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = run(t, nil, "-count=1", "./internal/skip/missing"); err == nil {
		t.Errorf("go test failed, and the run did not:\n%s", out)
	}
}
