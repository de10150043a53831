//go:build !collection && !nopage

package serve

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/server"
)

// withPage adds the page to the API. A browser that requests / is redirected to it; programs, which do not accept HTML,
// get the API's response. observe, if not nil, is called for every request of the page, except for those that the page
// makes to the API, which report themselves.
func withPage(ctx context.Context, api http.Handler, srv *server.Server, keystone bool, observe func(server.Observation)) (http.Handler, error) {
	keys := func(ctx context.Context) (all []web.Key, err error) {
		found, err := srv.PageKeys(ctx, web.KeyTime, web.SessionTime)
		for _, k := range found {
			all = append(all, web.Key{Number: k.Number, Secret: k.Secret})
		}
		return all, err
	}
	if _, err := keys(ctx); err != nil {
		return nil, fmt.Errorf("the page's keys: %w", err)
	}
	page := web.NewTeam(web.TeamOptions{API: api, Keys: keys, End: func(ctx context.Context, cookie string) error { return srv.EndPage(ctx, cookie, web.SessionTime) }, Ended: srv.PageEnded, Keystone: keystone, Encrypted: srv.Encrypted, Where: "craton server"})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, web.Root):
			begin, seen := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
			page.ServeHTTP(seen, r)
			if observe != nil {
				observe(server.Observation{Route: web.RouteOf(r.URL.Path), Method: r.Method, Status: seen.status, Duration: time.Since(begin)})
			}
		case (r.URL.Path == "/" || r.URL.Path+"/" == web.Root) && forPeople(r):
			w.Header().Set("Vary", "Accept")
			web.Lead(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	}), nil
}

// statusWriter records the status of a response.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets [http.ResponseController] reach the wrapped writer: pages are sent in parts.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
