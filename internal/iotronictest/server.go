package iotronictest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Era is a release of Iotronic.
type Era int

// The eras (§0).
const (
	Nodes2016  Era = iota // N16: f99dd45
	Nodes2017             // N17: 0960dc4
	Boards2019            // B19: 4f18d23, the last
)

// User is a user with a token.
type User struct {
	Token   string
	ID      string
	Project string
	Roles   []string
}

// The users of every server. Their IDs have no dashes, as in Keystone (§6, 13).
var (
	// Admin may do everything except create boards (§3).
	Admin = User{"token of the admin", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "11111111111111111111111111111111", []string{"admin"}}
	// Manager may create boards in the same project.
	Manager = User{"token of the manager", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", Admin.Project, []string{"admin_iot_project"}}
	// Member may read boards in the same project.
	Member = User{"token of the member", "cccccccccccccccccccccccccccccccc", Admin.Project, []string{"user_iot"}}
	// Stranger has the role admin_iot_project in another project.
	Stranger = User{"token of the stranger", "dddddddddddddddddddddddddddddddd", "22222222222222222222222222222222", []string{"admin_iot_project"}}
	// Nobody has no role.
	Nobody = User{"token of nobody", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", Admin.Project, nil}
)

// Object is an object of the API; its keys are the API's field names.
type Object = map[string]any

// Server is a running Iotronic. Its methods may be called at any time, except by a function set with [Server.Answer],
// which would deadlock.
type Server struct {
	URL string // without /v1

	era    era
	noAuth bool

	mu       sync.Mutex
	maxLimit int
	made     int // number of objects created so far
	objects  map[string][]Object
	requests []Request
	answer   func(w http.ResponseWriter, r *http.Request) bool
	restored int
}

// Request is a request that a Server received.
type Request struct {
	Method, Path, Query, Version, Token, Body string
}

// Option configures a Server.
type Option func(*Server)

// NoAuth returns an option for a server that needs no tokens.
func NoAuth() Option { return func(s *Server) { s.noAuth = true } }

// MaxLimit returns an option that limits pages to n objects.
func MaxLimit(n int) Option { return func(s *Server) { s.maxLimit = n } }

// Start starts a server that runs until the test ends.
func Start(t testing.TB, e Era, options ...Option) *Server {
	t.Helper()
	s := New(e, options...)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// New returns a server that does not listen; use it as an http.Handler.
func New(e Era, options ...Option) *Server {
	s := &Server{era: eras[e], maxLimit: 1000, objects: map[string][]Object{}}
	for _, o := range options {
		o(s)
	}
	return s
}

// Add creates an object in a collection, such as "boards", without a request, and returns its UUID.
func (s *Server) Add(collection string, o Object) (uuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(collection, o, Admin)["uuid"].(string)
}

func (s *Server) add(collection string, o Object, by User) Object {
	k, ok := s.era.kinds[collection]
	if !ok {
		panic("iotronictest: there are no " + collection)
	}
	s.made++
	full := Object{
		"uuid": fmt.Sprintf("%08x-0000-4000-8000-%012x", s.made, s.made), "created_at": s.now(), "updated_at": nil,
		"project": by.Project, "owner": by.ID,
	}
	maps.Copy(full, k.defaults)
	maps.Copy(full, o)
	s.objects[collection] = append(s.objects[collection], full)
	return full
}

// now returns a time in the format of §2.5, which advances by one second with each object created.
func (s *Server) now() string {
	at := time.Date(2026, 11, 21, 23, 28, 59, 361410000, time.UTC).Add(time.Duration(s.made) * time.Second)
	return at.Format("2006-01-02T15:04:05.000000+00:00")
}

// Remove deletes an object without a request, as if another client had deleted it.
func (s *Server) Remove(collection, uuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[collection] = slices.DeleteFunc(s.objects[collection], func(o Object) bool { return o["uuid"] == uuid })
}

// Requests returns the requests received so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Answer sets a function that is called for each request before the server handles it, one request at a time. It
// returns true if it has responded. nil unsets it.
func (s *Server) Answer(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// Restored returns the number of GET requests for .../services/restore, which have an effect in spite of the method
// (§6, 8).
func (s *Server) Restored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restored
}

// ServeHTTP responds to a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.requests = append(s.requests, Request{
		r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get(versionHeader), r.Header.Get("X-Auth-Token"), strings.TrimSpace(string(body)),
	})
	if s.answer != nil && s.answer(w, r) {
		return
	}
	a := &answer{w: w, id: fmt.Sprintf("req-00000000-0000-4000-8000-%012d", len(s.requests))}
	path := strings.Trim(r.URL.Path, "/") // a trailing slash is ignored (§2.1)
	if path == "" {
		a.json(http.StatusOK, s.root(r))
		return
	}
	parts := strings.Split(path, "/")
	if parts[0] == "v1" {
		if !a.version(r) {
			return
		}
		parts = parts[1:]
	}
	if len(parts) == 0 {
		a.json(http.StatusOK, s.v1(r))
		return
	}
	by, ok := s.user(r)
	if !ok {
		a.unauthorized()
		return
	}
	s.route(&call{answer: a, r: r, body: body, by: by, q: r.URL.Query(), base: "http://" + r.Host}, parts)
}

// user returns the user who sent a request. Without authentication, the headers name the user (§4).
func (s *Server) user(r *http.Request) (User, bool) {
	if s.noAuth {
		u := Admin
		if p := r.Header.Get("X-Project-Id"); p != "" {
			u = User{ID: r.Header.Get("X-User-Id"), Project: p, Roles: strings.Split(r.Header.Get("X-Roles"), ",")}
		}
		return u, true
	}
	for _, u := range []User{Admin, Manager, Member, Stranger, Nobody} {
		if u.Token == r.Header.Get("X-Auth-Token") {
			return u, true
		}
	}
	return User{}, false
}

func (u User) has(roles ...string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(u.Roles, r) })
}
