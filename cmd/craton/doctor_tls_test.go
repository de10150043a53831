package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // PEM
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-10000 * time.Hour), NotAfter: time.Now().Add(10000 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a certificate for 127.0.0.1 or for the names, that begins and ends so long after now.
func (a *authority) sign(t *testing.T, from, to time.Duration, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "craton test"}, DNSNames: names,
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// files writes a certificate and its key.
func files(t *testing.T, c tls.Certificate) (cert, key string) {
	t.Helper()
	secret, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: c.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// listen serves https with a certificate.
func listen(t *testing.T, h http.Handler, config *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = config
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

const (
	years = 9000 * time.Hour
	ago   = -time.Hour
)

// TestDoctorCertificates: each way in which a certificate can be wrong is told apart, and says what to do.
func TestDoctorCertificates(t *testing.T) {
	t.Parallel()
	p, ca, other := newPatient(t), newAuthority(t), newAuthority(t)
	clientCert, clientKey := files(t, ca.sign(t, ago, 48*time.Hour))
	clients := x509.NewCertPool()
	clients.AddCert(mustParse(t, ca))
	openKey := filepath.Join(t.TempDir(), "open-key.pem")
	text, err := os.ReadFile(clientKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(openKey, text, 0o644), os.Chmod(openKey, 0o644)); err != nil { //nolint:gosec // that is the test
		t.Fatal(err)
	}
	trusts := "CRATON_CA_PATH=" + ca.file
	for name, c := range map[string]struct {
		config *tls.Config
		env    []string
		want   map[string]string
	}{
		"unknown authority": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}}, nil,
			map[string]string{
				"certificate": "problem: .*CN=Test Authority.* not trusted .*-> .*ca_path .CRATON_CA_PATH. .*PEM file",
				"api":         "skipped: .*certificate", "credentials": "skipped", "inventory": "skipped",
			},
		},
		"another authority": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}}, []string{"CRATON_CA_PATH=" + other.file},
			map[string]string{"certificate": "problem: .* -> .*PEM file .*ca_path"},
		},
		"wrong name": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years, "craton.example", "fleet.example")}}, []string{trusts},
			map[string]string{"certificate": "problem: .* craton.example, fleet.example, not .*127.0.0.1 -> .*one of these names"},
		},
		"expired": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, -years, ago)}}, []string{trusts},
			map[string]string{"certificate": "problem: .*CN=craton test was valid until 20.* -> renew .*certificate"},
		},
		"not yet": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, 100*time.Hour, years)}}, []string{trusts},
			map[string]string{"certificate": "problem: .*CN=craton test .*valid from 20.* -> .*clock"},
		},
		"ends soon": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, 100*time.Hour)}}, []string{trusts},
			map[string]string{"certificate": "warning: .*CN=craton test .*valid until .*, in 4 days -> renew ", "inventory": "ok"},
		},
		"not verified, would pass": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}}, []string{trusts, "CRATON_VALIDATE_CERTS=no"},
			map[string]string{"certificate": "warning: .*not verified, .* accepted -> .*validate_certs .*--insecure", "inventory": "ok"},
		},
		"not verified, would not pass": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}}, []string{"CRATON_VALIDATE_CERTS=no"},
			map[string]string{"certificate": "warning: .*not verified, .* rejected: .*Test Authority.* -> .*ca_path", "inventory": "ok"},
		},
		"wants a client certificate": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}, []string{trusts},
			map[string]string{"api": "problem: .*requires a client certificate.* -> .*client_cert .*client_key"},
		},
		"has a client certificate": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients},
			[]string{trusts, "CRATON_CLIENT_CERT=" + clientCert, "CRATON_CLIENT_KEY=" + openKey},
			map[string]string{
				"client certificate": "warning: .*CN=craton test .*valid until .*, in 1 day -> .*new",
				"tls settings":       "warning: everyone .*read the key .*open-key.pem -> chmod 600",
				"inventory":          "ok",
			},
		},
		"settings": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}}, []string{"CRATON_CA_PATH=/nonexistent/ca.pem"},
			map[string]string{
				"tls settings": "problem: ca_path: .*/nonexistent/ca.pem: no such file or directory -> .*ca_path",
				"connection":   "skipped", "certificate": "skipped", "inventory settings": "ok", "inventory": "skipped",
			},
		},
		"old TLS": {
			&tls.Config{Certificates: []tls.Certificate{ca.sign(t, ago, years)}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, []string{trusts}, //nolint:gosec // that is the test
			map[string]string{"certificate": "problem: .*TLS 1.2 or later"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			examine(t, p.env(listen(t, p.handler, c.config), c.env...)).expect(t, c.want)
		})
	}
}

func mustParse(t *testing.T, a *authority) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
