package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/api"
	"github.com/craton-fleet/craton/server/store"
)

// requestIDHeader is on every response (contract §0.3).
const requestIDHeader = "X-Openstack-Request-Id"

// Observation describes a completed request.
type Observation struct {
	Route    string // as [api.Routes] names it, below /v1/, such as /v1/hosts/<id>; "" for unknown routes
	Method   string // as the client sent it
	Status   int
	Duration time.Duration // until the response was sent
}

// handler wraps the API with request ids, the limit on concurrent requests, logging, and health checks. challenge is
// the WWW-Authenticate header of responses with status 401; "" for none.
func (s *Server) handler(v1 http.Handler, challenge string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		id := "req-" + value.NewUUID()
		// The original server writes the name in lower case, which no client depends on.
		w.Header().Set(requestIDHeader, id)
		client, forwarded := s.proxies.Client(r)
		trace := api.Trace{RequestID: id, Client: client}
		shown := r.RemoteAddr // with the port
		if forwarded {
			shown = client.String()
		}
		r = r.WithContext(api.WithTrace(r.Context(), &trace))
		seen := &statusWriter{ResponseWriter: w, challenge: challenge}
		s.underWay.Add(1)
		defer s.underWay.Add(-1)
		if health := s.healthOf(r.URL.Path); health != nil {
			trace.Route = r.URL.Path
			health(seen, r)
		} else {
			s.work(v1, seen, r, &trace)
		}
		duration := time.Since(begin)
		if s.observe != nil {
			s.observe(Observation{Route: trace.Route, Method: r.Method, Status: seen.status, Duration: duration})
		}
		if s.quiet && seen.status < http.StatusInternalServerError && trace.Written.Revision == 0 && trace.TriedUser == "" {
			return
		}
		s.log.LogAttrs(r.Context(), slog.LevelInfo, "request", append([]slog.Attr{
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", seen.status),
			slog.Duration("duration", duration), slog.String("request_id", id),
			slog.String("user", trace.User), slog.String("project", trace.Project), slog.String("client", shown),
		}, details(&trace)...)...)
	})
}

// work serves a request as soon as there is a place for it.
func (s *Server) work(v1 http.Handler, w *statusWriter, r *http.Request, trace *api.Trace) {
	if s.places == nil {
		v1.ServeHTTP(w, r)
		return
	}
	place := &seat{of: s.places}
	waiting, cancel := context.WithTimeout(r.Context(), s.places.waitTimeout)
	err := place.take(waiting)
	cancel()
	if err != nil {
		s.refused.Add(1)
		full(w)
		return
	}
	defer place.end()
	trace.Waiting = func() (back func()) {
		place.leave()
		return func() { _ = place.take(r.Context()) } // without a place the client is gone
	}
	w.made = place.end
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &seatedBody{r.Body, place, r.Context()}
	}
	v1.ServeHTTP(w, r)
}

// details returns the attributes that the log has only for some requests: refused logins, created objects, changes.
func details(t *api.Trace) (attrs []slog.Attr) {
	add := func(name, text string) {
		if text != "" {
			attrs = append(attrs, slog.String(name, text))
		}
	}
	add("tried_user", t.TriedUser)
	add("tried_project", t.TriedProject)
	if t.Guessing {
		add("refused", "too many wrong logins")
	}
	add("created", t.Created)
	add("changed", strings.Join(t.Changed, ", "))
	if t.Written.Revision > 0 {
		attrs = append(attrs, slog.Int64("revision", t.Written.Revision))
	}
	return attrs
}

// healthOf returns the health check at a path; nil if there is none.
func (s *Server) healthOf(path string) http.HandlerFunc {
	switch path {
	case "/healthz": // the path of the first version
		return s.health("health check failed", "the database does not answer", s.store.Ping)
	case "/livez":
		return s.health("", "", func(context.Context) error { return nil })
	case "/readyz":
		return s.health("not ready to serve", "not ready", s.store.Ready)
	}
	return nil
}

// health responds with 200 if a check succeeds, otherwise with 500, which is logged.
func (s *Server) health(logged, status string, check func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body := struct {
			Status  string `json:"status"`
			Version string `json:"version,omitempty"`
		}{"ok", s.version}
		code := http.StatusOK
		if err := check(r.Context()); err != nil {
			s.log.ErrorContext(r.Context(), logged, slog.String("error", err.Error()))
			body.Status, code = status, http.StatusInternalServerError
			var failed *store.DatabaseError
			switch {
			case errors.As(err, &failed):
				body.Status += ": " + failed.Cause()
			case errors.Is(err, store.ErrNewer):
				body.Status += ": the database was changed by a newer version of craton"
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		if r.Method != http.MethodHead {
			_ = json.NewEncoder(w).Encode(body) // the client may be gone
		}
	}
}

// Health runs the check of /readyz, for a supervisor of the process.
func (s *Server) Health(ctx context.Context) error { return s.store.Ready(ctx) }

// statusWriter records the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status    int
	challenge string
	made      func() // called when the response begins; may be nil
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	if w.made != nil {
		w.made()
	}
	if status == http.StatusUnauthorized && w.challenge != "" {
		w.Header().Set("WWW-Authenticate", w.challenge)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets [http.ResponseController] and MaxBytesReader reach the wrapped writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
