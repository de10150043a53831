//go:build collection || nometrics

package serve

import (
	"context"
	"errors"
	"net/http"

	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
)

// meter does nothing: this build has no metrics.
type meter struct{}

func newMeter(v *settings.Values, _ string) (*meter, error) {
	if v.String("server.metrics_listen") != "" || v.String("server.metrics_key_file") != "" {
		return nil, errors.New("this build of craton, such as the one in the collection craton.fleet, has no metrics: use a release of the program, or build it (make build)")
	}
	return &meter{}, nil
}

func (*meter) observe() func(server.Observation)                          { return nil }
func (*meter) wrap(api http.Handler, _ *server.Server) http.Handler       { return api }
func (*meter) serve(context.Context, func(error)) (url string, err error) { return "", nil }
