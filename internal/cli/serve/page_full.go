//go:build !collection

package serve

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/server"
)

// withPage puts the page beside the API. A browser that asks for / is led there; programs, which send no Accept of HTML, get what
// they always got.
func withPage(ctx context.Context, api http.Handler, srv *server.Server, keystone bool) (http.Handler, error) {
	key, err := srv.PageKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("the page's key: %w", err)
	}
	page, err := web.NewTeam(web.TeamOptions{API: api, Key: key, Keystone: keystone, Encrypted: srv.Encrypted, Where: "craton server"})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, web.Root):
			page.ServeHTTP(w, r)
		case (r.URL.Path == "/" || r.URL.Path+"/" == web.Root) && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html"):
			w.Header().Set("Vary", "Accept")
			http.Redirect(w, r, web.Root, http.StatusSeeOther)
		default:
			api.ServeHTTP(w, r)
		}
	}), nil
}
