package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// command is a line `$ ...` of a console block, with the output that the README shows for it.
type command struct {
	line   int
	text   string
	output []string
}

// TestReadme runs the README.
func TestReadme(t *testing.T) { runPage(t, "README.md") }

// TestPages runs pages of docs.
func TestPages(t *testing.T) {
	for _, name := range []string{"cli.md", "explain.md", "doctor.md"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runPage(t, filepath.Join("docs", name))
		})
	}
}

// runPage runs every `$` line of a page's console blocks, in order, in one shell, and compares what they print
// with what the page shows. "..." on a line of its own stands for any lines, within a line for any text.
func runPage(t *testing.T, name string) {
	t.Helper()
	bin := binaries(t)
	ansible := ansibleBin()
	page, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	commands, files := parseReadme(string(page))
	if len(commands) == 0 || len(files) == 0 {
		t.Fatalf("%s has no console blocks or no files", name)
	}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+ansible+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+dir, "XDG_CONFIG_HOME="+dir)
	runCommands(t, name, commands, dir, env, strings.NewReplacer())
}

// runCommands runs a page's commands in one shell, with real names in the place of the page's, and compares what they print
// with what the page shows.
func runCommands(t *testing.T, page string, commands []command, dir string, env []string, real *strings.Replacer) {
	t.Helper()
	const mark = "--8<-- end of command"
	var script strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&script, "%s\necho '%s'\n", real.Replace(c.text), mark)
	}
	sh := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	sh.Dir, sh.Env = dir, env
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	outputs := strings.Split(string(out), mark+"\n")
	for i, c := range commands {
		if strings.HasPrefix(c.text, "ansible") && ansibleBin() == "" {
			t.Logf("%s:%d not run: no Ansible here; make test brings it", page, c.line)
			continue
		}
		want := strings.TrimRight(strings.Join(c.output, "\n"), "\n")
		if got := strings.TrimRight(outputs[i], "\n"); !matches(want, got) {
			t.Errorf("%s:%d: $ %s\n%s", page, c.line, c.text, cmp.Diff(want, got))
		}
	}
}

// parseReadme finds the console blocks, and the YAML blocks whose first line names their file.
func parseReadme(text string) (commands []command, files map[string]string) {
	files = map[string]string{}
	kind, name := "", ""
	for i, line := range strings.Split(text, "\n") {
		switch {
		case kind == "" && strings.HasPrefix(line, "```"):
			kind, name = strings.TrimPrefix(line, "```"), ""
		case line == "```":
			kind = ""
		case kind == "yaml" && name == "" && strings.HasPrefix(line, "# "):
			name = strings.TrimPrefix(line, "# ")
		case kind == "yaml" && name != "":
			files[name] += line + "\n"
		case kind == "console" && strings.HasPrefix(line, "$ "):
			commands = append(commands, command{line: i + 1, text: strings.TrimPrefix(line, "$ ")})
		case kind == "console" && len(commands) > 0:
			last := &commands[len(commands)-1]
			last.output = append(last.output, line)
		}
	}
	return commands, files
}

func matches(want, got string) bool {
	pattern := regexp.QuoteMeta(want)
	pattern = strings.ReplaceAll(pattern, "\n"+regexp.QuoteMeta("..."), `\n(?s:.*)`)
	pattern = strings.ReplaceAll(pattern, regexp.QuoteMeta("..."), `.*`)
	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString(got)
}

// ansibleBin is a folder with a working Ansible, "" when there is none.
func ansibleBin() string {
	for _, dir := range filepath.SplitList(os.Getenv("CRATON_TEST_ANSIBLE")) {
		return dir
	}
	if path, err := exec.LookPath("ansible"); err == nil && exec.Command(path, "--version").Run() == nil {
		return filepath.Dir(path)
	}
	return ""
}
