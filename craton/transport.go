package craton

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/go-cleanhttp"
	"github.com/hashicorp/go-retryablehttp"
)

// TLS says how https connections are verified. The zero value verifies against
// the system's certificates.
type TLS struct {
	CAPath     string // PEM file, or directory of PEM files, that is trusted instead of the system's
	ClientCert string // PEM file of a client certificate
	ClientKey  string // PEM file of its key
	Insecure   bool   // do not verify the server at all; for tests only
}

// httpClient builds the chain that every request goes through, outermost first:
// retries, then credentials (so that each try is authenticated anew), then the connection.
func (c config) httpClient() (*http.Client, error) {
	rt := c.transport
	if rt == nil {
		t := cleanhttp.DefaultPooledTransport() // proxies from the environment
		t.MaxIdleConnsPerHost = 16
		tc, err := c.tls.config()
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig = tc
		rt = t
	}
	rt = authTransport{next: rt, auth: c.auth, userAgent: c.userAgent}

	r := retryablehttp.NewClient()
	r.HTTPClient = &http.Client{Transport: rt, Timeout: c.timeout, CheckRedirect: refuseRedirect}
	r.Logger = nil // a library writes nothing
	r.RetryMax = c.retries
	r.RetryWaitMin, r.RetryWaitMax = 200*time.Millisecond, 10*time.Second
	r.CheckRetry = checkRetry
	r.Backoff = backoff
	r.ErrorHandler = retryablehttp.PassthroughErrorHandler // the last answer, not "giving up"
	return &http.Client{Transport: &retryablehttp.RoundTripper{Client: r}, CheckRedirect: refuseRedirect}, nil
}

// authTransport adds credentials and the User-Agent.
type authTransport struct {
	next      http.RoundTripper
	auth      Auth
	userAgent string
}

func (t authTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", t.userAgent)
	if t.auth != nil {
		if err := t.auth.Authenticate(r.Context(), r); err != nil {
			return nil, err
		}
	}
	return t.next.RoundTrip(r)
}

// errRedirect: the API never redirects. A redirect is a proxy's, often to https or to
// another host, and following it would carry the X-Auth headers along.
var errRedirect = errors.New("the server answered with a redirect, which is not followed because it would carry the credentials along; set the URL to where it leads")

func refuseRedirect(r *http.Request, _ []*http.Request) error {
	return fmt.Errorf("%w (%s)", errRedirect, r.URL.Redacted())
}

// checkRetry repeats what can be repeated without harm: GET, HEAD, PUT, DELETE after a lost
// connection or a 5xx (Q8: the original answers some good requests with 500 now and then),
// and anything that was never sent because no connection came about.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		if errors.Is(err, errRedirect) || isCertificateError(err) {
			return false, err
		}
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			return true, nil
		}
		return idempotent(ctx), nil
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return idempotent(ctx), nil
	}
	return false, nil
}

// isCertificateError tells failures of verification, which no retry mends.
func isCertificateError(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err) // http spoken where https was asked for
	return ok
}

type methodKey struct{}

// withMethod lets checkRetry know the method also when there is no response to ask.
func withMethod(ctx context.Context, method string) context.Context {
	return context.WithValue(ctx, methodKey{}, method)
}

func idempotent(ctx context.Context) bool {
	switch ctx.Value(methodKey{}) {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// backoff doubles from least, with full jitter, and obeys Retry-After.
func backoff(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	if resp != nil && resp.Header.Get("Retry-After") != "" {
		return retryablehttp.DefaultBackoff(least, most, attempt, resp)
	}
	return retryablehttp.LinearJitterBackoff(least, min(most, least<<attempt), attempt, nil)
}

// config turns the settings into a tls.Config.
func (t TLS) config() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.Insecure} //nolint:gosec // only when the user says so
	if t.CAPath != "" {
		pool, err := certPool(t.CAPath)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = pool
	}
	if t.ClientCert != "" || t.ClientKey != "" {
		if t.ClientCert == "" || t.ClientKey == "" {
			return nil, errors.New("craton: a client certificate needs both client_cert and client_key")
		}
		cert, err := tls.LoadX509KeyPair(t.ClientCert, t.ClientKey)
		if err != nil {
			return nil, fmt.Errorf("craton: client certificate: %w", err)
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return cfg, nil
}

// certPool reads a PEM file or every file of a directory.
func certPool(path string) (*x509.CertPool, error) {
	files := []string{path}
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("craton: ca_path: %w", err)
	} else if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fmt.Errorf("craton: ca_path: %w", err)
		}
		files = files[:0]
		for _, e := range entries {
			if !e.IsDir() {
				files = append(files, path+string(os.PathSeparator)+e.Name())
			}
		}
	}
	pool, found := x509.NewCertPool(), false
	for _, f := range files {
		pem, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("craton: ca_path: %w", err)
		}
		found = pool.AppendCertsFromPEM(pem) || found
	}
	if !found {
		return nil, fmt.Errorf("craton: ca_path %s holds no PEM certificate", path)
	}
	return pool, nil
}
