// Package skip is for tests that need what a machine may lack.
//
// A test that is skipped for want of a Debian package says which, and leaves
// its name where `make test` finds it: the run then ends with the command that
// installs all of them. Only tests import this package.
package skip

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Variable names the file to which skipped tests are added: a line each, its
// name and the packages, parted by blanks. Without it nothing is written.
const Variable = "CRATON_TEST_SKIPPED"

// Packages skips the test for want of Debian packages.
func Packages(t testing.TB, packages ...string) {
	t.Helper()
	if name := os.Getenv(Variable); name != "" {
		line := fmt.Sprintf("%s %s\n", strings.ReplaceAll(t.Name(), " ", "_"), strings.Join(packages, " "))
		if err := add(name, line); err != nil {
			t.Errorf("note what is skipped: %v", err)
		}
	}
	t.Skipf("needs what is not here: apt-get install --no-install-recommends %s", strings.Join(packages, " "))
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
