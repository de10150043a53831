package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/postgrestest"
)

// TestServerBackup goes from SQLite to PostgreSQL and back by command, and through what may go wrong on the way.
func TestServerBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	run := func(want int, args ...string) string {
		t.Helper()
		var out strings.Builder
		if status := program(t.Context(), &out, append([]string{"server"}, args...)...); status != want {
			t.Fatalf("%v: %d, %s", args, status, out.String())
		}
		return out.String()
	}
	fails := func(says string, args ...string) {
		t.Helper()
		if out := run(1, args...); !strings.Contains(out, says) {
			t.Errorf("%v: %q is not in %s", args, says, out)
		}
	}
	first, postgres, third := "sqlite:"+at("first.db"), postgrestest.Database(t), "sqlite:"+at("third.db")
	project := regexp.MustCompile(`ProjectId: (\S+)`).FindString(run(0, "bootstrap", "--database", first))
	if out := run(0, "backup", "--database", first, at("a.backup")); out != at("a.backup")+" contains 6 rows of "+first+".\n" {
		t.Error(out)
	}
	if info, err := os.Stat(at("a.backup")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if out := run(0, "restore", at("a.backup"), "--database", postgres); !regexp.MustCompile(`^Restored 6 rows, as of \S+Z\.\n$`).MatchString(out) {
		t.Error(out)
	}
	run(0, "backup", "--database", postgres, at("b.backup"))
	run(0, "restore", at("b.backup"), "--database", third)
	for _, database := range []string{postgres, third} {
		out := run(0, "bootstrap", "--database", database)
		if !strings.Contains(out, project) || !strings.Contains(out, "already set") {
			t.Errorf("%s: %s, want %s", database, out, project)
		}
	}
	fails("already contains a fleet", "restore", at("a.backup"), "--database", third)
	fails("exists", "backup", "--database", first, at("a.backup"))
	run(0, "backup", "--database", first, at("a.backup"), "--force")
	fails("is the database itself", "backup", "--database", first, at("first.db"), "--force")
	fails("there is no file", "restore", at("none.backup"), "--database", third)
	fails("standard input cannot be restored", "restore", "-", "--database", third)
	fails("is not a regular file", "restore", dir, "--database", third)
	fails("is no backup of craton", "restore", at("first.db"), "--database", "sqlite:"+at("fourth.db"))
	fails("cannot write", "backup", "--database", first, at("no/such/folder/a.backup"))
	fails("bootstrap", "backup", "--database", "sqlite:"+at("fourth.db"), at("c.backup"))
	for _, name := range []string{"fourth.db", "c.backup"} {
		if _, err := os.Stat(at(name)); err == nil {
			t.Errorf("%s was made", name)
		}
	}
}
