package api

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// retryAfter is how many seconds a client should wait if the server is overloaded or the database fails: somebody has
// to act first.
const retryAfter = "5"

// API is the handler of everything under /v1.
type API struct {
	store        *store.Store
	authenticate Authenticator
	log          *slog.Logger
	limits       Limits
	budget       *budget
	waiters      *waiters
	version      string
	embedded     bool
}

// Embedded returns the API for use within the process: its errors name the database file.
func (a *API) Embedded() *API {
	own := *a
	own.embedded = true
	return &own
}

// New returns the API of a store. Failures of the server are logged to log; version is that of the program.
func New(s *store.Store, authenticate Authenticator, log *slog.Logger, l Limits, version string) *API {
	return &API{store: s, authenticate: authenticate, log: log, limits: l, budget: newBudget(l, s.Served()), waiters: newWaiters(), version: version}
}

// call is one request in progress.
type call struct {
	*API
	r           *http.Request
	caller      Caller
	id          string  // the path's <id>; "" on a collection
	inner       string  // the second <id>, of an object that belongs to the first
	at          *moment // the requested past state; nil for the current fleet
	buf         []byte  // the body is appended here
	out         answer  // takes the buffer when it is full
	grown       bool    // it has a share of full views
	held        []func()
	head        http.Header
	status      int
	need        *store.Need // how current the data must be, as requested
	headersOnly bool        // only the headers are sent, and not the length of the answer
	w           http.ResponseWriter
}

// hold keeps a part of a budget until the answer is complete.
func (c *call) hold(release func()) { c.held = append(c.held, release) }

func (c *call) release() {
	for _, f := range c.held {
		f()
	}
	c.held = nil
}

// handler serves one method of one route: it appends the body to c.buf and sets c.status where that is not 200.
type handler func(c *call) error

// buffers pools bodies, and pieces the buffers that copy files.
var (
	buffers = sync.Pool{New: func() any { return new([]byte) }}
	pieces  = sync.Pool{New: func() any { return new([jsontext.Piece]byte) }}
)

// maxPooled is the largest buffer in bytes that is kept for the next request.
const maxPooled = 2 * lightAnswer

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pooled := buffers.Get().(*[]byte)
	c := &call{API: a, r: r, w: w, buf: (*pooled)[:0], out: answer{budget: a.budget}, head: w.Header(), status: http.StatusOK}
	defer c.out.close()
	c.head.Set("Content-Type", "application/json")
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		c.head.Set("Vary", "Accept-Encoding")
		c.out.coding = codingFor(r.Header)
	}
	err := c.serve()
	c.release()
	if c.out.sent != nil {
		c.endStream(err)
		return
	}
	parked := func() {}
	if err == nil {
		parked, err = c.finish()
	}
	if err != nil {
		c.out.close()
		for _, name := range []string{"Content-Encoding", "Etag", "Cache-Control", revisionHeader} {
			c.head.Del(name)
		}
		c.head.Set("Content-Type", "application/json")
		parked = func() {}
		var message string
		c.status, message = a.explain(r.Context(), err)
		if h := (*httpError)(nil); errors.As(err, &h) && h.again != "" {
			c.head.Set("Retry-After", h.again)
		}
		if errors.As(err, new(*store.DatabaseError)) && !a.embedded {
			c.head.Set("Retry-After", retryAfter)
		}
		c.buf = appendError(c.buf[:0], c.status, message)
	}
	defer parked()
	if c.status != http.StatusNotModified && (!c.headersOnly || err != nil) {
		c.head.Set("Content-Length", strconv.FormatInt(c.out.size+int64(len(c.buf)), 10))
	}
	if written := c.trace().Written; written.Revision > 0 && err == nil {
		c.head.Set(revisionHeader, written.Cursor().String())
	}
	w.WriteHeader(c.status)
	if r.Method != http.MethodHead {
		c.send(w)
	}
	if cap(c.buf) <= maxPooled {
		*pooled = c.buf
		buffers.Put(pooled)
	}
}

func (c *call) serve() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if n := len(c.r.URL.Path) + len(c.r.URL.RawQuery); n > maxQuery {
		return urlTooLong(n)
	}
	if err := c.admit(); err != nil {
		return err
	}
	c.trace().User, c.trace().Project = c.caller.User, c.caller.Project
	if err := c.identify(); err != nil {
		return err
	}
	name, id, inner := match(c.r.URL.Path)
	methods := routes[name]
	if methods == nil {
		return fail(http.StatusNotFound, msgNoURL)
	}
	c.trace().Route = "/v1/" + name
	if err := c.parseNeeds(); err != nil {
		return err
	}
	c.id, c.inner = id, inner
	c.conditional()
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet // HEAD works wherever GET does, with the same checks
	}
	m := methods.get(method)
	switch {
	case m != nil:
		if err := c.caller.require(m.minRole); err != nil {
			return err
		}
		if method != http.MethodGet && asksForPast(c.r.URL.RawQuery) {
			return fail(http.StatusBadRequest, "at: past states are read-only; leave out at and concealed to write")
		}
		if method == http.MethodGet {
			if err := checkEncoding(c.r.URL.RawQuery, name); err != nil {
				return err
			}
		}
		return m.handler(c)
	case method == http.MethodOptions:
		c.head.Set("Content-Type", "text/html")
		c.head.Set("Allow", methods.allow())
		return nil
	}
	c.head.Set("Allow", methods.allow())
	return fail(http.StatusMethodNotAllowed, msgMethod)
}

// admit authenticates the caller and checks the role.
func (c *call) admit() (err error) {
	if c.caller, err = c.authenticate(c.r); err != nil {
		c.trace().setClaimed(c.r.Header)
	}
	return err
}

// method is one method of a route.
type method struct {
	name    string
	handler handler
	minRole schema.Role // that the caller needs, checked before anything else
}

func read(h handler) method               { return method{http.MethodGet, h, schema.Reader} }
func write(name string, h handler) method { return method{name, h, schema.Member} }

// ofOwn returns a method that writes the caller's own data, which readers may do too.
func ofOwn(name string, h handler) method { return method{name, h, schema.Reader} }

// methods are the methods of one route, in the order of its Allow header.
type methods []method

func (m methods) get(name string) *method {
	for i := range m {
		if m[i].name == name {
			return &m[i]
		}
	}
	return nil
}

func (m methods) allow() string {
	var b bytes.Buffer
	for _, e := range m {
		if e.name == http.MethodGet {
			b.WriteString("HEAD, ")
		}
		b.WriteString(e.name + ", ")
	}
	return b.String() + http.MethodOptions
}

// match returns the name of the route of a path, and the ids in it: /v1/<collection>[/<id>[/<part>[/<id>]]]. There are
// no trailing slashes; doubled leading ones come from clients whose base URL ends in a slash, and the original server
// accepts them (contract §8.1).
func match(path string) (name, id, inner string) {
	path = "/" + strings.TrimLeft(path, "/")
	rest, ok := strings.CutPrefix(path, "/v1/")
	if !ok {
		return "", "", ""
	}
	parts := strings.Split(rest, "/")
	if len(parts) > 4 || len(parts) > 1 && parts[1] == "" || len(parts) > 3 && parts[3] == "" {
		return "", "", ""
	}
	name = parts[0]
	for i, part := range parts[1:] {
		switch i {
		case 0:
			name, id = name+"/<id>", part
		case 1:
			name += "/" + part
		default:
			name, inner = name+"/<id>", part
		}
	}
	return name, id, inner
}

// routes is the routing table of contract §2.2, built from the resources.
var routes = func() map[string]methods {
	m := map[string]methods{
		"devices":           {read(timed(listDevices))},
		"ansible-inventory": {read(timed(ansibleInventory))},
		"prometheus":        {read(timed(serveTargets))},
		"capabilities":      {read(timed(capabilities))},
		"changes":           {read(listChanges)},
		"undo":              {write("POST", undo)},
		"diff":              {read(showDiff)},
		"bulk":              {write("POST", bulk)},
		"fleet":             {read(timed(serveFleet))},
		"history":           {read(showHistory)},
		"protected":         {read(listProtected)},
		"sets":              {read(listSets)},
		"sets/<id>":         {read(showSet), write("PUT", putSet), write("POST", changeSet), write("DELETE", deleteSet)},

		"users/<id>/role":      {read(showRole), write("PUT", setRole)},
		"users/<id>/keys":      {read(listKeys), ofOwn("POST", createKey)},
		"users/<id>/keys/<id>": {read(showKey), ofOwn("DELETE", deleteKey)},
	}
	for _, r := range resources {
		past := timed
		if r == users { // past states have no keys
			past = func(h handler) handler { return h }
		}
		m[r.Path] = methods{read(past(r.list)), write("POST", r.create)}
		item := methods{read(past(r.get))}
		if r.Updatable() {
			item = append(item, write("PUT", r.update))
		}
		m[r.Path+"/<id>"] = append(item, write("DELETE", r.delete))
		if r.routed() {
			m[r.Path+"/<id>/variables"] = methods{read(past(r.getVariables)), write("PUT", r.putVariables), write("DELETE", r.deleteVariables)}
		}
		if r.entity.IsDevice() {
			m[r.Path+"/<id>/labels"] = methods{read(past(r.getLabels)), write("PUT", r.putLabels), write("DELETE", r.deleteLabels)}
		}
		if r.Protects() {
			m[r.Path+"/<id>/protected"] = methods{read(past(r.getProtected)), write("PUT", r.putProtected)}
		}
		if r.Moves != nil {
			m[r.Path+"/<id>/move"] = methods{write("POST", r.move)}
		}
	}
	return m
}()

// isOriginal reports whether the original server has a route, too.
func isOriginal(route string) bool {
	collection, part, _ := strings.Cut(route, "/")
	switch part {
	case "", "<id>", "<id>/variables", "<id>/labels":
		return collection == "devices" || collection == "ansible-inventory" ||
			slices.ContainsFunc(resources, func(r *resource) bool { return r.Path == collection })
	}
	return false
}

// Routes returns the methods of every route below /v1: "users/<id>/keys" has GET and POST. HEAD is allowed where GET
// is, OPTIONS everywhere.
func Routes() map[string][]string {
	all := map[string][]string{}
	for path, m := range routes {
		for _, one := range m {
			all[path] = append(all[path], one.name)
		}
	}
	return all
}
