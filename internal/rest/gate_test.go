package rest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/craton-fleet/craton/internal/skip"
)

// smallServers are servers of Python's own that answer one request at a time, with the queue of five that they have.
var smallServers = map[string]string{
	"wsgiref, as the original": `
from wsgiref.simple_server import make_server, WSGIRequestHandler
class Quiet(WSGIRequestHandler):
    def log_message(self, *args): pass
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b"{}"]
server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
`,
	"http.server": `
from http.server import HTTPServer, BaseHTTPRequestHandler
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
server = HTTPServer(("127.0.0.1", 0), Handler)
`,
}

// TestFewConnections: a burst of requests never has more than four connections to a server that takes few, from the
// first on, and one that was told otherwise has those.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		skip.Packages(t, "python3")
	}
	for name, program := range smallServers {
		for _, set := range []int{0, 2} {
			server := exec.CommandContext(t.Context(), python, "-c", program+`
assert server.request_queue_size == 5
print(server.server_port, flush=True)
server.serve_forever()
`)
			out, err := server.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
			port, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			relay := newRelay(t, "127.0.0.1:"+strings.TrimSpace(port))
			c := newTestClient(t, "http://"+relay.address, func(cfg *Config) { cfg.Connections = set })
			var all sync.WaitGroup
			for range 40 {
				all.Go(func() {
					for range 3 {
						if _, err := c.Do(t.Context(), &Request{Method: http.MethodGet, Path: "/x"}); err != nil {
							t.Errorf("%s: %v", name, err)
						}
					}
				})
			}
			all.Wait()
			if most := relay.max.Load(); most > fewConnections || set > 0 && most > int32(set) || most == 0 {
				t.Errorf("%s: %d connections at once, set %d", name, most, set)
			}
		}
	}
}

// relay counts the connections that go through it.
type relay struct {
	address  string
	now, max atomic.Int32
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	r := &relay{address: l.Addr().String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			n := r.now.Add(1)
			for old := r.max.Load(); n > old && !r.max.CompareAndSwap(old, n); old = r.max.Load() {
			}
			go func() {
				defer client.Close() //nolint:errcheck // a test's
				server, err := net.Dial("tcp", to)
				var answer []byte
				if err == nil {
					go func() { _, _ = io.Copy(server, client) }()
					answer, _ = io.ReadAll(server) // which closes first
					_ = server.Close()
				}
				r.now.Add(-1) // before the client can know that there is room
				_, _ = client.Write(answer)
			}()
		}
	}()
	return r
}

// TestGateGivenUp: who gives up waiting was never sent, and takes nobody's place.
func TestGateGivenUp(t *testing.T) {
	t.Parallel()
	g := newGate(1)
	if err := g.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.enter(ctx); !errors.Is(err, context.Canceled) || MaybeExecuted(err) {
		t.Errorf("%v", err)
	}
	waits := make(chan error)
	go func() { waits <- g.enter(t.Context()) }()
	g.leave()
	if err := <-waits; err != nil || g.inside != 1 {
		t.Errorf("%d inside, %v", g.inside, err)
	}
}

// TestStreamIsClosedTwice: a stream that is read to its end and closed then, as callers do, leaves the gate once.
func TestStreamIsClosedTwice(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	t.Cleanup(server.Close)
	c := newTestClient(t, server.URL, func(cfg *Config) { cfg.Connections = 1 })
	s, _, err := c.Stream(t.Context(), &Request{Method: http.MethodGet, Path: "/x"})
	if err != nil || c.gate.inside != 1 {
		t.Fatalf("%v, %d inside", err, c.gate.inside)
	}
	s.Close()
	s.Close()
	if c.gate.inside != 0 {
		t.Errorf("%d inside after all are gone", c.gate.inside)
	}
}
