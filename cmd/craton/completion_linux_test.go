package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/craton-fleet/craton/internal/skip"
)

// hostile are names of a fleet that a shell would execute, expand or split if it read them once more than it should.
var hostile = []string{
	"x;touch pwned;true", "x$(touch pwned)", "x`touch pwned`", "x&touch pwned&", "x|touch pwned", "x>pwned", "x<pwned", "(touch pwned)",
	"$(touch pwned)", "`touch pwned`", ";touch pwned;", "&&touch pwned", "'; touch pwned; '", `"; touch pwned; "`, `\"; touch pwned; \"`,
	"two  words", "it's", `say "hi"`, `back\slash`, `end\`, "$HOME", "${HOME}", "~", "~root", "=ls", "{a,b}", "*", "?", "[a-z]", "#x",
	"!!", "a!b", "^a^b", "%self", "a=b", "a,b", "50%", "ü-東京", "@{u}", "$'\\x41'", "a'b\"c",
}

// dropLine are the keys that the shells of the test forget the line by, without running it.
const dropLine = "\x18q"

// lines returns what a user types before and behind TAB for the name at i. Everywhere one name only can follow.
func lines(i int) []string {
	list, fields := "craton --format csv host-list --region r%02d", " --fields ip_address > out; echo E'N'D\n"
	show := "craton --format csv host-show "
	all := []string{
		list + " --cell \t" + fields,
		list + " --cell '\t" + fields,
		list + " --cell \"\t" + fields,
		list + " --cell=\t" + fields,
		"CRATON_TIMEOUT=60 craton --format csv host-list --limit '10' --region r%02d --cell \t" + fields,
		show + "h%02d\t > out; echo E'N'D\n", show + "'h%02d\t > out; echo E'N'D\n", show + "\"h%02d\t > out; echo E'N'D\n",
	}
	for n := range all {
		all[n] = strings.ReplaceAll(all[n], "%02d", fmt.Sprintf("%02d", i))
	}
	return all
}

// before are words that stand before TAB, and must not run by it.
var before = []string{
	"'x;touch pwned' ", `"x;touch pwned" `, `x\;touch\ pwned `, "$(touch pwned) ", `"$(touch pwned)" `, "'$(touch pwned)' ", "`touch pwned` ",
	"'x;touch pwned", `"x;touch pwned`, `x\;touch\ pwned`, "'$(touch pwned)", "'`touch pwned`", "x'$(touch pwned)'",
	"--region '$(touch pwned)' ", "--region='`touch pwned`' ", "'it'\\''s;touch pwned' ", "--craton-url 'sqlite:$(touch pwned)' ",
}

// typist is a shell in a terminal.
type typist struct {
	t    *testing.T
	end  *os.File
	kill func()
	seen strings.Builder
}

// patience is far more than a shell needs.
const patience = 2 * time.Minute

// newTypist starts an interactive shell in a terminal.
func newTypist(t *testing.T, dir string, env []string, program string, args ...string) *typist {
	t.Helper()
	end, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = end.Close() })
	n, err := unix.IoctlGetInt(int(end.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(end.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(end.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 500})
	}
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close() //nolint:errcheck // the shell has its own
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &typist{t: t, end: end, kill: func() { _ = cmd.Process.Kill() }}
}

// types types keys and waits until what they run has printed END.
func (k *typist) types(keys string) string {
	k.t.Helper()
	if _, err := k.end.WriteString(keys); err != nil {
		k.t.Fatal(err)
	}
	k.seen.Reset()
	guard := time.AfterFunc(patience, k.kill) // a shell that waits for more would wait for ever
	defer guard.Stop()
	for piece := make([]byte, 1<<14); !strings.Contains(k.seen.String(), "END"); {
		n, err := k.end.Read(piece)
		if err != nil {
			k.t.Fatalf("%v after %q: %q", err, keys, k.seen.String())
		}
		k.seen.Write(piece[:n])
	}
	return k.seen.String()
}

// TestCompletionRunsNothing presses TAB in real shells where the command line and the fleet hold what would run if it
// were evaluated; and what TAB inserts names just the object that it shows.
func TestCompletionRunsNothing(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	for name, c := range map[string]struct {
		args  []string
		setUp string
	}{
		"bash": {[]string{"--norc", "--noprofile", "-i"}, `source <(craton completion bash); bind 'set bell-style none'; bind -x '"\C-xq": READLINE_LINE=; READLINE_POINT=0; echo E""ND'; echo E""ND` + "\n"},
		"zsh": {[]string{"-f", "-i"}, "unsetopt beep; bindkey -e; autoload -U compinit; compinit -u -d $HOME/zdump; " +
			"source <(craton completion zsh); drop() { BUFFER=; print E''ND }; zle -N drop; bindkey '^Xq' drop; echo E''ND\n"},
		"fish": {[]string{"--no-config", "-i", "-C", "craton completion fish | source"}, `bind \cxq 'commandline ""; echo E""ND'; echo E""ND` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(name)
			if err != nil {
				skip.Packages(t, name)
			}
			home, dir := t.TempDir(), t.TempDir()
			var fleet strings.Builder
			fleet.WriteString("clouds: [{name: east, regions: [\n")
			for i, n := range hostile {
				fmt.Fprintf(&fleet, "  {name: r%02d, cells: [{name: %q, hosts: [{name: %q, ip_address: 10.0.0.%d, device_type: server}]}]},\n",
					i, n, fmt.Sprintf("h%02d%s", i, n), i)
			}
			fleet.WriteString("]}]\n")
			if err := os.WriteFile(filepath.Join(home, "fleet.yml"), []byte(fleet.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			env := append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+home, "XDG_CONFIG_HOME="+home,
				"CRATON_CONFIG=", "CRATON_URL=sqlite:"+filepath.Join(home, "fleet.db"), "LC_ALL=C.UTF-8", "TERM=xterm", "PS1=> ", "HISTFILE=")
			load := exec.CommandContext(t.Context(), filepath.Join(bin, "craton"), "apply", filepath.Join(home, "fleet.yml"))
			load.Env = env
			if out, err := load.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			k := newTypist(t, dir, env, path, c.args...)
			k.types(c.setUp)
			left := func(keys, seen string) {
				t.Helper()
				files, err := os.ReadDir(dir)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					if f.Name() != "out" {
						t.Errorf("%q made the file %s: %q", keys, f.Name(), seen)
					}
					_ = os.Remove(filepath.Join(dir, f.Name()))
				}
			}
			for i, n := range hostile {
				if name == "fish" && strings.HasPrefix(n, "~") { // which fish leaves to the home folder, unless a quote is open
					continue
				}
				for _, keys := range lines(i) {
					seen := k.types(keys)
					got, err := os.ReadFile(filepath.Join(dir, "out"))
					if want := fmt.Sprintf("10.0.0.%d\n", i); err != nil || !strings.Contains(strings.ReplaceAll(string(got), ",", "\n"), want) {
						t.Errorf("%s: %q does not find what is in cell %q: %q %v\n%q", name, keys, n, got, err, seen)
					}
					left(keys, seen)
				}
			}
			for _, words := range before {
				keys := "craton host-show " + words + "\t"
				left(keys, k.types(keys+dropLine))
			}
		})
	}
}
