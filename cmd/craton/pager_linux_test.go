package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/cli/clitest"
	"github.com/craton-fleet/craton/internal/skip"
)

// TestPager reads long lists in a real terminal, with less and with programs in its place.
func TestPager(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	if _, err := exec.LookPath("less"); err != nil {
		skip.Packages(t, "less")
	}
	const hosts = 200
	home := t.TempDir()
	var fleet strings.Builder
	fleet.WriteString("clouds: [{name: east, regions: [{name: dfw, hosts: [\n")
	for i := range hosts {
		fmt.Fprintf(&fleet, "  {name: h%03d, ip_address: 10.0.0.%d, device_type: server, note: \"\\e[2J\\e]8;;file:///etc\\a\\x9b31m\"},\n", i, i)
	}
	fleet.WriteString("]}]}]\n")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("fleet.yml", fleet.String())
	write("more.yml", strings.ReplaceAll(fleet.String(), "device_type: server", "device_type: vm"))
	env := append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+home, "XDG_CONFIG_HOME="+home,
		"CRATON_CONFIG=", "CRATON_URL=sqlite:"+filepath.Join(home, "fleet.db"), "LC_ALL=C.UTF-8", "TERM=xterm", "PS1=> ", "ENV=", "PAGER=echo PAGED; cat >/dev/null; exit 5")
	load := exec.CommandContext(t.Context(), filepath.Join(bin, "craton"), "apply", "fleet.yml")
	load.Dir, load.Env = home, env
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const list = "craton host-list --all --sort-key name --fields name note"
	// less shows the first screen, and waits, also after Ctrl-C, until it is left.
	for _, keys := range []string{"q", "\x03q", "Gq"} {
		if seen := inTerminal(t, home, env, "CRATON_PAGER=less "+list, "h010", keys); !strings.Contains(seen, "<0>") || strings.Contains(seen, "h199") != (keys == "Gq") {
			t.Errorf("less and the keys %q: %q", keys, seen[max(len(seen)-500, 0):])
		}
	}
	for _, c := range []struct {
		name, line string
		want, not  string // patterns of what is seen
	}{
		{"PAGER", list, `^PAGED\n<0>`, `h0`},
		{"a short list", "craton host-list --limit 10 --sort-key name --fields name", `(?s)h000.*h009.*<0>`, `PAGED`},
		{"CRATON_PAGER before PAGER, and left early", "CRATON_PAGER='head -n 4' " + list, `(?s)Name.*h000[^\n]*\n<0>`, `h001|PAGED|ERROR`},
		{"an option before both", "CRATON_PAGER='head -n 1' craton --pager 'sed -n s/.*h199.*/last/p' host-list --all --fields name", `^last\n<0>`, `h001|PAGED`},
		{"--no-pager", list + " --no-pager", `(?s)h199.*<0>`, `PAGED`},
		{"--no-pager before it", "craton --no-pager host-list --all --fields name", `(?s)h199.*<0>`, `PAGED`},
		{"CRATON_NO_PAGER", "CRATON_NO_PAGER=1 " + list, `(?s)h199.*<0>`, `PAGED`},
		{"cat", "PAGER=cat " + list, `(?s)h199.*<0>`, `PAGED`},
		{"an empty PAGER", "PAGER= " + list, `(?s)h199.*<0>`, `PAGED`},
		{"an empty CRATON_PAGER", "CRATON_PAGER= " + list, `(?s)h199.*<0>`, `PAGED`},
		{"a dumb terminal", "TERM=dumb " + list, `(?s)h199.*<0>`, `PAGED`},
		{"a pipe", list + " | tail -n 2", `(?s)h199.*<0>`, `PAGED`},
		{"a program that is not there", "CRATON_PAGER=no-such-program " + list, `(?s)h000.*h199.*<0>`, `PAGED|ERROR`},
		{"one that a shell does not find", "CRATON_PAGER='no-such-program 2>/dev/null' " + list, `(?s)h000.*h199.*<0>`, `PAGED|ERROR`},
		{"programs read documents on a pipe", "craton --format json host-list --all | wc -l", `^\d+\n<0>`, `PAGED`},
		{"people may look at them", "CRATON_PAGER='wc -l' craton --format yaml host-list --all", `^\d+\n<0>`, `PAGED`},
		{"help", "CRATON_PAGER='sed 1q' craton help", `^usage: craton[^\n]*\n<0>`, `PAGED`},
		{"help without it", "craton --no-pager help", `^usage: craton(?s).*<0>`, `PAGED`},
		{"what standard error says comes along", "CRATON_PAGER='tail -n 1' craton host-list --limit 100", `^100 shown, more follow: --all\n<0>`, `PAGED`},
		{"but not if it goes elsewhere", "CRATON_PAGER='tail -n 1' craton host-list --limit 100 2>/dev/null", `^\+-[^\n]*\n<0>`, `shown`},
		{"a status that says something", "CRATON_PAGER='tail -n 1' craton plan more.yml", `^200 to update[^\n]*\n<3>`, `PAGED`},
		{"a plan that nobody reads to its end is kept", "CRATON_PAGER='sed 1q' craton plan more.yml --out kept.plan", `^[^\n]*h000[^\n]*\n<3>`, `PAGED`},
		{"as is seen", "wc -l < kept.plan", `^[1-9]\d*\n<0>`, ``},
		{"errors are as before", "craton host-show nobody", `^ERROR: [^\n]*\n<1>`, `PAGED`},
		{"and so are mistakes", "craton host-show", `(?s)^usage: .*<2>`, `PAGED`},
		{"less may do nothing else", `CRATON_PAGER='echo "$LESS $LESSSECURE"; cat >got' ` + list, `^FRX 1\n<0>`, ``},
		{"unless somebody knows better", `LESS=S CRATON_PAGER='echo "$LESS $LESSSECURE"; cat >got' ` + list, `^S 1\n<0>`, ``},
	} {
		seen := inTerminal(t, home, env, c.line, "", "")
		if !regexp.MustCompile(c.want).MatchString(seen) || c.not != "" && regexp.MustCompile(c.not).MatchString(seen) {
			t.Errorf("%s: %s\nshows %q", c.name, c.line, seen[:min(len(seen), 2000)])
		}
	}
	// What the fleet says is only text, also for a pager that shows colours.
	got, err := os.ReadFile(filepath.Join(home, "got"))
	if err != nil {
		t.Fatal(err)
	}
	rest := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAll(got, nil)
	if i := strings.IndexFunc(string(rest), func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }); i >= 0 || strings.Contains(string(got), "\x1b[31m") {
		t.Errorf("the pager gets %q", rest[max(i-20, 0):min(i+20, len(rest))])
	}
}

// inTerminal runs a line of a shell in a terminal of 24 lines, types keys when a text is seen, and gives what was seen,
// and the status at its end.
func inTerminal(t *testing.T, dir string, env []string, line, seeing, keys string) string {
	t.Helper()
	tty, other := clitest.Terminal(t, 100)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "trap : INT; "+line+`; echo "<$?>"`)
	cmd.Dir, cmd.Env = dir, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tty.Close() // the end of all processes is that of the terminal
	var seen strings.Builder
	for piece := make([]byte, 1<<14); ; {
		n, err := other.Read(piece)
		seen.Write(piece[:n])
		if err != nil {
			break
		}
		if keys != "" && strings.Contains(seen.String(), seeing) {
			for _, key := range keys {
				if _, err := other.WriteString(string(key)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(200 * time.Millisecond) // Ctrl-C drops what is typed before it is read
			}
			// It drops it later too, if the machine is busy: then the last key is typed again.
			last := keys[len(keys)-1:]
			again := time.NewTicker(5 * time.Second)
			ended := make(chan struct{})
			defer close(ended)
			defer again.Stop()
			go func() {
				for {
					select {
					case <-again.C:
						_, _ = other.WriteString(last)
					case <-ended:
						return
					}
				}
			}()
			keys = ""
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	lines := strings.Split(seen.String(), "\r\n")
	for i, l := range lines { // without progress, which is wiped
		lines[i] = l[strings.LastIndex("\r\x1b[K"+l, "\r\x1b[K"):]
	}
	return strings.Join(lines, "\n")
}
