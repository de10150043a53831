package machines

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readers is how many of the writers read at once what they have written.
const readers = 12

// readMaxLag is how far the replica may be behind before it is passed by.
const readMaxLag = 2 * time.Second

// readBack reads a host that was acknowledged, through the proxy and from each server by itself: by its id, or by its
// name in a list. Who answers that it is not there has not read what the client has written.
func (l *load) readBack(ctx context.Context, client *http.Client, id, name string, n int) {
	paths := []string{"/v1/hosts/" + id, "/v1/hosts?" + url.Values{"name": {name}, "region_id": {l.region}}.Encode()}
	for i, base := range append([]string{l.base}, l.servers...) {
		path := paths[(n+i)%len(paths)]
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		if err != nil {
			panic(err)
		}
		l.as.set(req.Header)
		begun := time.Now()
		resp, err := client.Do(req)
		if err != nil {
			continue // nobody answers
		}
		var body struct {
			Name  string
			Hosts []struct{ Name string }
		}
		err = json.NewDecoder(resp.Body).Decode(&body)
		_ = resp.Body.Close()
		found := body.Name == name || len(body.Hosts) == 1 && body.Hosts[0].Name == name
		l.mu.Lock()
		switch {
		case resp.StatusCode == http.StatusOK && err == nil && found:
			l.read++
			l.slowest = max(l.slowest, time.Since(begun))
		case resp.StatusCode == http.StatusOK && err == nil, resp.StatusCode == http.StatusNotFound:
			l.missed = append(l.missed, fmt.Sprintf("%s, acknowledged as %s: GET %s%s is %d", name, id, base, path, resp.StatusCode))
		case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusInternalServerError:
			l.odd = append(l.odd, fmt.Sprintf("GET %s%s: %d", base, path, resp.StatusCode))
		}
		l.mu.Unlock()
	}
}

// slowestRead is how long the slowest answer to a read took since it was asked last.
func (l *load) slowestRead() (slowest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slowest, l.slowest = l.slowest, 0
	return slowest
}

// metric is one that a server shows; ok is false where it does not.
func (m *machine) metric(name string) (value float64, ok bool) {
	resp, err := soon.Get("http://" + m.at("http") + "/metrics") //nolint:noctx // it has a time
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text, is := strings.CutPrefix(lines.Text(), name+" "); is {
			value, err = strconv.ParseFloat(text, 64)
			ok = err == nil
		}
	}
	return value, ok
}

// places are how many reads the replica answered, and the primary in its place, since the servers began.
func places(servers []*machine) (replica, primary float64) {
	for _, m := range servers {
		r, _ := m.metric(`craton_reads_total{place="replica"}`)
		p, _ := m.metric(`craton_reads_total{place="primary"}`)
		replica, primary = replica+r, primary+p
	}
	return replica, primary
}

// quietly is how most fleets are used: a write now and then, and many reads, for two seconds.
func (l *load) quietly(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var id, name string
	for n := 0; ctx.Err() == nil; n++ {
		if n%20 == 0 {
			name = fmt.Sprint("quiet-", n)
			id = l.write(context.WithoutCancel(ctx), http.DefaultClient, name)
		}
		if id != "" {
			l.readBack(context.WithoutCancel(ctx), http.DefaultClient, id, name, n)
		}
	}
}

// reads waits until all servers read the replica, or all pass it by.
func (c *cluster) reads(t *testing.T, servers []*machine, replica bool) time.Duration {
	t.Helper()
	want, what := 0.0, "server that passes the replica by"
	if replica {
		want, what = 1, "server that reads the replica"
	}
	return c.waitFor(t, what, func() bool {
		for _, m := range servers {
			if up, ok := m.metric("craton_replica_up"); !ok || up != want {
				return false
			}
		}
		return true
	})
}

// replay stops or goes on with what a machine replays; it answers meanwhile. Patroni ends what pg_wal_replay_pause()
// begins, so the process that replays is stopped.
func (m *machine) replay(t *testing.T, on bool) {
	t.Helper()
	signal := syscall.SIGSTOP
	if on {
		signal = syscall.SIGCONT
	}
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		title, err := os.ReadFile(p)
		if err != nil || !strings.Contains(string(title), ": startup recovering") {
			continue
		}
		at, err := os.Readlink(filepath.Join(filepath.Dir(p), "cwd"))
		if err != nil || !strings.HasPrefix(at, m.Path+"/") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(p)))
		if err == nil {
			err = syscall.Kill(pid, signal)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("nothing is replayed on %s", m.name)
}
