package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/internal/retry"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/metrics"
)

// sameOn is the same database at another server.
func sameOn(t *testing.T, database string, s *postgrestest.Server) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	return s.URL(strings.TrimPrefix(u.Path, "/"))
}

// replicaIs waits until a server passes its replica by for a reason; "" for not.
func (f *fixture) replicaIs(why string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	err := retry.Every(20*time.Millisecond).Do(ctx, func(int) (bool, error) {
		if r := f.server.Stats().Replica; string(r.Why) != why {
			return true, fmt.Errorf("the replica is passed by because of %q (%s), want %q", r.Why, r.Detail, why)
		}
		return false, nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// askBehind is a GET that says how new its answer has to be.
func (f *fixture) askBehind(who caller, path, revision string) reply {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.url+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	who.sign(req)
	req.Header.Set("X-Craton-Revision", revision)
	return f.send(req)
}

// TestReplica: two servers of a database read its replica where that is as new as who asks needs, and nobody can tell.
func TestReplica(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres, enginetest.Bouncer)
	primary := postgrestest.Start(t)
	f := newFixtureOn(t, primary.Database(t), server.Limits{})
	f.place("c", "r", "l")
	const clients = 8
	for n := range clients {
		f.must(f.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%d","ip_address":"192.0.2.1","device_type":"server","cloud_id":1,"region_id":1}`, n))
	}
	standby := primary.Standby(t)
	o := server.Options{ReadDatabase: sameOn(t, f.database, standby), ReadLag: time.Second}
	direct := f.besideWith(o)
	if enginetest.Now() == enginetest.Bouncer {
		o.ReadDatabase = postgrestest.Bouncer(t, o.ReadDatabase)
	}
	servers := []*fixture{direct, f.besideWith(o)}
	here, there := servers[0], servers[1]
	here.replicaIs("")
	there.replicaIs("")

	// Each client reads what it has just written, here and there.
	rounds := func(t *testing.T, n int) {
		t.Helper()
		var all sync.WaitGroup
		for client := range clients {
			all.Go(func() {
				path := fmt.Sprint("/v1/hosts/", client+1)
				for round := range n {
					want := fmt.Sprintf(`"note": "%s %d"`, t.Name(), round)
					if r := servers[round%2].call(f.root, "PUT", path, "{"+want+"}"); r.Status != 200 || r.Header.Get("X-Craton-Revision") == "" {
						t.Errorf("PUT: %d %s", r.Status, r.Text)
					}
					for i, s := range servers {
						if r := s.call(f.root, "GET", path, ""); !strings.Contains(r.Text, want) {
							t.Errorf("client %d, round %d: server %d answers %s", client, round, i, r.Text)
						}
					}
					if r := servers[round%2].call(f.root, "GET", "/v1/hosts?details=all&name="+fmt.Sprint("h", client), ""); !strings.Contains(r.Text, want) {
						t.Errorf("client %d, round %d: the list has %s", client, round, r.Text)
					}
				}
			})
		}
		all.Wait()
	}
	t.Run("current", func(t *testing.T) {
		rounds(t, 20)
		for range 20 {
			here.must(f.root, 200, "GET", "/v1/hosts", "")
		}
		t.Logf("the replica answered %d reads, the primary %v", here.server.Stats().Replica.Reads, here.server.Stats().Replica.Skipped)
		if s := here.server.Stats().Replica; s.Reads < 20 {
			t.Errorf("the replica answered %d times, and was passed by %v", s.Reads, s.Skipped)
		}
	})
	if t.Failed() {
		return
	}
	note := func(r reply) string { return fmt.Sprint(r.JSON["note"]) }
	old := f.must(f.root, 200, "GET", "/v1/hosts/1", "")

	// It replays nothing: who needs no more than it has is answered from it, and everybody else is not.
	standby.Exec(t, "postgres", "SELECT pg_wal_replay_pause()")
	user := here.must(f.root, 201, "POST", "/v1/users", `{"username":"someone","project_id":"`+f.root.project+`"}`)
	someone := caller{f.root.project, "someone", user.JSON["api_key"].(string)}
	written := here.must(f.root, 200, "PUT", "/v1/hosts/1", `{"note":"paused"}`).Header.Get("X-Craton-Revision")
	for _, s := range servers {
		if got := note(s.must(someone, 200, "GET", "/v1/hosts/1", "")); got != "paused" {
			t.Errorf("with a replica that lags: %s", got)
		}
		if got := note(s.askBehind(f.root, "/v1/hosts/1", written)); got != "paused" {
			t.Errorf("who has seen the write reads %s", got)
		}
		if r := s.askBehind(f.root, "/v1/hosts/1", old.Header.Get("X-Craton-Revision")); note(r) != note(old) || r.Header.Get("X-Craton-Revision") != old.Header.Get("X-Craton-Revision") {
			t.Errorf("who needs no more than what is there reads %d %s, want %s", r.Status, note(r), note(old))
		}
		if r := s.askBehind(f.root, "/v1/users/"+user.id(t), "0"); r.Status != 200 {
			t.Errorf("a replica's word that somebody is not there counts: %d", r.Status)
		}
		if r := s.askBehind(f.root, "/v1/hosts/1", "newest"); r.Status != 400 || !strings.Contains(r.message(), "X-Craton-Revision") {
			t.Errorf("%d %s", r.Status, r.Text)
		}
	}
	if embedded, err := here.server.Embedded(t.Context(), f.root.project); err != nil {
		t.Error(err)
	} else { // nobody looks into the database for who asks
		w := httptest.NewRecorder()
		embedded.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/hosts/1", nil))
		if !strings.Contains(w.Body.String(), `"paused"`) {
			t.Errorf("in the same process: %d %s", w.Code, w.Body)
		}
	}
	if s := here.server.Stats().Replica; s.Skipped["behind"] == 0 || s.Skipped["refused"] == 0 {
		t.Errorf("passed by: %v", s.Skipped)
	}
	here.must(f.root, 204, "DELETE", "/v1/users/"+user.id(t), "")
	there.must(someone, 401, "GET", "/v1/hosts/1", "")
	here.replicaIs("lag")
	m := metrics.New("1")
	m.Watch(here.server)
	shown := httptest.NewRecorder()
	m.Handler("").ServeHTTP(shown, httptest.NewRequestWithContext(t.Context(), http.MethodGet, metrics.Path, nil))
	for _, want := range []string{"craton_replica_up 0\n", `craton_reads_total{place="replica"} `, `craton_reads_total{place="primary"} `, `craton_replica_passed_total{reason="behind"} `, "craton_replica_lag_seconds 1", "craton_replica_lag_revisions "} {
		if !strings.Contains(shown.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if s := here.server.Stats().Replica; s.Behind < 3 || s.Lag < time.Second {
		t.Errorf("%d revisions, %s", s.Behind, s.Lag)
	}
	if got := note(here.askBehind(f.root, "/v1/hosts/1", "0")); got != "paused" {
		t.Errorf("behind by more than it may be, it answers %s", got)
	}
	standby.Exec(t, "postgres", "SELECT pg_wal_replay_resume()")
	here.replicaIs("")
	there.replicaIs("")

	// It is gone, and back.
	standby.Kill(t)
	t.Run("gone", func(t *testing.T) {
		begun := time.Now()
		rounds(t, 2)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("requests took %s", took)
		}
	})
	here.replicaIs("no_answer")
	standby.Start(t)
	here.replicaIs("")
	there.replicaIs("")
	t.Run("back", func(t *testing.T) { rounds(t, 2) })
	before := here.server.Stats().Replica.Reads
	here.must(f.root, 200, "GET", "/v1/hosts", "")
	if here.server.Stats().Replica.Reads == before {
		t.Errorf("it is back, and not read: %v", here.server.Stats().Replica.Skipped)
	}

	// It becomes the primary of a history of its own.
	standby.Exec(t, "postgres", "SELECT pg_promote()")
	here.replicaIs("leads")
	enginetest.Exec(t, o.ReadDatabase, "UPDATE log SET revision = revision + 1")
	here.replicaIs("foreign")
	t.Run("promoted", func(t *testing.T) { rounds(t, 2) })
}

// TestReplicaIsEarly: a standby that the primary waits for replays a commit before the primary shows it. Nobody sees it
// before, at any server, and the standby is a replica like any other.
func TestReplicaIsEarly(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres, enginetest.Bouncer)
	primary := postgrestest.Start(t)
	f := newFixtureOn(t, primary.Database(t), server.Limits{})
	f.place("c", "r", "l")
	standby := primary.Standby(t)
	o := server.Options{ReadDatabase: sameOn(t, f.database, standby), ReadLag: time.Minute}
	here, there := f.besideWith(o), f.besideWith(o)
	here.replicaIs("")
	there.replicaIs("")
	wait := func(names string) { // for as many standbys as that names
		primary.Exec(t, "postgres", "ALTER SYSTEM SET synchronous_standby_names = '"+names+"'", "SELECT pg_reload_conf()")
	}
	replayed := func() int { return enginetest.Count(t, o.ReadDatabase, "SELECT revision FROM log") }
	for round := range 3 {
		before := there.must(f.root, 200, "GET", "/v1/clouds/1", "")
		was, skipped := replayed(), there.server.Stats().Replica.Skipped["early"]
		wait("FIRST 2 (*)") // and there is one
		want := fmt.Sprint("round ", round)
		written := make(chan reply, 1)
		go func() { written <- here.call(f.root, "PUT", "/v1/clouds/1", `{"note":"`+want+`"}`) }()
		for deadline := time.Now().Add(30 * time.Second); replayed() == was; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the standby does not replay the write")
			}
		}
		select {
		case r := <-written:
			t.Fatalf("acknowledged with one standby of two: %d %s", r.Status, r.Text)
		default:
		}
		for range 5 {
			for _, r := range []reply{
				there.must(f.root, 200, "GET", "/v1/clouds/1", ""),
				there.askBehind(f.root, "/v1/clouds/1", before.Header.Get("X-Craton-Revision")),
			} {
				if r.JSON["note"] != before.JSON["note"] || r.Header.Get("X-Craton-Revision") != before.Header.Get("X-Craton-Revision") {
					t.Errorf("%s is shown at %s before it is acknowledged", r.JSON["note"], r.Header.Get("X-Craton-Revision"))
				}
				there.must(f.root, 200, "GET", "/v1/changes?after="+r.Header.Get("X-Craton-Revision"), "")
			}
		}
		if there.server.Stats().Replica.Skipped["early"] == skipped {
			t.Errorf("passed by: %v", there.server.Stats().Replica.Skipped)
		}
		time.Sleep(1500 * time.Millisecond) // it is compared with the primary meanwhile
		there.replicaIs("")
		wait("")
		if r := <-written; r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Text)
		}
		for _, s := range []*fixture{here, there} {
			if r := s.must(f.root, 200, "GET", "/v1/clouds/1", ""); r.JSON["note"] != want {
				t.Errorf("%s reads %s", want, r.Text)
			}
		}
	}
	reads := there.server.Stats().Replica.Reads
	there.must(f.root, 200, "GET", "/v1/clouds/1", "")
	if there.server.Stats().Replica.Reads == reads {
		t.Errorf("it is not read: %v", there.server.Stats().Replica.Skipped)
	}
}

// TestNoReplica: what cannot be meant as the replica of a database is refused.
func TestNoReplica(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres)
	f, other := newFixture(t), newFixture(t)
	empty := enginetest.Database(t)
	for _, test := range []struct {
		database, read string
		shown          bool
		want           string
	}{
		{f.database, other.database, false, "is no replica of the database: it is another one"},
		{f.database, empty, false, "is no replica of the database: it holds no fleet"},
		{f.database, "sqlite:/nowhere", false, "--read-database: the database's URL is not well written"},
		{"sqlite:" + t.TempDir() + "/fleet.db", f.database, false, "--database is a file"},
		{f.database, strings.Replace(f.database, "@", ":hush@", 1), true, "has a password in it"},
		{f.database, f.database + "?target_session_attrs=read-write", false, "asks for the server that takes writes"},
		{f.database, strings.Replace(f.database, "/fleet", "/nothing", 1), false, "cannot be opened"},
	} {
		s, err := server.Open(t.Context(), test.database, server.Options{Create: true, ReadDatabase: test.read, ReadShown: test.shown})
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "--read-database: ") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v, want %s", test.read, err, test.want)
		}
	}
	itself := f.besideWith(server.Options{ReadDatabase: f.database})
	itself.replicaIs("leads")
	away := f.besideWith(server.Options{ReadDatabase: "postgres://craton@127.0.0.1:1/fleet"})
	away.replicaIs("no_answer")
	away.must(f.root, 200, "GET", "/v1/clouds", "")
}
