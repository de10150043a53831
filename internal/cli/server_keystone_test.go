package cli_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/wording"
)

// program runs the command line in this process, and returns its exit status.
func program(ctx context.Context, out io.Writer, args ...string) int {
	return cli.Run(ctx, args, output.Streams{In: strings.NewReader(""), Out: out, Err: out}, cli.Version{Release: "0", Whole: "0"})
}

// bootstrapKeystone makes an empty database whose users come from Keystone.
func bootstrapKeystone(t *testing.T) (database string) {
	t.Helper()
	database = "sqlite:" + filepath.Join(t.TempDir(), "fleet.db")
	var out strings.Builder
	status := program(t.Context(), &out, "server", "bootstrap", "--auth", "keystone", "--database", database)
	if want := database + " is ready; its users come from Keystone.\n"; status != 0 || out.String() != want {
		t.Fatalf("bootstrap: %d, %q, want %q", status, out.String(), want)
	}
	return database
}

// Settings that contradict each other are refused before anything is served.
func TestServerKeystoneSettings(t *testing.T) {
	t.Parallel()
	database := bootstrapKeystone(t)
	const secret = "the-secret"
	for _, c := range []struct{ args, want string }{
		{"--auth keystone", "--keystone-url"},
		{"--keystone-url http://127.0.0.1:1", "set --auth keystone too"},
		{"--auth ldap", "local, keystone"},
		{"--auth keystone --keystone-url keystone", "must be http(s)://"},
		{"--auth keystone --keystone-url http://127.0.0.1:1 --keystone-ca-path /missing", "/missing"},
		{"--auth keystone --keystone-url http://127.0.0.1:1 --keystone-username craton", "keystone_password"},
		{"--auth keystone --keystone-url http://127.0.0.1:1 --keystone-password " + secret, "keystone_username"},
		{"--auth keystone --keystone-url http://127.0.0.1:1 --keystone-application-credential-secret " + secret, "keystone_application_credential_id"},
		{"--auth keystone --keystone-url http://127.0.0.1:1 --keystone-username craton --keystone-password " + secret +
			" --keystone-application-credential-id id --keystone-application-credential-secret " + secret, "one of them"},
	} {
		var out strings.Builder
		args := append([]string{"server", "--database", database, "--listen", "127.0.0.1:0"}, strings.Fields(c.args)...)
		if status := program(t.Context(), &out, args...); status == 0 || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %d %s, want %s", c.args, status, out.String(), c.want)
		} else if strings.Contains(out.String(), secret) {
			t.Errorf("%s: the secret is shown: %s", c.args, out.String())
		}
	}
}

// serving is a `craton server` in this process.
type serving struct {
	url  string
	stop func() (log string, status int)
}

// serveWith starts a server, and waits until it serves.
func serveWith(t *testing.T, args ...string) serving {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		status := program(ctx, writer, append([]string{"server", "--listen", "127.0.0.1:0"}, args...)...)
		_ = writer.Close()
		ended <- status
	}()
	var log strings.Builder
	logged, url := make(chan struct{}), make(chan string, 1)
	go func() {
		defer close(logged)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			log.WriteString(lines.Text() + "\n")
			if m := regexp.MustCompile(`msg=serving url=(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
				url <- m[1]
			}
		}
	}()
	s := serving{stop: func() (string, int) {
		cancel()
		<-logged
		return log.String(), <-ended
	}}
	select {
	case s.url = <-url:
	case <-logged:
		t.Fatalf("the server ended with %d\n%s", <-ended, log.String())
	}
	return s
}

func (s serving) get(t *testing.T, path, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// The server behind Keystone, with a user of its own from a file, or none.
func TestServerKeystone(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	project, service, admin := k.Project(t, "team"), k.User(t, "craton"), k.User(t, "ann")
	k.Grant(t, service, project, "service")
	k.Grant(t, admin, project, "admin")
	token := k.Token(t, admin, project)

	config := filepath.Join(t.TempDir(), "config.yml")
	err := os.WriteFile(config, []byte("server:\n  auth: keystone\n  keystone_url: "+k.URL+"\n  keystone_username: "+service.Name+
		"\n  keystone_password: "+service.Password+"\n  keystone_project: "+project.Name+"\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args     []string
		projects int // the status of a list of all projects, which root may have
	}{
		"tokens ask for themselves": {[]string{"--auth", "keystone", "--keystone-url", k.URL}, http.StatusUnauthorized},
		"a user asks":               {[]string{"--config", config}, http.StatusUnauthorized},
		"root project":              {[]string{"--config", config, "--keystone-root-project", project.ID}, http.StatusOK},
		"root role":                 {[]string{"--config", config, "--keystone-root-roles", "observer, admin"}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveWith(t, append(c.args, "--database", bootstrapKeystone(t))...)
			if status, body := s.get(t, "/v1/clouds", token); status != http.StatusOK {
				t.Errorf("clouds: %d %s", status, body)
			}
			if status, body := s.get(t, "/v1/projects", token); status != c.projects {
				t.Errorf("projects: %d %s, want %d", status, body, c.projects)
			}
			if status, body := s.get(t, "/v1/clouds", "garbage"); status != http.StatusUnauthorized {
				t.Errorf("garbage: %d %s", status, body)
			}
			log, status := s.stop()
			if status != 0 {
				t.Errorf("the server ended with %d", status)
			}
			if !strings.Contains(log, "user="+admin.Name) || strings.Contains(log, token) || strings.Contains(log, service.Password) || strings.Contains(log, "WARN") {
				t.Errorf("the log must have the user, and no secret or warning:\n%s", log)
			}
		})
	}
}

// A server whose own credentials are wrong does not start; one whose Keystone is not there yet does.
func TestServerKeystoneAtStart(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	database := bootstrapKeystone(t)
	var out strings.Builder
	status := program(t.Context(), &out, "server", "--database", database, "--listen", "127.0.0.1:0", "--auth", "keystone",
		"--keystone-url", k.URL, "--keystone-username", openstacktest.AdminUser, "--keystone-password", "wrong-password")
	if status != 1 || !wording.Has(out.String(), "server's own credentials ... Keystone ... not accepted") || strings.Contains(out.String(), "wrong-password") {
		t.Errorf("wrong credentials: %d %s", status, out.String())
	}

	s := serveWith(t, "--database", database, "--auth", "keystone", "--keystone-url", "http://keystone.invalid:5000")
	if status, body := s.get(t, "/v1/clouds", "token"); status != http.StatusInternalServerError || !strings.Contains(body, "Keystone is unavailable") {
		t.Errorf("without Keystone: %d %s", status, body)
	}
	log, status := s.stop()
	if status != 0 {
		t.Errorf("the server ended with %d", status)
	}
	for _, want := range []string{"requests fail until Keystone", "tokens go to Keystone unencrypted", "no answer from Keystone at http://keystone.invalid:5000/v3"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}
