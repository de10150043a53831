//go:build !collection && !nometrics

package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/craton-fleet/craton/internal/private"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/metrics"
)

// meter counts requests, and serves metrics where the settings say.
type meter struct {
	metrics *metrics.Metrics // nil if turned off
	key     string
	listen  string // a separate address; "" for that of the API
}

// newMeter reads the settings.
func newMeter(v *settings.Values, version string) (*meter, error) {
	m := &meter{listen: v.String("server.metrics_listen")}
	if !v.Bool("server.metrics") {
		if m.listen != "" {
			return nil, fmt.Errorf("%s sets an address for metrics, which are turned off: remove one of the two settings", v.Source("server.metrics_listen"))
		}
		return m, nil
	}
	if file := v.String("server.metrics_key_file"); file != "" {
		var err error
		if m.key, err = private.ReadSecret(file); err != nil {
			return nil, fmt.Errorf("the key for the metrics: %w", err)
		}
	}
	m.metrics = metrics.New(version)
	return m, nil
}

// observe records one request.
func (m *meter) observe() func(server.Observation) {
	if m.metrics == nil {
		return nil
	}
	return m.metrics.Observe
}

// wrap adds the metrics to an API that shares their address.
func (m *meter) wrap(api http.Handler, srv *server.Server) http.Handler {
	if m.metrics == nil {
		return api
	}
	m.metrics.Watch(srv)
	if m.listen != "" {
		return api
	}
	show := m.metrics.Handler(m.key)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == metrics.Path {
			show.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// metricsConnections is the number of connections to the metrics' own address.
const metricsConnections = 64

// serve serves the metrics at their own address, if they have one, until ctx ends. failed is called if it ends earlier.
func (m *meter) serve(ctx context.Context, failed func(error)) (url string, err error) {
	if m.metrics == nil || m.listen == "" {
		return "", nil
	}
	l, err := listen(ctx, m.listen, metricsConnections)
	if err != nil {
		return "", fmt.Errorf("metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle(metrics.Path, m.metrics.Handler(m.key))
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: time.Minute, IdleTimeout: idleTime, MaxHeaderBytes: 16 << 10}
	context.AfterFunc(ctx, func() { _ = hs.Close() })
	go func() {
		if err := hs.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed(fmt.Errorf("metrics: %w", err))
		}
	}()
	return urlOf(l, false) + metrics.Path, nil
}
