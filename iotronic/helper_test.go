package iotronic_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/iotronic"
)

// newClient makes a client that repeats requests without much waiting.
func newClient(t testing.TB, endpoint string, options ...iotronic.Option) *iotronic.Client {
	t.Helper()
	options = append([]iotronic.Option{iotronic.WithRetryWait(time.Millisecond, 2*time.Millisecond)}, options...)
	c, err := iotronic.New(endpoint, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// newIotronic starts an Iotronic and makes a client of it, as its admin.
func newIotronic(t testing.TB, era iotronictest.Era, options ...iotronictest.Option) (*iotronictest.Server, *iotronic.Client) {
	t.Helper()
	s := iotronictest.Start(t, era, options...)
	return s, as(t, s, iotronictest.Admin)
}

func as(t testing.TB, s *iotronictest.Server, u iotronictest.User, options ...iotronic.Option) *iotronic.Client {
	t.Helper()
	return newClient(t, s.URL, append([]iotronic.Option{iotronic.WithToken(u.Token)}, options...)...)
}

// newIronic is a client of the real Ironic of this package's tests. What stands in its way may take a while there.
func newIronic(t testing.TB, options ...iotronic.Option) (*openstacktest.Ironic, *iotronic.Client) {
	t.Helper()
	i := openstacktest.StartIronic(t)
	options = append([]iotronic.Option{iotronic.WithRetries(50), iotronic.WithRetryWait(20*time.Millisecond, 200*time.Millisecond)}, options...)
	return i, newClient(t, i.URL, options...)
}

// newMux starts a server of a test's own routes, under a path as behind a proxy that serves several APIs, and makes a
// client of it that takes it for an Iotronic with boards.
func newMux(t testing.TB, options ...iotronic.Option) (*http.ServeMux, *iotronic.Client) {
	t.Helper()
	const prefix = "/iot"
	mux := http.NewServeMux()
	server := httptest.NewServer(http.StripPrefix(prefix, mux))
	t.Cleanup(server.Close)
	options = append([]iotronic.Option{iotronic.WithDialect(iotronic.DialectBoards)}, options...)
	return mux, newClient(t, server.URL+prefix, options...)
}

// always makes a handler of one answer.
func always(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Openstack-Request-Id", "req-1")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// second drops a result that a test does not look at.
func second[T any](_ T, err error) error { return err }

// uuid is one that no server has.
const uuid = "99999999-0000-4000-8000-999999999999"

// contextOf is a context of the test that can be ended.
func contextOf(t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

var discardLog = log.New(io.Discard, "", 0)
