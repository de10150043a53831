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

// Local guards the page of one user on this machine, where every other user and every page in the user's browser can
// send requests too.
//
// Whoever comes with the token of [Local.URL] first gets a cookie for it, and nobody after; without the cookie nothing
// is shown. The page lives below a name that nobody can guess, and the cookie is for that path alone: browsers send
// cookies to all ports of an address, and behind another port may stand another user. The Host header must be that of
// this machine: a foreign page whose name suddenly means 127.0.0.1 (DNS rebinding) is refused by it.
type Local struct {
	hosts  []string // that are this machine
	base   string   // of the page, below the name
	cookie string
	site   *site

	mu      sync.Mutex
	token   string // "" once it was used
	session string
}

// NewLocal returns the page of one user that is served at an address of the loopback interface.
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

// URL returns where the page begins, with the token that works once.
func (l *Local) URL() string {
	return "http://" + l.hosts[0] + l.base + "enter?token=" + l.token
}

// ServeHTTP answers this machine's requests, of who has the cookie.
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
		l.site.ServeHTTP(w, r) // the same for everybody
	case err != nil || subtle.ConstantTimeCompare([]byte(c.Value), []byte(l.session)) != 1 || !strings.HasPrefix(r.URL.Path, l.base):
		http.Error(w, "This browser is not signed in. `craton ui` prints an address that works once, in one browser. For another address, stop `craton ui` with Ctrl-C and start it again.", http.StatusForbidden)
	default:
		l.site.ServeHTTP(w, r)
	}
}

// enter takes the token for a cookie. It leads on by a page, not by a redirect: where another program has opened the
// browser, a redirect would still be its request, with which a strict cookie is not sent.
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
