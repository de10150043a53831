package collection_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/skip"
)

// rulebookVersion is the ansible-rulebook of the package index that everybody runs.
const rulebookVersion = "1.3.2"

// rulebookVariable makes tests fail, not skip, where there is no Java: "required".
const rulebookVariable = "CRATON_TEST_RULEBOOK"

// logged is what a process has printed until now.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// process is one that runs beside a test.
type process struct {
	cmd  *exec.Cmd
	out  logged
	done chan struct{}
}

func (h *home) start(t *testing.T, dir string, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = filepath.Join(h.dir, dir), append(slices.Clone(h.env), env...), &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() { p.stop(syscall.SIGKILL) })
	return p
}

func (p *process) stop(s syscall.Signal) {
	_ = p.cmd.Process.Signal(s)
	<-p.done
}

// eventually waits for what a process does.
func eventually(t *testing.T, p *process, what string, has func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !has(); time.Sleep(50 * time.Millisecond) {
		select {
		case <-p.done:
			t.Fatalf("it ended, and not: %s\n%s", what, &p.out)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("not: %s\n%s", what, &p.out)
		}
	}
}

// secured is a craton server with TLS at a port that it has again when it is started again.
type secured struct {
	server
	h                     *home
	port, cert, key, file string
	process               *process
}

func (h *home) secure(t *testing.T) *secured {
	t.Helper()
	craton, err := program()
	if err != nil {
		t.Fatal(err)
	}
	made := httptest.NewTLSServer(http.NotFoundHandler()) // its certificate is for 127.0.0.1
	made.Close()
	key, err := x509.MarshalPKCS8PrivateKey(made.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &secured{h: h, file: "sqlite:" + filepath.Join(h.dir, "server.db"), port: strconv.Itoa(free.Addr().(*net.TCPAddr).Port),
		cert: h.write(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate().Raw}))),
		key:  h.write(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))}
	_ = free.Close()
	out := h.run(t, craton, "server", "bootstrap", "--database", s.file)
	m := regexp.MustCompile(`(?m)^ProjectId: (.+)\nUsername: (.+)\nAPIKey: (.+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatal(out)
	}
	s.server = server{url: "https://127.0.0.1:" + s.port, project: m[1], username: m[2], password: m[3]}
	return s
}

func (s *secured) run(t *testing.T) {
	t.Helper()
	craton, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s.process = s.h.start(t, "", nil, craton, "server", "--listen", "127.0.0.1:"+s.port, "--database", s.file, "--tls-cert", s.cert, "--tls-key", s.key)
	eventually(t, s.process, "the server serves", func() bool { return strings.Contains(s.process.out.String(), s.url) })
}

// told are the events that ansible-rulebook printed.
type told struct {
	Revision      int
	Kind, Name    string
	Hosts         []string
	Repeated      bool
	Action, After string
}

var toldLine = regexp.MustCompile(`(?m)^TOLD (.*)$`)

func events(t *testing.T, p *process) (all []told) {
	t.Helper()
	for _, m := range toldLine.FindAllStringSubmatch(p.out.String(), -1) {
		var e told
		if err := json.Unmarshal([]byte(m[1]), &e); err != nil {
			t.Fatalf("%s: %v", m[1], err)
		}
		all = append(all, e)
	}
	return all
}

// TestRulebook: a real ansible-rulebook runs the rulebook of examples/eda on a real server: in the order of the
// changes, on the hosts that feel them, and on no others. Nothing is missed where it is killed, where the server is
// away, or where both are; and nothing of what a fleet holds is executed.
func TestRulebook(t *testing.T) {
	if os.Getenv("CRATON_TEST_SANITY") == "" {
		t.Skip("needs a package index: `make sanity` runs it")
	}
	if err := exec.Command("java", "-version").Run(); err != nil {
		if os.Getenv(rulebookVariable) == "required" {
			t.Fatal(err)
		}
		skip.Packages(t, "openjdk-17-jre-headless")
	}
	withAnsible(t, func(t *testing.T, h *home) {
		h.onlyNewest(t)
		bin := h.packages(t, "rulebook", "ansible-rulebook=="+rulebookVersion)
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(h.dir, "eda"), os.DirFS(filepath.Join(root, "examples", "eda"))); err != nil {
			t.Fatal(err)
		}
		marks := filepath.Join(h.dir, "marks")
		for _, dir := range []string{marks, filepath.Join(h.dir, "conf")} {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		s := h.secure(t)
		s.run(t)
		client := append(s.env(), "CRATON_CA_PATH="+s.cert)
		var hosts []any
		for n := range 4 {
			name := fmt.Sprintf("web-%d", n)
			v := map[string]any{"ntp_sources": filepath.Join(h.dir, "conf", name)}
			if n == 3 {
				v["ntp_server"] = "own.example.net"
			}
			hosts = append(hosts, map[string]any{"name": name, "ip_address": fmt.Sprintf("10.0.0.%d", n+1), "device_type": "server", "variables": v})
		}
		region := map[string]any{"name": "dfw", "hosts": hosts}
		fleet, err := json.Marshal(map[string]any{
			"project": map[string]any{"variables": map[string]any{"ansible_connection": "local", "ansible_python_interpreter": filepath.Join(bin, "python3")}},
			"clouds":  []any{map[string]any{"name": "east", "variables": map[string]any{"ntp_server": "a.example.net"}, "regions": []any{region}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.runWith(t, client, craton, "apply", h.write(t, "fleet.json", string(fleet)))

		// Beside the example's rules, one source tells all, with values, and one touches what it is told.
		rulebook, err := os.ReadFile(filepath.Join(h.dir, "eda", "rulebook.yml"))
		if err != nil {
			t.Fatal(err)
		}
		h.write(t, "eda/rulebook.yml", string(rulebook)+`
- name: All that is done
  hosts: all
  sources:
    - name: All
      craton.fleet.changes:
        url: "{{ CRATON_URL }}"
        username: `+s.username+`
        password: "{{ OS_PASSWORD }}"
        project_id: `+s.project+`
        ca_path: `+s.cert+`
        state_file: "{{ EDA_STATE }}/all.json"
        values: true
        most_hosts: 3
  rules:
    - name: Touch
      condition: event.message == "touch"
      action:
        run_playbook:
          name: touch.yml
    - name: Tell
      condition: event.revision >= 0
      action:
        debug:
          msg: 'TOLD {"revision": {{ event.revision }}, "kind": {{ event.kind | tojson }}, "name": {{ event.name | tojson }}, "hosts": {{ event.meta.hosts | tojson }}, "repeated": {{ event.repeated | tojson }}, "action": {{ event.action | tojson }}, "after": {{ event.after | tojson | tojson }}}'
`)
		h.write(t, "eda/touch.yml", `
- hosts: all
  gather_facts: false
  tasks:
    - debug: {msg: "touched {{ inventory_hostname }} {{ ansible_eda }} {{ ansible_eda.event.path }} {{ ansible_eda.event.after.variables | default({}) }} {{ ansible_eda.event.variables }}"}
    - set_fact: {joined: "{{ (ansible_eda.event.after.variables | default({})).values() | map('string') | join }}"}
    - debug: {msg: "{{ joined }}"}
`)
		state := filepath.Join(h.dir, "state")
		env := append([]string{
			"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "EDA_STATE=" + state, "ANSIBLE_COLLECTIONS_PATH=" + filepath.Join(h.dir, ".ansible/collections"),
			"CRATON_RETRIES=0", "EDA_HOST_KEY_CHECKING=0",
		}, client...)
		begin := func() *process {
			p := h.start(t, "eda", env, filepath.Join(bin, "ansible-rulebook"), "--rulebook", "rulebook.yml", "--inventory", "fleet.craton.yml", "--env-vars", "EDA_STATE,CRATON_URL,OS_PASSWORD")
			eventually(t, p, "it follows", func() bool {
				for _, name := range []string{"time-servers.json", "all.json"} {
					if info, err := os.Stat(filepath.Join(state, name)); err != nil || info.Mode().Perm() != 0o600 {
						return false
					}
				}
				return true
			})
			return p
		}
		set := func(kind, object string, words ...string) {
			t.Helper()
			h.runWith(t, client, craton, slices.Concat([]string{kind + "-vars-set", object}, words)...)
		}
		configured := func(name, ntp string) func() bool {
			return func() bool {
				text, _ := os.ReadFile(filepath.Join(h.dir, "conf", name))
				return string(text) == "server "+ntp+" iburst\n"
			}
		}
		find := func(all []told, kind, name, after string) *told {
			for i := range all {
				if all[i].Kind == kind && all[i].Name == name && strings.Contains(all[i].After, after) {
					return &all[i]
				}
			}
			return nil
		}

		p := begin()
		set("cloud", "east", "ntp_server=b.example.net")
		for _, name := range []string{"web-0", "web-1", "web-2"} {
			eventually(t, p, name+" is configured", configured(name, "b.example.net"))
		}
		if _, err := os.Stat(filepath.Join(h.dir, "conf", "web-3")); err == nil {
			t.Error("a host that hides the variable was configured")
		}
		set("region", "dfw", "other=1") // of which the first source tells nothing
		h.runWith(t, client, craton, "host-update", "web-3", "--note", "n")

		// Hostile texts, with a host that no inventory could name.
		hostile := planted(marks)
		h.runWith(t, client, craton, "host-create", "--name", "!all", "-i", "10.0.0.9", "--cloud", "east", "--region", "dfw", "-t", "server", "--note", "{{ "+payload(marks, "note")+" }}")
		h.runWith(t, client, craton, "host-delete", "!all", "--yes")
		var variables []string
		for key, value := range hostile {
			one, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			variables = append(variables, key+"="+string(one))
		}
		h.runWith(t, client, craton, slices.Concat([]string{"host-vars-set", "web-1", "--message", "touch"}, variables)...)
		eventually(t, p, "web-1 is touched", func() bool { return strings.Contains(p.out.String(), "touched web-1 ") })
		for name := range executed(t, marks) {
			t.Errorf("executed: %s", name)
		}
		before := events(t, p)
		touched := before[len(before)-1].Revision + 1
		h.runWith(t, client, craton, slices.Concat([]string{"host-vars-delete", "web-1"}, slices.Sorted(maps.Keys(hostile)))...)
		eventually(t, p, "the next one is told", func() bool { return len(events(t, p)) > len(before) })
		if e := find(events(t, p), "host", "!all", ""); e == nil || !slices.Equal(e.Hosts, []string{"!all"}) {
			t.Errorf("a host that no inventory can name: %+v", e)
		}
		if e := find(events(t, p), "host", "web-3", ""); e == nil || !slices.Equal(e.Hosts, []string{"!all"}) {
			t.Errorf("a note changes no variable: %+v", e)
		}

		// It is killed; the server goes away, and the fleet is changed meanwhile.
		p.stop(syscall.SIGKILL)
		first := events(t, p)
		s.process.stop(syscall.SIGTERM)
		h.runWith(t, []string{"CRATON_URL=" + s.file}, craton, "cloud-vars-set", "east", "ntp_server=c.example.net")
		again := begin()
		eventually(t, again, "it says that the server is away", func() bool {
			return strings.Contains(again.out.String(), "cannot reach the Craton API") && strings.Contains(again.out.String(), "retrying in")
		})
		s.run(t)
		for _, name := range []string{"web-0", "web-1", "web-2"} {
			eventually(t, again, name+" is configured after all", configured(name, "c.example.net"))
		}
		eventually(t, again, "what was done is told", func() bool { return find(events(t, again), "cloud", "east", "c.example.net") != nil })

		// In order, and whole: what was touched is not told.
		second := events(t, again)
		revisions := map[int]bool{}
		for _, all := range [][]told{first, second} {
			if !slices.IsSortedFunc(all, func(a, b told) int { return a.Revision - b.Revision }) {
				t.Errorf("not in order: %v", all)
			}
			for _, e := range all {
				revisions[e.Revision] = true
			}
		}
		for n := first[0].Revision; n < second[len(second)-1].Revision; n++ {
			if !revisions[n] && n != touched {
				t.Errorf("revision %d is missing in\n%v\n%v", n, first, second)
			}
		}
		var parts [][]string
		for _, e := range second {
			if e.Kind == "cloud" && !e.Repeated {
				parts = append(parts, e.Hosts)
			}
		}
		if d := cmp.Diff([][]string{{"web-0", "web-1", "web-2"}}, parts); d != "" {
			t.Error(d)
		}
		for _, one := range []*process{p, again} {
			if strings.Contains(one.out.String(), s.password) {
				t.Error("the key is shown")
			}
		}
	})
}
