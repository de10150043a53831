package collection_test

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// server is a running craton server, and what its first user needs.
type server struct{ url, username, password, project string }

// env is what a client of the server needs in its environment.
func (s server) env() []string {
	return []string{"CRATON_URL=" + s.url, "OS_USERNAME=" + s.username, "OS_PASSWORD=" + s.password, "OS_PROJECT_ID=" + s.project}
}

// vars is the same as variables of a playbook.
func (s server) vars() string {
	return "url: " + s.url + "\nusername: " + s.username + "\npassword: " + s.password + "\nproject_id: " + s.project + "\n"
}

// serve starts a craton server on an empty database; it is stopped when the test ends.
func (h *home) serve(t *testing.T) server {
	t.Helper()
	craton, err := program()
	if err != nil {
		t.Fatal(err)
	}
	database := "sqlite:" + filepath.Join(h.dir, "server.db")
	out := h.run(t, craton, "server", "bootstrap", "--database", database)
	m := regexp.MustCompile(`(?m)^ProjectId: (.+)\nUsername: (.+)\nAPIKey: (.+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatal(out)
	}
	return server{url: h.serveWith(t, "--database", database), project: m[1], username: m[2], password: m[3]}
}

// serveWith starts a craton server, and returns its URL.
func (h *home) serveWith(t *testing.T, args ...string) string {
	t.Helper()
	craton, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(craton, append([]string{"server", "--listen", "127.0.0.1:0", "--log-format", "json"}, args...)...)
	cmd.Env = h.env
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	urls, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if _, rest, ok := strings.Cut(lines.Text(), `"url":"`); ok {
				url, _, _ := strings.Cut(rest, `"`)
				select {
				case urls <- url:
				default:
				}
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("craton server: %v", err)
		}
	})
	select {
	case url := <-urls:
		return url
	case <-ended:
		t.Fatal("the server did not start")
		return ""
	}
}
