package main_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// manyHosts returns a fleet file of a cloud, a region and hosts.
func manyHosts(hosts int) string {
	var b strings.Builder
	b.WriteString("clouds:\n- name: east\n  regions:\n  - name: dfw\n    hosts:\n")
	for i := range hosts {
		fmt.Fprintf(&b, "    - {name: web-%03d, ip_address: 10.20.0.%d, device_type: server}\n", i, i+1)
	}
	return b.String()
}

// TestApplyStops: whatever stops an apply, it says on standard error which object failed, how far it came and how to go
// on, and its status is that of a failure or of the signal. The next one goes on from there. The server is a real one,
// the fault a proxy's, or real too.
func TestApplyStops(t *testing.T) {
	t.Parallel()
	const hosts, good = 60, 20 // writes that succeed
	say := func(status int) func(http.ResponseWriter, *stopped) {
		return func(w http.ResponseWriter, _ *stopped) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"status": %d, "message": "the disk is full"}`, status)
		}
	}
	interrupt := func(signal os.Signal) func(http.ResponseWriter, *stopped) {
		return func(_ http.ResponseWriter, s *stopped) {
			s.once.Do(func() { // the second signal would end the process at once
				<-s.started
				_ = s.apply.Process.Signal(signal)
			})
			<-s.ended
		}
	}
	for name, c := range map[string]struct {
		fault   func(http.ResponseWriter, *stopped)
		reading bool // the fault comes before the first write
		env     string
		status  int
		want    string // of standard error
	}{
		"disk full": {fault: say(500), status: 1, want: `^ERROR: host east/dfw/web-\d+: POST /v1/hosts: 500 Internal Server Error: the disk is full`},
		"forbidden": {fault: say(403), status: 1, want: `^ERROR: host east/dfw/web-\d+: POST /v1/hosts: 403 Forbidden: the disk is full`},
		"server killed": {fault: func(_ http.ResponseWriter, s *stopped) {
			_ = s.server.cmd.Process.Kill()
			panic(http.ErrAbortHandler)
		}, status: 1, want: `^ERROR: host east/dfw/web-\d+: cannot reach the Craton API: POST http://127`},
		"timeout":           {fault: func(_ http.ResponseWriter, s *stopped) { <-s.ended }, env: "CRATON_TIMEOUT=3", status: 1, want: `^ERROR: host east/dfw/web-\d+: cannot reach the Craton API: POST http://127.*no complete response within 3s`},
		"SIGINT":            {fault: interrupt(syscall.SIGINT), status: 130, want: `^ERROR: interrupted: SIGINT\n`},
		"SIGTERM":           {fault: interrupt(syscall.SIGTERM), status: 143, want: `^ERROR: interrupted: SIGTERM\n`},
		"while reading":     {fault: say(500), reading: true, status: 1, want: `^ERROR: the fleet cannot be read: GET /v1/[a-z]+: 500 Internal Server Error: the disk is full`},
		"SIGINT on reading": {fault: interrupt(syscall.SIGINT), reading: true, status: 130, want: `^ERROR: interrupted: SIGINT\n`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stopped{server: serve(t), started: make(chan struct{}), ended: make(chan struct{})}
			target, err := url.Parse(s.server.url)
			if err != nil {
				t.Fatal(err)
			}
			proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
			proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the test's own server
			proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
			var writes atomic.Int32
			proxied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				write := r.Method != http.MethodGet
				if s.healed.Load() || !write && !c.reading || write && writes.Add(1) <= good {
					proxy.ServeHTTP(w, r)
					return
				}
				c.fault(w, s)
			}))
			t.Cleanup(proxied.Close)

			dir := t.TempDir()
			file, log := filepath.Join(dir, "fleet.yml"), filepath.Join(dir, "log")
			if err := os.WriteFile(file, []byte(manyHosts(hosts)), 0o600); err != nil {
				t.Fatal(err)
			}
			env := append(s.server.env("CRATON_URL="+proxied.URL, "CRATON_RETRIES=0"), c.env)
			apply := func() (stdout, stderr string, status int) {
				out, err := os.Create(log)
				if err != nil {
					t.Fatal(err)
				}
				defer out.Close()
				s.apply = exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), "apply", file)
				var errs bytes.Buffer
				s.apply.Env, s.apply.Stdout, s.apply.Stderr = env, out, &errs
				if err := s.apply.Start(); err != nil {
					t.Fatal(err)
				}
				if !s.healed.Load() {
					close(s.started)
				}
				if exit := (*exec.ExitError)(nil); !errors.As(s.apply.Wait(), &exit) && s.apply.ProcessState == nil {
					t.Fatal("the process did not end")
				}
				text, err := os.ReadFile(log)
				if err != nil {
					t.Fatal(err)
				}
				return string(text), errs.String(), s.apply.ProcessState.ExitCode()
			}
			stdout, stderr, status := apply()
			close(s.ended)
			if status != c.status || !regexp.MustCompile(c.want).MatchString(stderr) {
				t.Errorf("status %d, stderr:\n%s", status, stderr)
			}
			done := regexp.MustCompile(`(?m)^stopped after (\d+) of 62 objects; what was written stays; apply the file again to continue from there$`).FindStringSubmatch(stderr)
			switch {
			case c.reading:
				if !strings.HasSuffix(stderr, "\nnothing was written; apply the file again\n") || stdout != "" {
					t.Errorf("stderr:\n%s\nstdout:\n%s", stderr, stdout)
				}
			case done == nil || !strings.Contains(stdout, "\ncreated "+done[1]+", updated 0, unchanged 0\n"):
				t.Errorf("stderr:\n%s\nstdout:\n%s", stderr, stdout)
			}
			if strings.Count(stderr, "\n") > 7 {
				t.Errorf("too many words:\n%s", stderr)
			}
			if name == "server killed" {
				return
			}
			if name == "disk full" { // the module says the same
				task := filepath.Join(dir, "task.json")
				if err := os.WriteFile(task, fmt.Appendf(nil, `{"_ansible_module_name": "craton_fleet", "src": %q}`, file), 0o600); err != nil {
					t.Fatal(err)
				}
				module := exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), task)
				module.Env = env
				out, _ := module.Output()
				if !regexp.MustCompile(`"msg":"host east/dfw/web-\d+: POST /v1/hosts: 500 [^"]*the disk is full.*\\nstopped after 0 of 42 objects; what was written stays`).Match(out) {
					t.Errorf("the module says %s", out)
				}
			}
			s.healed.Store(true)
			if stdout, stderr, status = apply(); status != 0 || stderr != "" || !regexp.MustCompile(`(?m)^created \d+, updated 0, unchanged \d+$`).MatchString(stdout) {
				t.Errorf("again: status %d, stderr:\n%s\nstdout:\n%s", status, stderr, stdout)
			}
			if stdout, _, _ = apply(); stdout != "created 0, updated 0, unchanged 62\n" {
				t.Errorf("once more: %s", stdout)
			}
		})
	}
}

// stopped is an apply that a fault meets.
type stopped struct {
	server  *running
	apply   *exec.Cmd
	once    sync.Once
	started chan struct{} // the apply has
	ended   chan struct{} // the apply has
	healed  atomic.Bool   // there is no fault any more
}
