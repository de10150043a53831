package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/tools/compile"
)

// daemon is a real `craton server`, as its users run it.
type daemon struct {
	*fixture
	host string
	cmd  *exec.Cmd
	log  *os.File
}

// newDaemon builds the program and serves an empty database. GOMEMLIMIT=off:
// the limits of requests alone have to bound the memory.
func newDaemon(t *testing.T) *daemon {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "craton")
	if err := (compile.Program{}).Build(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	database := enginetest.Database(t)
	env := append(os.Environ(), "GOMEMLIMIT=off", "TMPDIR="+t.TempDir(), "CRATON_CONFIG=")
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(binary, append(args, "--database", database)...)
		cmd.Env = env
		return cmd
	}
	out, err := run("server", "bootstrap").Output()
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`ProjectId: (\S+)\nUsername: (\S+)\nAPIKey: (\S+)`).FindStringSubmatch(string(out))
	if words == nil {
		t.Fatalf("bootstrap: %s", out)
	}
	d := &daemon{fixture: &fixture{t: t, database: database, root: caller{words[1], words[2], words[3]}}}
	d.cmd = run("server", "--listen", "127.0.0.1:0")
	if d.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.cmd.Process.Signal(syscall.SIGKILL) // its clients do not read: it would wait for them
		_ = d.cmd.Wait()
		_ = d.log.Close()
	})
	lines := bufio.NewReader(stderr)
	for d.url == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal("the server did not start")
		}
		if m := regexp.MustCompile(`url=(\S+)`).FindStringSubmatch(line); m != nil {
			d.url = m[1]
		}
	}
	d.host = strings.TrimPrefix(d.url, "http://")
	go func() { _, _ = io.Copy(d.log, lines) }()
	return d
}

// peak is the most memory that the process had, in bytes.
func (d *daemon) peak() int64 {
	d.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		d.t.Fatalf("no VmHWM in %s", status)
	}
	kib, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10
}

// stalled sends a GET and takes no more than the first bytes of the answer, which have its status.
func (d *daemon) stalled(path string) (c net.Conn, err error) {
	if c, err = net.Dial("tcp", d.host); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nX-Auth-Project: %s\r\nX-Auth-User: %s\r\nX-Auth-Token: %s\r\n\r\n", path, d.root.project, d.root.user, d.root.key)
	if err != nil {
		return c, err
	}
	status := make([]byte, len(statusOK))
	if _, err = io.ReadFull(c, status); err == nil && string(status) != statusOK {
		err = fmt.Errorf("the answer begins with %q", status)
	}
	return c, err
}

const statusOK = "HTTP/1.1 200 OK\r\n"

// TestMemory sends eight of the costliest bodies at once, again and again, beside fifty clients that do not read a
// list, and checks how much memory the process took for that, that others were answered meanwhile, and that the
// write-ahead log was folded into the file. `make proof` looks at the server in front of PostgreSQL too, with larger
// sizes.
func TestMemory(t *testing.T) {
	if os.Getenv("CRATON_TEST_PROOF") == "" {
		enginetest.Only(t, enginetest.SQLite)
	}
	enginetest.Only(t, enginetest.SQLite, enginetest.Postgres) // long
	t.Parallel()
	size := struct{ hosts, own, rounds, writes int }{10, 32 << 10, 2, 40}
	if os.Getenv("CRATON_TEST_PROOF") != "" {
		// More than there is room for: some readers are told to come again.
		size = struct{ hosts, own, rounds, writes int }{100, 1000 << 10, 40, 400}
	}
	const readers, most = 50, 400 << 20
	d := newDaemon(t)
	d.place("c", "r", "l")
	d.refused("GET", "/v1/hosts?vars="+strings.Repeat("k:1,", 50_000)+"k:1", "", "The URL has 200", "at most 32768")
	filled := func(n int) string {
		return `{"a":[` + strings.Repeat(`"0123456789012345678901234567890",`, n/34) + `0],"b":1}`
	}
	d.must(d.root, 200, "PUT", "/v1/clouds/1/variables", filled(1000<<10))
	for i := range size.hosts {
		d.must(d.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%d","ip_address":"10.0.0.%d","device_type":"s","cloud_id":1,"region_id":1,"cell_id":1,"variables":{"own":%s}}`, i, i+1, filled(size.own)))
	}

	var readersIn sync.WaitGroup
	connections := make([]net.Conn, readers)
	for i := range connections {
		readersIn.Go(func() {
			path := "/v1/hosts?details=true&limit=100"
			if i%5 == 0 {
				path = "/v1/ansible-inventory"
			}
			c, err := d.stalled(path)
			if err != nil && size.hosts == 10 {
				t.Errorf("reader %d: %v", i, err)
			}
			connections[i] = c
		})
	}
	defer func() {
		for _, c := range connections {
			if c != nil {
				_ = c.Close()
			}
		}
	}()

	limit := 1 << 20
	list := func(item string, n int) string {
		return "[" + strings.Repeat(item+",", (n-10)/(len(item)+1)) + "0]"
	}
	bodies := []struct {
		body string
		want int
	}{
		{`{"v":` + list("1", limit) + `}`, 400},
		{`{"v":` + list("[]", limit) + `}`, 400},
		{`{"v":` + list(`{"":0}`, limit) + `}`, 400},
		{`{"v":"` + strings.Repeat("x", limit-20) + `"]`, 400},
		{strings.Repeat("[", limit), 400},
		{`{"v":` + list("1", 190_000) + `}`, 200},             // nearly as many values as there may be
		{`{"v":` + list(`{"":0}`, 230_000) + `}`, 200},        //
		{`{"v":"` + strings.Repeat("x", 900_000) + `"}`, 200}, // nearly as large as it may be
	}
	var busy sync.WaitGroup
	for i, b := range bodies {
		id := d.must(d.root, 201, "POST", "/v1/clouds", fmt.Sprintf(`{"name":"c%d"}`, i)).id(t)
		busy.Go(func() {
			for range size.rounds {
				r := d.call(d.root, "PUT", "/v1/clouds/"+id+"/variables", b.body)
				for r.Header.Get("Retry-After") != "" { // there was no room for the answer
					time.Sleep(time.Second)
					r = d.call(d.root, "PUT", "/v1/clouds/"+id+"/variables", b.body)
				}
				if r.Status != b.want {
					t.Errorf("body %d: %d %.200s, want %d", i, r.Status, r.Text, b.want)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		busy.Wait()
		readersIn.Wait()
		close(done)
	}()
	answered := 0
	for waiting := true; waiting; answered++ {
		d.must(d.root, 200, "GET", "/v1/regions?limit=10", "")
		select {
		case <-done:
			waiting = false
		default:
		}
	}
	if peak := d.peak(); peak > most {
		t.Errorf("the process took %d MB, at most %d may be", peak>>20, most>>20)
	} else {
		t.Logf("%d MB at most, %d small requests answered meanwhile", peak>>20, answered)
	}

	// The readers still have their answers, and nobody waits for them.
	for i := range size.writes {
		d.must(d.root, 200, "PUT", "/v1/clouds/1/variables", fmt.Sprintf(`{"v%d":"%s"}`, i%5, strings.Repeat(strconv.Itoa(i%10), 4000)))
		d.must(d.root, 200, "PUT", "/v1/clouds/2/variables", `{"v":"`+strings.Repeat(strconv.Itoa(i%10), 1_000_000)+`"}`)
	}
	if log := d.logSize(); log > 48<<20 {
		t.Errorf("the write-ahead log has %d bytes after %d MB of writes", log, size.writes)
	}
	if peak := d.peak(); peak > most {
		t.Errorf("after the writes: the process took %d MB, at most %d may be", peak>>20, most>>20)
	}
	checkFile(t, d.database)
}

// TestSlowReaderGetsAll checks that what a slow client reads in the end is
// one whole answer, of one moment, whatever was written meanwhile.
func TestSlowReaderGetsAll(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite, enginetest.Postgres) // long
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	value := strings.Repeat("x", 900_000)
	for i := range 24 {
		f.must(f.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%d","ip_address":"10.0.0.%d","device_type":"s","cloud_id":1,"region_id":1,"variables":{"big":"%s","n":0}}`, i, i+1, value))
	}
	d := &daemon{fixture: f, host: strings.TrimPrefix(f.url, "http://")}
	c, err := d.stalled("/v1/hosts?details=true&limit=100")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 24 {
		f.must(f.root, 200, "PUT", fmt.Sprintf("/v1/hosts/%d/variables", i+1), `{"n":1,"big":2}`)
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader(statusOK), c)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body struct {
		Hosts []struct {
			Variables struct {
				Big string
				N   int
			}
		}
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil || int64(len(data)) != resp.ContentLength {
		t.Fatalf("%d bytes of %d, %v", len(data), resp.ContentLength, err)
	}
	if err := json.Unmarshal(data, &body); err != nil || len(body.Hosts) != 24 {
		t.Fatalf("%d hosts, %v", len(body.Hosts), err)
	}
	for i, h := range body.Hosts {
		if h.Variables.Big != value || h.Variables.N != 0 {
			t.Errorf("host %d is of another moment: n=%d, %d bytes", i, h.Variables.N, len(h.Variables.Big))
		}
	}
}

// TestOverload checks that who finds no room is told so, in a way that old
// clients understand, and that room comes back.
func TestOverload(t *testing.T) {
	t.Parallel()
	f := newFixtureWith(t, limitsForOverload)
	f.place("c", "r", "l")
	f.must(f.root, 200, "PUT", "/v1/clouds/1/variables", `{"big":"`+strings.Repeat("x", 900_000)+`"}`)
	for i := range 10 {
		f.must(f.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%d","ip_address":"10.0.0.%d","device_type":"s","cloud_id":1,"region_id":1}`, i, i+1))
	}
	d := &daemon{fixture: f, host: strings.TrimPrefix(f.url, "http://")}
	c, err := d.stalled("/v1/hosts?details=true") // 9 MB of 12
	if err != nil {
		t.Fatal(err)
	}
	r := f.call(f.root, "GET", "/v1/hosts?details=true", "")
	if r.Status != 500 || r.Header.Get("Retry-After") == "" || !strings.Contains(r.message(), "Try again") {
		t.Errorf("no room: %d %q %.200s", r.Status, r.Header.Get("Retry-After"), r.Text)
	}
	f.must(f.root, 200, "GET", "/v1/hosts?details=true&resolved-values=false", "") // small ones go on
	_ = c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for f.call(f.root, "GET", "/v1/hosts?details=true", "").Status != 200 {
		if ctx.Err() != nil {
			t.Fatal("the room did not come back")
		}
	}
}
