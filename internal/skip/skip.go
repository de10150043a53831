// Package skip is for tests that need what a machine may lack.
//
// A test that is skipped for want of a Debian package says which, and leaves its name where `make test` finds it: the
// run then ends with the command that installs all of them. Likewise for want of the real fleet, which lies beside the
// repository where .ci/run runs, and is no part of it. Only tests import this package.
package skip

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Variable names the file to which skipped tests are added: a line each, its
// name and the packages, parted by blanks. Without it nothing is written.
const Variable = "CRATON_TEST_SKIPPED"

// Packages skips the test for want of Debian packages.
func Packages(t testing.TB, packages ...string) {
	t.Helper()
	note(t, packages...)
	t.Skipf("programs are missing: apt-get install --no-install-recommends %s", strings.Join(packages, " "))
}

// RealFleet returns the path of a fleet file with 351 hosts of a real project, as an addition to the fleets that a test
// makes itself. Where it is not, the test is skipped.
func RealFleet(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			file := filepath.Join(filepath.Dir(root), "shared", "data", "fedora-fleet.yml")
			if _, err := os.Stat(file); err == nil {
				return file
			}
			note(t, "real-fleet")
			t.Skipf("the real fleet is not here: .ci/run has it as %s", filepath.Join("..", "shared", "data", "fedora-fleet.yml"))
		}
		if root == filepath.Dir(root) {
			t.Fatalf("%s is in no Go module", dir)
		}
	}
}

// Target skips the test for want of something that only a target of make installs, into .cache, before it runs the
// test. Nothing is noted: make test never has it.
func Target(t testing.TB, target, what string) {
	t.Helper()
	t.Skipf("%s is not here: make %s installs it, and runs this test", what, target)
}

// file is what Variable names, read before a test clears its environment.
var file = os.Getenv(Variable)

// note leaves the name of a test that is skipped, and what it wants.
func note(t testing.TB, wants ...string) {
	t.Helper()
	if name := file; name != "" {
		line := fmt.Sprintf("%s %s\n", strings.ReplaceAll(t.Name(), " ", "_"), strings.Join(wants, " "))
		if err := add(name, line); err != nil {
			t.Errorf("note what is skipped: %v", err)
		}
	}
}

// add writes the line at once, so that tests of many processes may.
func add(name, line string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(line); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
