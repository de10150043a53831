package main_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestInterrupted: an edit of many objects and an export that a signal stops say what has happened and what to do, end
// with the signal's status, and leave no half file.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	s := serve(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "fleet.yml")
	fleet := manyHosts(5)
	for i := range 50 { // more than a pipe holds
		fleet += fmt.Sprintf("- {name: cloud-%d, note: %s}\n", i, strings.Repeat("x", 60_000))
	}
	if err := os.WriteFile(file, []byte(fleet), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), "apply", file)
	run.Env = s.env()
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.yml")
	for name, c := range map[string]struct {
		args     string
		at       string // the request that the signal comes with, by method and path
		nth      int
		answered bool // the request is answered behind the signal
		original bool // the server knows nothing beside v1
		unread   bool // nobody reads what comes out
		want     string
		stdout   string
	}{
		"before an edit":     {args: "host-vars-set --where name=web-* a=1 --yes", at: "GET /v1/capabilities", want: "ERROR: interrupted: SIGINT\nnothing was changed\n"},
		"preview":            {args: "host-vars-set --where name=web-* a=1 --dry-run", at: "POST /v1/bulk", want: "ERROR: interrupted: SIGINT\nnothing was changed\n"},
		"edit":               {args: "host-vars-set --where name=web-* a=1 --yes", at: "POST /v1/bulk", want: "ERROR: interrupted: SIGINT\nthe edit was made completely or not at all, but no response arrived: `craton history --limit 1` shows"},
		"edit that was done": {args: "host-vars-set --where name=web-* b=1 --yes", at: "POST /v1/bulk", answered: true, want: "ERROR: interrupted: SIGINT\nthe interrupt came too late: the edit was made\n", stdout: "Changed 5 hosts"},
		"one by one":         {args: "host-vars-set --where name=web-* c=1 --yes", at: "PUT /v1/hosts/", nth: 3, answered: true, original: true, want: "ERROR: interrupted: SIGINT\n3 of 5 hosts were changed; run the same command again to continue\n"},
		"export":             {args: "export --output " + out, at: "GET /v1/fleet", want: "ERROR: interrupted: SIGINT\nnothing was written\n"},
		"export unread":      {args: "export", unread: true, want: "ERROR: interrupted: SIGINT\nthe output is incomplete: discard it, and export again\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cmd *exec.Cmd
			started, ended := make(chan struct{}), make(chan struct{})
			proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
			proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the test's own server
			proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
			var mu sync.Mutex
			n := 0
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.original && r.URL.Path == "/v1/capabilities" {
					http.NotFound(w, r)
					return
				}
				if c.at != "" && strings.HasPrefix(r.Method+" "+r.URL.Path, c.at) {
					mu.Lock()
					n++
					signal := n == max(c.nth, 1)
					mu.Unlock()
					if signal {
						<-started
						_ = cmd.Process.Signal(syscall.SIGINT)
						time.Sleep(100 * time.Millisecond) // until it is heard
					}
					if signal && !c.answered {
						<-ended
						return
					}
				}
				proxy.ServeHTTP(w, r)
			}))
			t.Cleanup(front.Close)
			cmd = exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), strings.Fields(c.args)...)
			cmd.Env = s.env("CRATON_URL="+front.URL, "CRATON_RETRIES=0", "CRATON_TIMEOUT=2")
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			var pipe *os.File
			if c.unread {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				pipe, cmd.Stdout = r, w
				t.Cleanup(func() { _ = w.Close() })
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			close(started)
			if c.unread {
				one := make([]byte, 1)
				if _, err := io.ReadFull(pipe, one); err != nil { // it writes
					t.Fatal(err)
				}
				_ = cmd.Process.Signal(syscall.SIGINT)
			}
			_ = cmd.Wait()
			close(ended)
			if status := cmd.ProcessState.ExitCode(); status != 130 || !strings.HasPrefix(stderr.String(), c.want) || !strings.HasPrefix(stdout.String(), c.stdout) || c.stdout == "" && stdout.Len() > 0 {
				t.Errorf("status %d, %q, %q; want %q", status, stdout.String(), stderr.String(), c.want)
			}
		})
	}
	t.Cleanup(func() {
		if left, _ := filepath.Glob(filepath.Join(dir, ".out*")); left != nil {
			t.Errorf("left: %v", left)
		}
		if _, err := os.Stat(out); err == nil {
			t.Error("a file of what was not read")
		}
	})
}
