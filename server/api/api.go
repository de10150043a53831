package api

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/craton-fleet/craton/server/store"
)

// MaxBody is the largest request body in bytes that is read; a larger one is
// answered with 413.
const MaxBody = 16 << 20

// API is the handler of everything under /v1.
type API struct {
	store        *store.Store
	authenticate Authenticator
	log          *slog.Logger
}

// New returns the API over a store. Failures of the server itself go to log.
func New(s *store.Store, authenticate Authenticator, log *slog.Logger) *API {
	return &API{store: s, authenticate: authenticate, log: log}
}

// call is one request on its way.
type call struct {
	*API
	r      *http.Request
	caller Caller
	id     string // the path's <id>; "" on a collection
	buf    []byte // the body is appended here
	head   http.Header
	status int
}

// handler serves one method of one route: it appends the body to c.buf and
// sets c.status where that is not 200.
type handler func(c *call) error

// buffers holds bodies between requests.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxPooled is the largest buffer in bytes that is kept for the next request.
const maxPooled = 4 << 20

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pooled := buffers.Get().(*[]byte)
	c := &call{API: a, r: r, buf: (*pooled)[:0], head: w.Header(), status: http.StatusOK}
	c.head.Set("Content-Type", "application/json")
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	if err := c.serve(); err != nil {
		var message string
		c.status, message = a.explain(r.Context(), err)
		c.buf = appendError(c.buf[:0], c.status, message)
	}
	c.head.Set("Content-Length", strconv.Itoa(len(c.buf)))
	w.WriteHeader(c.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(c.buf) // a client that is gone needs no answer
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
	if c.caller, err = c.authenticate(c.r); err != nil {
		return err
	}
	note(c.r.Context(), c.caller)
	methods, id := match(c.r.URL.Path)
	if methods == nil {
		return fail(http.StatusNotFound, msgNoURL)
	}
	c.id = id
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet // HEAD works wherever GET does, with the same checks
	}
	h := methods.get(method)
	switch {
	case h != nil && c.caller.ReadOnly && method != http.MethodGet:
		return errReadOnly
	case h != nil:
		return h(c)
	case method == http.MethodOptions:
		c.head.Set("Content-Type", "text/html")
		c.head.Set("Allow", methods.allow())
		return nil
	}
	c.head.Set("Allow", methods.allow())
	return fail(http.StatusMethodNotAllowed, msgMethod)
}

// methods are the handlers of one route, in the order of its Allow header.
type methods []struct {
	name    string
	handler handler
}

func (m methods) get(name string) handler {
	for _, e := range m {
		if e.name == name {
			return e.handler
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

// match finds the route of a path: /v1/<collection>[/<id>[/<part>]]. There
// are no trailing slashes; doubled ones in front come from clients whose base
// URL ends in a slash, and the original takes them (contract §8.1).
func match(path string) (methods, string) {
	path = "/" + strings.TrimLeft(path, "/")
	rest, ok := strings.CutPrefix(path, "/v1/")
	if !ok {
		return nil, ""
	}
	parts := strings.Split(rest, "/")
	switch {
	case len(parts) == 1:
		return routes[parts[0]], ""
	case parts[1] == "" || len(parts) > 3:
		return nil, ""
	case len(parts) == 2:
		return routes[parts[0]+"/<id>"], parts[1]
	}
	return routes[parts[0]+"/<id>/"+parts[2]], parts[1]
}

// routes is the map of contract §2.2, made of the resources.
var routes = func() map[string]methods {
	m := map[string]methods{
		"devices":           {{"GET", listDevices}},
		"ansible-inventory": {{"GET", ansibleInventory}},
	}
	for _, r := range resources {
		m[r.path] = methods{{"GET", r.list}, {"POST", r.create}}
		item := methods{{"GET", r.get}}
		if r.updatable() {
			item = append(item, methods{{"PUT", r.update}}...)
		}
		m[r.path+"/<id>"] = append(item, methods{{"DELETE", r.delete}}...)
		if r.variables.route {
			m[r.path+"/<id>/variables"] = methods{{"GET", r.getVariables}, {"PUT", r.putVariables}, {"DELETE", r.deleteVariables}}
		}
		if r.entity.IsDevice() {
			m[r.path+"/<id>/labels"] = methods{{"GET", r.getLabels}, {"PUT", r.putLabels}, {"DELETE", r.deleteLabels}}
		}
	}
	return m
}()
