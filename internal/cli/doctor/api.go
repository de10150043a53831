package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/settings"
)

// The checks that need a connection, for the list of skipped ones.
var (
	afterConnection = []string{"certificate", "api", "clock", "credentials", "pages"}
	afterTLS        = afterConnection[1:]
)

// checkAPI checks each step of the way to an API over the network, and reports whether a client can use it.
func (d *doctor) checkAPI(ctx context.Context, v *settings.Values) bool {
	who, ok := d.checkKeystone(ctx, v)
	if !ok {
		d.skip("Keystone failed", append([]string{"connection"}, afterConnection...)...)
		return false
	}
	base := who.url
	config := d.tlsConfig(who.tls)
	if config == nil {
		d.skip("the TLS settings are not ok", append([]string{"connection"}, afterConnection...)...)
		return false
	}
	pr := &prober{config: config}
	p := pr.send(ctx, base.String()+"/clouds?limit="+strconv.Itoa(craton.MinLimit))
	if !d.checkConnection(p, base) {
		d.skip("not connected", afterConnection...)
		return false
	}
	if !d.checkTLS(p, base, config) {
		d.skip("the certificate is not ok", afterTLS...)
		return false
	}
	if !d.checkAnswer(p, base, func(target string) *probe { return pr.send(ctx, target) }) {
		d.skip("the server is not a Craton API", afterTLS[1:]...)
		return false
	}
	d.checkClock(p)
	client, done, err := connect.Client(ctx, v, connect.Examine)
	if err != nil {
		d.addError("credentials", err, adviceConfig)
		d.skip("no credentials are set", "pages")
		return false
	}
	defer func() { _ = done() }() // only read
	if !d.checkCredentials(ctx, client, who, wantsTokens(p)) {
		d.skip("the credentials are not ok", "pages")
		return false
	}
	return d.checkPages(ctx, client)
}

// checkAnswer checks what kind of server responded to a request without credentials.
func (d *doctor) checkAnswer(p *probe, base *url.URL, send func(string) *probe) bool {
	const check = "api"
	const adviceURL = "correct CRATON_URL, and check for proxies between here and the server"
	if p.err != nil {
		message, advice := explainHandshake(p.err)
		switch {
		case errors.Is(p.err, context.DeadlineExceeded) || os.IsTimeout(p.err):
			message, advice = fmt.Sprintf("connected, but no response within %v", probeTime), "check the server's log; its database may be unavailable"
		case p.tls == nil:
			message, advice = fmt.Sprintf("connected, but no response: %v", rest.ConcealError(cause(p.err))), adviceURL+"; should it be https instead of http?"
		}
		d.problem(check, advice, "%s", message)
		return false
	}
	server := show.Clean(p.header.Get("Server"))
	by := ""
	if server != "" {
		by = " (" + server + ")"
	}
	switch {
	case p.status >= 300 && p.status < 400:
		to := p.header.Get("Location")
		if u, err := base.Parse(to); err == nil {
			u.User, u.RawQuery = nil, ""
			to = show.Clean(u.String())
		}
		d.problem(check, "set CRATON_URL to that URL; redirects are not followed, because that would send the API key along", "the server redirects to %s", to)
		return false
	case p.status == http.StatusBadRequest && strings.Contains(string(p.body), "HTTP request to an HTTPS server"):
		d.problem(check, "write https:// in CRATON_URL", "the server accepts https only")
		return false
	case p.status == http.StatusBadGateway || p.status == http.StatusServiceUnavailable || p.status == http.StatusGatewayTimeout:
		d.problem(check, "start the server behind it, or check its log", "a proxy responds%s with %d %s", by, p.status, http.StatusText(p.status))
		return false
	case !isCraton(p):
		d.problem(check, adviceURL, "the server at %s%s is not a Craton API: %d %s", base, by, p.status, contentType(p.header))
		return false
	}
	which := "a Craton API" + by
	health := send(strings.TrimSuffix(base.String(), "/v1") + "/healthz")
	status := gjson.GetBytes(health.body, "status")
	switch {
	case health.err != nil || !status.Exists() || gjson.GetBytes(health.body, "message").Exists():
		if strings.HasPrefix(server, "WSGIServer") {
			which = "the original Craton server" + by
		}
	case health.status != http.StatusOK:
		d.problem(check, "check the server's log", "craton server, %s", show.Clean(status.String()))
		return false
	default:
		which = strings.TrimSpace("craton server " + show.Clean(gjson.GetBytes(health.body, "version").String()))
	}
	took := p.got.Sub(p.sent).Round(time.Millisecond)
	if p.status == http.StatusOK {
		d.warn(check, "make the server require credentials", "%s, and it accepts requests without credentials", which)
		return true
	}
	d.ok(check, "%s, responds in %v", which, max(took, time.Millisecond))
	return true
}

// isCraton reports whether a response is one of a Craton API to a request without credentials: a listing, or an error
// with exactly two members (v1 contract §4).
func isCraton(p *probe) bool {
	if mt, _, _ := mime.ParseMediaType(p.header.Get("Content-Type")); mt != "application/json" {
		return false
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(p.body, &body) != nil {
		return false
	}
	if p.status == http.StatusOK {
		return body["clouds"] != nil && body["links"] != nil
	}
	return len(body) == 2 && body["message"] != nil && string(body["status"]) == strconv.Itoa(p.status) &&
		(p.status == http.StatusUnauthorized || p.status == http.StatusForbidden || p.status == http.StatusInternalServerError)
}

func contentType(h http.Header) string {
	if t := show.Clean(h.Get("Content-Type")); t != "" {
		return t
	}
	return "without a content type"
}

// wantsTokens reports, from the response to a request without credentials, whether the server expects Keystone tokens:
// only an API with its own users complains about a missing project (v1 contract §1.2, §1.3).
func wantsTokens(p *probe) bool {
	return p.status == http.StatusUnauthorized && gjson.GetBytes(p.body, "message").Str == "The request could not be authenticated."
}

// maxSkew is the maximum difference between two clocks. Keystone tokens and certificates depend on them, and logs are
// hard to read otherwise.
const maxSkew = 30 * time.Second

// checkClock compares this machine's clock with the server's, which its Date header has in whole seconds.
func (d *doctor) checkClock(p *probe) {
	const check = "clock"
	date, err := http.ParseTime(p.header.Get("Date"))
	if err != nil {
		d.skip("the server sends no time", check)
		return
	}
	// The header was written between the request and the response.
	skew := time.Duration(0)
	switch {
	case date.Add(time.Second).Before(p.sent):
		skew = p.sent.Sub(date.Add(time.Second))
	case date.After(p.got):
		skew = p.got.Sub(date)
	}
	if skew.Abs() <= maxSkew {
		d.ok(check, "this machine and the server agree within %v", maxSkew)
		return
	}
	which := "ahead of"
	if skew < 0 {
		which = "behind"
	}
	d.warn(check, "synchronize both with a time server (NTP); `timedatectl` shows the state of this one", "this machine's clock is %v %s the server's", skew.Abs().Round(time.Second), which)
}

// checkCredentials checks whether the API accepts the credentials, and which role they have, with requests that each
// need more permissions than the one before.
func (d *doctor) checkCredentials(ctx context.Context, c *craton.Client, who *caller, tokens bool) bool {
	const check = "credentials"
	err := read(ctx, c, "/clouds")
	switch {
	case craton.IsForbidden(err):
		d.problem(check, "if this is the original server behind Keystone, give the user the role admin, the only one that it accepts; otherwise ask an admin of the server for a role", "the credentials are valid, but their role does not allow reading: %v", err)
		return false
	case craton.IsUnauthenticated(err):
		advice := "compare OS_USERNAME, OS_PASSWORD (the API key) and OS_PROJECT_ID with the output of user-create; " + adviceConfig
		switch {
		case who.keystone && !tokens:
			advice = "this API has its own users: set username, API key and project of one, and OS_AUTH_TYPE=local"
		case who.keystone:
			advice = "check that the API uses the same Keystone"
		case tokens:
			advice = "this API takes tokens of Keystone: set OS_CLOUD, or OS_AUTH_URL and credentials"
		}
		d.problem(check, advice, "the API refuses the credentials: %v", err)
		return false
	case err != nil:
		d.addError(check, err, "check the server's log")
		return false
	}
	role := "member"
	for _, more := range []struct{ role, path string }{{"admin", "/users"}, {"root", "/projects"}} {
		err := read(ctx, c, more.path)
		if craton.IsForbidden(err) {
			break
		}
		if err != nil {
			d.addError(check, err, "check the server's log")
			return false
		}
		role = more.role
	}
	if role == "member" && !who.keystone && readsOnly(ctx, c) {
		role = string(craton.RoleReader)
	}
	d.ok(check, "%s, role %s", who.name(ctx, c), role)
	return true
}

// readsOnly reports whether the caller is a reader, by the user's role or that of the current key; no read
// distinguishes a reader from a member. On a server without roles, nobody is one.
func readsOnly(ctx context.Context, c *craton.Client) bool {
	role, err := c.Users.Role(ctx, craton.Self)
	if err != nil || role == craton.RoleReader {
		return err == nil
	}
	keys, err := c.Users.Keys(ctx, craton.Self)
	return err == nil && slices.ContainsFunc(keys, func(k *craton.UserKey) bool { return k.Current && k.Role == craton.RoleReader })
}

// read requests one page of a collection.
func read(ctx context.Context, c *craton.Client, path string) error {
	_, err := c.Page(ctx, path, url.Values{"limit": {strconv.Itoa(craton.MinLimit)}})
	return err
}

// checkPages checks whether the API returns pages of the requested size: a proxy may drop the query, or truncate long
// responses.
func (d *doctor) checkPages(ctx context.Context, c *craton.Client) bool {
	const check = "pages"
	const advice = "check for proxies and caches between here and the server: they must not change queries or responses"
	var took time.Duration
	hosts := 0
	for _, limit := range []int{craton.MinLimit, craton.MaxLimit} {
		begin := time.Now()
		page, err := c.Hosts.List(ctx, craton.HostListOptions{Paging: craton.Paging{Limit: limit}, Details: true, Resolved: new(false)})
		took = time.Since(begin)
		if err != nil {
			d.addError(check, err, advice)
			return false
		}
		hosts = len(page.Items)
		if hosts > limit || page.Limit != 0 && page.Limit != limit {
			d.problem(check, advice, "requested pages of %d hosts, but the API returns %d", limit, max(hosts, page.Limit))
			return false
		}
	}
	d.ok(check, "pages of %d and %d hosts work; %d hosts in %v", craton.MinLimit, craton.MaxLimit, hosts, took.Round(time.Millisecond))
	return true
}
