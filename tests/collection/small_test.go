package collection_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestSmallBuild: the collection's program serves a file like any other, and says where the build is that serves a
// PostgreSQL.
func TestSmallBuild(t *testing.T) {
	t.Parallel()
	craton, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"server"}, {"server", "bootstrap"}} {
		out, err := exec.CommandContext(t.Context(), craton, append(command, "--database", "postgres://craton@127.0.0.1/fleet")...).CombinedOutput()
		if err == nil {
			t.Errorf("%v: served", command)
		}
		for _, want := range []string{"craton.fleet", "has no PostgreSQL", "make build"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%v: %q is not in: %s", command, want, out)
			}
		}
	}
}
