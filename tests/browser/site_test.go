package browser_test

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/craton-fleet/craton/craton"
)

// site is a page that the program serves, and the command line of who has its fleet.
type site struct {
	dir string
	env []string
	// base is the URL below which pages live, with a slash at its end.
	base string
	// entry is the address that works once, of craton ui.
	entry string
}

// newSite is a fleet that is not served yet.
func newSite() (*site, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		return nil, err
	}
	return &site{dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "CRATON_CONFIG=" + config, "CRATON_URL=sqlite:" + filepath.Join(dir, "fleet.db"), "LC_ALL=C.UTF-8", "TZ=UTC",
	}}, nil
}

// run runs the program.
func (s *site) run(args ...string) (string, error) {
	craton, err := program()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(craton, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("craton %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// apply makes a fleet file true.
func (s *site) apply(fleet string, args ...string) error {
	file := filepath.Join(s.dir, "fleet.yml")
	if err := os.WriteFile(file, []byte(fleet), 0o600); err != nil {
		return err
	}
	_, err := s.run(append([]string{"apply", file}, args...)...)
	return err
}

// start runs the program until all tests have ended, and gives the first match in what it prints.
func (s *site) start(match *regexp.Regexp, args ...string) (string, error) {
	craton, err := program()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(craton, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		return "", err
	}
	_ = w.Close()
	found, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		var all strings.Builder
		for lines := bufio.NewScanner(r); lines.Scan(); {
			fmt.Fprintln(&all, lines.Text())
			if m := match.FindString(lines.Text()); m != "" && cap(found) > len(found) {
				found <- m
			}
		}
		if cap(found) > len(found) {
			found <- "\x00" + all.String()
		}
	}()
	atEnd(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		_ = cmd.Wait()
	})
	text := <-found
	if said, gone := strings.CutPrefix(text, "\x00"); gone {
		return "", fmt.Errorf("craton %s has ended: %s", strings.Join(args, " "), said)
	}
	return text, nil
}

// look serves the page of the fleet to this user: craton ui.
func (s *site) look() (err error) {
	if s.entry, err = s.start(regexp.MustCompile(`http://127\.0\.0\.1:\S+`), "ui", "--no-open"); err == nil {
		s.base, _, _ = strings.Cut(s.entry, "enter?")
	}
	return err
}

// origin is the scheme, host and port of the site.
func (s *site) origin() string {
	u, err := url.Parse(s.base)
	if err != nil {
		return err.Error()
	}
	return u.Scheme + "://" + u.Host
}

// newUI is craton ui over a fleet file.
func newUI(fleet string) (*site, error) {
	s, err := newSite()
	if err != nil {
		return nil, err
	}
	if err := s.apply(fleet); err != nil {
		return nil, err
	}
	return s, s.look()
}

// shop is craton ui over examples/fleet.yml, in which somebody has changed some things since: for all tests that only
// look.
var shop = sync.OnceValues(newShop)

func newShop() (*site, error) {
	text, err := os.ReadFile(filepath.Join(root, "examples", "fleet.yml"))
	if err != nil {
		return nil, err
	}
	s, err := newUI(string(text))
	if err != nil {
		return nil, err
	}
	return s, s.live()
}

// live changes some things of the shop, as days go by.
func (s *site) live() error {
	for _, words := range [][]string{
		{"host-vars-set", "web-ams1", "role=frontend", "workers=16", "--message", "twice the memory since Monday"},
		{"host-vars-set", "web-ams2", "role=frontend", `ntp_servers=["10.10.20.9"]`, "--message", "its own clock, until the switch is mended"},
		{"host-vars-set", "web-ams1", "workers=24"},
		{"region-vars-set", "ams", "dns_servers=[\"10.10.0.53\", \"10.10.0.54\"]", "--message", "the second resolver"},
	} {
		if _, err := s.run(words...); err != nil {
			return err
		}
	}
	return nil
}

// need gives a site that tests share.
func need(t testing.TB, s func() (*site, error)) *site {
	t.Helper()
	needBrowser(t)
	got, err := s()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// team is craton server, whose users sign in.
type team struct {
	*site
	root    *craton.Client
	project string
	key     string // of the user bootstrap
}

// newTeam is a server on an empty database.
func newTeam(t testing.TB) *team {
	t.Helper()
	needBrowser(t)
	s, err := newSite()
	if err != nil {
		t.Fatal(err)
	}
	database := "sqlite:" + filepath.Join(s.dir, "server.db")
	out, err := s.run("server", "bootstrap", "--database", database)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^ProjectId: (.+)\nUsername: bootstrap\nAPIKey: (.+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatal(out)
	}
	url, err := s.start(regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`), "server", "--database", database, "--listen", "127.0.0.1:0", "--log-format", "json")
	if err != nil {
		t.Fatal(err)
	}
	s.base = url + "/ui/"
	tm := &team{site: s, project: m[1], key: m[2]}
	if tm.root, err = craton.New(url, craton.WithLocalAuth("bootstrap", tm.key, tm.project)); err != nil {
		t.Fatal(err)
	}
	tm.as("bootstrap", tm.key, tm.project)
	return tm
}

// as runs the command line as a user from now on.
func (tm *team) as(user, key, project string) {
	url, _, _ := strings.Cut(tm.base, "/ui/")
	keep := tm.env[:0:0]
	for _, one := range tm.env {
		if !strings.HasPrefix(one, "CRATON_URL=") && !strings.HasPrefix(one, "OS_") {
			keep = append(keep, one)
		}
	}
	tm.env = append(keep, "CRATON_URL="+url, "OS_USERNAME="+user, "OS_PASSWORD="+key, "OS_PROJECT_ID="+project)
}

// member is a user of a project.
type member struct{ name, key, project string }

// project makes a project with a user, whose role is a word of the API, "" for the usual one.
func (tm *team) user(t testing.TB, name, project string, role craton.Role) member {
	t.Helper()
	u, err := tm.root.Users.Create(t.Context(), craton.UserCreate{Username: name, ProjectID: project, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return member{name, string(u.APIKey), project}
}
