package iotronic_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/keystone"
)

// is tells whether an error has one of the types in its tree.
func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// TestStatuses: every status has the type of the Python client's tree, and those above it (§3).
func TestStatuses(t *testing.T) {
	t.Parallel()
	const redirection, client, server = 3, 4, 5
	for status, own := range map[int]func(error) bool{
		300: is[*iotronic.MultipleChoicesError],
		400: is[*iotronic.BadRequestError], 401: is[*iotronic.UnauthorizedError], 402: is[*iotronic.PaymentRequiredError],
		403: is[*iotronic.ForbiddenError], 404: is[*iotronic.NotFoundError], 405: is[*iotronic.MethodNotAllowedError],
		406: is[*iotronic.NotAcceptableError], 407: is[*iotronic.ProxyAuthenticationRequiredError], 408: is[*iotronic.RequestTimeoutError],
		409: is[*iotronic.ConflictError], 410: is[*iotronic.GoneError], 411: is[*iotronic.LengthRequiredError],
		412: is[*iotronic.PreconditionFailedError], 413: is[*iotronic.RequestEntityTooLargeError], 414: is[*iotronic.RequestURITooLongError],
		415: is[*iotronic.UnsupportedMediaTypeError], 416: is[*iotronic.RequestedRangeNotSatisfiableError], 417: is[*iotronic.ExpectationFailedError],
		422: is[*iotronic.UnprocessableEntityError],
		500: is[*iotronic.InternalServerError], 501: is[*iotronic.NotImplementedError], 502: is[*iotronic.BadGatewayError],
		503: is[*iotronic.ServiceUnavailableError], 504: is[*iotronic.GatewayTimeoutError], 505: is[*iotronic.HTTPVersionNotSupportedError],
		304: nil, 418: nil, 451: nil, 507: nil, 600: nil, // no types of their own
	} {
		mux, c := newMux(t, iotronic.WithRetries(0))
		mux.HandleFunc("/v1/boards/b", always(status, `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"the server's words\", \"debuginfo\": \"more\"}"}`, "Retry-After", "7"))
		_, err := c.Boards.Get(t.Context(), "b")
		err = fmt.Errorf("wrapped: %w", err)
		if own != nil && !own(err) {
			t.Errorf("%d is a %T", status, errors.Unwrap(err))
		}
		var e *iotronic.HTTPError
		if !errors.As(err, &e) {
			t.Fatalf("%d: %T", status, err)
		}
		want := iotronic.HTTPError{
			Status: status, Message: "the server's words", Details: "more", RequestID: "req-1", Method: "GET", Path: "/iot/v1/boards/b", RetryAfter: 7 * time.Second,
		}
		if status == 304 { // has no body
			want.Message, want.Details, want.Foreign = "", "", true
		}
		if diff := cmp.Diff(fmt.Sprintf("%#v", want), fmt.Sprintf("%#v", *e)); diff != "" {
			t.Error(diff)
		}
		var root iotronic.Error
		if !errors.As(err, &root) {
			t.Errorf("%d is not under the root", status)
		}
		classes := [][2]bool{
			{is[*iotronic.HTTPRedirectionError](err), status/100 == redirection},
			{is[*iotronic.HTTPClientError](err), status/100 == client},
			{is[*iotronic.HTTPServerError](err), status/100 >= server},
			{is[*iotronic.ConnectionError](err), false},
		}
		for i, c := range classes {
			if c[0] != c[1] {
				t.Errorf("%d: class %d is %v", status, i, c[0])
			}
		}
		if iotronic.StatusOf(err) != status {
			t.Errorf("status %d of %d", iotronic.StatusOf(err), status)
		}
	}
}

// TestBodies: where the message is, in all kinds of bodies (§2.7).
func TestBodies(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		contentType, body string
		message           string
		foreign           bool
	}{
		"fault in a string":   {"application/json", `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Board x could not be found.\", \"debuginfo\": null}"}`, "Board x could not be found.", false},
		"fault as an object":  {"application/json", `{"error_message": {"faultcode": "Client", "faultstring": "no", "debuginfo": null}}`, "no", false},
		"template":            {"application/json", `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Fleet %(Fleet)s could not be found.\"}"}`, "Fleet %(Fleet)s could not be found.", false},
		"text in error":       {"application/json", `{"error_message": "just text"}`, "just text", false},
		"number in error":     {"application/json", `{"error_message": "404"}`, "404", false},
		"router":              {"application/json", `{"error_message": "{\"code\": 404, \"title\": \"Not Found\", \"description\": \"\"}"}`, "Not Found", true},
		"router, described":   {"application/json; charset=UTF-8", `{"error_message": "{\"code\": 404, \"title\": \"Not Found\", \"description\": \"gone away\"}"}`, "gone away", true},
		"another service":     {"application/json", `{"error": {"code": 404, "title": "Not Found", "message": "as it says"}}`, "as it says", true},
		"other JSON":          {"application/json", `{"detail":   "x"}`, `{"detail": "x"}`, true},
		"plain":               {"text/plain", "Authentication required", "Authentication required", true},
		"html":                {"text/html", "<h1>Bad\n  Gateway</h1>", "<h1>Bad Gateway</h1>", true},
		"broken JSON":         {"application/json", `{"error_mess`, `{"error_mess`, true},
		"nothing":             {"", "", "", true},
		"long":                {"text/plain", strings.Repeat("é", 300), strings.Repeat("é", 100) + "…", true},
		"an empty fault":      {"application/json", `{"error_message": "{\"faultcode\": \"Server\", \"faultstring\": \"\"}"}`, `{"error_message": "{\"faultcode\": \"Server\", \"faultstring\": \"\"}"}`, false},
		"debug and a message": {"application/json", `{"error_message": {"faultcode": "Server", "faultstring": "a", "debuginfo": "b"}}`, "a", false},
	} {
		mux, c := newMux(t)
		mux.HandleFunc("/v1/boards/b", always(404, tt.body, "Content-Type", tt.contentType))
		_, err := c.Boards.Get(t.Context(), "b")
		var e *iotronic.NotFoundError
		if !errors.As(err, &e) || e.Message != tt.message || e.Foreign != tt.foreign || iotronic.IsNotFound(err) == tt.foreign {
			t.Errorf("%s: %#v", name, err)
		}
		if !strings.HasPrefix(err.Error(), "GET /iot/v1/boards/b: 404 Not Found") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRequestID: servers and clients do not agree on its name (§1.4).
func TestRequestID(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"Openstack-Request-Id", "x-openstack-request-id", "x-compute-request-id"} {
		mux, c := newMux(t, iotronic.WithRetries(0))
		mux.HandleFunc("/v1/boards/b", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, "req-7")
			w.WriteHeader(500)
		})
		_, err := c.Boards.Get(t.Context(), "b")
		var e *iotronic.InternalServerError
		if !errors.As(err, &e) || e.RequestID != "req-7" || !strings.Contains(err.Error(), "(request id req-7)") {
			t.Errorf("%s: %v", header, err)
		}
	}
}

// TestRealErrors: what a real Ironic says becomes what it means.
func TestRealErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	i, c := newIronic(t)
	_, taken := i.Nodes(t, 1, "")
	for name, tt := range map[string]struct {
		err   error
		is    func(error) bool
		words string
	}{
		"no node":        {second(c.Nodes.Get(ctx, "nothing")), iotronic.IsNotFound, "Node nothing could not be found."},
		"no driver":      {second(c.Drivers.Get(ctx, "nothing")), iotronic.IsNotFound, "nothing"},
		"delete no node": {c.Nodes.Delete(ctx, uuid), is[*iotronic.NotFoundError], uuid},
		"no instance":    {second(c.Nodes.ByInstance(ctx, uuid)), iotronic.IsNotFound, uuid},
		"taken":          {second(c.Nodes.Create(ctx, iotronic.NodeCreate{Driver: openstacktest.IronicDriver, Name: taken[0]})), iotronic.IsConflict, "already exists"},
		"no such driver": {second(c.Nodes.Create(ctx, iotronic.NodeCreate{Driver: "nothing"})), iotronic.IsBadRequest, "nothing"},
		"bad field":      {second(c.Nodes.Get(ctx, taken[0], "bogus")), is[*iotronic.BadRequestError], "bogus"},
		"bad fields":     {second(c.Nodes.List(ctx, iotronic.NodeListOptions{Fields: []string{"bogus"}})), is[*iotronic.InternalServerError], "field"},
		"bad patch":      {second(c.Nodes.Update(ctx, taken[0], iotronic.Changes{"extra/none": iotronic.Remove})), iotronic.IsBadRequest, "none"},
		"bad target":     {c.Nodes.SetPower(ctx, taken[0], "sideways"), iotronic.IsBadRequest, "sideways"},
		"no route":       {second(c.Do(ctx, "GET", "/bogus", nil, nil)), iotronic.IsWrongDialect, "no such route"},
	} {
		var e *iotronic.HTTPError
		if !tt.is(tt.err) || !strings.Contains(tt.err.Error(), tt.words) || !errors.As(tt.err, &e) {
			t.Errorf("%s: %T %v", name, tt.err, tt.err)
		} else if name != "no route" && name != "no instance" && !strings.HasPrefix(e.RequestID, "req-") {
			t.Errorf("%s: request id %q", name, e.RequestID)
		}
	}
}

// TestCalls: what cannot be sent is not.
func TestCalls(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, c := newIotronic(t, iotronictest.Boards2019)
	_, ironic := newIronic(t)
	for want, err := range map[string]error{
		"read a board: ... UUID or name ... empty":            second(c.Boards.Get(ctx, "")),
		`read a board: "a/services/restore" ... UUID or name`: second(c.Boards.Get(ctx, "a/services/restore")),
		`delete a board: "a/plugins/b" ... UUID or name`:      c.Boards.Delete(ctx, "a/plugins/b"),
		`services of a board: "a/b" ... UUID or name`:         second(c.Boards.Services(ctx, "a/b")),
		`delete a node: "a/maintenance" ... UUID or name`:     ironic.Nodes.Delete(ctx, "a/maintenance"),
		`read a driver: "a/properties" ... name`:              second(ironic.Drivers.Get(ctx, "a/properties")),
		"extra/a ... twice":                                   second(c.Boards.Update(ctx, "x", iotronic.Changes{"extra/a": 1, "/extra/a": 2})),
		"delete a board: ... UUID or name ... empty":          c.Boards.Delete(ctx, ""),
		"change a board: ... UUID or name ... empty":          second(c.Boards.Update(ctx, "", iotronic.Changes{"name": "x"})),
		"ports of a board: ... UUID or name ... empty":        second(c.Boards.Ports(ctx, "")),
		"boards of a fleet: ... UUID or name ... empty":       second(c.Fleets.Boards(ctx, "")),
		`empty, "." or ".."`:                                  second(c.Boards.Get(ctx, "..")),
		"nothing to change":                                   second(c.Boards.Update(ctx, "x", nil)),
		`"extra//a" ... empty`:                                second(c.Boards.Update(ctx, "x", iotronic.Changes{"extra//a": 1})),
		"extra/a: json: unsupported type":                     second(c.Boards.Update(ctx, "x", iotronic.Changes{"extra/a": make(chan int)})),
		"slash":                                               second(c.Do(ctx, "GET", "boards", nil, nil)),
		"power state of a node: ... UUID or name ... empty":   ironic.Nodes.SetPower(ctx, "", iotronic.PowerOn),
		"read a driver: ... name ... empty":                   second(ironic.Drivers.Get(ctx, "")),
		"ports of a node: ... UUID or name ... empty":         second(ironic.Nodes.Ports(ctx, "")),
		"find a node: ... instance ... UUID ... empty":        second(ironic.Nodes.ByInstance(ctx, "")),
		"properties of a driver: ... name ... empty":          second(ironic.Drivers.Properties(ctx, "")),
		"maintenance of a node: ... UUID or name ... empty":   ironic.Nodes.SetMaintenance(ctx, "", "x"),
	} {
		if !is[*iotronic.ValidationError](err) || !is[iotronic.Error](err) || !strings.HasPrefix(err.Error(), "iotronic: ") || !wording.Has(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, r := range s.Requests() {
		if r.Path != "/v1" {
			t.Errorf("sent %+v", r)
		}
	}
}

// TestNew: what a client cannot be made of.
func TestNew(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		endpoint string
		option   iotronic.Option
		is       func(error) bool
		words    string
	}{
		"nothing":           {"", iotronic.WithTimeout(0), is[*iotronic.AmbiguousAuthSystemError], "must provide Keystone credentials or user-defined endpoint and token"},
		"a token alone":     {"", iotronic.WithToken("t"), is[*iotronic.AmbiguousAuthSystemError], "must provide"},
		"half credentials":  {"", iotronic.WithKeystone(keystone.Config{AuthURL: "http://k", Username: "u"}), is[*iotronic.AuthorizationFailureError], "OS_PASSWORD"},
		"no URL":            {"ironic.example", iotronic.WithToken("t"), is[*iotronic.EndpointError], "must begin with http"},
		"another scheme":    {"ftp://ironic.example", iotronic.WithToken("t"), is[*iotronic.EndpointError], "https://ironic.example:6385"},
		"secret in the URL": {"http://u:hush@h:port", iotronic.WithToken("t"), is[*iotronic.EndpointError], "cannot be parsed"},
		"lines of a token":  {"http://h", iotronic.WithToken("a hush\nb"), is[*iotronic.ValidationError], "a control character"},
		"no such dialect":   {"http://h", iotronic.WithDialect(99), is[*iotronic.ValidationError], "there is no dialect"},
		"no service type":   {"http://h", iotronic.WithServiceType(), is[*iotronic.ValidationError], "no type of service"},
		"no such file":      {"https://h", iotronic.WithTLS(iotronic.TLS{CAPath: "/nonexistent/ca"}), is[*iotronic.EndpointError], "ca_path"},
	} {
		_, err := iotronic.New(tt.endpoint, tt.option)
		if err == nil || !tt.is(err) || !is[iotronic.Error](err) || !strings.Contains(err.Error(), tt.words) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestURLs: with and without /v1, and with a path before it (§1.3).
func TestURLs(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"http://h:6385/":         "http://h:6385/v1",
		"http://h:6385/v1":       "http://h:6385/v1",
		"http://h:6385/v1/":      "http://h:6385/v1",
		"http://h:8811":          "http://h:8811/v1", // not http://h:88
		"http://10.0.0.11":       "http://10.0.0.11/v1",
		"https://h/baremetal":    "https://h/baremetal/v1",
		"https://h/baremetal/v1": "https://h/baremetal/v1",
		"https://u:p@h":          "https://h/v1",
	} {
		c, err := iotronic.New(raw, iotronic.WithDialect(iotronic.DialectIronic))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if got, err := c.URL(t.Context()); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", raw, got, err, want)
		}
		if got := c.String(); got != "iotronic client of "+want {
			t.Errorf("%s: %s", raw, got)
		}
	}
}

// TestSecrets prints what a caller may hold in every careless way.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	const nowhere = "127.0.0.1:1" // a port that is free now may be another test's in a moment
	options := []iotronic.Option{
		iotronic.WithKeystone(keystone.Config{AuthURL: "http://" + nowhere, Username: "u", Password: secret}, keystone.WithRetries(0)),
		iotronic.WithRetries(0),
	}
	credentials := newClient(t, "", options...)
	mux, token := newMux(t, iotronic.WithToken(secret), iotronic.WithRetries(0))
	mux.HandleFunc("/v1/boards", always(500, "{}"))
	gone := newClient(t, "http://me:"+secret+"@"+nowhere, iotronic.WithToken(secret), iotronic.WithRetries(0))
	basic := newClient(t, "http://me:"+secret+"@"+nowhere, iotronic.WithBasicAuth("u", secret))
	things := []any{credentials, token, gone, basic, *token.Boards, gone.Nodes, options, struct{ inside any }{credentials}, struct{ inside any }{basic}, []any{gone, token}}
	for _, err := range []error{
		second(credentials.Boards.List(t.Context(), iotronic.BoardListOptions{})),
		second(token.Boards.List(t.Context(), iotronic.BoardListOptions{Status: secret})),
		second(token.Boards.Create(t.Context(), iotronic.BoardCreate{Name: secret})),
		second(gone.Boards.List(t.Context(), iotronic.BoardListOptions{Status: secret})),
	} {
		if err == nil {
			t.Error("no error")
		}
		for ; err != nil; err = errors.Unwrap(err) {
			things = append(things, err)
		}
	}
	for _, thing := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%t", "%p"} {
			if text := fmt.Sprintf(verb, thing); strings.Contains(text, secret) {
				t.Errorf("%s of a %T shows the secret: %s", verb, thing, text)
			}
		}
	}
	if err := second(credentials.Nodes.Get(t.Context(), "x")); !is[*iotronic.AuthorizationFailureError](err) || iotronic.IsUnauthenticated(err) {
		t.Errorf("a Keystone that is not there: %v", err)
	}
}

// TestInvalidResponses: answers of success that are none.
func TestInvalidResponses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ contentType, body, want string }{
		"html":      {"text/html", "<html>", `its content type is "text/html"`},
		"nothing":   {"", "", "not JSON but empty"},
		"null":      {"application/json", `null`, "it is null, not an object"},
		"null's id": {"application/json", `{"uuid": null}`, `its member "uuid" is null`},
		"an array":  {"application/json", `[]`, "it is a list, not an object"},
		"no member": {"application/json", `{}`, `no member "uuid"`},
		"cut":       {"application/json", `{"uuid": "1"`, `is incomplete: 12 bytes that begin with "{\"uuid\": \"1\""`},
	} {
		mux, c := newMux(t, iotronic.WithRetries(0))
		mux.HandleFunc("/v1/boards/b", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tt.contentType)
			w.Header().Set("Content-Length", fmt.Sprint(len(tt.body)))
			_, _ = io.WriteString(w, tt.body)
		})
		if _, err := c.Boards.Get(t.Context(), "b"); !is[*iotronic.ResponseError](err) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mux, c := newMux(t)
	mux.HandleFunc("POST /v1/boards", always(201, `{}`))
	var re *iotronic.ResponseError
	if err := second(c.Boards.Create(t.Context(), iotronic.BoardCreate{})); !errors.As(err, &re) || re.Status != 201 || re.RequestID != "req-1" {
		t.Errorf("a create without an object: %v", err)
	}
	mux, c = newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
	mux.HandleFunc("/v1/drivers/d", always(200, `{"type": "dynamic"}`))
	if err := second(c.Drivers.Get(t.Context(), "d")); !errors.As(err, &re) || !strings.Contains(err.Error(), `no member "name"`) {
		t.Errorf("a driver without a name: %v", err)
	}
	c = newClient(t, "http://127.0.0.1:1", iotronic.WithRetries(1)) // where nobody listens
	err := second(c.Nodes.Create(t.Context(), iotronic.NodeCreate{}))
	if !is[*iotronic.ConnectionError](err) || !strings.Contains(err.Error(), "tried 2 times") || strings.Contains(err.Error(), "carried out") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestIDs: an id reaches the object that it is of, whatever it is made of.
func TestIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a b", "a?b=c", "a#b", "50%", "a%2Fb", "ü", `a\b`, "a;b", "a+b", "a.json", "..."} {
		mux, c := newMux(t)
		mux.HandleFunc("/v1/boards/{id}", func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("id") != id || r.URL.RawQuery != "" {
				t.Errorf("%q: asked for %q?%s", id, r.PathValue("id"), r.URL.RawQuery)
			}
			always(200, `{"uuid": "1"}`)(w, r)
		})
		if _, err := c.Boards.Get(t.Context(), id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestTexts: answers that are whole, whatever they are: Iotronic answers to actions with a text (§2.5), compressed by a
// proxy perhaps; a HEAD announces what does not come.
func TestTexts(t *testing.T) {
	t.Parallel()
	mux, c := newMux(t, iotronic.WithRetries(0))
	mux.HandleFunc("PUT /v1/boards/b/plugins", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `"Injection result: SUCCESS"`)
		_ = z.Close()
	})
	if r, err := c.Do(t.Context(), "PUT", "/boards/b/plugins", nil, map[string]any{"plugin": "p"}); err != nil || string(r.Body) != `"Injection result: SUCCESS"` {
		t.Errorf("%v, %v", r, err)
	}
	mux.HandleFunc("HEAD /v1/boards/b", always(200, "", "Content-Length", "20"))
	if r, err := c.Do(t.Context(), "HEAD", "/boards/b", nil, nil); err != nil || len(r.Body) != 0 || r.Header.Get("Content-Length") != "20" {
		t.Errorf("%v, %v", r, err)
	}
}

// TestConnections: what is found out anew leaves no connection open, and Keystone's are closed with the others.
func TestConnections(t *testing.T) {
	t.Parallel()
	var open atomic.Int32
	count := func(server *httptest.Server) *httptest.Server {
		server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed:
				open.Add(-1)
			}
		}
		server.Start()
		t.Cleanup(server.Close)
		return server
	}
	unknown := count(httptest.NewUnstartedServer(always(200, `{"id": "v1"}`)))
	refusing := count(httptest.NewUnstartedServer(always(401, `{"error": {"code": 401, "message": "no", "title": "Unauthorized"}}`)))
	for _, c := range []*iotronic.Client{
		newClient(t, unknown.URL),
		newClient(t, unknown.URL, iotronic.WithDialect(iotronic.DialectBoards),
			iotronic.WithKeystone(keystone.Config{AuthURL: refusing.URL, Username: "u", Password: "p"}, keystone.WithRetries(0))),
	} {
		for range 10 {
			if _, err := c.Boards.Get(t.Context(), "x"); err == nil {
				t.Error("no error")
			}
		}
		c.CloseIdleConnections()
	}
	for end := time.Now().Add(10 * time.Second); open.Load() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections are open", open.Load())
		}
	}
}

// TestScope: a token of a project where a policy wants the system is like a role that does not suffice, though Ironic
// answers 500.
func TestScope(t *testing.T) {
	t.Parallel()
	const fault = `{"error_message": "{\"faultcode\": \"Server\", \"faultstring\": \"\\\"baremetal:driver:get\\\": \\\"role:reader and system_scope:all\\\" requires a scope of ['system'], request was made with project scope.\"}"}`
	mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
	mux.HandleFunc("/v1/drivers/ipmi", always(http.StatusInternalServerError, fault))
	_, err := c.Drivers.Get(t.Context(), "ipmi")
	if !iotronic.IsForbidden(err) || iotronic.StatusOf(err) != http.StatusInternalServerError || !wording.Has(err.Error(), "system_scope: all ... OS_SYSTEM_SCOPE=all") {
		t.Errorf("%v", err)
	}
	mux.HandleFunc("/v1/drivers/broken", always(http.StatusInternalServerError, strings.ReplaceAll(fault, "scope", "telescope")))
	if _, err = c.Drivers.Get(t.Context(), "broken"); iotronic.IsForbidden(err) || iotronic.StatusOf(err) != http.StatusInternalServerError {
		t.Errorf("%v", err)
	}
}
