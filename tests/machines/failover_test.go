package machines

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// writers is how many write at once.
const writers = 32

// heard is what a client was told of a write.
type heard int

const (
	acknowledged heard = iota // it is stored
	refused                   // "Nothing was changed."
	uncertain                 // nobody could tell, or nobody answered
)

// What an error of a write says of it, from the server or the proxy before it.
const (
	nothingChanged = "Nothing was changed"
	unknownOutcome = "Whether the change was made is not known"
)

// load is writers that make hosts, each of a name of its own, and remember what they heard.
type load struct {
	base, region, cloud string
	servers             []string // behind base
	as                  credentials

	mu      sync.Mutex
	heard   map[string]heard
	acks    []time.Time
	odd     []string // what no client should hear
	read    int      // acknowledged writes that were read at once, ...
	missed  []string // ... and those that were not there
	slowest time.Duration
}

// write makes one host, and returns its id if that was acknowledged.
func (l *load) write(ctx context.Context, client *http.Client, name string) (id string) {
	body := fmt.Sprintf(`{"name":%q,"ip_address":"192.0.2.1","device_type":"server","cloud_id":%s,"region_id":%s,"variables":{"role":"frontend","by":%q}}`, name, l.cloud, l.region, name)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.base+"/v1/hosts", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	l.as.set(req.Header)
	what, odd := uncertain, ""
	if resp, err := client.Do(req); err == nil {
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		switch {
		case err != nil:
		case resp.StatusCode == http.StatusCreated:
			what = acknowledged
			_, id, _ = strings.Cut(resp.Header.Get("Location"), "/hosts/")
		case resp.StatusCode == http.StatusInternalServerError && strings.Contains(string(text), nothingChanged):
			what = refused
		case resp.StatusCode == http.StatusInternalServerError && strings.Contains(string(text), unknownOutcome):
		default:
			odd = fmt.Sprintf("%s: %d %s", name, resp.StatusCode, text)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard[name] = what
	if what == acknowledged {
		l.acks = append(l.acks, time.Now())
	}
	if odd != "" {
		l.odd = append(l.odd, odd)
	}
	return id
}

// run writes until ctx ends, and returns when each writer has heard of its last write.
func (l *load) run(ctx context.Context) {
	var all sync.WaitGroup
	for w := range writers {
		client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConns: 1}}
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("w%d-%d", w, n)
				if id := l.write(context.WithoutCancel(ctx), client, name); id != "" && w < readers {
					l.readBack(context.WithoutCancel(ctx), client, id, name, n)
				}
				select {
				case <-ctx.Done():
				case <-time.After(30 * time.Millisecond):
				}
			}
		})
	}
	all.Wait()
}

// acknowledgedSince is how many writes were acknowledged after a moment.
func (l *load) acknowledgedSince(at time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.acks, at, time.Time.Compare)
	return len(l.acks) - i
}

// gap is the longest time without an acknowledgement that begins after a moment, or a second before it.
func (l *load) gap(at time.Time) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortFunc(l.acks, time.Time.Compare)
	i, _ := slices.BinarySearchFunc(l.acks, at.Add(-time.Second), time.Time.Compare)
	for i++; i < len(l.acks); i++ {
		longest = max(longest, l.acks[i].Sub(l.acks[i-1]))
	}
	return longest
}

// change is what readers of the log see of one.
type change struct {
	Revision int64
	Change   string
	Action   string
	Kind     string
	Path     string
}

// page is an answer of GET /v1/changes.
type page struct {
	Changes []change
	Next    string
	More    bool
}

// readChanges reads a page of the log behind a cursor.
func readChanges(ctx context.Context, base string, as credentials, after string, wait int) (p page, code int, err error) {
	q := url.Values{"limit": {"1000"}}
	if after != "" {
		q.Set("after", after)
	}
	if wait > 0 {
		q.Set("wait", fmt.Sprint(wait))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v1/changes?"+q.Encode(), nil)
	if err != nil {
		return p, 0, err
	}
	as.set(req.Header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return p, 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return p, resp.StatusCode, fmt.Errorf("%d %s", resp.StatusCode, text)
	}
	return p, http.StatusOK, json.NewDecoder(resp.Body).Decode(&p)
}

// follower reads the log as it grows, and goes on where it was whatever happens.
type follower struct {
	base  string
	as    credentials
	seen  map[int64]string // what it saw last of each revision
	gone  int              // how often its cursor was of changes that a crash took back
	wrong []string
}

// follow reads until ctx ends and it has seen the last revision.
func (f *follower) follow(ctx context.Context, last func() int64) {
	cursor, at := "", int64(0)
	for ctx.Err() == nil || at < last() {
		p, code, err := readChanges(context.WithoutCancel(ctx), f.base, f.as, cursor, 2)
		switch {
		case code == http.StatusGone: // read all again
			f.gone++
			cursor, at, f.seen = "", 0, map[int64]string{}
			continue
		case err != nil:
			if code != 0 && code != http.StatusInternalServerError {
				f.wrong = append(f.wrong, err.Error())
			}
			time.Sleep(100 * time.Millisecond)
			continue
		}
		for _, c := range p.Changes {
			if c.Revision < at {
				f.wrong = append(f.wrong, fmt.Sprintf("revision %d after %d", c.Revision, at))
			}
			if known, ok := f.seen[c.Revision]; ok && known != c.Change {
				f.wrong = append(f.wrong, fmt.Sprintf("revision %d is %s, and was %s", c.Revision, c.Change, known))
			}
			at, f.seen[c.Revision] = c.Revision, c.Change
		}
		cursor = p.Next
	}
}

// whole reads all of the log.
func whole(t *testing.T, base string, as credentials) (all []change) {
	t.Helper()
	for cursor := ""; ; {
		p, _, err := readChanges(t.Context(), base, as, cursor, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Changes...)
		if !p.More {
			return all
		}
		cursor = p.Next
	}
}

// TestFailover: two servers on a PostgreSQL of two machines, and 32 writers. The machine that leads loses its power,
// then the one that follows, then one of the servers, then the etcd that leads. No write is lost that was acknowledged,
// none is stored that was said not to be, none twice; revisions are in one order, and nobody who follows the log misses
// a change. Who reads at once what was acknowledged, from whichever server, finds it, while both servers read the
// machine that follows, as far as that can be read.
func TestFailover(t *testing.T) {
	need(t)
	c := newCluster(t)
	c.bounce(t)
	both, bounced, read := c.databases()
	as := bootstrap(t, both)
	// One server knows both machines, the other one only a pooler, which is before the proxy.
	servers := []*machine{newServer(t, "craton0", both, read), newServer(t, "craton1", bounced, read)}
	c.balance(t, servers)
	base := "http://" + c.proxy.at("craton")
	c.waitFor(t, "server behind the proxy", func() bool {
		return status(base+"/readyz") == http.StatusOK && status("http://"+servers[0].at("http")+"/readyz") == http.StatusOK && status("http://"+servers[1].at("http")+"/readyz") == http.StatusOK
	})
	c.reads(t, servers, true)
	l := &load{base: base, as: as, heard: map[string]heard{}}
	for _, s := range servers {
		l.servers = append(l.servers, "http://"+s.at("http"))
	}
	l.cloud = post(t, base+"/v1/clouds", as, `{"name":"east"}`)
	l.region = post(t, base+"/v1/regions", as, `{"name":"dfw","cloud_id":`+l.cloud+`}`)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var writing, following sync.WaitGroup
	writing.Go(func() { l.run(ctx) })
	stopOriginal := l.writeOriginal(t)
	var mu sync.Mutex
	var end int64 // the last revision, once it is known
	last := func() int64 {
		mu.Lock()
		defer mu.Unlock()
		return end
	}
	reading, done := context.WithCancel(t.Context())
	defer done()
	followers := []*follower{{base: base}, {base: "http://" + servers[0].at("http")}, {base: "http://" + servers[1].at("http")}}
	for _, f := range followers {
		f.as, f.seen = as, map[int64]string{}
		following.Go(func() { f.follow(reading, last) })
	}
	flows := func(since time.Time) { // again, for a while
		t.Helper()
		c.waitFor(t, "write that is acknowledged", func() bool { return l.acknowledgedSince(since) >= 100 })
	}
	flows(time.Now())

	// What follows replays nothing: it is passed by.
	paused := c.follower()
	paused.replay(t, false)
	after := c.reads(t, servers, false)
	flows(time.Now())
	lag, _ := servers[0].metric("craton_replica_lag_seconds")
	behind, _ := servers[0].metric("craton_replica_lag_revisions")
	t.Logf("what follows replays nothing: passed by after %.1f s; then %.1f s and %.0f revisions behind; the slowest read took %.2f s", after.Seconds(), lag, behind, l.slowestRead().Seconds())
	paused.replay(t, true)
	t.Logf("it replays again: read again after %.1f s", c.reads(t, servers, true).Seconds())

	steps := []struct {
		what      string
		kill      func() *machine
		recovered func(killed *machine) bool
	}{
		{"the PostgreSQL that leads", c.leader, func(killed *machine) bool { l := c.leader(); return l != nil && l != killed && c.follower() == killed }},
		{"the PostgreSQL that follows", c.follower, func(killed *machine) bool { return c.follower() == killed }},
		{"a server of craton", func() *machine { return servers[0] }, func(killed *machine) bool { return status("http://"+killed.at("http")+"/readyz") == http.StatusOK }},
		{"the etcd that leads", func() *machine { return c.etcdLeader(t) }, func(killed *machine) bool { return status("http://"+killed.at("client")+"/health") == http.StatusOK }},
	}
	for _, s := range steps {
		m := s.kill()
		at := time.Now()
		m.kill(t)
		time.Sleep(time.Second) // what was on its way is over
		flows(time.Now())
		gap, slowest := l.gap(at), l.slowestRead()
		m.up(t)
		back := c.waitFor(t, m.name+" that is back", func() bool { return s.recovered(m) })
		again := c.reads(t, servers, true)
		flows(time.Now())
		t.Logf("%s was killed: nothing was acknowledged for %.1f s, the slowest read took %.1f s; back %.1f s after it was started again, and what follows is read %.1f s after that", s.what, gap.Seconds(), slowest.Seconds(), back.Seconds(), again.Seconds())
	}
	stop()
	writing.Wait()
	stopOriginal()

	replica, primary := places(servers)
	t.Logf("%d reads of what had just been acknowledged; of those since the servers began, the replica answered %.0f, the primary %.0f", l.read, replica, primary)
	if replica == 0 {
		t.Error("the replica answered nothing")
	}
	l.quietly(t.Context())
	r, p := places(servers)
	t.Logf("with a write now and then: the replica answered %.0f, the primary %.0f", r-replica, p-primary)
	log := whole(t, base, as)
	mu.Lock()
	end = log[len(log)-1].Revision
	mu.Unlock()
	done()
	following.Wait()

	counts := map[heard]int{}
	for _, h := range l.heard {
		counts[h]++
	}
	t.Logf("%d writes: %d acknowledged, %d refused, %d uncertain; %d revisions", len(l.heard), counts[acknowledged], counts[refused], counts[uncertain], end)
	for i, missed := range l.missed {
		if i < 10 {
			t.Errorf("%d of what was acknowledged was not read: %s", len(l.missed), missed)
		}
	}
	for _, odd := range l.odd {
		t.Errorf("a client heard: %s", odd)
	}
	stored := map[string]int{}
	for i, x := range log {
		if i > 0 && x.Revision < log[i-1].Revision {
			t.Errorf("revision %d comes after %d", x.Revision, log[i-1].Revision)
		}
		if x.Kind == "host" && x.Action == "create" {
			stored[strings.TrimPrefix(x.Path, "east/dfw/")]++
		}
	}
	for name, h := range l.heard {
		switch n := stored[name]; {
		case n > 1:
			t.Errorf("%s is stored %d times", name, n)
		case h == acknowledged && n == 0:
			t.Errorf("%s was acknowledged, and is lost", name)
		case h == refused && n > 0:
			t.Errorf("%s was said not to be changed, and is stored", name)
		}
	}
	if hosts := hostNames(t, base, as); len(hosts) != len(stored) {
		t.Errorf("there are %d hosts, and %d in the log", len(hosts), len(stored))
	} else {
		for name := range stored {
			if hosts[name] != 1 {
				t.Errorf("%s is there %d times", name, hosts[name])
			}
		}
	}
	for i, f := range followers {
		for _, wrong := range f.wrong {
			t.Errorf("reader %d: %s", i, wrong)
		}
		for _, x := range log {
			if f.seen[x.Revision] != x.Change {
				t.Errorf("reader %d missed revision %d (%s)", i, x.Revision, x.Path)
				break
			}
		}
		t.Logf("reader %d saw %d revisions; its cursor was taken back %d times", i, len(f.seen), f.gone)
	}
}

// hostNames counts the hosts of a fleet by name.
func hostNames(t *testing.T, base string, as credentials) map[string]int {
	t.Helper()
	names := map[string]int{}
	for next := base + "/v1/hosts?limit=100"; next != ""; {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, next, nil)
		if err != nil {
			t.Fatal(err)
		}
		as.set(req.Header)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Hosts []struct{ Name string }
			Links []struct{ Rel, Href string }
		}
		err = json.NewDecoder(resp.Body).Decode(&p)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", next, resp.StatusCode, err)
		}
		next = ""
		for _, h := range p.Hosts {
			names[h.Name]++
		}
		for _, link := range p.Links {
			if link.Rel == "next" && len(p.Hosts) > 0 {
				next = link.Href
			}
		}
	}
	return names
}
