package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
)

// TeamOptions determine how a server shows its fleet to a team.
type TeamOptions struct {
	// API is the server's own handler, which responds with the rights of the user.
	API http.Handler
	// Keys returns the keys for cookies, which all servers of the database share: the first one encrypts, and all of
	// them decrypt. They change; see [KeyTime].
	Keys func(context.Context) ([]Key, error)
	// End revokes a cookie for all servers of the database, and Ended reports whether a cookie created at that time was
	// revoked: by a name that reveals nothing about it. Without them, signing out deletes the cookie only in the
	// browser.
	End   func(ctx context.Context, cookie string) error
	Ended func(ctx context.Context, cookie string, made time.Time) (bool, error)
	// Keystone: users sign in with a Keystone token, not with a name, a project and an API key.
	Keystone bool
	// Encrypted reports whether a request was encrypted on its whole way from the browser.
	Encrypted func(*http.Request) bool
	// Where is the name of the fleet for people.
	Where string
}

// Key is a key that encrypts cookies.
type Key struct {
	Number int64  // counting all keys that have existed
	Secret []byte // 32 bytes
}

const (
	// SessionTime is how long a sign-in lasts.
	SessionTime = 8 * time.Hour
	// KeyTime is how long cookies are encrypted with one key, before another one is created.
	KeyTime = 30 * 24 * time.Hour
)

// team is the page of a server, whose users sign in.
//
// A cookie contains the user's credentials, encrypted so that only the servers of this database can read or create one.
// Each request of the page authenticates to the API with them again: a revoked key and a removed role take effect at
// once, and wrong credentials are counted like all others.
type team struct {
	TeamOptions
	seals seals
	site  *site
	// posts refuses requests that another site sends in the name of a user.
	posts *http.CrossOriginProtection
	inner http.RoundTripper
}

// credentials are the cookie's content: what a user signs in with.
type credentials struct {
	User    string    `json:"user,omitempty"`
	Project string    `json:"project,omitempty"`
	Secret  string    `json:"secret"` // the API key, or the token
	Until   time.Time `json:"until"`
}

// NewTeam returns the handler of everything below [Root] for the users of a server.
func NewTeam(o TeamOptions) http.Handler {
	t := &team{TeamOptions: o, seals: seals{keys: o.Keys}, posts: http.NewCrossOriginProtection(), inner: connect.InProcess(o.API)}
	t.site = newSite(Options{Where: o.Where, Client: t.client})
	t.site.signOut, t.site.who = true, t.who
	return t
}

// ServeHTTP serves the page to users who have signed in, and the sign-in form to others.
func (t *team) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	switch name := strings.TrimPrefix(r.URL.Path, Root); {
	case r.Method == http.MethodPost && (name == "sign-in" || name == "sign-out"):
		if !t.fromHere(r) {
			http.Error(w, "This form was sent by another site, or by a browser that does not say which site sent it. Open the page and sign in there.", http.StatusForbidden)
			return
		}
		if name == "sign-out" {
			t.leave(w, r)
			return
		}
		t.signIn(w, r)
	case name == "sign-in" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		t.form(w, r, http.StatusOK, &signInPage{Next: r.URL.Query().Get("next")})
	default:
		t.site.ServeHTTP(w, r)
	}
}

// cookie returns the name of the cookie. Over TLS the name has a prefix that makes browsers accept the cookie only from
// this server.
func (t *team) cookie(r *http.Request) string {
	if t.Encrypted(r) {
		return "__Host-craton"
	}
	return "craton"
}

// fromHere reports whether a form was sent from this page, by the headers that browsers add.
func (t *team) fromHere(r *http.Request) bool {
	return (r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "") && t.posts.Check(r) == nil
}

// proxied are the headers that proxies add. A client that forges one loses rights and never gains any.
var proxied = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via"}

// loopback reports whether a request comes directly from this machine, without a proxy.
func loopback(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() || slices.ContainsFunc(proxied, func(name string) bool { return r.Header.Get(name) != "" }) {
		return false
	}
	host := (&url.URL{Host: r.Host}).Hostname()
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.IsLoopback()
}

// safe reports whether a secret may be sent: over TLS, or on this machine.
func (t *team) safe(r *http.Request) bool { return t.Encrypted(r) || loopback(r) }

// notSignedInError redirects a user to the sign-in form.
type notSignedInError struct{ to string }

func (n *notSignedInError) Error() string { return "nobody is signed in" }

// client returns an API client with the rights of the user who has signed in.
func (t *team) client(r *http.Request) (*craton.Client, error) {
	c, err := t.open(r)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, &notSignedInError{t.formURL(r)}
	}
	return t.clientOf(r, c)
}

// formURL returns the URL of the sign-in form, with the page to open after it.
func (t *team) formURL(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == Root {
		return Root + "sign-in"
	}
	return Root + "sign-in?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
}

func (t *team) clientOf(r *http.Request, c *credentials) (*craton.Client, error) {
	options := []craton.Option{craton.WithTransport(&viewer{t.inner, r}), craton.WithHiddenURL(), craton.WithTimeout(0), craton.WithRetries(0), craton.WithUserAgent("craton page")}
	if t.Keystone {
		options = append(options, craton.WithAuth(token(c.Secret)))
	} else {
		options = append(options, craton.WithLocalAuth(c.User, c.Secret, c.Project))
	}
	return craton.New("http://page", options...)
}

// viewer sends requests to the API with the browser's address, so that failed sign-ins are counted and logged under
// that address.
type viewer struct {
	next    http.RoundTripper
	browser *http.Request
}

// RoundTrip implements [http.RoundTripper].
func (v *viewer) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RemoteAddr = v.browser.RemoteAddr
	for _, name := range []string{"X-Forwarded-For", "Forwarded"} {
		if values := v.browser.Header.Values(name); len(values) > 0 {
			in.Header[name] = values
		}
	}
	return v.next.RoundTrip(in)
}

// token is a Keystone token that authenticates requests.
type token string

// read decrypts the cookie. It returns nil if the cookie is missing, invalid or expired. It does not check whether the
// user has signed out; see [team.open].
func (t *team) read(r *http.Request) (*http.Cookie, *credentials, error) {
	cookie, err := r.Cookie(t.cookie(r))
	if err != nil {
		return nil, nil, nil //nolint:nilerr // there is none
	}
	text, err := t.seals.open(r.Context(), cookie.Value, t.purpose())
	c := new(credentials)
	if text == nil || err != nil || json.Unmarshal(text, c) != nil || time.Now().After(c.Until) {
		return nil, nil, err
	}
	return cookie, c, nil
}

// who returns the name of the user. It is unknown for a Keystone token.
func (t *team) who(r *http.Request) string {
	if _, c, err := t.read(r); err == nil && c != nil {
		return c.User
	}
	return ""
}

// open reads the cookie. It returns nil if the cookie is not valid or the user has signed out.
func (t *team) open(r *http.Request) (*credentials, error) {
	cookie, c, err := t.read(r)
	if c == nil || err != nil {
		return nil, err
	}
	if t.Ended != nil {
		if ended, err := t.Ended(r.Context(), nameOf(cookie), c.Until.Add(-SessionTime)); ended || err != nil {
			return nil, err
		}
	}
	return c, nil
}

// nameOf returns the name under which a cookie is recorded as ended.
func nameOf(c *http.Cookie) string {
	sum := sha256.Sum256([]byte(c.Value))
	return hex.EncodeToString(sum[:16])
}

// leave signs out: it deletes the cookie in the browser and makes copies of it invalid.
func (t *team) leave(w http.ResponseWriter, r *http.Request) {
	c, err := t.open(r) // do not record cookies that are not ours
	if c != nil && t.End != nil {
		if cookie, none := r.Cookie(t.cookie(r)); none == nil {
			err = t.End(r.Context(), nameOf(cookie))
		}
	}
	t.forget(w, r)
	if err != nil {
		t.form(w, r, http.StatusBadGateway, &signInPage{Problem: "You are signed out in this browser, but the server could not end the session: " + messageOf(err)})
		return
	}
	http.Redirect(w, r, Root+"sign-in", http.StatusSeeOther)
}

// purpose returns the purpose that cookies are sealed for, so that a cookie for another way to sign in is invalid.
func (t *team) purpose() []byte {
	if t.Keystone {
		return []byte("craton page, token, 1")
	}
	return []byte("craton page, key, 1")
}

// keep sets the cookie.
func (t *team) keep(w http.ResponseWriter, r *http.Request, c *credentials) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	value, err := t.seals.seal(r.Context(), text, t.purpose())
	if err != nil {
		return err
	}
	if len(value) > maxCookie {
		return errors.New("the credentials are too long for a cookie")
	}
	http.SetCookie(w, &http.Cookie{
		Name: t.cookie(r), Value: value, Path: "/", MaxAge: int(SessionTime / time.Second), HttpOnly: true, Secure: t.Encrypted(r), SameSite: http.SameSiteStrictMode,
	})
	return nil
}

// maxCookie is the maximum size of the cookie's value; browsers limit a cookie with its name and attributes.
const maxCookie = 3800

func (t *team) forget(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: t.cookie(r), Path: "/", MaxAge: -1, HttpOnly: true, Secure: t.Encrypted(r), SameSite: http.SameSiteStrictMode})
}

// signInPage is the sign-in form.
type signInPage struct {
	Next, User, Project string
	Keystone            bool
	Problem             string
	Unsafe              bool // the connection is not safe for a secret
}

// maxForm is the maximum size of a form in bytes.
const maxForm = 64 << 10

func (t *team) signIn(w http.ResponseWriter, r *http.Request) {
	if !t.safe(r) {
		t.form(w, r, http.StatusForbidden, &signInPage{})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		t.form(w, r, http.StatusBadRequest, &signInPage{Problem: "the form cannot be read"})
		return
	}
	c := &credentials{User: r.PostForm.Get("user"), Project: strings.TrimSpace(r.PostForm.Get("project")), Secret: strings.TrimSpace(r.PostForm.Get("secret")), Until: time.Now().Add(SessionTime)}
	doc := &signInPage{Next: r.PostForm.Get("next"), User: c.User, Project: c.Project}
	var status int
	if status, doc.Problem = t.try(r, c); doc.Problem == "" {
		if err := t.keep(w, r, c); err != nil {
			status, doc.Problem = http.StatusBadGateway, err.Error()
		}
	}
	if doc.Problem != "" {
		t.form(w, r, status, doc)
		return
	}
	http.Redirect(w, r, inside(doc.Next), http.StatusSeeOther)
}

// try asks the API whether credentials are valid, and returns the reason if they are not.
func (t *team) try(r *http.Request, c *credentials) (status int, problem string) {
	if c.Secret == "" || !t.Keystone && (c.User == "" || c.Project == "") {
		return http.StatusBadRequest, "fill in all fields"
	}
	client, err := t.clientOf(r, c)
	if err != nil {
		return http.StatusBadRequest, "invalid credentials: " + err.Error()
	}
	_, err = client.Clouds.List(r.Context(), craton.CloudListOptions{Paging: craton.Paging{Limit: craton.MinLimit}})
	switch e, ok := errors.AsType[*craton.Error](err); {
	case err == nil || craton.IsForbidden(err):
		return http.StatusOK, ""
	case ok && craton.IsUnauthenticated(err):
		return http.StatusUnauthorized, e.Message
	}
	return http.StatusBadGateway, "the server is unavailable: try again"
}

// inside returns to if it is a URL of the page, or else the first page.
func inside(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(path.Clean(u.Path)+"/", Root) || strings.Contains(to, `\`) {
		return Root
	}
	switch path.Clean(u.Path) {
	case Root + "sign-in", Root + "sign-out":
		return Root
	}
	return u.RequestURI()
}

// maxField is the maximum number of bytes of the user's input, or of the requested page, that the form shows again.
const maxField = 4 << 10

func (t *team) form(w http.ResponseWriter, r *http.Request, status int, doc *signInPage) {
	for _, field := range []*string{&doc.Next, &doc.User, &doc.Project} {
		if len(*field) > maxField {
			*field = ""
		}
	}
	doc.Keystone, doc.Unsafe = t.Keystone, !t.safe(r)
	p := &page{site: t.site, ctx: r.Context(), query: url.Values{}, Path: "sign-in", view: &view{Title: "Sign in", Template: "signin", Document: doc}}
	if err := p.render(w, status, "bare", p.Template); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// Authenticate implements [craton.Auth].
func (t token) Authenticate(_ context.Context, r *http.Request) error {
	r.Header.Set("X-Auth-Token", string(t))
	return nil
}
