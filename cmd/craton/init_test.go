package main_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestStartIsCheap: no package of ours makes much before main: every task and every inventory starts the whole program.
func TestStartIsCheap(t *testing.T) {
	t.Parallel()
	const most = 300_000 // bytes
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), "--version")
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := regexp.MustCompile(`(?m)^init (github\.com/craton-fleet/\S+) .* (\d+) bytes`).FindAllStringSubmatch(string(out), -1)
	if len(found) < 5 {
		t.Fatalf("traced: %v\n%s", found, out)
	}
	for _, m := range found {
		if n, err := strconv.Atoi(m[2]); err != nil || n > most {
			t.Errorf("%s makes %s bytes before main", m[1], m[2])
		}
	}
}
