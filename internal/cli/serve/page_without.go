//go:build collection || nopage

package serve

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/server"
)

// withPage returns the API alone: this build has no page.
func withPage(_ context.Context, api http.Handler, _ *server.Server, _ bool, _ func(server.Observation)) (http.Handler, error) {
	return withoutPage(api), nil
}
