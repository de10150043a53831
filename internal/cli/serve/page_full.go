//go:build !collection && !nopage

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
			page.ServeHTTP(w, r)
		case (r.URL.Path == "/" || r.URL.Path+"/" == web.Root) && forPeople(r):
			w.Header().Set("Vary", "Accept")
			http.Redirect(w, r, web.Root, http.StatusSeeOther)
		default:
			api.ServeHTTP(w, r)
		}
	}), nil
}
