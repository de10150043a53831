package server_test

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// fault is what happens to one statement on its way to PostgreSQL.
type fault string

const (
	cutBefore fault = "connection cut before it"
	cutAfter  fault = "connection cut before its answer"
	serialize fault = "serialization failure"
)

// between stands between a server and PostgreSQL, and has something happen to one statement.
type between struct {
	listener net.Listener
	address  string // of PostgreSQL

	mu    sync.Mutex
	fault fault // "" for none
	left  int   // statements until then
}

// newBetween returns one, and the URL of a database through it.
func newBetween(t *testing.T, database string) (*between, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	b := &between{address: u.Host}
	if b.listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.listener.Close() })
	go func() {
		for {
			client, err := b.listener.Accept()
			if err != nil {
				return
			}
			go b.serve(client)
		}
	}()
	u.Host, u.RawQuery = b.listener.Addr().String(), "sslmode=disable"
	return b, u.String()
}

// arm has a fault happen to the statement behind that many others.
func (b *between) arm(f fault, behind int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault, b.left = f, behind
}

// disarm reports whether the fault happened.
func (b *between) disarm() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	happened := b.fault == ""
	b.fault = ""
	return happened
}

// next is what happens to a statement.
func (b *between) next() (f fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault == "" {
		return ""
	}
	if b.left--; b.left < 0 {
		f, b.fault = b.fault, ""
	}
	return f
}

// serve passes messages on, both ways.
func (b *between) serve(client net.Conn) {
	defer client.Close() //nolint:errcheck // the other end knows
	database, err := net.Dial("tcp", b.address)
	if err != nil {
		return
	}
	defer database.Close() //nolint:errcheck // the other end knows
	// What reads and what writes of a connection are in different goroutines.
	fromClient, toDatabase := pgproto3.NewBackend(client, nil), pgproto3.NewFrontend(nil, database)
	startup, err := fromClient.ReceiveStartupMessage()
	if err != nil {
		return
	}
	toDatabase.Send(startup)
	if toDatabase.Flush() != nil {
		return
	}
	var deaf atomic.Bool // no answer comes through any more
	go func() {
		defer client.Close()   //nolint:errcheck // the other end knows
		defer database.Close() //nolint:errcheck // the other end knows
		fromDatabase, toClient := pgproto3.NewFrontend(database, nil), pgproto3.NewBackend(nil, client)
		for {
			m, err := fromDatabase.Receive()
			if err != nil {
				return
			}
			if _, ready := m.(*pgproto3.ReadyForQuery); ready && deaf.Load() {
				return
			}
			if e, failed := m.(*pgproto3.ErrorResponse); failed && (e.Code == "34000" || e.Code == "42703") {
				e.Code, e.Message = "40001", "could not serialize access, says a test"
			}
			if deaf.Load() {
				continue
			}
			toClient.Send(m)
			if toClient.Flush() != nil {
				return
			}
		}
	}()
	for {
		m, err := fromClient.Receive()
		if err != nil {
			return
		}
		var f fault
		switch m.(type) {
		case *pgproto3.Execute, *pgproto3.Query:
			f = b.next()
		}
		switch f {
		case cutBefore:
			return
		case cutAfter:
			deaf.Store(true)
		case serialize: // it fails, with another code
			if _, prepared := m.(*pgproto3.Execute); prepared {
				m = &pgproto3.Execute{Portal: "of nobody"}
			} else {
				m = &pgproto3.Query{String: "SELECT nothing"}
			}
		}
		toDatabase.Send(m)
		switch m.(type) {
		case *pgproto3.Sync, *pgproto3.Query, *pgproto3.Flush, *pgproto3.Terminate:
			if toDatabase.Flush() != nil {
				return
			}
		}
	}
}

// TestFaultAtEachStatement: whichever statement of a write meets whichever fault, what the client hears is true, and
// the write is in the log once or not at all. `make proof` tries each statement with each fault, and this some of them.
func TestFaultAtEachStatement(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres)
	direct := enginetest.Database(t)
	b, through := newBetween(t, direct)
	f := newFixtureOn(t, through, server.Limits{})
	f.place("c", "r", "l")
	second := f.must(f.root, 201, "POST", "/v1/cells", `{"name":"second","cloud_id":1,"region_id":1}`).id(t)
	host := func(name string) string {
		return f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"`+name+`","ip_address":"192.0.2.1","device_type":"server","cloud_id":1,"region_id":1,"cell_id":1,"variables":{"a":1}}`).id(t)
	}
	one := host("one")
	n := 0
	name := func() string { n++; return fmt.Sprint("n", n) }
	type request struct{ method, path, body string }
	writes := []struct {
		kind string
		make func() request
	}{
		{"create cloud", func() request { return request{"POST", "/v1/clouds", `{"name":"` + name() + `"}`} }},
		{"create region", func() request { return request{"POST", "/v1/regions", `{"name":"` + name() + `","cloud_id":1}`} }},
		{"create host", func() request {
			return request{"POST", "/v1/hosts", `{"name":"` + name() + `","ip_address":"192.0.2.2","device_type":"server","cloud_id":1,"region_id":1,"variables":{"a":1,"b":[2]}}`}
		}},
		{"create network", func() request {
			return request{"POST", "/v1/networks", `{"name":"` + name() + `","cidr":"192.0.2.0/24","gateway":"192.0.2.1","netmask":"255.255.255.0","cloud_id":1,"region_id":1}`}
		}},
		{"create user", func() request {
			return request{"POST", "/v1/users", `{"username":"` + name() + `","project_id":"` + f.root.project + `"}`}
		}},
		{"update host", func() request { return request{"PUT", "/v1/hosts/" + one, `{"note":"` + name() + `"}`} }},
		{"set variables", func() request {
			return request{"PUT", "/v1/hosts/" + one + "/variables", `{"` + name() + `":1,"a":"` + name() + `"}`}
		}},
		{"delete variables", func() request {
			key := name()
			f.must(f.root, 200, "PUT", "/v1/regions/1/variables", `{"`+key+`":1}`)
			return request{"DELETE", "/v1/regions/1/variables", `["` + key + `"]`}
		}},
		{"set labels", func() request {
			return request{"PUT", "/v1/hosts/" + one + "/labels", `{"labels":["` + name() + `"]}`}
		}},
		{"move host", func() request {
			cell := second
			if enginetest.Query(t, direct, "SELECT cell_id FROM devices WHERE id = "+one)[0][0] == second {
				cell = "1"
			}
			return request{"POST", "/v1/hosts/" + one + "/move", `{"cell_id":` + cell + `}`}
		}},
		{"protect", func() request {
			now := enginetest.Query(t, direct, "SELECT protected FROM devices WHERE id = "+one)[0][0]
			return request{"PUT", "/v1/hosts/" + one + "/protected", fmt.Sprintf(`{"protected":%t}`, !strings.HasPrefix(now, "t"))}
		}},
		{"bulk edit", func() request {
			return request{"POST", "/v1/bulk", `{"kind":"host","where":"name=one","variables":{"c":"` + name() + `"}}`}
		}},
		{"undo", func() request {
			made := f.must(f.root, 200, "PUT", "/v1/clouds/1", `{"note":"`+name()+`"}`).Header.Get("X-Openstack-Request-Id")
			return request{"POST", "/v1/undo", `{"request_id":"` + made + `"}`}
		}},
		{"delete host", func() request { return request{"DELETE", "/v1/hosts/" + host(name()), ""} }},
		{"delete cloud with all in it", func() request {
			c := f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"`+name()+`"}`).id(t)
			r := f.must(f.root, 201, "POST", "/v1/regions", `{"name":"r","cloud_id":`+c+`}`).id(t)
			f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"h","ip_address":"192.0.2.1","device_type":"server","cloud_id":`+c+`,"region_id":`+r+`}`)
			return request{"DELETE", "/v1/clouds/" + c, ""}
		}},
	}
	revisions := func() int { return enginetest.Count(t, direct, "SELECT count(DISTINCT revision) FROM changes") }
	for _, w := range writes {
		t.Run(w.kind, func(t *testing.T) {
			for first, kind := range []fault{cutBefore, cutAfter, serialize} {
				for at, happened := min(first, enginetest.Size(2, 0)), true; happened; at += enginetest.Size(3, 1) {
					r := w.make()
					before := revisions()
					b.arm(kind, at)
					reply := f.call(f.root, r.method, r.path, r.body)
					happened = b.disarm()
					made := revisions() - before
					switch text := reply.Text; {
					case reply.Status < 300 && made == 1:
					case reply.Status == 500 && made == 0 && reply.Header.Get("Retry-After") != "" && strings.Contains(text, "Nothing was changed"):
					case reply.Status == 500 && made <= 1 && strings.Contains(text, "Nobody can tell"):
						t.Errorf("%s at statement %d: nobody could tell, though the log could be asked", kind, at)
					default:
						t.Errorf("%s at statement %d: %s %s %s: %d %s, and %d revisions", kind, at, r.method, r.path, r.body, reply.Status, text, made)
					}
					if !happened && at < 4 {
						t.Error("the write has hardly a statement")
					}
					if at > 100 {
						t.Fatal("no end of statements")
					}
				}
			}
		})
	}
}
