package web

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Local restricts the page to one user on this machine, where other users and other pages in the user's browser can
// also send requests.
//
// The token of [Local.URL] works once: its first use sets a cookie, and every page requires that cookie. The page's
// path contains a random name, and the cookie is restricted to that path, because browsers send cookies to all ports of
// an address and another user may listen on another port. The Host header must name this machine. This prevents DNS
// rebinding, where a foreign page's host name resolves to 127.0.0.1.
type Local struct {
	hosts  []string // allowed values of the Host header
	base   string   // path of the page, including the random name
	cookie string
	site   *site

	mu      sync.Mutex
	token   string // "" after it was used
	session string
}

// NewLocal returns the page for one user, which is served at an address of the loopback interface.
func NewLocal(o Options, at *net.TCPAddr) *Local {
	port := fmt.Sprint(at.Port)
	l := &Local{
		hosts: []string{net.JoinHostPort(at.IP.String(), port), "localhost:" + port},
		base:  "/" + rand.Text() + Root, cookie: "craton-" + port, token: rand.Text(), session: rand.Text(),
	}
	o.Base = l.base
	l.site = newSite(o)
	return l
}

// URL returns the URL of the first page, with the token that works once.
func (l *Local) URL() string {
	return "http://" + l.hosts[0] + l.base + "enter?token=" + l.token
}

// ServeHTTP serves requests to this machine that have the cookie.
func (l *Local) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	ours := false
	for _, host := range l.hosts {
		ours = ours || strings.EqualFold(r.Host, host)
	}
	switch c, err := r.Cookie(l.cookie); {
	case !ours:
		http.Error(w, "open this page by the address that `craton ui` prints", http.StatusMisdirectedRequest)
	case r.URL.Path == l.base+"enter" && r.Method == http.MethodGet:
		l.enter(w, r)
	case strings.HasPrefix(r.URL.Path, l.base+"assets/"):
		l.site.ServeHTTP(w, r) // needs no cookie
	case err != nil || subtle.ConstantTimeCompare([]byte(c.Value), []byte(l.session)) != 1 || !strings.HasPrefix(r.URL.Path, l.base):
		http.Error(w, "This browser is not signed in. `craton ui` prints an address that works once, in one browser. For another address, stop `craton ui` with Ctrl-C and start it again.", http.StatusForbidden)
	default:
		l.site.ServeHTTP(w, r)
	}
}

// enter exchanges the token for a cookie. It sends a page that refreshes to the first page, not a redirect. If another
// program opened the browser, a redirect would belong to that program's request, and browsers would not send the strict
// cookie.
func (l *Local) enter(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	good := l.token != "" && subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("token")), []byte(l.token)) == 1
	if good {
		l.token = ""
	}
	l.mu.Unlock()
	if !good {
		http.Error(w, "This address works once, and was used already. If you did not use it, somebody else can read the page: stop `craton ui` with Ctrl-C and start it again.", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: l.cookie, Value: l.session, Path: l.base, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	if err := (&page{site: l.site}).render(w, http.StatusOK, "entered"); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
