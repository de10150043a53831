package postgrestest

import (
	"os"
	"testing"

	"github.com/craton-fleet/craton/internal/skip"
)

// Programs and packages, and the variables that control them.
const (
	variable       = "CRATON_TEST_POSTGRES"
	binVariable    = "CRATON_TEST_POSTGRES_BIN"
	debianBin      = "/usr/lib/postgresql/15/bin"
	debianBouncer  = "/usr/sbin/pgbouncer"
	debianPackage  = "postgresql-15"
	bouncerPackage = "pgbouncer"
)

// bin returns the directory of PostgreSQL's programs.
func bin() string {
	if dir := os.Getenv(binVariable); dir != "" {
		return dir
	}
	return debianBin
}

// need skips the test if a program is missing, or fails it if programs are required.
func need(t testing.TB, program, pkg string) {
	t.Helper()
	_, err := os.Stat(program)
	switch {
	case err == nil:
	case os.Getenv(variable) == "required":
		t.Fatalf("%s=required: %v; apt-get install --no-install-recommends %s", variable, err, pkg)
	case pkg == debianPackage && os.Getenv(binVariable) != "":
		t.Fatalf("%s has no PostgreSQL: %v", binVariable, err)
	default:
		skip.Packages(t, pkg)
	}
}
