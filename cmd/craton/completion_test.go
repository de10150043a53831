package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/skip"
)

// bashDriver loads the script as a user's shell does, and asks for the words that may follow a command line, as
// readline does when it lists them. The builtin compopt works within readline only.
const bashDriver = `
compopt() { :; }
source <(craton completion bash)
complete_line() {
	COMP_LINE=$1
	COMP_POINT=${#COMP_LINE}
	COMP_TYPE=63
	_craton
	printf '%s\n' "${COMPREPLY[@]}"
	echo ==
}
`

// zshDriver runs an interactive zsh, whose craton prints its arguments unless it is asked to complete, and types into
// it.
const zshDriver = `
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell 'PS1= ; unsetopt beep; autoload -U compinit; compinit -u -d $HOME/.zcompdump; source <(craton completion zsh)'
zpty -w shell 'craton() { if [[ $1 == __complete* ]]; then command craton "$@"; else print -r -- "GO""T $* GO""NE"; fi }'
complete_line() {
	zpty -w shell "$1"$'\t'
	zpty -r -m shell line '*GOT*GONE*'
	line=${line##*GOT}
	print -r -- "${line%%GONE*}"
}
`

// TestCompletion loads the scripts into the real shells and completes a subcommand, a name, the value of an option, a
// format, and a key of a variable.
func TestCompletion(t *testing.T) {
	t.Parallel()
	bin, dir := binaries(t), t.TempDir()
	env := append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir, "XDG_CONFIG_HOME="+dir,
		"CRATON_CONFIG=", "CRATON_URL=sqlite:"+filepath.Join(dir, "fleet.db"), "LC_ALL=C.UTF-8")
	run := func(t *testing.T, program string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env, cmd.Dir = env, dir
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil || errs.Len() > 0 {
			t.Fatalf("%s %q: %v\n%s%s", program, args, err, &out, &errs)
		}
		return out.String()
	}
	run(t, filepath.Join(bin, "craton"), "server", "bootstrap", "--database", "sqlite:"+filepath.Join(dir, "fleet.db"))
	for _, args := range [][]string{
		{"cloud-create", "-n", "east", "--vars", "ntp=1", "mtu=9000"},
		{"region-create", "-n", "dfw", "--cloud", "east"},
		{"region-create", "-n", "ord", "--cloud", "east"},
		{"host-create", "-n", "web-01", "-i", "10.0.0.1", "-t", "server", "-r", "dfw", "--cloud", "east"},
		{"host-create", "-n", "web-02", "-i", "10.0.0.2", "-t", "server", "-r", "ord", "--cloud", "east"},
		{"host-create", "-n", "db-01", "-i", "10.0.0.3", "-t", "server", "-r", "ord", "--cloud", "east"},
	} {
		run(t, filepath.Join(bin, "craton"), args...)
	}
	shell := func(t *testing.T, name string) string {
		t.Helper()
		path, err := exec.LookPath(name)
		if err != nil {
			skip.Packages(t, name)
		}
		return path
	}
	cases := []struct {
		words string // the last one is completed
		want  []string
	}{
		{"craton host-vars-g", []string{"host-vars-get"}},
		{"craton host-show w", []string{"web-01", "web-02"}},
		{"craton --format json host-show d", []string{"db-01"}},
		{"craton host-list --region o", []string{"ord"}},
		{"craton host-list --sort-d", []string{"--sort-dir"}},
		{"craton host-list --fields id ip", []string{"ip_address"}},
		{"craton --format j", []string{"json"}},
		{"craton --format json cloud-u", []string{"cloud-update"}},
		{"craton cloud-vars-delete east n", []string{"ntp"}},
	}

	t.Run("bash", func(t *testing.T) {
		t.Parallel()
		bash := shell(t, "bash")
		script := bashDriver
		for _, c := range cases {
			script += "complete_line '" + c.words + "'\n"
		}
		parts := strings.Split(run(t, bash, "--norc", "-c", script), "==\n")
		for i, c := range cases {
			var got []string
			for _, line := range strings.Split(strings.TrimSpace(parts[i]), "\n") { // with several, their descriptions too
				got = append(got, strings.Fields(line)[0])
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %q, want %q", c.words, got, c.want)
			}
		}
	})
	t.Run("zsh", func(t *testing.T) {
		t.Parallel()
		zsh := shell(t, "zsh")
		script := zshDriver
		for _, c := range cases {
			script += "complete_line '" + c.words + "'\n"
		}
		lines := strings.Split(run(t, zsh, "-f", "-c", script), "\n")
		for i, c := range cases {
			common := c.want[0] // all that several have in common is completed
			if len(c.want) > 1 {
				common = "web-0"
			}
			words := strings.Fields(c.words)
			want := strings.Join(append(words[1:len(words)-1], common), " ")
			if got := strings.TrimSpace(lines[i]); got != want {
				t.Errorf("%s: %q, want %q", c.words, got, want)
			}
		}
	})
	t.Run("fish", func(t *testing.T) {
		t.Parallel()
		fish := shell(t, "fish")
		script := "craton completion fish | source\n"
		for _, c := range cases {
			script += "complete -C '" + c.words + "'\necho ==\n"
		}
		parts := strings.Split(run(t, fish, "--no-config", "-c", script), "==\n")
		for i, c := range cases {
			var got []string
			for _, line := range strings.Split(strings.TrimSpace(parts[i]), "\n") {
				word, _, _ := strings.Cut(line, "\t")
				got = append(got, word)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %q, want %q", c.words, got, c.want)
			}
		}
	})
	t.Run("nobody answers", func(t *testing.T) {
		t.Parallel()
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "craton"), "__complete", "host-show", "w")
		cmd.Env = append(env, "CRATON_URL=http://127.0.0.1:1", "OS_USERNAME=a", "OS_PASSWORD=b", "OS_PROJECT_ID=c")
		if out, err := cmd.Output(); err != nil || string(out) != ":4\n" {
			t.Errorf("%v %q", err, out)
		}
	})
}
