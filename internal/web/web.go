package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/internal/where"
	"github.com/craton-fleet/craton/inventory"
)

// Root is the default path of the page.
const Root = "/ui/"

// Options configure the page.
type Options struct {
	// Base is the path of the page. It begins and ends with a slash, and defaults to [Root].
	Base string
	// Client returns an API client with the rights of the user who sent the request.
	Client func(*http.Request) (*craton.Client, error)
	// Where is the location of the fleet to show: a URL, or sqlite:PATH.
	Where string
	// Inventory has the user's inventory options. If it is nil, the options are unknown and the defaults are used.
	Inventory *inventory.Options
}

// site is the page of one fleet.
type site struct {
	Options
	templates *template.Template
	fleets    *fleets
	signOut   bool                       // the user has signed in and can sign out
	who       func(*http.Request) string // the name of the user; nil, or "" as the result, if it is unknown
	inventory inventory.Options          // the user's inventory options, or the defaults
}

// New returns the handler for all paths below Options.Base.
func New(o Options) http.Handler { return newSite(o) }

func newSite(o Options) *site {
	if o.Base == "" {
		o.Base = Root
	}
	s := &site{Options: o, templates: parseTemplates(), fleets: newFleets(), inventory: inventory.DefaultOptions()}
	if o.Inventory != nil {
		s.inventory = *o.Inventory
	}
	return s
}

// ServeHTTP serves the page. It accepts only GET and HEAD requests.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this page is read-only: send GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, s.Base+"assets/"); ok {
		serveAsset(w, r, name)
		return
	}
	s.serve(w, r)
}

// Lead redirects a browser to the page.
func Lead(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	http.Redirect(w, r, Root, http.StatusSeeOther)
}

// harden sets the security headers of every response: browsers may not load or run anything from elsewhere, frame the
// page or send its URL to other sites.
func harden(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// view is the content of a page.
type view struct {
	Title    string
	Template string
	Commands []string // print the same data
	Document any      // passed to the template, and encoded as the JSON twin
	// Load completes the document with data that takes long to read. It is called after the beginning of the page has
	// been sent. If it is nil, the document is complete.
	Load func() error
}

// page is a request for a page.
type page struct {
	*site
	*view
	ctx    context.Context //nolint:containedctx // the request's, as long as it is answered
	client *craton.Client  // reads the requested state
	now    *craton.Client  // reads the present state
	query  url.Values      // without the parameter "at"
	Path   string          // below Root, without .json: "hosts/12"
	twin   bool            // JSON is requested

	capabilities *craton.Capabilities // the server's capabilities; nil until they are read

	Who   string // the name of the user; "" if it is unknown
	Past  string // the requested past state, for people; "" for the present
	state when.At
	at    string // the requested state, as written in links
	typed string // the requested state, as the user wrote it
	until string // the time of the first change after the requested state, for commands; "" if there is none or it was not read
}

// statusError is an error with the HTTP status of its response.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

func fail(status int, format string, args ...any) error {
	return &statusError{status, fmt.Sprintf(format, args...)}
}

// movedError redirects the request to another URL of the page.
type movedError struct{ to string }

func (m *movedError) Error() string { return "it is at " + m.to }

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	p := &page{site: s, ctx: r.Context(), query: url.Values{}, Path: strings.TrimPrefix(r.URL.Path, s.Base), view: &view{}}
	p.Path, p.twin = strings.CutSuffix(p.Path, ".json")
	if p.twin && p.Path == "index" {
		p.Path = ""
	}
	err := p.begin(r)
	if err == nil {
		p.view, err = p.route()
	}
	if out, ok := errors.AsType[*notSignedInError](err); ok && !p.twin {
		http.Redirect(w, r, out.to, http.StatusSeeOther)
		return
	}
	if s.signOut && !p.twin && craton.IsUnauthenticated(err) { // the key is revoked or temporarily refused
		http.Redirect(w, r, s.Base+"sign-in", http.StatusSeeOther)
		return
	}
	if to, ok := errors.AsType[*movedError](err); ok {
		http.Redirect(w, r, to.to, http.StatusSeeOther)
		return
	}
	switch {
	case err != nil:
		p.refuse(w, err)
	case p.twin:
		p.writeDocument(w)
	default:
		p.write(w)
	}
}

// Limits of URLs.
const (
	longestURL   = 32 << 10 // bytes accepted, as in the API
	longestShown = 8 << 10  // bytes of the URL as HTML; a page shows it several times
)

// readQuery reads the parameters. It refuses a query that it cannot parse: without a parameter, a list would contain
// more than was requested.
func (p *page) readQuery(u *url.URL) (err error) {
	if n := len(u.Path) + len(u.RawQuery); n > longestURL {
		return fail(http.StatusBadRequest, "the URL has %d bytes, but at most %d are allowed", n, longestURL)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fail(http.StatusBadRequest, "the parameters of the URL cannot be read: %s", err)
	}
	n := len(template.HTMLEscapeString(u.Path))
	for name, values := range query {
		if len(values) > 1 {
			return fail(http.StatusBadRequest, "the parameter %q is given %d times: give it once", name, len(values))
		}
		n += len(template.HTMLEscapeString(name)) + len(template.HTMLEscapeString(values[0]))
	}
	if n > longestShown && !p.twin {
		return fail(http.StatusBadRequest, "the URL takes %d bytes on the page, but at most %d are allowed: open the JSON of the page instead", n, longestShown)
	}
	p.query = query
	return nil
}

// begin determines the user, the parameters and the requested state.
func (p *page) begin(r *http.Request) (err error) {
	if p.client, err = p.Client(r); err != nil {
		return err
	}
	if p.now = p.client; p.who != nil {
		p.Who = p.who(r)
	}
	if err := p.readQuery(r.URL); err != nil {
		p.Path = "" // the path may be too long: do not link to it
		return err
	}
	p.typed = strings.TrimSpace(p.query.Get("at"))
	p.query.Del("at")
	if p.typed == "" {
		return nil
	}
	state, err := when.ParseAt(p.typed, time.Now().UTC())
	if err != nil {
		return fail(http.StatusBadRequest, "%s", err)
	}
	if state == (when.At{}) {
		return nil
	}
	if err := p.needLog("at"); err != nil {
		return err
	}
	past, err := p.client.At(p.ctx, craton.Past{At: state.String(), OmitHashed: true})
	if err != nil {
		if reason, ok := connect.UnknownPast(err, "", http.StatusBadRequest); ok {
			return fail(craton.StatusOf(err), "%s", reason)
		}
		return err
	}
	p.client, p.state, p.at = past, state, state.String()
	number, _, _ := strings.Cut(past.Revision(), "-")
	if p.Past = "revision " + number; !state.Time.IsZero() {
		p.Past = when.Format(state.Time.UTC()) + ", " + p.Past
	}
	return nil
}

// needLog returns an error if the server lacks a feature that needs a change log.
func (p *page) needLog(feature string) error {
	can, err := p.can()
	if err != nil || can.Has(feature) {
		return err
	}
	return fail(http.StatusConflict, "%s", p.client.RequireFeature(p.ctx, feature))
}

// can returns the server's features beyond v1. It fails before the page begins if the user may not use the API.
func (p *page) can() (*craton.Capabilities, error) {
	if p.capabilities != nil {
		return p.capabilities, nil
	}
	can, err := p.client.Capabilities(p.ctx)
	if err == nil {
		p.capabilities = can
	}
	return can, err
}

// write writes the page. If the view has Load, the beginning of the page is sent before Load is called.
func (p *page) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", typeHTML)
	var head, rest bytes.Buffer // buffered, so that a failing template does not leave half a page
	err := p.execute(&head, "head")
	if err == nil && p.Load != nil {
		_, _ = w.Write(head.Bytes())
		_ = http.NewResponseController(w).Flush()
		if err := p.Load(); err != nil {
			p.Document = problemOf(err)
			p.Template = "problem"
		}
	}
	for less := true; less && err == nil; {
		rest.Reset()
		err = errors.Join(p.execute(&rest, p.Template), p.execute(&rest, "foot"))
		if less = head.Len()+rest.Len() > maxHTML; less {
			d, can := p.Document.(shorter)
			less = can && d.shorten()
		}
	}
	switch {
	case p.Load == nil && err != nil:
		p.refuse(w, err)
		return
	case p.Load == nil:
		_, _ = w.Write(head.Bytes())
	}
	_, _ = w.Write(rest.Bytes())
}

func (p *page) execute(w io.Writer, name string) error {
	return p.templates.ExecuteTemplate(w, name, p)
}

const typeHTML = "text/html; charset=utf-8"

// render writes templates as one response. If a template fails, nothing is written.
func (p *page) render(w http.ResponseWriter, status int, names ...string) error {
	var b bytes.Buffer
	for _, name := range names {
		if err := p.execute(&b, name); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", typeHTML)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the client has gone
	return nil
}

func (p *page) writeDocument(w http.ResponseWriter) {
	if p.Load != nil {
		if err := p.Load(); err != nil {
			p.refuse(w, err)
			return
		}
	}
	writeJSON(w, http.StatusOK, p.Document)
}

func writeJSON(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(document) // an error means that the client has gone
}

// problem is an error as shown on a page.
type problem struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
	title   string
}

// Heading returns a short description of the problem.
func (p *problem) Heading() string { return p.title }

// problemOf returns the problem that an error shows to the user. Messages of the API and of its client are meant for
// users.
func problemOf(err error) *problem {
	status := craton.StatusOf(err)
	if own, ok := errors.AsType[*statusError](err); ok {
		status = own.status
	} else if _, ok := errors.AsType[*notSignedInError](err); ok {
		status = http.StatusUnauthorized
	} else if craton.IsForbidden(err) { // v1 uses 401 for this
		status = http.StatusForbidden
	}
	title := map[int]string{
		http.StatusBadRequest: "Invalid request", http.StatusUnauthorized: "Not signed in", http.StatusForbidden: "Your role may not see this",
		http.StatusNotFound: "Not found", http.StatusConflict: "Not available", http.StatusGone: "Too long ago",
	}[status]
	if title == "" {
		status, title = http.StatusBadGateway, "The fleet is unavailable"
	}
	return &problem{status, messageOf(err), title}
}

// messageOf returns the message of an error without the details of the API request, which the user did not make.
func messageOf(err error) string {
	if e, ok := errors.AsType[*craton.Error](err); ok {
		text := strings.TrimSpace(e.Message)
		if e.RequestID != "" && e.Status >= http.StatusInternalServerError {
			text += " (request id " + e.RequestID + ")"
		}
		return cmp.Or(text, http.StatusText(e.Status))
	}
	if e, ok := errors.AsType[*craton.ConnectionError](err); ok {
		return "no connection: " + e.Err.Error()
	}
	return err.Error()
}

// flawed is a document that shows a mistake in the request. Its JSON twin is an error response.
type flawed interface{ flaw() string }

func (d *listPage) flaw() string     { return d.Problem }
func (d *variablePage) flaw() string { return d.Problem }
func (d *comparePage) flaw() string  { return d.Problem }

// HasTwin reports whether the page has a JSON twin.
func (p *page) HasTwin() bool {
	if d, can := p.Document.(flawed); can && d.flaw() != "" {
		return false
	}
	return p.Template != "problem"
}

// SignOut reports whether the user can sign out.
func (p *page) SignOut() bool { return p.signOut }

func (p *page) refuse(w http.ResponseWriter, err error) {
	d := problemOf(err)
	if p.twin {
		writeJSON(w, d.Status, d)
		return
	}
	p.view = &view{Title: d.title, Template: "problem", Document: d}
	if err := p.render(w, d.Status, "head", p.Template, "foot"); err != nil {
		http.Error(w, d.Message, d.Status)
	}
}

// Href returns a URL of the page from a path below Options.Base and pairs of parameters. It omits empty parameters and
// keeps the requested state.
func (p *page) Href(to string, parameters ...string) string {
	q := url.Values{}
	if p.at != "" {
		q.Set("at", p.at)
	}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			q.Set(parameters[i], parameters[i+1])
		}
	}
	u := url.URL{Path: p.Base + to, RawQuery: q.Encode()}
	return u.String()
}

// hrefAt returns the URL of a page at a revision.
func (p *page) hrefAt(to string, revision int64) string {
	u := url.URL{Path: p.Base + to, RawQuery: url.Values{"at": {strconv.FormatInt(revision, 10)}}.Encode()}
	return u.String()
}

// Twin returns the URL of the JSON twin.
func (p *page) Twin() string {
	q := url.Values{}
	for name, values := range p.query {
		q[name] = values
	}
	if p.at != "" {
		q.Set("at", p.at)
	}
	name := p.Path
	if name == "" {
		name = "index"
	}
	u := url.URL{Path: p.Base + name + ".json", RawQuery: q.Encode()}
	return u.String()
}

// Here returns the path of this page, for forms that change its parameters.
func (p *page) Here() string { return (&url.URL{Path: p.Base + p.Path}).String() }

// Again returns the URL of this page.
func (p *page) Again() string { return p.withPath(p.Path) }

// withPath returns the URL of this page with another path.
func (p *page) withPath(path string) string {
	u := url.URL{Path: p.Base + path, RawQuery: p.query.Encode()}
	if p.typed != "" {
		q := u.Query()
		q.Set("at", p.typed)
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// Present returns the URL of this page in the present.
func (p *page) Present() string {
	return (&url.URL{Path: p.Base + p.Path, RawQuery: p.query.Encode()}).String()
}

// At returns the requested state as the user wrote it, or "" for the present.
func (p *page) At() string { return p.typed }

// Keep returns the parameters of this page except the state, for the form that changes the state.
func (p *page) Keep() []parameter {
	var all []parameter
	for _, name := range slices.Sorted(maps.Keys(p.query)) {
		for _, v := range p.query[name] {
			all = append(all, parameter{name, v})
		}
	}
	return all
}

type parameter struct{ Name, Value string }

// Begins reports whether the page belongs to a part of the site. The navigation highlights that part.
func (p *page) Begins(part string) bool {
	return p.Path == part || part != "" && strings.HasPrefix(p.Path, part+"/")
}

// command returns a command line of this program that shows the same state.
func (p *page) command(words ...string) string {
	if p.at != "" {
		words = append(words, "--at", p.at, "--omit-hashed")
	}
	return shellLine(words)
}

// of returns the client for objects of a kind. Users have no past states and are always read from the present.
func (p *page) of(k *schema.Kind) *craton.Client {
	if k == schema.User {
		return p.now
	}
	return p.client
}

// commandOf is like command, but omits the state for users, which have no past states.
func (p *page) commandOf(k *schema.Kind, words ...string) string {
	if k == schema.User {
		return shellLine(words)
	}
	return p.command(words...)
}

// SearchIn returns the path of the list that the search box searches: the list of this page's kind if it has terms,
// otherwise hosts.
func (p *page) SearchIn() string {
	first, _, _ := strings.Cut(p.Path, "/")
	if k := kindAt(first); k == nil || !slices.Contains(where.Kinds, k) {
		first = schema.Host.Path
	}
	return p.Base + first
}

// Asset returns the path of an asset.
func (p *page) Asset(file string) string { return p.Base + "assets/" + assets()[file].name }
