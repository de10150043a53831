package main_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/server"
)

// patient is a craton server with a fleet, for doctors to look at.
type patient struct {
	handler              http.Handler
	project, key, member string // the project's id, and the keys of root and of a member
	admin                string
	reader, limited      string // the keys of a reader, and of a member whose key may only read
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	ctx := t.Context()
	s, err := server.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true, Version: "9.8.7"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b, err := s.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p := &patient{handler: s.Handler(), project: b.ProjectID, key: b.APIKey}
	web := httptest.NewServer(p.handler)
	defer web.Close()
	c, err := craton.New(web.URL, craton.WithLocalAuth(b.Username, b.APIKey, b.ProjectID))
	if err != nil {
		t.Fatal(err)
	}
	var fleet strings.Builder
	fleet.WriteString("clouds: [{name: c, regions: [{name: r, hosts: [\n")
	for i := range 12 {
		fmt.Fprintf(&fleet, "{name: h%d, ip_address: 10.0.0.%d, device_type: x},\n", i, i)
	}
	fleet.WriteString("]}]}]\n")
	file, err := fleetfile.Parse("fleet.yml", strings.NewReader(fleet.String()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fleetfile.Apply(ctx, c, file, fleetfile.Options{}); err != nil {
		t.Fatal(err)
	}
	for name, admin := range map[string]bool{"member": false, "admin": true} {
		u, err := c.Users.Create(ctx, craton.UserCreate{Username: name, ProjectID: p.project, IsAdmin: admin})
		if err != nil {
			t.Fatal(err)
		}
		if admin {
			p.admin = string(u.APIKey)
		} else {
			p.member = string(u.APIKey)
			limited, err := c.Users.CreateKey(ctx, u.ID, craton.UserKeyCreate{Name: "reads", Role: craton.RoleReader})
			if err != nil {
				t.Fatal(err)
			}
			p.limited = string(limited.Key)
		}
	}
	u, err := c.Users.Create(ctx, craton.UserCreate{Username: "reader", ProjectID: p.project})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Users.SetRole(ctx, u.ID, craton.RoleReader); err != nil {
		t.Fatal(err)
	}
	p.reader = string(u.APIKey)
	return p
}

// env returns the settings of a client of the patient, as root.
func (p *patient) env(url string, more ...string) []string {
	return append([]string{"CRATON_URL=" + url, "OS_USERNAME=bootstrap", "OS_PASSWORD=" + p.key, "OS_PROJECT_ID=" + p.project, "CRATON_RETRIES=0"}, more...)
}

// diagnosis is what a doctor found: "status: message -> advice" of each check, those of one name joined by newlines.
type diagnosis map[string]string

// examine runs craton doctor in a clean environment without Ansible, as text and as JSON. Both must say the same and
// neither a secret; the exit status must be 1 if there is a problem, else 0.
func examine(t *testing.T, env []string, secrets ...string) diagnosis {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) (stdout string, code int) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), append([]string{"doctor"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append([]string{"PATH=" + dir, "HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, env...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if (errs.Len() > 0) != (cmd.ProcessState.ExitCode() != 0) {
			t.Errorf("exit %d, stderr %q", cmd.ProcessState.ExitCode(), &errs)
		}
		for _, e := range env {
			if key, ok := strings.CutPrefix(e, "OS_PASSWORD="); ok && key != "" {
				secrets = append(secrets, key)
			}
		}
		for _, s := range secrets {
			if strings.Contains(out.String()+errs.String(), s) {
				t.Errorf("a secret is shown:\n%s%s", &out, &errs)
			}
		}
		return out.String(), cmd.ProcessState.ExitCode()
	}
	text, code := run("--format", "json")
	var doc struct {
		Status             string
		Problems, Warnings int
		Checks             []struct{ Check, Status, Message, Advice string }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	shown, code2 := run()
	d := diagnosis{}
	count := map[string]int{}
	for _, c := range doc.Checks {
		count[c.Status]++
		line := c.Status + ": " + c.Message
		if c.Advice != "" {
			line += " -> " + c.Advice
		}
		if d[c.Check] != "" {
			line = d[c.Check] + "\n" + line
		}
		d[c.Check] = line
		if (c.Advice != "") != (c.Status == "problem" || c.Status == "warning") {
			t.Errorf("%s: advice does not go with status: %s", c.Check, line)
		}
		if c.Status == "problem" && !strings.Contains(shown, "problem  "+c.Check+": ") {
			t.Errorf("the text lacks the problem %s:\n%s", c.Check, shown)
		}
	}
	if count["problem"] != doc.Problems || count["warning"] != doc.Warnings || (doc.Problems > 0) != (code == 1) || code != code2 {
		t.Errorf("problems %d, warnings %d, exit %d and %d:\n%s", doc.Problems, doc.Warnings, code, code2, text)
	}
	return d
}

// expect compares some checks with patterns.
func (d diagnosis) expect(t *testing.T, want map[string]string) {
	t.Helper()
	for check, pattern := range want {
		if !regexp.MustCompile(`(?s)^` + pattern).MatchString(d[check]) {
			t.Errorf("%s: %s\nwant %s", check, d[check], pattern)
		}
	}
	if t.Failed() {
		for _, check := range slices.Sorted(maps.Keys(d)) {
			t.Logf("%s: %s", check, d[check])
		}
	}
}

// TestDoctorHealthy: everything about a server over https with a certificate of an own authority is ok, for each role;
// only Ansible is not there.
func TestDoctorHealthy(t *testing.T) {
	t.Parallel()
	p, ca := newPatient(t), newAuthority(t)
	url := listen(t, p.handler, &tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}})
	for role, c := range map[string]struct{ user, key, want string }{
		"root":                              {"bootstrap", p.key, `ok: user bootstrap, project bootstrap \(` + p.project + `\), role root$`},
		"admin":                             {"admin", p.admin, `ok: user admin, project bootstrap \(` + p.project + `\), role admin$`},
		"member":                            {"member", p.member, `ok: user member, project ` + p.project + `, role member$`},
		"reader":                            {"reader", p.reader, `ok: user reader, project ` + p.project + `, role reader$`},
		"a member's key that may only read": {"member", p.limited, `ok: user member, project ` + p.project + `, role reader$`},
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			d := examine(t, p.env(url+"/v1/", "CRATON_CA_PATH="+ca.file, "OS_USERNAME="+c.user, "OS_PASSWORD="+c.key))
			d.expect(t, map[string]string{
				"settings":           "ok: no configuration file; looked for .*/craton/config.yml and /etc/craton/config.yml$",
				"url":                "ok: " + url + `/v1 \(environment CRATON_URL\)$`,
				"connection":         `ok: 127\.0\.0\.1:\d+ \(127\.0\.0\.1:\d+\)$`,
				"certificate":        `ok: .*CN=craton test.* 20\d\d.*, TLS 1\.3$`,
				"api":                `ok: craton server 9\.8\.7, responds in [\d.]+m?s$`,
				"clock":              "ok: ",
				"credentials":        c.want,
				"pages":              `ok: .*10 .*100 .*12 hosts in [\d.]+m?s$`,
				"inventory settings": "ok: all settings have",
				"inventory":          `ok: 12 hosts, 3 groups, in [\d.]+m?s$`,
				"duplicates":         "ok: ",
				"cached inventory":   "ok: ",
				"ansible":            "warning: ansible-playbook .*PATH.* -> .*ansible-core",
				"collection":         "skipped: Ansible was not found$",
			})
		})
	}
}

// TestDoctorAnswers: what answers that is no healthy Craton API is told apart.
func TestDoctorAnswers(t *testing.T) {
	t.Parallel()
	p, ca := newPatient(t), newAuthority(t)
	always := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Server", "front/1.0")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		env     []string
		want    map[string]string
	}{
		"healthy": {p.handler.ServeHTTP, nil, map[string]string{"api": "ok: craton server 9.8.7", "inventory": "ok: 12 hosts"}},
		"the original": {
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Server", "WSGIServer/0.2 CPython/3.6.9")
				if r.URL.Path == "/healthz" { // authentication comes before routing there
					always(401, "application/json", `{"message": "Project ID ('None') is not a valid UUID", "status": 401}`)(w, r)
					return
				}
				p.handler.ServeHTTP(w, r)
			}, nil,
			map[string]string{"api": `ok: the original Craton server \(WSGIServer/0.2 CPython/3.6.9\)`, "inventory": "ok"},
		},
		"a web page": {
			always(200, "text/html", "<html>Welcome</html>"), nil,
			map[string]string{
				"connection": "ok", "api": `problem: .*http://127.0.0.1:\d+/v1 \(front/1.0\) .*not a Craton API.* 200 text/html -> .*CRATON_URL`,
				"clock": "skipped: .*not a Craton API", "inventory": "skipped",
			},
		},
		"other JSON":   {always(200, "application/json", `{"versions": []}`), nil, map[string]string{"api": "problem: .* is not a Craton API: 200 application/json"}},
		"no such path": {always(404, "application/json", `{"message": "no", "status": 404}`), nil, map[string]string{"api": "problem: .* is not a Craton API: 404"}},
		"backend down": {always(502, "text/html", "Bad Gateway"), nil, map[string]string{"api": `problem: a proxy .*\(front/1.0\).* 502 Bad Gateway -> .*server behind it`}},
		"redirect": {
			func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://u:hush-in-location@craton.example/v1/clouds?key=hush-in-location", http.StatusMovedPermanently)
			}, nil,
			map[string]string{"api": "problem: .*redirects to https://craton.example/v1/clouds -> .*CRATON_URL"},
		},
		"open to everyone": {
			func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("X-Auth-User", "member")
				r.Header.Set("X-Auth-Token", p.member)
				r.Header.Set("X-Auth-Project", p.project)
				p.handler.ServeHTTP(w, r)
			}, nil,
			map[string]string{"api": "warning: craton server 9.8.7,.* without credentials -> .*require", "inventory": "ok"},
		},
		"other time": {
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(-10*time.Minute).UTC().Format(http.TimeFormat))
				p.handler.ServeHTTP(w, r)
			}, nil,
			map[string]string{"clock": `warning: this machine's clock .*(9m59s|10m\d*s) ahead of .*server.* -> .*time server`, "inventory": "ok"},
		},
		"its own page size": {
			func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/hosts") { // as of a cache that does not look at the query
					r.URL.RawQuery = "limit=100"
				}
				p.handler.ServeHTTP(w, r)
			}, nil,
			map[string]string{"pages": "problem: .* 10 hosts.* (12|100) -> .*prox(y|ies)", "inventory": "skipped"},
		},
		"wrong key": {
			p.handler.ServeHTTP, []string{"OS_PASSWORD=hush-wrong"},
			map[string]string{"credentials": "problem: .*refuses the credentials.*401.* -> .*OS_USERNAME, OS_PASSWORD", "pages": "skipped: .*credentials"},
		},
		"no UUID": {p.handler.ServeHTTP, []string{"OS_PROJECT_ID=ops"}, map[string]string{"credentials": "problem: .*not a valid UUID.* -> "}},
		"no credentials": {
			p.handler.ServeHTTP, []string{"OS_USERNAME=", "OS_PASSWORD="},
			map[string]string{"credentials": "problem: .*OS_USERNAME, OS_PASSWORD", "pages": "skipped"},
		},
		"no role": {
			func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Auth-User") == "" {
					p.handler.ServeHTTP(w, r)
					return
				}
				always(401, "application/json", `{"message": "This action requires the 'admin' role", "status": 401}`)(w, r)
			}, nil,
			map[string]string{"credentials": "problem: .*credentials are valid"},
		},
		"inventory settings": {
			p.handler.ServeHTTP, []string{"CRATON_INVENTORY_FACTS=a-b"},
			map[string]string{"inventory settings": "problem: facts .*variable.* -> `craton config`", "inventory": "skipped", "pages": "ok"},
		},
		"bad inventory setting": {
			p.handler.ServeHTTP, []string{"CRATON_INVENTORY_VARS=melted"},
			map[string]string{"inventory settings": "problem: environment CRATON_INVENTORY_VARS: vars .*one of", "inventory": "skipped", "pages": "ok"},
		},
		"filters nothing through": {
			p.handler.ServeHTTP, []string{"CRATON_INVENTORY_VARS_FILTER=nothing:1"},
			map[string]string{"inventory": "warning: no hosts, .* -> add hosts.*vars_filter=nothing:1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := httptest.NewServer(c.handler)
			t.Cleanup(web.Close)
			examine(t, p.env(web.URL, c.env...), "hush-in-location").expect(t, c.want)
		})
	}
	t.Run("http to https", func(t *testing.T) {
		t.Parallel()
		url := listen(t, p.handler, &tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}})
		examine(t, p.env(strings.Replace(url, "https:", "http:", 1))).expect(t, map[string]string{"api": "problem: .*https only -> .*https://"})
	})
	t.Run("https to http", func(t *testing.T) {
		t.Parallel()
		web := httptest.NewServer(p.handler)
		t.Cleanup(web.Close)
		examine(t, p.env(strings.Replace(web.URL, "http:", "https:", 1))).expect(t, map[string]string{
			"connection": "ok", "certificate": "problem: .*not use TLS -> .*http://"})
	})
	t.Run("through a proxy", func(t *testing.T) {
		t.Parallel()
		proxy := httptest.NewServer(p.handler) // of http:// a proxy is asked as the server is
		t.Cleanup(proxy.Close)
		d := examine(t, p.env("http://craton.example:7780", "HTTP_PROXY="+strings.Replace(proxy.URL, "//", "//u:hush-proxy@", 1)), "hush-proxy")
		d.expect(t, map[string]string{
			"url":        "warning: http://craton.example:7780/v1: .*key or token .*unencrypted -> .*https",
			"connection": `ok: craton.example:7780, through the proxy ` + proxy.URL + ` \(127\.0\.0\.1:\d+\)$`,
			"inventory":  "ok: 12 hosts",
		})
	})
}

// TestDoctorUnreachable: URLs that lead nowhere.
func TestDoctorUnreachable(t *testing.T) {
	t.Parallel()
	const free = "127.0.0.1:1" // a port that is free now may be another test's in a moment
	for name, c := range map[string]struct {
		url  string
		want map[string]string
	}{
		"nothing listens": {
			"http://" + free,
			map[string]string{"connection": "problem: .*" + free + ".*connection refused -> start the server", "api": "skipped: not connected$", "inventory settings": "ok", "inventory": "skipped"},
		},
		"no such name":  {"http://no-such-host.invalid:7780", map[string]string{"connection": `problem: .*no-such-host\.invalid (does not exist|cannot be looked up)`}},
		"not set":       {"", map[string]string{"url": "problem: CRATON_URL .*not set.* -> set CRATON_URL", "api": "skipped: .*no URL", "inventory": "skipped"}},
		"no scheme":     {"craton.example:7780", map[string]string{"url": `problem: craton.example:7780 \(environment CRATON_URL\) .*not .*URL.* -> .*CRATON_URL .*http://craton.example:7780.* https://craton.example:7780`}},
		"two slashes":   {"sqlite://fleet.db", map[string]string{"url": `problem: sqlite://fleet.db .* -> .*CRATON_URL .*sqlite:fleet.db$`}},
		"url as file":   {"sqlite:http://u:hush-in-url@craton.example", map[string]string{"url": `problem: sqlite:http://\*+@craton.example .* -> .*CRATON_URL .*http://\*+@craton.example$`}},
		"with a query":  {"http://127.0.0.1/v1?key=hush-in-url", map[string]string{"url": "problem: .*query"}},
		"a database":    {"postgres://u:hush-in-url@db/craton", map[string]string{"url": "problem: CRATON_URL .*database.* -> .*serve"}},
		"with password": {"http://u:hush-in-url@" + free, map[string]string{"url": `warning: http://` + free + `/v1 \(environment CRATON_URL\) .*user`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			examine(t, []string{"CRATON_URL=" + c.url, "OS_USERNAME=u", "OS_PASSWORD=hush-key", "OS_PROJECT_ID=5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"}, "hush-in-url").expect(t, c.want)
		})
	}
}
