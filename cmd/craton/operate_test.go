package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/postgrestest"
)

// TestOperate runs docs/operate.md, on a real PostgreSQL.
func TestOperate(t *testing.T) {
	t.Parallel()
	database := postgrestest.Database(t)
	commands, files := console(t, "docs/operate.md")
	if _, err := exec.LookPath("zstd"); err != nil {
		kept := commands[:0]
		for _, c := range commands {
			if !strings.Contains(c.Text, "zstd") {
				kept = append(kept, c)
			}
		}
		commands = kept
	}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + binaries(t) + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir}
	runCommands(t, "docs/operate.md", commands, dir, env, strings.NewReplacer("postgres://craton@db.example.org/fleet", database))
}
