package server_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/store"
)

// onPostgres is a fixture on a PostgreSQL server of its own.
func onPostgres(t *testing.T, options ...postgrestest.Option) (*fixture, *postgrestest.Server) {
	t.Helper()
	enginetest.Only(t, enginetest.Postgres)
	p := postgrestest.Start(t, options...)
	return newFixtureOn(t, p.Database(t), server.Limits{}), p
}

// fails checks that a request is answered with 500, a cause and when to come again, and that the health says so too.
func (f *fixture) fails(method, path, body, cause string) {
	f.t.Helper()
	r := f.call(f.root, method, path, body)
	if r.Status != 500 || r.Header.Get("Retry-After") == "" || !strings.Contains(r.message(), cause) {
		f.t.Errorf("%s %s: %d %q %s, want 500, Retry-After and %q", method, path, r.Status, r.Header.Get("Retry-After"), r.Text, cause)
	}
	for path, want := range map[string]int{"/healthz": 500, "/readyz": 500, "/livez": 200} {
		if r := f.call(f.root, "GET", path, ""); r.Status != want {
			f.t.Errorf("%s: %d %s, want %d", path, r.Status, r.Text, want)
		}
	}
}

// TestDatabaseServerIsKilled kills the database's server again and again, and stops it, while writers write. What
// clients hear is true: what was acknowledged is there, once, and what was said to have changed nothing is not.
func TestDatabaseServerIsKilled(t *testing.T) {
	t.Parallel()
	f, p := onPostgres(t, postgrestest.Durable())
	f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"base"}`)
	base := enginetest.Query(t, f.database, "SELECT id FROM clouds")[0][0]
	stop := make(chan struct{})
	said := map[string]string{} // cloud, or variable of base -> what was answered
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("w%d-%d", w, n)
				method, path, body := "POST", "/v1/clouds", `{"name":"`+name+`"}`
				if n%2 == 1 {
					method, path, body = "PUT", path+"/"+base+"/variables", `{"`+name+`":1}`
				}
				req, err := http.NewRequest(method, f.url+path, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Content-Type", "application/json")
				f.root.sign(req)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				text, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				answer := ""
				switch {
				case err != nil:
					t.Error(err)
				case resp.StatusCode == 201 || resp.StatusCode == 200:
					answer = "stored"
				case resp.StatusCode == 500 && resp.Header.Get("Retry-After") != "" && strings.Contains(string(text), "Nothing was changed"):
					answer = "refused"
				case resp.StatusCode == 500 && strings.Contains(string(text), "Nobody can tell"):
					answer = "uncertain"
				default: // a conflict would be a write that was made twice
					t.Errorf("%s: %d %s", name, resp.StatusCode, text)
				}
				mu.Lock()
				said[name] = answer
				mu.Unlock()
			}
		})
	}
	for round := range 6 {
		time.Sleep(300 * time.Millisecond)
		if round%3 == 2 {
			p.Stop(t)
		} else {
			p.Kill(t)
		}
		p.Start(t)
	}
	time.Sleep(300 * time.Millisecond)
	close(stop)
	wg.Wait()
	there, kinds := map[string]bool{}, map[string]int{}
	for _, row := range enginetest.Query(t, f.database, "SELECT name FROM clouds UNION ALL SELECT key FROM variables") {
		there[row[0]] = true
	}
	for name, answer := range said {
		kinds[answer]++
		if answer == "stored" && !there[name] || answer == "refused" && there[name] {
			t.Errorf("%s was %s, and is there: %t", name, answer, there[name])
		}
	}
	if kinds["stored"] < 50 {
		t.Errorf("%v: the test proves nothing", kinds)
	}
	if logged := enginetest.Count(t, f.database, "SELECT count(*) FROM changes WHERE kind = 'cloud'"); logged != len(there) {
		t.Errorf("%d clouds and variables, %d changes in the log", len(there), logged)
	}
	t.Log(kinds)
}

// TestDatabaseServerIsUnavailable: while nobody answers, and while what answers may only be read.
func TestDatabaseServerIsUnavailable(t *testing.T) {
	t.Parallel()
	f, p := onPostgres(t)
	f.place("c", "r", "l")
	p.Stop(t)
	f.fails("POST", "/v1/clouds", `{"name":"d"}`, "it cannot be reached")
	p.Start(t)
	name := path.Base(f.database)
	f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"d"}`)
	if r := f.call(f.root, "GET", "/healthz", ""); r.Status != 200 {
		t.Errorf("/healthz: %d %s", r.Status, r.Text)
	}
	p.Exec(t, "postgres", "ALTER DATABASE "+name+" SET default_transaction_read_only = on",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'")
	f.fails("POST", "/v1/clouds", `{"name":"e"}`, "it can")
	p.Exec(t, "postgres", "ALTER DATABASE "+name+" RESET default_transaction_read_only")
	f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"e"}`)
}

// TestFewConnections: more requests at once than the database has connections for are answered one after the other.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	f, _ := onPostgres(t, postgrestest.Setting("max_connections", "9"))
	f.place("c", "r", "l")
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("POST", "/v1/clouds", strings.NewReader(fmt.Sprintf(`{"name":"c%d"}`, i)))
			r.Header.Set("Content-Type", "application/json")
			f.root.sign(r)
			if f.server.Handler().ServeHTTP(w, r); w.Code != 201 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	wg.Wait()
}

// TestDatabaseDiskIsFull: no room is said, what was stored can be read, and with more room work goes on.
func TestDatabaseDiskIsFull(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres)
	postgrestest.CanMount(t)
	p := postgrestest.Start(t, postgrestest.SmallDisk(24))
	f := newFixtureOn(t, p.OnSmallDisk(t), server.Limits{})
	f.place("c", "r", "l")
	body := func(i int) string { // compresses badly
		var b strings.Builder
		r := rand.New(rand.NewPCG(1, uint64(i)))
		for range 20_000 {
			fmt.Fprintf(&b, "%016x", r.Uint64())
		}
		return fmt.Sprintf(`{"name":"d%d","variables":{"v":"%s"}}`, i, b.String())
	}
	stored := 0
	for ; stored < 200; stored++ {
		r := f.call(f.root, "POST", "/v1/clouds", body(stored))
		if r.Status == 201 {
			continue
		}
		if r.Status != 500 || r.Header.Get("Retry-After") == "" || !strings.Contains(r.message(), "the disk is full") {
			t.Errorf("%d %s", r.Status, r.Text)
		}
		break
	}
	if stored == 0 || stored == 200 {
		t.Errorf("%d stored: the disk was never full", stored)
	}
	f.must(f.root, 200, "GET", "/v1/clouds", "")
	p.GrowDisk(t, 200)
	f.must(f.root, 201, "POST", "/v1/clouds", body(stored))
	if n := enginetest.Count(t, f.database, "SELECT count(*) FROM clouds"); n != stored+2 {
		t.Errorf("%d clouds, want %d", n, stored+2)
	}
}

// TestNewerTables: a program leaves alone what a newer one has made.
func TestNewerTables(t *testing.T) {
	t.Parallel()
	f, _ := onPostgres(t)
	enginetest.Exec(t, f.database, "UPDATE craton_schema SET version = 1000")
	if _, err := server.Open(t.Context(), f.database, server.Options{Create: true}); !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), "use that version or newer") {
		t.Error(err)
	}
}
