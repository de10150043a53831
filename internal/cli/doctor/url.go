package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/settings"
)

// urlKind is the kind of location in CRATON_URL.
type urlKind int

const (
	urlBad    urlKind = iota
	urlSQLite         // a file
	urlHTTP           // an API, at that URL or in Keystone's catalogue
)

// checkURL reports what CRATON_URL names, and whether it is well-formed.
func (d *doctor) checkURL(v *settings.Values) urlKind {
	const check = "url"
	raw, source := v.String("url"), v.Source("url")
	if better := connect.Spelling(raw); better != "" {
		d.problem(check, "set CRATON_URL to "+better, "%s (%s) is not the URL of a fleet", rest.Bare(raw), source)
		return urlBad
	}
	scheme, _, _ := strings.Cut(raw, ":")
	switch scheme {
	case "":
		if connect.UsesKeystone(v) {
			d.ok(check, "not set; taken from Keystone's catalogue")
			return urlHTTP
		}
		d.problem(check, "set CRATON_URL to sqlite:PATH, or to the URL of a Craton API such as http://craton.example:7780; or set OS_CLOUD or OS_AUTH_URL for Keystone", "CRATON_URL is not set, so there is no fleet to check")
		return urlBad
	case "sqlite":
		d.ok(check, "%s (%s)", raw, source)
		return urlSQLite
	case "postgres", "postgresql":
		d.problem(check, "serve the database with `craton server --database`, and set CRATON_URL to that server's URL", "CRATON_URL is a database other than sqlite:PATH, which cannot be opened directly")
		return urlBad
	}
	u, err := apiURL(raw)
	if err != nil {
		d.addError(check, err, "correct CRATON_URL")
		return urlBad
	}
	if strings.Contains(raw, "@") {
		d.warn(check, "set OS_USERNAME and OS_PASSWORD, and remove them from the URL", "%s (%s) contains a user or a password, which can then appear in logs", u, source)
	} else if !d.warnOfClearText(check, u) {
		d.ok(check, "%s (%s)", u, source)
	}
	return urlHTTP
}

// apiURL returns the URL of an API, ending in /v1, as the client derives it from the user's.
func apiURL(raw string) (*url.URL, error) {
	c, err := craton.New(raw)
	if err != nil {
		return nil, err
	}
	return url.Parse(c.URL())
}

// warnOfClearText warns about a URL without encryption.
func (d *doctor) warnOfClearText(check string, u *url.URL) bool {
	if u.Scheme == "https" || isLoopback(u.Hostname()) {
		return false
	}
	d.warn(check, "use https, as with `craton server --tls-cert FILE --tls-key FILE`", "%s: without https, your API key or token is sent unencrypted", u)
	return true
}

// isLoopback reports whether a name or address is this machine's loopback.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// probeTime is the timeout of one probe. The setting timeout, which allows for lists of variables, is longer.
const probeTime = 10 * time.Second

// probe is one request without credentials, and what was observed.
type probe struct {
	proxy     *url.URL             // nil: directly to the host
	resolving bool                 // a name was looked up
	connected bool                 // a connection was made, to the host or to the proxy
	remote    string               // the address that responded
	tls       *tls.ConnectionState // nil: no TLS, or it failed
	status    int
	header    http.Header
	body      []byte
	sent, got time.Time // the request was sent, the header of the response was received
	err       error
}

// prober sends probes along the client's route.
type prober struct {
	config *tls.Config // like the client's; the probe itself verifies nothing, so that it can report what is wrong
}

// send requests a URL. It sends no credentials, so any server may receive it.
func (pr *prober) send(ctx context.Context, target string) *probe {
	p := &probe{}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	config := pr.config.Clone()
	config.InsecureSkipVerify = true
	config.VerifyConnection = func(state tls.ConnectionState) error {
		p.tls = &state
		return nil
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { p.resolving = true },
		ConnectDone: func(_, address string, err error) {
			if err == nil {
				p.connected, p.remote = true, address
			}
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { p.sent = time.Now() },
		GotFirstResponseByte: func() { p.got = time.Now() },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		p.err = err
		return p
	}
	p.proxy, _ = http.ProxyFromEnvironment(req)
	resp, err := client.Do(req)
	if err != nil {
		p.err = err
		return p
	}
	defer resp.Body.Close() //nolint:errcheck // it was read, or it is broken
	p.status, p.header = resp.StatusCode, resp.Header
	p.body, p.err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return p
}

// checkConnection checks whether a connection was made.
func (d *doctor) checkConnection(p *probe, target *url.URL) bool {
	const check = "connection"
	to := hostPort(target)
	if p.proxy != nil {
		to = fmt.Sprintf("%s, through the proxy %s", to, rest.BareURL(p.proxy))
	}
	if p.connected {
		d.ok(check, "%s (%s)", to, p.remote)
		return true
	}
	dns, isDNS := errors.AsType[*net.DNSError](p.err)
	switch {
	case isDNS && dns.IsNotFound:
		d.problem(check, "correct the host in CRATON_URL, or add the name to the DNS or to /etc/hosts", "the name %s does not exist", dns.Name)
	case isDNS:
		d.problem(check, "check that the DNS server in /etc/resolv.conf responds", "the name %s cannot be resolved: %s", dns.Name, dns.Err)
	case errors.Is(p.err, syscall.ECONNREFUSED):
		d.problem(check, "start the server there, or correct host and port in CRATON_URL; craton's port is 7780", "nothing listens on %s: connection refused", to)
	case errors.Is(p.err, context.DeadlineExceeded) || os.IsTimeout(p.err):
		d.problem(check, "check for a firewall in between, and whether a proxy is needed (HTTPS_PROXY)", "no connection to %s within %v", to, probeTime)
	default:
		d.problem(check, "check that this machine has a route to the host, and that host and port in CRATON_URL are right", "cannot connect to %s: %v", to, rest.ConcealError(cause(p.err)))
	}
	return false
}

// hostPort returns the address in a URL, with the default port of the scheme.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// cause returns an error of net/http without the URL, whose query and credentials must not be shown.
func cause(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}
