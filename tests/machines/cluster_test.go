package machines

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/craton-fleet/craton/internal/retry"
	"github.com/craton-fleet/craton/internal/servicetest"
	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/tools/compile"
)

// What has to be installed, by the Debian package that has it.
var programs = map[string]string{
	"postgresql-15": "/usr/lib/postgresql/15/bin/postgres", "patroni": "/usr/bin/patroni", "python3-etcd": "/usr/lib/python3/dist-packages/etcd",
	"etcd-server": "/usr/bin/etcd", "haproxy": "/usr/sbin/haproxy", "pgbouncer": "/usr/sbin/pgbouncer",
}

// role is who the database belongs to. Everybody on the loopback address is who they say.
const role = "craton"

// patience is how long a cluster may take for what it does by itself: to begin, to find another leader, to take one
// back.
const patience = 2 * time.Minute

// machine is one of several, with its own processes and files.
type machine struct {
	*servicetest.Directory
	name  string
	ports map[string]int
	argv  []string
}

func newMachine(t *testing.T, name string, ports ...string) *machine {
	t.Helper()
	d, err := servicetest.NewDirectory(name)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{Directory: d, name: name, ports: map[string]int{}}
	for _, p := range ports {
		if m.ports[p], err = servicetest.FreePort(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			if log, err := os.ReadFile(m.File("log")); err == nil {
				t.Logf("the end of what %s said:\n%s", name, log[max(0, len(log)-3000):])
			}
		}
		d.Remove()
	})
	return m
}

// at is an address of the machine.
func (m *machine) at(port string) string { return fmt.Sprint("127.0.0.1:", m.ports[port]) }

// up starts what the machine is for, again after kill.
func (m *machine) up(t *testing.T) {
	t.Helper()
	if _, err := m.Start(m.Command(m.argv...), "log"); err != nil {
		t.Fatal(err)
	}
}

// kill takes the machine its power.
func (m *machine) kill(t *testing.T) {
	t.Helper()
	if err := m.Kill(); err != nil {
		t.Fatal(err)
	}
}

// cluster is a PostgreSQL of two machines, of which one leads, three that decide which, and one that clients come to.
type cluster struct {
	etcd, postgres []*machine
	proxy, bouncer *machine
}

// need skips a test unless it is wanted and can be run.
func need(t *testing.T) {
	t.Helper()
	const variable = "CRATON_TEST_MACHINES"
	wanted := os.Getenv(variable)
	if wanted == "" {
		t.Skip("takes minutes: make machines")
	}
	for pkg, program := range programs {
		if _, err := os.Stat(program); err != nil {
			if wanted == "required" {
				t.Fatalf("%s=required: %v; apt-get install --no-install-recommends %s", variable, err, pkg)
			}
			skip.Packages(t, pkg)
		}
	}
}

// newCluster starts one, with a database, and waits until the second machine follows the first.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{}
	for n := range 3 {
		c.etcd = append(c.etcd, newMachine(t, fmt.Sprint("etcd", n), "client", "peer"))
	}
	var members, clients []string
	for _, e := range c.etcd {
		members = append(members, e.name+"=http://"+e.at("peer"))
		clients = append(clients, e.at("client"))
	}
	for _, e := range c.etcd {
		e.argv = []string{programs["etcd-server"], "--name", e.name, "--data-dir", e.File("data"),
			"--listen-client-urls", "http://" + e.at("client"), "--advertise-client-urls", "http://" + e.at("client"),
			"--listen-peer-urls", "http://" + e.at("peer"), "--initial-advertise-peer-urls", "http://" + e.at("peer"),
			"--initial-cluster", strings.Join(members, ","), "--heartbeat-interval", "200", "--election-timeout", "2000"}
		e.up(t)
	}
	for n := range 2 {
		m := newMachine(t, fmt.Sprint("postgres", n), "postgres", "patroni")
		c.postgres = append(c.postgres, m)
		if err := m.Write("patroni.yml", patroniConfig(m, clients)); err != nil {
			t.Fatal(err)
		}
		m.argv = []string{programs["patroni"], m.File("patroni.yml")}
		m.up(t)
	}
	c.proxy = newMachine(t, "haproxy", "postgres", "craton")
	c.waitFor(t, "two machines, of which one follows", func() bool { return c.leader() != nil && c.follower() != nil })
	c.exec(t, "CREATE ROLE "+role+" LOGIN")
	c.exec(t, "CREATE DATABASE "+role+" OWNER "+role)
	return c
}

// patroniConfig is that of one machine. Commits wait for the standby, and the times are the least that Patroni takes.
func patroniConfig(m *machine, etcd []string) string {
	return fmt.Sprintf(`scope: craton
name: %[1]s
restapi: {listen: '%[2]s', connect_address: '%[2]s'}
etcd3: {hosts: [%[3]s]}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    master_start_timeout: 0
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      parameters: {max_connections: 200, wal_keep_size: 256MB, wal_log_hints: 'on', shared_buffers: 64MB}
  initdb: [{encoding: UTF8}, {locale: C.UTF-8}, {auth: trust}]
postgresql:
  listen: '%[4]s'
  connect_address: '%[4]s'
  bin_dir: %[5]s
  data_dir: %[6]s
  pgpass: %[7]s
  authentication:
    superuser: {username: postgres}
    replication: {username: replicator}
    rewind: {username: postgres}
  pg_hba:
    - local all all trust
    - host all all 127.0.0.1/32 trust
    - host replication all 127.0.0.1/32 trust
  parameters: {unix_socket_directories: %[8]s}
`, m.name, m.at("patroni"), "'"+strings.Join(etcd, "', '")+"'", m.at("postgres"), filepath.Dir(programs["postgresql-15"]), m.File("data"), m.File("pgpass"), m.Path)
}

// balance starts HAProxy: before the PostgreSQL that leads, and before servers.
func (c *cluster) balance(t *testing.T, servers []*machine) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `global
  maxconn 1000
defaults
  timeout connect 2s
  timeout client 90s
  timeout server 90s
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
listen postgres
  mode tcp
  bind %s
  option httpchk GET /primary
`, c.proxy.at("postgres"))
	for _, m := range c.postgres {
		fmt.Fprintf(&b, "  server %s %s check port %d\n", m.name, m.at("postgres"), m.ports["patroni"])
	}
	b.WriteString(documentedProxy(t, c.proxy.at("craton"), servers[0].at("http"), servers[1].at("http")))
	if err := c.proxy.Write("haproxy.cfg", b.String()); err != nil {
		t.Fatal(err)
	}
	c.proxy.argv = []string{programs["haproxy"], "-db", "-f", c.proxy.File("haproxy.cfg")}
	c.proxy.up(t)
}

// bounce starts a pgbouncer in transaction mode, before the proxy of the PostgreSQL that leads. Its pool is smaller
// than what comes to it; the times are those of docs/machines.md.
func (c *cluster) bounce(t *testing.T) {
	t.Helper()
	m := newMachine(t, "pgbouncer", "postgres")
	c.bouncer = m
	if err := m.Write("users", fmt.Sprintf("%q \"\"\n", role)); err != nil {
		t.Fatal(err)
	}
	err := m.Write("pgbouncer.ini", fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = 10
max_client_conn = 500
server_login_retry = 1
query_wait_timeout = 15
`, c.proxy.ports["postgres"], m.ports["postgres"], m.File("users")))
	if err != nil {
		t.Fatal(err)
	}
	m.argv = []string{programs["pgbouncer"], m.File("pgbouncer.ini")}
	m.up(t)
}

// databases are the ways to the database: the machines themselves, or a pooler before the proxy; and the one to read
// from, which is whatever machine follows.
func (c *cluster) databases() (both, bounced, read string) {
	all := "postgres://" + role + "@" + c.postgres[0].at("postgres") + "," + c.postgres[1].at("postgres") + "/" + role + "?sslmode=disable"
	return all + "&target_session_attrs=read-write", "postgres://" + role + "@" + c.bouncer.at("postgres") + "/" + role + "?sslmode=disable", all
}

// exec runs a statement where PostgreSQL leads, as its superuser.
func (c *cluster) exec(t *testing.T, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), "postgres://postgres@"+c.leader().at("postgres")+"/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background()) //nolint:errcheck // nothing is lost
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// leader is the machine where PostgreSQL can be written, as it says itself; nil if none does.
func (c *cluster) leader() *machine {
	for _, m := range c.postgres {
		if status("http://"+m.at("patroni")+"/primary") == http.StatusOK {
			return m
		}
	}
	return nil
}

// follower is the machine that commits wait for; nil if there is none.
func (c *cluster) follower() *machine {
	for _, m := range c.postgres {
		if status("http://"+m.at("patroni")+"/sync") == http.StatusOK {
			return m
		}
	}
	return nil
}

// etcdLeader is the one of the three that leads.
func (c *cluster) etcdLeader(t *testing.T) *machine {
	t.Helper()
	for _, e := range c.etcd {
		var s struct {
			Header struct {
				Member string `json:"member_id"`
			} `json:"header"`
			Leader string `json:"leader"`
		}
		resp, err := soon.Post("http://"+e.at("client")+"/v3/maintenance/status", "application/json", strings.NewReader("{}"))
		if err != nil {
			continue
		}
		err = json.NewDecoder(resp.Body).Decode(&s)
		_ = resp.Body.Close()
		if err == nil && s.Leader == s.Header.Member {
			return e
		}
	}
	t.Fatal("no etcd leads")
	return nil
}

// waitFor waits for what the cluster does by itself.
func (c *cluster) waitFor(t *testing.T, what string, is func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := retry.Every(100*time.Millisecond).Do(ctx, func(int) (bool, error) {
		if is() {
			return false, nil
		}
		return true, fmt.Errorf("no %s", what)
	})
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(begun), err)
	}
	return time.Since(begun)
}

// soon is a client for questions that are answered at once, or not at all.
var soon = &http.Client{Timeout: 2 * time.Second}

// status is that of an answer; 0 for none.
func status(url string) int {
	resp, err := soon.Get(url) //nolint:noctx // it has a time
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// program builds craton.
var program = sync.OnceValues(func() (string, error) {
	dir, err := servicetest.NewDirectory("craton")
	if err != nil {
		return "", err
	}
	file := dir.File("craton")
	return file, compile.Program{}.Build(context.Background(), file)
})

// credentials are those that bootstrap gives.
type credentials struct{ user, key, project string }

func (c credentials) set(h http.Header) {
	h.Set("X-Auth-User", c.user)
	h.Set("X-Auth-Token", c.key)
	h.Set("X-Auth-Project", c.project)
	h.Set("Content-Type", "application/json")
}

// bootstrap makes the tables and the first user.
func bootstrap(t *testing.T, database string) (c credentials) {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), file, "server", "bootstrap", "--database", database).CombinedOutput()
	if err != nil {
		t.Fatalf("bootstrap: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "ProjectId":
			c.project = value
		case "Username":
			c.user = value
		case "APIKey":
			c.key = value
		}
	}
	return c
}

// newServer starts `craton server` on a machine of its own.
func newServer(t *testing.T, name, database, read string) *machine {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, name, "http")
	m.argv = []string{file, "server", "--database", database, "--listen", m.at("http"), "--access-log=false",
		"--read-database", read, "--read-max-lag", readMaxLag.String()}
	m.up(t)
	return m
}

// post makes an object and returns its id.
func post(t *testing.T, url string, c credentials, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	c.set(req.Header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	var made struct{ ID json.Number }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %d %v", url, resp.StatusCode, err)
	}
	return made.ID.String()
}
