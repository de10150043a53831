package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/craton-fleet/craton/internal/postgrestest"
)

// TestServerScripts runs testdata/server/*.txtar: each is a session of a user of `craton server`, on SQLite and on
// PostgreSQL.
func TestServerScripts(t *testing.T) {
	t.Parallel()
	craton := filepath.Join(binaries(t), "craton")
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "fleet.db") },
		"postgres": func(t *testing.T) string { return postgrestest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scripts, err := filepath.Glob(filepath.Join("testdata", "server", "*.txtar"))
			if err != nil {
				t.Fatal(err)
			}
			testscript.Run(t, testscript.Params{
				Files: scripts,
				Setup: func(e *testscript.Env) error {
					at := database(t)
					out, err := exec.CommandContext(t.Context(), craton, "server", "bootstrap", "--database", at).Output()
					if err != nil {
						return err
					}
					r := startServer(t, exec.CommandContext(t.Context(), craton, "server", "--database", at, "--listen", "127.0.0.1:0", "--log-format", "json"))
					fields := regexp.MustCompile(`(?m)^(ProjectId|APIKey): (.+)$`).FindAllStringSubmatch(string(out), -1)
					e.Setenv("PATH", filepath.Dir(craton)+string(os.PathListSeparator)+os.Getenv("PATH"))
					e.Setenv("HOME", e.WorkDir)
					e.Setenv("XDG_CONFIG_HOME", e.WorkDir)
					e.Setenv("CRATON_URL", r.url)
					e.Setenv("OS_USERNAME", "bootstrap")
					e.Setenv("OS_PROJECT_ID", fields[0][2])
					e.Setenv("OS_PASSWORD", fields[1][2])
					return nil
				},
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
			})
		})
	}
}
