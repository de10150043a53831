package craton

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
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
// retries (the reading of the answer included), the time allowed for one try, then credentials
// (so that each try is authenticated anew), then the connection.
func (c config) httpClient() (*retryablehttp.Client, error) {
	rt := c.transport
	if rt == nil {
		t := cleanhttp.DefaultPooledTransport() // obeys HTTP_PROXY, HTTPS_PROXY and NO_PROXY
		t.MaxIdleConnsPerHost = 32
		tc, err := c.tls.config()
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig = tc
		rt = t
	}
	rt = &authTransport{next: rt, auth: c.auth, userAgent: c.userAgent}

	r := retryablehttp.NewClient()
	r.HTTPClient = &http.Client{Transport: rt, Timeout: c.timeout, CheckRedirect: refuseRedirect}
	r.Logger = nil // a library writes nothing
	r.RetryMax = c.retries
	r.RetryWaitMin, r.RetryWaitMax = c.waitLeast, c.waitMost
	r.CheckRetry = checkRetry
	r.Backoff = backoff
	r.ErrorHandler = countTries
	return r, nil
}

// authTransport adds credentials and the User-Agent.
type authTransport struct {
	next      http.RoundTripper
	auth      Auth
	userAgent string
}

func (t *authTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", t.userAgent)
	if t.auth != nil {
		if err := t.auth.Authenticate(r.Context(), r); err != nil {
			if r.Body != nil {
				r.Body.Close() //nolint:errcheck,gosec // a body in memory; RoundTrip must close it
			}
			return nil, &authError{err}
		}
	}
	return t.next.RoundTrip(r)
}

// authError is a request that was not sent because its credentials could not be had.
type authError struct{ err error }

func (e *authError) Error() string { return "cannot authenticate: " + e.err.Error() }
func (e *authError) Unwrap() error { return e.err }

// CloseIdleConnections lets http.Client reach the pool of connections below.
func (t *authTransport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// errRedirect: the API never redirects. A redirect is a proxy's, often to https or to
// another host, and following it would carry the X-Auth headers along.
var errRedirect = errors.New("the server answered with a redirect, which is not followed because it would carry the credentials along; set the URL to where it leads")

func refuseRedirect(r *http.Request, _ []*http.Request) error {
	return fmt.Errorf("%w (%s)", errRedirect, bareURL(r.URL))
}

// errCut is an answer whose end never came.
var errCut = errors.New("the answer was cut short")

// checkRetry repeats what can be repeated without harm:
//
//   - anything that was never sent because no connection came about;
//   - GET, HEAD, PUT and DELETE after a lost connection, a cut answer, or one of the statuses with which
//     servers and proxies ask to come again (429, 502, 503, 504);
//   - GET and HEAD after a 500 too: the original answers some good reads with it now and then (Q8). To writes
//     it answers 500 always or never: it means not found, duplicate, or in use there (Q5, Q6).
//
// POST is never repeated once it was sent: it may have been carried out.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		if permanent(err) {
			return false, err
		}
		return neverSent(err) || idempotent(ctx), nil
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return idempotent(ctx), nil
	case http.StatusInternalServerError:
		return reads(ctx), nil
	}
	return false, nil
}

// neverSent tells failures of the connection itself, to the API or to a proxy.
func neverSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// permanent tells failures that no repetition mends: certificates, names that do not exist, refused redirects,
// and those of an Auth, which repeats on its own what it can.
func permanent(err error) bool {
	if _, ok := errors.AsType[*authError](err); ok {
		return true
	}
	if errors.Is(err, errRedirect) {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return true // no TLS spoken there
	}
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound && !dns.IsTemporary
}

// countTries is called when the tries are used up or end in an error. An answer is passed on,
// so that its status and message reach the typed *Error; an error says how often it was tried.
func countTries(resp *http.Response, err error, tries int) (*http.Response, error) {
	if err == nil {
		return resp, nil
	}
	if resp != nil {
		resp.Body.Close() //nolint:errcheck,gosec // nobody reads it
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // the URL is told by *ConnectionError, without its query
	}
	if tries > 1 {
		err = fmt.Errorf("%w (tried %d times)", err, tries)
	}
	return nil, err
}

type methodKey struct{}

// withMethod lets checkRetry know the method also when there is no response to ask.
func withMethod(ctx context.Context, method string) context.Context {
	return context.WithValue(ctx, methodKey{}, method)
}

func reads(ctx context.Context) bool {
	m := ctx.Value(methodKey{})
	return m == http.MethodGet || m == http.MethodHead
}

func idempotent(ctx context.Context) bool {
	m := ctx.Value(methodKey{})
	return reads(ctx) || m == http.MethodPut || m == http.MethodDelete
}

// maxRetryAfter bounds what a server may ask a client to wait.
const maxRetryAfter = 60 * time.Second

// backoff doubles from least to most, half of it by chance so that many clients do not come back together,
// and obeys the Retry-After of a 429 or 503 up to maxRetryAfter.
func backoff(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	if resp != nil && resp.Header.Get("Retry-After") != "" {
		wait := retryablehttp.DefaultBackoff(least, most, attempt, resp)
		if wait < 0 { // more seconds than a Duration holds
			return maxRetryAfter
		}
		return min(wait, maxRetryAfter)
	}
	wait := most
	if attempt < 30 { // no overflow
		wait = min(least<<attempt, most)
	}
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // not for secrets
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
				files = append(files, filepath.Join(path, e.Name()))
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
