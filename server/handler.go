package server

import (
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

// handler puts request ids, logging and /healthz around the API. challenge is
// the WWW-Authenticate header of answers with status 401; "" for none.
func (s *Server) handler(v1 http.Handler, challenge string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		id := "req-" + value.NewUUID()
		// The original writes the name in lower case; it matters to no client.
		w.Header().Set(requestIDHeader, id)
		client, forwarded := s.proxies.Client(r)
		trace := api.Trace{RequestID: id, Client: client}
		shown := r.RemoteAddr // with the port
		if forwarded {
			shown = client.String()
		}
		r = r.WithContext(api.WithTrace(r.Context(), &trace))
		seen := &statusWriter{ResponseWriter: w, challenge: challenge}
		if r.URL.Path == "/healthz" {
			s.health(seen, r)
		} else {
			v1.ServeHTTP(seen, r)
		}
		s.log.LogAttrs(r.Context(), slog.LevelInfo, "request", append([]slog.Attr{
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", seen.status),
			slog.Duration("duration", time.Since(begin)), slog.String("request_id", id),
			slog.String("user", trace.User), slog.String("project", trace.Project), slog.String("client", shown),
		}, details(&trace)...)...)
	})
}

// details are what the log says of a request only if there is something to
// say: who was refused, what was made, what was changed.
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
	return attrs
}

// health answers whether the database does.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	body := struct {
		Status  string `json:"status"`
		Version string `json:"version,omitempty"`
	}{"ok", s.version}
	status := http.StatusOK
	if err := s.store.Ping(r.Context()); err != nil {
		s.log.ErrorContext(r.Context(), "health check failed", slog.String("error", err.Error()))
		body.Status, status = "the database does not answer", http.StatusInternalServerError
		var failed *store.Failure
		if errors.As(err, &failed) {
			body.Status += ": " + failed.Cause()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(body) // a client that is gone needs no answer
	}
}

// statusWriter remembers the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status    int
	challenge string
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	if status == http.StatusUnauthorized && w.challenge != "" {
		w.Header().Set("WWW-Authenticate", w.challenge)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets [http.ResponseController] and MaxBytesReader reach the real one.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
