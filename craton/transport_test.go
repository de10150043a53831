package craton_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// TestRetries: which requests are repeated after which answers, and that the body goes along each time.
func TestRetries(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const again = -500 // 500 with Retry-After
	get := func(c *craton.Client) error { return second(c.Do(ctx, "GET", "/x", nil, nil)) }
	put := func(c *craton.Client) error {
		return second(c.Do(ctx, "PUT", "/x", nil, map[string]string{"a": "<b>"}))
	}
	post := func(c *craton.Client) error {
		return second(c.Do(ctx, "POST", "/x", nil, map[string]string{"a": "<b>"}))
	}
	remove := func(c *craton.Client) error { return second(c.Do(ctx, "DELETE", "/x", nil, []string{"k"})) }
	for _, tt := range []struct {
		name   string
		do     func(*craton.Client) error
		status int
		tries  int
	}{
		{"PUT 500 with Retry-After", put, again, 3}, // craton server's instead of 503
		{"DELETE 500 with Retry-After", remove, again, 3},
		{"POST 500 with Retry-After", post, again, 1},
		{"GET 500", get, 500, 3}, // Q8
		{"GET 502", get, 502, 3},
		{"GET 503", get, 503, 3},
		{"GET 504", get, 504, 3},
		{"GET 429", get, 429, 3},
		{"GET 404", get, 404, 1},
		{"GET 400", get, 400, 1},
		{"GET 501", get, 501, 1},
		{"GET 401", get, 401, 1}, // Q19: fresh credentials would not help
		{"PUT 500", put, 500, 1}, // Q5, Q6: it means something there
		{"PUT 503", put, 503, 3},
		{"DELETE 500", remove, 500, 1},
		{"DELETE 502", remove, 502, 3},
		{"POST 500", post, 500, 1},
		{"POST 503", post, 503, 1},
		{"POST 429", post, 429, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t, craton.WithRetries(2))
			var rec recorder
			respond := always(tt.status, `{"message": "the server's words", "status": 0}`)
			if tt.status == again {
				tt.status = 500
				respond = func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", "0")
					reply(w, 500, `{"message": "the server's words", "status": 0}`)
				}
			}
			mux.HandleFunc("/v1/x", rec.wrap(respond))
			err := tt.do(c)
			var e *craton.Error
			if !errors.As(err, &e) || e.Status != tt.status || e.Message != "the server's words" || e.RequestID != "req-1" {
				t.Errorf("error %#v", err)
			}
			seen := rec.all()
			if len(seen) != tt.tries {
				t.Errorf("%d tries, want %d", len(seen), tt.tries)
			}
			for _, r := range seen {
				if diff := cmp.Diff(seen[0], r); diff != "" {
					t.Errorf("a later try differs:\n%s", diff)
				}
			}
			if m := seen[0].Method; m == "PUT" && seen[0].Body != `{"a":"<b>"}` || m == "DELETE" && seen[0].Body != `["k"]` {
				t.Errorf("body %q", seen[0].Body)
			}
		})
	}
}

// TestRetrySucceeds: the response of the try that worked is the one that counts.
func TestRetrySucceeds(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	var n atomic.Int32
	mux.HandleFunc("GET /v1/hosts/7", func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) < 4 {
			reply(w, 500, bodyUnknown)
			return
		}
		reply(w, 200, plain)
	})
	h, err := c.Hosts.Get(t.Context(), 7)
	if err != nil || h.Name != "x" {
		t.Errorf("%v, %v", h, err)
	}
}

// hijack answers with raw bytes and hangs up.
func hijack(t *testing.T, w http.ResponseWriter, raw string) {
	t.Helper()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close() //nolint:errcheck // a test's
	_, _ = io.WriteString(conn, raw)
}

// TestCutAnswers: a response that is cut short is asked for again where that does no harm, whether its length was
// announced, came in chunks, or ends with the connection as in HTTP/1.0 (Q31).
func TestCutAnswers(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, raw := range map[string]string{
		"length":     head + "Content-Length: 1000\r\n\r\n{\"id\": 7",
		"no body":    head + "Content-Length: 1000\r\n\r\n",
		"chunked":    head + "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"id\": 7\r\n",
		"http/1.0":   "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\": 7, \"name\": \"x\"",
		"no headers": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t, craton.WithRetries(2))
			var n atomic.Int32
			mux.HandleFunc("/v1/hosts/7", func(w http.ResponseWriter, _ *http.Request) {
				if n.Add(1) < 3 {
					hijack(t, w, raw)
					return
				}
				reply(w, 200, plain)
			})
			if h, err := c.Hosts.Get(t.Context(), 7); err != nil || h.Name != "x" {
				t.Errorf("get: %v, %v", h, err)
			}
			if n.Load() != 3 {
				t.Errorf("%d tries", n.Load())
			}
			// Cut for good: an error that says so.
			mux.HandleFunc("/v1/hosts/8", func(w http.ResponseWriter, _ *http.Request) { hijack(t, w, raw) })
			_, err := c.Hosts.Get(t.Context(), 8)
			var ce *craton.ConnectionError
			if !errors.As(err, &ce) || !strings.Contains(err.Error(), "tried 3 times") {
				t.Errorf("error %v", err)
			}
			if name != "no headers" && !strings.Contains(err.Error(), "the response was cut short after") {
				t.Errorf("error %v", err)
			}
			// A create is not sent again, and the error says that it may have been carried out.
			n.Store(0)
			mux.HandleFunc("POST /v1/hosts", func(w http.ResponseWriter, _ *http.Request) {
				n.Add(1)
				hijack(t, w, raw)
			})
			_, err = c.Hosts.Create(t.Context(), craton.HostCreate{Name: "x"})
			if !errors.As(err, &ce) || !strings.Contains(err.Error(), "may have been carried out") {
				t.Errorf("error %v", err)
			}
			if n.Load() != 1 {
				t.Errorf("a create was sent %d times", n.Load())
			}
		})
	}
}

// TestNoConnection: what was never sent is repeated whatever it is, and the error says where it was meant to go.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	const addr = "127.0.0.1:1" // where nobody listens; a port that is free now may be another test's in a moment
	c := newClient(t, "http://user:secret@"+addr, craton.WithRetries(2))
	for _, method := range []string{"GET", "POST"} {
		_, err := c.Do(t.Context(), method, "/clouds", url.Values{"name": {"private"}}, nil)
		var ce *craton.ConnectionError
		if !errors.As(err, &ce) {
			t.Fatalf("error %v", err)
		}
		want := "cannot reach the Craton API: " + method + " http://" + addr + "/v1/clouds: dial tcp " + addr + ": connect: connection refused (tried 3 times)"
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Error(diff)
		}
		if craton.StatusOf(err) != 0 || craton.IsNotFound(err) {
			t.Error("no answer is taken for one")
		}
	}
}

// TestTimeout: the time is each try's own, and is told.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"headers", "body"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t, craton.WithTimeout(150*time.Millisecond), craton.WithRetries(1))
			var n atomic.Int32
			mux.HandleFunc("/v1/hosts/7", func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1); when == "body" {
					w.Header().Set("Content-Length", "100")
					_, _ = io.WriteString(w, `{"id": `)
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			})
			_, err := c.Hosts.Get(t.Context(), 7)
			var ce *craton.ConnectionError
			if !errors.As(err, &ce) || !errors.Is(err, context.DeadlineExceeded) ||
				!strings.HasSuffix(err.Error(), ": no complete response within 150ms (tried 2 times)") {
				t.Errorf("error %v", err)
			}
			if n.Load() != 2 {
				t.Errorf("%d tries", n.Load())
			}
		})
	}
}

// TestContext: the caller's own deadline ends everything at once and is not taken for the client's timeout.
func TestContext(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetryWait(time.Hour, time.Hour))
	mux.HandleFunc("/v1/hosts/7", always(503, "{}"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := c.Hosts.Get(ctx, 7)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "context deadline exceeded") {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
	if _, err := c.Hosts.Get(ctx, 7); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// TestRedirect: none is followed, and the error says what to do, without what may be secret.
func TestRedirect(t *testing.T) {
	t.Parallel()
	var leaked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Store(true) }))
	t.Cleanup(other.Close)
	mux, c := newServer(t, craton.WithLocalAuth("deploy", "topsecret", projectID))
	for i, status := range []int{301, 302, 303, 307, 308} {
		path := fmt.Sprintf("/hosts/%d", i)
		var n atomic.Int32
		mux.HandleFunc("/v1"+path, func(w http.ResponseWriter, r *http.Request) {
			n.Add(1)
			http.Redirect(w, r, strings.Replace(other.URL, "http://", "http://u:hidden@", 1)+"/v1/x?token=hidden", status)
		})
		_, err := c.Do(t.Context(), "GET", path, nil, nil)
		var ce *craton.ConnectionError
		if !errors.As(err, &ce) || !strings.Contains(err.Error(), "set the URL to its target ("+other.URL+"/v1/x)") {
			t.Errorf("error %v", err)
		}
		if n.Load() != 1 {
			t.Errorf("%d: asked %d times", status, n.Load())
		}
	}
	if leaked.Load() {
		t.Error("a redirect was followed")
	}
	// Other answers that are neither success nor failure are errors too.
	mux.HandleFunc("/v1/hosts/99", always(304, ""))
	if _, err := c.Do(t.Context(), "GET", "/hosts/99", nil, nil); craton.StatusOf(err) != 304 {
		t.Errorf("304: %v", err)
	}
}

// TestHeaders: what every request carries.
func TestHeaders(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithLocalAuth("deploy", "key", projectID), craton.WithUserAgent("me/1"))
	var got http.Header
	mux.HandleFunc("/v1/hosts/7", func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		reply(w, 200, plain)
	})
	if _, err := c.Hosts.Get(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"X-Auth-User": "deploy", "X-Auth-Token": "key", "X-Auth-Project": projectID,
		"User-Agent": "me/1", "Accept": "application/json", "Content-Type": "",
	} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
}

// failingAuth cannot authenticate.
type failingAuth struct{ n *atomic.Int32 }

func (a failingAuth) Authenticate(context.Context, *http.Request) error {
	a.n.Add(1)
	return errors.New("no token to be had")
}

func TestAuthFails(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	_, c := newServer(t, craton.WithAuth(failingAuth{&n}))
	_, err := c.Hosts.Create(t.Context(), craton.HostCreate{})
	if e, ok := errors.AsType[*craton.AuthError](err); !ok || e.Error() != "cannot authenticate: no token to be had" {
		t.Errorf("error %v", err)
	}
	if n.Load() != 1 {
		t.Errorf("tried %d times", n.Load())
	}
}

// TestSecrets prints everything that a caller may hold in every careless way.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	const nowhere = "127.0.0.1:1" // a port that is free now may be another test's in a moment
	options := []craton.Option{craton.WithLocalAuth("deploy", secret, projectID), craton.WithRetries(0)}
	c := newClient(t, "http://me:"+secret+"@"+nowhere+"/api", options...)
	mux, answering := newServer(t, options...)
	mux.HandleFunc("/v1/clouds", always(401, `{"message": "The request could not be authenticated.", "status": 401}`))

	var things []any
	fail := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("no error")
		}
		things = append(things, err)
		for ; err != nil; err = errors.Unwrap(err) {
			things = append(things, err)
		}
	}
	fail(second(c.Clouds.List(t.Context(), craton.CloudListOptions{Vars: secret})))
	fail(second(c.Clouds.Create(t.Context(), craton.CloudCreate{Variables: craton.Vars(map[string]any{"k": secret})})))
	fail(second(answering.Clouds.List(t.Context(), craton.CloudListOptions{Vars: secret})))
	broken := newClient(t, "http://127.0.0.1:1", craton.WithLocalAuth("deploy", secret+"\n", projectID), craton.WithRetries(0))
	fail(second(broken.Clouds.List(t.Context(), craton.CloudListOptions{})))
	for _, bad := range []string{
		"http://me:" + secret + "@h:port", "http://me:" + secret + "@h?x=" + secret, "me:" + secret + "@h:7780",
		"ftp://me:" + secret + "@h", "//me:" + secret + "@h", "http://me:" + secret + "@", "http://h/#" + secret,
	} {
		_, err := craton.New(bad, options...)
		fail(err)
	}
	things = append(things, c, *c.Clouds, c.Clouds, c.URL(), options, options[0], craton.User{APIKey: secret}, &craton.User{APIKey: secret}, craton.APIKey(secret))
	for _, thing := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, thing); strings.Contains(text, secret) {
				t.Errorf("%s of a %T shows the secret: %s", verb, thing, text)
			}
		}
	}
}

// TestURLs: what users write, and what is asked for.
func TestURLs(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"http://h:7780":         "http://h:7780/v1",
		"http://h:7780/":        "http://h:7780/v1",
		"http://h:7780/v1":      "http://h:7780/v1",
		"http://h:7780/v1/":     "http://h:7780/v1",
		" https://h/craton ":    "https://h/craton/v1",
		"https://h/craton/v1//": "https://h/craton/v1",
		"https://h/a%20b":       "https://h/a%20b/v1",
		"https://u:p@h":         "https://h/v1",
		"http://[::1]:7780":     "http://[::1]:7780/v1",
	} {
		c, err := craton.New(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if c.URL() != want {
			t.Errorf("%s: %s, want %s", raw, c.URL(), want)
		}
	}
	for _, raw := range []string{"", "h:7780", "craton.example", "sqlite:x.db", "http://", "http://h/?a=b", "http://h/#f", "http://h:x", "http://%zz"} {
		if _, err := craton.New(raw); err == nil || !strings.Contains(err.Error(), "URL") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

// TestPaths: ids that climb or vanish never reach another resource.
func TestPaths(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/v1/projects/a%2Fb%3Fc%20%C3%A9" {
			t.Errorf("asked for %s", r.URL.EscapedPath())
		}
		reply(w, 204, "")
	})
	for _, id := range []string{"", ".", ".."} {
		if err := c.Projects.Delete(t.Context(), id); err == nil {
			t.Errorf("id %q is accepted", id)
		}
	}
	for _, path := range []string{"hosts", "/hosts/../users", "/hosts/%2e%2E/users", "/hosts//7", "/hosts/", "/%zz", "/a?b/../c"} {
		if _, err := c.Do(t.Context(), "DELETE", path, nil, nil); err == nil && path != "/a?b/../c" {
			t.Errorf("path %q is accepted", path)
		}
	}
	if err := c.Projects.Delete(t.Context(), "a/b?c é"); err != nil {
		t.Error(err)
	}
}

// TestInProcess: a transport of one's own carries the requests, as for a server in the same process.
func TestInProcess(t *testing.T) {
	t.Parallel()
	c := newClient(t, "http://craton.invalid", craton.WithTransport(inProcess{fleet(25, "http://elsewhere")}))
	got, err := hostIDs(t.Context(), c, craton.HostListOptions{})
	if err != nil || len(got) != 25 {
		t.Errorf("%v, %v", got, err)
	}
}

type inProcess struct{ h http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, r)
	return w.Result(), nil
}

// TestTLS: verification against the system's certificates, one's own, none; and client certificates.
func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(always(200, plain))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	var clients atomic.Int32
	var requests atomic.Int32
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		clients.Add(int32(len(r.TLS.PeerCertificates))) //nolint:gosec // at most one
		reply(w, 200, plain)
	})
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	server.StartTLS()
	t.Cleanup(server.Close)

	dir := t.TempDir()
	write := func(name string, blocks ...*pem.Block) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		var all []byte
		for _, b := range blocks {
			all = append(all, pem.EncodeToMemory(b)...)
		}
		if err := os.WriteFile(path, all, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := write("ca/ca.pem", &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	certBlock, keyBlock := certificate(t)
	cert, key := write("client/cert.pem", certBlock), write("client/key.pem", keyBlock)
	empty := write("empty/none.pem")

	for _, tt := range []struct {
		name    string
		tls     craton.TLS
		new     string // what New complains of
		get     string // what the request complains of
		clients int32
	}{
		{name: "system", get: "certificate"},
		{name: "file", tls: craton.TLS{CAPath: ca}},
		{name: "directory", tls: craton.TLS{CAPath: filepath.Dir(ca)}},
		{name: "insecure", tls: craton.TLS{Insecure: true}},
		{name: "client certificate", tls: craton.TLS{CAPath: ca, ClientCert: cert, ClientKey: key}, clients: 1},
		{name: "no such file", tls: craton.TLS{CAPath: filepath.Join(dir, "nothing")}, new: "ca_path"},
		{name: "no certificate in the file", tls: craton.TLS{CAPath: empty}, new: "contains no PEM certificate"},
		{name: "certificate without key", tls: craton.TLS{ClientCert: cert}, new: "both client_cert and client_key"},
		{name: "key without certificate", tls: craton.TLS{ClientKey: key}, new: "both client_cert and client_key"},
		{name: "wrong key", tls: craton.TLS{ClientCert: cert, ClientKey: ca}, new: "client certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) { // in turn: they share the counts
			clients.Store(0)
			requests.Store(0)
			c, err := craton.New(server.URL, craton.WithTLS(tt.tls), craton.WithRetryWait(0, 0))
			if tt.new != "" {
				if err == nil || !strings.Contains(err.Error(), tt.new) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.CloseIdleConnections)
			_, err = c.Hosts.Get(t.Context(), 7)
			if tt.get != "" {
				var cv *tls.CertificateVerificationError
				if !errors.As(err, &cv) || !strings.Contains(err.Error(), tt.get) || strings.Contains(err.Error(), "tried") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil || clients.Load() != tt.clients || requests.Load() != 1 {
				t.Errorf("%v, %d client certificates in %d requests", err, clients.Load(), requests.Load())
			}
		})
	}

	// http spoken where https was asked for, is not tried again and again.
	plainServer := httptest.NewServer(always(200, plain))
	t.Cleanup(plainServer.Close)
	c := newClient(t, strings.Replace(plainServer.URL, "http:", "https:", 1))
	if _, err := c.Hosts.Get(t.Context(), 7); err == nil || strings.Contains(err.Error(), "tried") {
		t.Errorf("error %v", err)
	}
}

// certificate makes a client's certificate and its key.
func certificate(t *testing.T) (cert, key *pem.Block) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return &pem.Block{Type: "CERTIFICATE", Bytes: der}, &pem.Block{Type: "PRIVATE KEY", Bytes: raw}
}

// TestProxy runs this test binary again, because the standard library reads the environment's proxies once.
func TestProxy(t *testing.T) {
	if os.Getenv("CRATON_TEST_PROXY_CHILD") != "" {
		proxyChild(t)
		return
	}
	t.Parallel()
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.String())
		reply(w, 200, plain)
	}))
	t.Cleanup(proxy.Close)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxy$", "-test.v") //nolint:gosec // itself
	cmd.Env = append(os.Environ(), "CRATON_TEST_PROXY_CHILD=1", "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if asked.Load() != "http://craton.invalid:7780/v1/hosts/7?resolved-values=false" {
		t.Errorf("the proxy was asked for %v", asked.Load())
	}
}

func proxyChild(t *testing.T) {
	t.Helper()
	c := newClient(t, "http://craton.invalid:7780", craton.WithRetries(0))
	if _, err := c.Hosts.Get(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
}
