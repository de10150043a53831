package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/cli/export"
	"github.com/craton-fleet/craton/internal/fleettest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/server"
)

// program runs the command line on a fleet of its own.
type program struct{ url, config string }

func newProgram(t *testing.T) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{"sqlite:" + filepath.Join(dir, "fleet.db"), filepath.Join(dir, "config.yml")}
	if err := os.WriteFile(p.config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *program) run(t *testing.T, stdin string, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	s := output.Streams{In: strings.NewReader(stdin), Out: &o, Err: &e}
	code = cli.Run(t.Context(), append(args, "--config", p.config, "--craton-url", p.url), s, cli.Version{}, export.New(s))
	return o.String(), e.String(), code
}

func (p *program) must(t *testing.T, stdin string, args ...string) (out, errs string) {
	t.Helper()
	out, errs, code := p.run(t, stdin, args...)
	if code != 0 {
		t.Fatalf("%v: exit %d\n%s", args, code, errs)
	}
	return out, errs
}

// apply makes a fleet of hosts: each is a JSON object.
func (p *program) apply(t *testing.T, hosts []map[string]any) {
	t.Helper()
	for i, h := range hosts {
		if h["ip_address"] == nil {
			h["ip_address"] = fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)
		}
		if h["device_type"] == nil {
			h["device_type"] = "server"
		}
	}
	file, err := json.Marshal(map[string]any{"clouds": []any{map[string]any{"name": "east", "regions": []any{map[string]any{"name": "dfw", "hosts": hosts}}}}})
	if err != nil {
		t.Fatal(err)
	}
	p.must(t, string(file), "apply", "-")
}

// TestHostileNames: what stands in a file stands for the hosts that are in it, and every host is in it or is counted.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	var hosts []map[string]any
	for _, name := range append(slices.Clone(fleettest.Names), "web-01", "db.example.net") {
		hosts = append(hosts, map[string]any{"name": name})
	}
	p.apply(t, hosts)
	addresses := map[string]string{}
	for _, h := range hosts {
		addresses[h["name"].(string)] = h["ip_address"].(string)
	}
	left := func(errs string) (n int) {
		for _, m := range regexp.MustCompile(`(?m)^WARNING: (\d+) hosts? omitted: `).FindAllStringSubmatch(errs, -1) {
			var one int
			fmt.Sscan(m[1], &one)
			n += one
		}
		return n
	}

	t.Run("hosts", func(t *testing.T) {
		t.Parallel()
		out, errs := p.must(t, "", "export", "--format", "hosts")
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		for _, line := range lines {
			words := strings.Fields(strings.Split(line, "#")[0]) // as the C library reads it
			if len(words) != 2 || addresses[words[1]] != words[0] {
				t.Errorf("%q", line)
			}
			if strings.EqualFold(words[1], "localhost") || regexp.MustCompile(`^[0-9.]+$`).MatchString(words[1]) {
				t.Errorf("%q hides what it is not", line)
			}
		}
		if !strings.Contains(out, " web-01\n") || !strings.Contains(out, " db.example.net\n") || len(lines)+left(errs) != len(hosts) {
			t.Errorf("%d lines, %d left out, of %d\n%s\n%s", len(lines), left(errs), len(hosts), out, errs)
		}
	})

	t.Run("ssh-config", func(t *testing.T) {
		t.Parallel()
		out, errs := p.must(t, "", "export", "--format", "ssh-config")
		aliases := regexp.MustCompile(`(?m)^Host (.*)$`).FindAllStringSubmatch(out, -1)
		if len(aliases)+left(errs) != len(hosts) {
			t.Errorf("%d hosts, %d left out, of %d\n%s", len(aliases), left(errs), len(hosts), errs)
		}
		for line := range strings.Lines(out) {
			if !regexp.MustCompile(`^(?:Host|  HostName) [^ *?!]+\n$`).MatchString(line) {
				t.Errorf("%q", line)
			}
		}
		for _, name := range []string{"localhost", "127.0.0.1", "10.1", "1", "::1"} { // what must stay what it is
			if slices.ContainsFunc(aliases, func(m []string) bool { return strings.EqualFold(m[1], name) }) {
				t.Errorf("Host %s", name)
			}
		}
		ssh := newSSH(t, out)
		for _, m := range aliases {
			if got := ssh.options(t, m[1])["hostname"]; got != addresses[m[1]] {
				t.Errorf("%q: %q, want %q", m[1], got, addresses[m[1]])
			}
		}
		if got := ssh.options(t, "somewhere.else"); got["hostname"] != "somewhere.else" || got["proxycommand"] != "" {
			t.Errorf("another host: %v", got)
		}
	})

	t.Run("csv", func(t *testing.T) {
		t.Parallel()
		out, _ := p.must(t, "", "export", "--format", "csv", "--columns", "name,ip_address")
		checkCSV(t, out, func(rows [][]string) {
			if len(rows) != len(hosts)+1 {
				t.Errorf("%d rows", len(rows))
			}
			for _, row := range rows[1:] {
				if row[0] != "" && strings.ContainsRune("=+-@\t\r\uff1d", []rune(row[0])[0]) {
					t.Errorf("%q is a formula", row[0])
				}
				if addresses[strings.TrimPrefix(row[0], "'")] != row[1] && addresses[row[0]] != row[1] {
					t.Errorf("%q", row)
				}
			}
		})
	})

	t.Run("prometheus", func(t *testing.T) {
		t.Parallel()
		out, errs := p.must(t, "", "export", "--format", "prometheus", "--port", "9100")
		targets := readTargets(t, out)
		if len(targets) != len(hosts) || errs != "" {
			t.Errorf("%d targets\n%s", len(targets), errs)
		}
		for _, g := range targets {
			if want := addresses[g.Labels["host"]] + ":9100"; g.Targets[0] != want {
				t.Errorf("%v, want %s", g, want)
			}
		}
	})

	t.Run("fleet", func(t *testing.T) {
		t.Parallel()
		out, _ := p.must(t, "", "export")
		if again, _ := p.must(t, out, "apply", "--check", "-"); again != fmt.Sprintf("check: would create 0, update 0, leave %d unchanged\n", len(hosts)+2) {
			t.Error(again)
		}
	})

	t.Run("ansible", func(t *testing.T) { // as craton inventory: such a name stops it
		t.Parallel()
		out, errs, code := p.run(t, "", "export", "--format", "ansible")
		if code != 1 || out != "" || !strings.Contains(errs, "cannot be in the inventory") {
			t.Errorf("%d %q %s", code, out, errs)
		}
	})
}

// TestHostileValues: a variable that somebody else has set is a value, or nothing.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	variables := []string{"ansible_host", "ansible_user", "ansible_port", "ansible_ssh_private_key_file", "ansible_ssh_common_args", "metrics_port", "metrics_path", "metrics_scheme", "text"}
	var hosts []map[string]any
	names := map[string]any{}
	for i, text := range fleettest.Texts {
		for _, v := range variables {
			name := fmt.Sprintf("h%d-%s", i, strings.ReplaceAll(v, "_", "-"))
			names[name] = text
			hosts = append(hosts, map[string]any{"name": name, "variables": map[string]any{v: text}, "labels": []string{"l" + fmt.Sprint(i)}})
		}
	}
	hosts = append(hosts,
		map[string]any{"name": "good", "variables": map[string]any{"ansible_host": "host.example.net", "ansible_user": "deploy", "ansible_port": 2222, "ansible_ssh_private_key_file": "~/.ssh/fleet key"}},
		map[string]any{"name": "whole", "variables": map[string]any{"ansible_host": "2001:db8::1", "ansible_user": "deploy", "ansible_port": "22", "ansible_ssh_private_key_file": "~/.ssh/fleet", "ansible_ssh_common_args": "-o ProxyJump=j@bastion:2222"}})
	p.apply(t, hosts)

	t.Run("ssh-config", func(t *testing.T) {
		t.Parallel()
		out, errs := p.must(t, "", "export", "--format", "ssh-config")
		line := regexp.MustCompile(`^(?:Host|  (?:HostName|User|Port|IdentityFile|ProxyJump)) [^ "'\\%$*?!]+$`)
		for l := range strings.Lines(out) {
			if !line.MatchString(strings.TrimSuffix(l, "\n")) {
				t.Errorf("%q", l)
			}
		}
		ssh := newSSH(t, out)
		got := ssh.options(t, "whole")
		for key, want := range map[string]string{"hostname": "2001:db8::1", "user": "deploy", "port": "22", "identityfile": "~/.ssh/fleet", "proxyjump": "j@bastion:2222"} {
			if got[key] != want {
				t.Errorf("%s is %q, want %q", key, got[key], want)
			}
		}
		if strings.Contains(out, "Host good\n") || !strings.Contains(errs, "ansible_ssh_private_key_file as something else (") {
			t.Errorf("a path with a blank:\n%s", errs)
		}
		keys := map[string]string{"ansible-host": "hostname", "ansible-user": "user", "ansible-port": "port", "ansible-ssh-private-key-file": "identityfile"}
		asked := 0
		for _, m := range regexp.MustCompile(`(?m)^Host (h\d+-(.*))$`).FindAllStringSubmatch(out, -1) {
			key := keys[m[2]]
			if key == "" || names[m[1]] == "" {
				continue
			}
			asked++
			if got := ssh.options(t, m[1])[key]; !strings.EqualFold(got, names[m[1]].(string)) {
				t.Errorf("%s: %s is %q, and the variable %q", m[1], key, got, names[m[1]])
			}
		}
		if asked < 20 {
			t.Errorf("only %d hosts were asked for", asked)
		}
	})

	t.Run("csv", func(t *testing.T) {
		t.Parallel()
		out, _ := p.must(t, "", "export", "--format", "csv", "--columns", "name,vars.text")
		checkCSV(t, out, func(rows [][]string) {
			for _, row := range rows[1:] {
				want := ""
				if strings.HasSuffix(row[0], "-text") {
					want = names[row[0]].(string)
				}
				cell := row[1]
				if cell != "" && strings.ContainsRune("=+-@\t\r\n\uff1d", []rune(cell)[0]) {
					t.Errorf("%q is a formula", cell)
				}
				if strings.TrimPrefix(cell, "'") != want && cell != want {
					t.Errorf("%s: %q, want %q", row[0], cell, want)
				}
			}
		})
		out, _ = p.must(t, "", "export", "--format", "csv", "--columns", "name,vars.text", "--raw")
		checkCSV(t, out, func(rows [][]string) {
			for _, row := range rows[1:] {
				if strings.HasSuffix(row[0], "-text") && row[1] != names[row[0]] {
					t.Errorf("%q, want %q", row[1], names[row[0]])
				}
			}
		})
	})

	t.Run("prometheus", func(t *testing.T) {
		t.Parallel()
		out, errs := p.must(t, "", "export", "--format", "prometheus", "--port", "9100", "--labels", "text,__meta_user=ansible_user", "--address-variable", "ansible_host")
		targets := readTargets(t, out)
		if len(targets) != len(hosts) {
			t.Errorf("%d targets of %d", len(targets), len(hosts))
		}
		for _, g := range targets {
			host := g.Labels["host"]
			if text := names[host]; strings.HasSuffix(host, "-text") && g.Labels["text"] != text {
				t.Errorf("%v, want %q", g, text)
			}
			if path := g.Labels["__metrics_path__"]; path != "" && !regexp.MustCompile(`^/[!-~]*$`).MatchString(path) {
				t.Errorf("the path %q", path)
			}
			if !regexp.MustCompile(`^(?:[A-Za-z0-9_.-]+|\[[0-9a-f:]+\]):[1-9][0-9]*$`).MatchString(g.Targets[0]) {
				t.Errorf("the target %q", g.Targets[0])
			}
		}
		if !wording.Has(errs, "variable ... metrics_port ... not usable") {
			t.Errorf("nothing is said:\n%s", errs)
		}
	})

	t.Run("fleet", func(t *testing.T) {
		t.Parallel()
		out, _ := p.must(t, "", "export")
		if again, _ := p.must(t, out, "apply", "--check", "-"); again != fmt.Sprintf("check: would create 0, update 0, leave %d unchanged\n", len(hosts)+2) {
			t.Error(again)
		}
	})
}

// checkCSV reads a file as Go and Python read it, strictly.
func checkCSV(t *testing.T, text string, check func(rows [][]string)) {
	t.Helper()
	r := csv.NewReader(strings.NewReader(strings.ReplaceAll(text, "\r\n", "\n")))
	if _, err := r.ReadAll(); err != nil {
		t.Fatal(err)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		skip.Packages(t, "python3")
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", `import csv, io, json, sys
print(json.dumps(list(csv.reader(io.StringIO(sys.stdin.buffer.read().decode("utf-8"), newline=""), strict=True))))`)
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatal(err)
	}
	check(rows)
}

// ssh is the real one, with a configuration.
type ssh struct{ path, config string }

func newSSH(t *testing.T, config string) *ssh {
	t.Helper()
	path, err := exec.LookPath("ssh")
	if err != nil {
		skip.Packages(t, "openssh-client")
	}
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return &ssh{path, file}
}

// options returns what ssh would connect to a host with; of a repeated one the first.
func (s *ssh) options(t *testing.T, host string) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), s.path, "-F", s.config, "-G", "--", host).CombinedOutput()
	if err != nil {
		t.Fatalf("ssh -G %s: %v\n%s", host, err, out)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if _, twice := all[key]; !twice {
			all[key] = text
		}
	}
	return all
}

// targetGroup is one of Prometheus's discovery files.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// readTargets reads targets as strictly as their format is documented.
func readTargets(t *testing.T, text string) (groups []targetGroup) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&groups); err != nil || groups == nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, g := range groups {
		if len(g.Targets) != 1 || strings.Contains(g.Targets[0], "/") {
			t.Errorf("%v", g)
		}
		for name := range g.Labels {
			if !regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`).MatchString(name) {
				t.Errorf("the label %q", name)
			}
		}
	}
	return groups
}

// TestFormatsOfNothing: an empty fleet is an empty file of each format.
func TestFormatsOfNothing(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.must(t, "", "cloud-create", "--name", "gone")
	p.must(t, "", "cloud-delete", "gone", "--yes")
	for format, want := range map[string]string{"fleet": "clouds: []\n", "csv": "name\r\n", "ssh-config": "", "hosts": "", "prometheus": "[]\n"} {
		args := []string{"export", "--format", format}
		if format == "csv" {
			args = append(args, "--columns", "name")
		}
		if out, errs := p.must(t, "", args...); out != want || errs != "" {
			t.Errorf("%s: %q %q", format, out, errs)
		}
	}
}

// TestSameNames: of hosts with one name none is in a file that goes by names.
// A name must not lead to an address that only stands in for one.
func TestPlaceholders(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.apply(t, []map[string]any{
		{"name": "db.example.net", "ip_address": value.PlaceholderAddress("db.example.net"), "variables": map[string]any{"ansible_host": "db.example.net", "metrics_port": 9100}},
		{"name": "web", "ip_address": "10.0.0.1", "variables": map[string]any{"ansible_host": "10.9.0.1"}},
	})
	out, errs := p.must(t, "", "export", "--format", "hosts")
	if out != "10.0.0.1 web\n" || !strings.Contains(errs, "1 host omitted: ip_address is a placeholder") {
		t.Errorf("%s\n%s", out, errs)
	}
	out, errs = p.must(t, "", "export", "--format", "prometheus")
	if !strings.Contains(out, `{"targets":["db.example.net:9100"],`) || !strings.Contains(out, `{"targets":["10.0.0.1"],`) || errs != "" {
		t.Errorf("%s\n%s", out, errs)
	}
}

func TestSameNames(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.must(t, `{"clouds":[{"name":"e","regions":[{"name":"r","hosts":[{"name":"web","ip_address":"10.0.0.1","device_type":"x"},{"name":"one","ip_address":"10.0.0.3","device_type":"x"}]},{"name":"s","hosts":[{"name":"web","ip_address":"10.0.0.2","device_type":"x"}]}]}]}`, "apply", "-", "--allow-duplicates")
	for format, want := range map[string]string{"hosts": "10.0.0.3 one\n", "ssh-config": "Host one\n  HostName 10.0.0.3\n"} {
		out, errs := p.must(t, "", "export", "--format", format)
		if out != want || !wording.Has(errs, "2 hosts omitted: ... same name") {
			t.Errorf("%s: %q %s", format, out, errs)
		}
	}
}

// TestExportPast: a state of the past is exported as it was.
func TestExportPast(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.apply(t, []map[string]any{{"name": "a"}})
	before, _ := p.must(t, "", "export")
	revision := p.revision(t)
	p.apply(t, []map[string]any{{"name": "a", "variables": map[string]any{"x": 1}}, {"name": "b"}})
	if now, _ := p.must(t, "", "export"); now == before {
		t.Fatal(now)
	}
	if past, errs := p.must(t, "", "export", "--at", revision); past != before || !strings.HasPrefix(errs, "As of revision ") {
		t.Errorf("%s\n%s", past, errs)
	}
	if past, _ := p.must(t, "", "export", "--at", revision, "--format", "csv", "--columns", "name,vars.x"); past != "name,vars.x\r\na,\r\n" {
		t.Errorf("%q", past)
	}
}

// revision returns where the change log ends.
func (p *program) revision(t *testing.T) string {
	t.Helper()
	s, err := server.Open(t.Context(), p.url, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	h, err := s.Embedded(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/capabilities", nil))
	var caps craton.Capabilities
	if err := json.Unmarshal(w.Body.Bytes(), &caps); err != nil {
		t.Fatal(err)
	}
	return caps.Revision
}

// TestWhere: each format has the hosts that are meant, and what they need.
func TestWhere(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.must(t, `{"project":{"variables":{"p":1}},"clouds":[{"name":"e","regions":[{"name":"r","variables":{"ntp":"a"},"cells":[{"name":"c"}],
		"hosts":[{"name":"web","ip_address":"10.0.0.1","device_type":"x","labels":["web"],"parent":"kvm"},{"name":"db","ip_address":"10.0.0.2","device_type":"x"},{"name":"kvm","ip_address":"10.0.0.3","device_type":"x"}]}]},{"name":"w"}]}`, "apply", "-")
	for format, want := range map[string]string{
		"hosts":      "10.0.0.1 web\n",
		"csv":        "name\r\nweb\r\n",
		"ssh-config": "Host web\n  HostName 10.0.0.1\n",
		"prometheus": `[
{"targets":["10.0.0.1"],"labels":{"__meta_craton_active":"true","__meta_craton_label_web":"true","__meta_craton_labels":",web,","cloud":"e","device_type":"x","host":"web","region":"r"}}
]
`,
		"fleet": `project:
  variables:
    p: 1
clouds:
  - name: e
    regions:
      - name: r
        variables:
          ntp: a
        hosts:
          - name: kvm
            ip_address: 10.0.0.3
            device_type: x
          - name: web
            ip_address: 10.0.0.1
            device_type: x
            labels:
              - web
            parent: kvm
`,
	} {
		args := []string{"export", "--format", format, "--where", "label=web ntp=a"}
		if format == "csv" {
			args = append(args, "--columns", "name")
		}
		if out, errs := p.must(t, "", args...); out != want || errs != "" {
			t.Errorf("%s: %s\n%s", format, out, errs)
		}
	}
	out, _ := p.must(t, "", "export", "--format", "ansible", "--where", "name=web")
	for _, name := range []string{"db:", "cloud_w:", "kvm:"} {
		if strings.Contains(out, name) {
			t.Errorf("it has %s\n%s", name, out)
		}
	}
	if out, errs := p.must(t, "", "export", "--format", "hosts", "--where", "name=none"); out != "" || errs != "WARNING: no host matches --where\n" {
		t.Errorf("%q %q", out, errs)
	}
	if _, errs, code := p.run(t, "", "export", "--where", "name=\""); code != 2 || !strings.Contains(errs, "argument --where: ") {
		t.Errorf("%d %s", code, errs)
	}
}

// TestPageByPage: of a server that has nothing beside v1 the same is written.
func TestPageByPage(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.must(t, `{"project":{"variables":{"p":1}},"clouds":[{"name":"e","variables":{"ntp":"a"},"regions":[{"name":"r","cells":[{"name":"c","hosts":[{"name":"web","ip_address":"10.0.0.1","device_type":"x","labels":["web"],"parent":"sw",
		"interfaces":[{"name":"eth0","interface_type":"x","ip_address":"10.0.0.1","network":"n","speed":7,"variables":{"i":[1]}}]}]}],
		"networks":[{"name":"n","cidr":"10.0.0.0/8","gateway":"10.0.0.1","netmask":"255.0.0.0","cell":"c","variables":{"v":null}}],
		"network_devices":[{"name":"sw","ip_address":"10.0.0.9","device_type":"y","os_version":"1","labels":["l"]}],"hosts":[{"name":"db","ip_address":"10.0.0.2","device_type":"x","active":false,"note":"n"}]}]}]}`, "apply", "-")
	s, err := server.Open(t.Context(), p.url, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	whole, err := s.Embedded(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/capabilities" || r.URL.Path == "/v1/fleet" || r.URL.Query().Has("where") {
			http.NotFound(w, r)
			return
		}
		whole.ServeHTTP(w, r)
	}))
	t.Cleanup(bare.Close)
	old := &program{bare.URL, p.config}
	w := httptest.NewRecorder()
	whole.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/projects", nil))
	credentials := []string{"--os-username", "x", "--os-password", "x", "--os-project-id", regexp.MustCompile(`[0-9a-f-]{36}`).FindString(w.Body.String())}
	for _, args := range [][]string{{"--format", "fleet"}, {"--format", "fleet", "--where", "label=web ntp=a vars.p=1"}, {"--format", "prometheus", "--labels", "p,ntp"}, {"--format", "ansible", "--where", "name=d*"}} {
		want, _ := p.must(t, "", append([]string{"export"}, args...)...)
		got, errs := old.must(t, "", slices.Concat([]string{"export"}, args, credentials)...)
		if got != want || errs != "" || !strings.Contains(want, "10.0.0.") {
			t.Errorf("%v:\n%s\nwant\n%s\n%s", args, got, want, errs)
		}
	}
}

// TestMistakes: what cannot be meant is refused before anything is read, and a file that cannot be written is left as
// it was.
func TestMistakes(t *testing.T) {
	t.Parallel()
	p := &program{"sqlite:" + filepath.Join(t.TempDir(), "none.db"), os.DevNull}
	for args, want := range map[string]string{
		"--format json":                         "invalid choice: 'json'",
		"--columns name":                        "argument --columns: only allowed with --format csv",
		"--format hosts --port 1":               "argument --port: only allowed with --format prometheus",
		"--format csv --columns nme":            `column "nme" ... "name"`,
		"--format csv --columns vars.":          `unknown column "vars."`,
		"--format prometheus --port 0":          `"0" is not a port`,
		"--format prometheus --labels cloud":    "two labels would be called cloud",
		"--format prometheus --labels __name=x": "__name ... Prometheus's own",
		"extra":                                 "unrecognized arguments: extra",
	} {
		out, errs, code := p.run(t, "", append([]string{"export"}, strings.Fields(args)...)...)
		if code != 2 || out != "" || !wording.Has(errs, want) {
			t.Errorf("%s: %d %q %s", args, code, out, errs)
		}
	}
	kept := filepath.Join(t.TempDir(), "kept.yml")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := p.run(t, "", "export", "--output", kept); code != 1 {
		t.Errorf("a fleet that is not there: %d %s", code, errs)
	}
	if text, err := os.ReadFile(kept); err != nil || string(text) != "kept" {
		t.Errorf("%q %v", text, err)
	}
}
