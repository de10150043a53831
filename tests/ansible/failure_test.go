package ansible_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// secret is an API key that must never be shown.
const secret = "0123456789abcdef-not-to-be-seen"

// server is a running craton server.
type server struct{ url, project, username, key string }

// env returns the environment for a client of the server.
func (s server) env() []string {
	return []string{"CRATON_URL=" + s.url, "OS_USERNAME=" + s.username, "OS_PASSWORD=" + s.key, "OS_PROJECT_ID=" + s.project}
}

// serve starts a craton server on an empty database; it is stopped, gracefully, when the test ends.
func serve(t *testing.T) server {
	t.Helper()
	craton := filepath.Join(program(t), "craton")
	database := "sqlite:" + filepath.Join(t.TempDir(), "server.db")
	env := environment(t, release{})
	out := mustRun(t, env, craton, "server", "bootstrap", "--database", database)
	m := regexp.MustCompile(`\AProjectId: (\S+)\nUsername: (\S+)\nAPIKey: (\S+)\n\z`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("craton server bootstrap printed:\n%s", out)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(craton, "server", "--listen", "127.0.0.1:0", "--log-format", "json", "--database", database)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("craton server, after SIGTERM: %v", err)
		}
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the server's log:\n%s", shorten(string(text)))
		}
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // it says where it serves when it does
		text, err := os.ReadFile(log.Name())
		if err != nil {
			t.Fatal(err)
		}
		if url := regexp.MustCompile(`"url":"([^"]+)"`).FindSubmatch(text); url != nil {
			return server{url: string(url[1]), project: m[1], username: m[2], key: m[3]}
		}
		if time.Now().After(end) {
			t.Fatal("the server is not ready after a minute")
		}
	}
}

// nowhere is an address where nothing listens. A port that is free now could belong to another test in a moment.
const nowhere = "http://127.0.0.1:1"

// broken starts an API that gives the same response to everything.
func broken(t *testing.T, status int, contentType, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestFailures: after any failure, stdout is empty, stderr is one line with the reason, the exit status is 1, and no
// file is created. With examples/ansible.cfg the play that needed the inventory fails too, and shows only that line.
func TestFailures(t *testing.T) {
	t.Parallel()
	craton := serve(t)
	garbage := filepath.Join(t.TempDir(), "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing.db")
	credentials := []string{"OS_USERNAME=someone", "OS_PASSWORD=" + secret, "OS_PROJECT_ID=b9f10eca-66ac-4c27-9c13-9d01e65f96b4"}
	with := func(url string) []string { return append([]string{"CRATON_URL=" + url}, credentials...) }

	cases := []struct {
		name string
		env  []string
		says string // a pattern of the line
		play bool   // run Ansible on it too; the rest differ only in the line
	}{
		{"server down", with(nowhere), "connection refused", true},
		{"wrong key", append(craton.env(), "OS_PASSWORD="+secret), "401|403", true},
		{"not JSON", with(broken(t, 200, "application/json", "this is not JSON")), "the response", true},
		{"JSON cut short", with(broken(t, 200, "application/json", `{"clouds": [{"id": 1, "name": "ea`)), "the response", false},
		{"JSON of another kind", with(broken(t, 200, "application/json", `[1, 2, 3]`)), "the response", false},
		{"a web page", with(broken(t, 200, "text/html", "<html><body>Welcome\nto the\nportal</body></html>")), "", false},
		{"always 500", with(broken(t, 500, "application/json", `{"status": 500, "message": "a\nb\nc"}`)), "500", false},
		{"missing file", []string{"CRATON_URL=sqlite:" + missing}, regexp.QuoteMeta(missing), true},
		{"not a database", []string{"CRATON_URL=sqlite:" + garbage}, regexp.QuoteMeta(garbage), false},
		{"no CRATON_URL", nil, "CRATON_URL", true},
		{"no credentials", []string{"CRATON_URL=" + craton.url}, "OS_USERNAME", false},
		{"unknown label", []string{"CRATON_URL=" + example(t), "CRATON_INVENTORY_LABELS=no-such-label"}, "no-such-label", false},
		{"unknown layout", []string{"CRATON_URL=" + example(t), "CRATON_INVENTORY_VARS=upside-down"}, "upside-down", false},
	}
	inventory := filepath.Join(program(t), "craton-inventory")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := append(c.env, "CRATON_RETRIES=1")
			for _, args := range [][]string{{"--list"}, {"--host", "web-ams1"}} {
				if c.name == "unknown label" && args[0] == "--host" {
					continue // one host by name: nothing to filter
				}
				out := run(t, environment(t, release{}, env...), inventory, args...)
				if out.stdout != "" {
					t.Errorf("%s: stdout:\n%s", args[0], shorten(out.stdout))
				}
				if out.code != 1 {
					t.Errorf("%s: exit %d, not 1", args[0], out.code)
				}
				if strings.Count(out.stderr, "\n") != 1 || !strings.HasSuffix(out.stderr, "\n") || len(out.stderr) < 10 {
					t.Errorf("%s: stderr is not one line:\n%q", args[0], out.stderr)
				}
				if !regexp.MustCompile(c.says).MatchString(out.stderr) {
					t.Errorf("%s: stderr does not say %q: %s", args[0], c.says, out.stderr)
				}
				if strings.Contains(out.stderr, secret) {
					t.Errorf("%s: stderr shows the API key: %s", args[0], out.stderr)
				}
			}
			if _, err := os.Stat(missing); err == nil {
				t.Errorf("reading made the file %s", missing)
			}
			if !c.play {
				return
			}
			withAnsible(t, func(t *testing.T, r release) {
				out := run(t, environment(t, r, env...), "ansible-playbook", "-i", inventory, filepath.Join(root, "examples", "site.yml"))
				if out.code == 0 {
					t.Errorf("ansible-playbook exits 0 without an inventory\n%s%s", out.stdout, out.stderr)
				}
				if strings.Contains(out.stdout, "PLAY") {
					t.Errorf("a play began without an inventory:\n%s", out.stdout)
				}
				said := out.stdout + out.stderr
				// Old releases of Ansible break lines at column 79, even within hyphenated words.
				unbroken := strings.Join(strings.Fields(said), "")
				if !regexp.MustCompile("craton-inventory:.*" + strings.ReplaceAll(c.says, " ", "")).MatchString(unbroken) {
					t.Errorf("Ansible does not show our line, which says %q, but\n%s", c.says, said)
				}
				// Messages of other inventory plugins about the binary (contract §A2).
				if m := regexp.MustCompile(`(?i)deprecat|with '?(ini|yaml|toml|auto|constructed)|surrogate|utf-8|ELF|[^\n\t\x20-\x7e]`).FindString(said); m != "" {
					t.Errorf("there is junk in what Ansible says, such as %q:\n%s", m, said)
				}
			})
		})
	}
}

// TestOutputFile: --output writes the whole document or keeps the existing file.
func TestOutputFile(t *testing.T) {
	t.Parallel()
	inventory := filepath.Join(program(t), "craton-inventory")
	file := filepath.Join(t.TempDir(), "inventory.json")
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, environment(t, release{}, "CRATON_URL=sqlite:"+file+".missing"), inventory, "--list", "--output", file)
	if text, err := os.ReadFile(file); out.code != 1 || err != nil || string(text) != "before" {
		t.Errorf("after a failure, exit %d, the file holds %q, %v", out.code, text, err)
	}
	env := environment(t, release{}, "CRATON_URL="+example(t))
	want := mustRun(t, env, inventory, "--list")
	if stdout := mustRun(t, env, inventory, "--list", "--output", file); stdout != "" {
		t.Errorf("with --output, stdout has:\n%s", shorten(stdout))
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != want {
		t.Errorf("the file does not hold what --list prints (%v):\n%s", err, shorten(string(text)))
	}
	if others, err := os.ReadDir(filepath.Dir(file)); err != nil || len(others) != 1 {
		t.Errorf("beside the file are %v, %v", others, err)
	}
}
