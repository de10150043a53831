package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/page"
)

// TestReadme runs the README.
func TestReadme(t *testing.T) { runPage(t, "README.md") }

// TestPages runs pages of docs.
func TestPages(t *testing.T) {
	for _, name := range []string{"cli.md", "explain.md", "doctor.md", "history.md", "change.md", "export.md", "search.md"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runPage(t, filepath.Join("docs", name))
		})
	}
}

// TestMigrate runs docs/migrate.md, which is about what Ansible says.
func TestMigrate(t *testing.T) {
	t.Parallel()
	if ansibleBin() == "" {
		t.Skip("no Ansible here; make test brings it")
	}
	runPage(t, filepath.Join("docs", "migrate.md"))
}

// runPage runs every `$` line of a page's console blocks, in order, in one shell, and compares what they print
// with what the page shows. "..." on a line of its own stands for any lines, within a line for any text.
func runPage(t *testing.T, name string) {
	t.Helper()
	bin := binaries(t)
	ansible := ansibleBin()
	commands, files := console(t, name)
	if len(commands) == 0 || len(files) == 0 {
		t.Fatalf("%s has no console blocks or no files", name)
	}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What the developer has set for Craton would show.
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CRATON_") || strings.HasPrefix(v, "OS_") })
	env = append(env, "PATH="+bin+string(os.PathListSeparator)+ansible+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+dir, "XDG_CONFIG_HOME="+dir)
	runCommands(t, name, commands, dir, env, strings.NewReplacer())
}

// console returns the commands of a page's console blocks, and its files.
func console(t *testing.T, name string) ([]page.Command, map[string]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	p := page.Parse(string(text))
	return p.Commands["console"], p.Files
}

// callsAnsible is a command of Ansible's, settings before it or not.
var callsAnsible = regexp.MustCompile(`^(\w+=\S* +)*ansible`)

// runCommands runs a page's commands in one shell, with real names in the place of the page's, and compares what they
// print with what the page shows.
func runCommands(t *testing.T, name string, commands []page.Command, dir string, env []string, real *strings.Replacer) {
	t.Helper()
	var here []page.Command
	for _, c := range commands {
		if callsAnsible.MatchString(c.Text) && ansibleBin() == "" {
			t.Logf("%s:%d not run: no Ansible here; make test brings it", name, c.Line)
			continue
		}
		c.Text = real.Replace(c.Text)
		here = append(here, c)
	}
	complaints, err := page.Run(t.Context(), here, dir, env)
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range complaints {
		t.Errorf("%s, %s", name, complaint)
	}
}

// ansibleBin returns a folder with a working Ansible, "" when there is none.
func ansibleBin() string {
	for _, dir := range filepath.SplitList(os.Getenv("CRATON_TEST_ANSIBLE")) {
		return dir
	}
	if path, err := exec.LookPath("ansible"); err == nil && exec.Command(path, "--version").Run() == nil {
		return filepath.Dir(path)
	}
	return ""
}
