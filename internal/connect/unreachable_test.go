package connect_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
)

// TestUnreachable: a server that wants a certificate which the client has not is there; one that is gone is not.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	for name, newest := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12, MaxVersion: newest}
		s.StartTLS()
		c, err := craton.New(s.URL, craton.WithRetries(0), craton.WithTransport(s.Client().Transport))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.FleetMark(t.Context(), craton.FleetOptions{}); err == nil || connect.Unreachable(err) {
			t.Errorf("%s, a certificate is wanted: %v", name, err)
		}
		s.Close()
		redirect := httptest.NewServer(http.RedirectHandler("https://login.example/", http.StatusFound))
		if c, err := craton.New(redirect.URL, craton.WithRetries(0)); err != nil {
			t.Error(err)
		} else if _, err := c.FleetMark(t.Context(), craton.FleetOptions{}); err == nil || connect.Unreachable(err) {
			t.Errorf("%s, a redirect: %v", name, err)
		}
		redirect.Close()
		plain := httptest.NewServer(http.NotFoundHandler())
		if c, err := craton.New("https"+strings.TrimPrefix(plain.URL, "http"), craton.WithRetries(0)); err != nil {
			t.Error(err)
		} else if _, err := c.FleetMark(t.Context(), craton.FleetOptions{}); err == nil || connect.Unreachable(err) {
			t.Errorf("%s, a server that speaks no TLS: %v", name, err)
		}
		plain.Close()
		if _, err := c.FleetMark(t.Context(), craton.FleetOptions{}); err == nil || !connect.Unreachable(err) {
			t.Errorf("%s, the server is gone: %v", name, err)
		}
	}
}
