package peer

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestClient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		trusted, peer, kind string
		header              []string
		want                string
		forwarded           bool
	}{
		{"", "192.0.2.1:4711", "", []string{"203.0.113.9"}, "192.0.2.1", false},
		{"", "[2001:db8::1]:80", "", nil, "2001:db8::1", false},
		{"", "[::ffff:192.0.2.1]:80", "", nil, "192.0.2.1", false},
		{"", "", "", nil, "invalid IP", false},
		{"10.0.0.0/8", "10.0.0.1:1", "", nil, "10.0.0.1", false},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"203.0.113.9"}, "203.0.113.9", true},
		{"10.0.0.0/8", "192.0.2.1:1", "", []string{"203.0.113.9"}, "192.0.2.1", false},
		// Entries that the client may have forged are ignored.
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"198.51.100.1", "203.0.113.9"}, "203.0.113.9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"10.0.0.7, 203.0.113.9 ,10.0.0.2"}, "203.0.113.9", true},
		{"10.0.0.0/8,192.0.2.7", "192.0.2.7:1", "", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"10.0.0.7, 10.0.0.2"}, "10.0.0.7", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"203.0.113.9, nobody"}, "10.0.0.1", false},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"203.0.113.9, nobody, 10.0.0.2"}, "10.0.0.2", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"203.0.113.9:8080"}, "203.0.113.9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"2001:db8::9"}, "2001:db8::9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"[2001:db8::9]"}, "2001:db8::9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"[2001:db8::9]:80"}, "2001:db8::9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{"::ffff:203.0.113.9"}, "203.0.113.9", true},
		{"fd00::/8", "[fd00::1]:1", "", []string{"fe80::1%eth0"}, "fe80::1", true},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{","}, "10.0.0.1", false},
		{"10.0.0.0/8", "10.0.0.1:1", "", []string{strings.Repeat("10.0.0.1,", 20000)}, "10.0.0.1", false},
		// The header that the proxies do not set is ignored: the client may have forged it.
		{"10.0.0.0/8", "10.0.0.1:1", "forwarded", []string{"for=203.0.113.9"}, "203.0.113.9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "Forwarded", []string{`proto=https;For="[2001:db8::9]:80";by=x`}, "2001:db8::9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "forwarded", []string{`for=198.51.100.1, for=203.0.113.9;proto=http`}, "203.0.113.9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "forwarded", []string{`for="198.51.100.1, for=203.0.113.9`}, "203.0.113.9", true},
		{"10.0.0.0/8", "10.0.0.1:1", "forwarded", []string{`for=_hidden`}, "10.0.0.1", false},
		{"10.0.0.0/8", "10.0.0.1:1", "forwarded", []string{`for=unknown, for=10.0.0.2`}, "10.0.0.2", true},
		{"10.0.0.0/8", "10.0.0.1:1", "forwarded", []string{`by=10.0.0.1`}, "10.0.0.1", false},
		// A client of a Unix socket has no address.
		{"unix", "@", "", []string{"203.0.113.9"}, "203.0.113.9", true},
		{"unix", "", "", []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9", true},
		{"unix,10.0.0.0/8", "@", "", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9", true},
		{"unix", "192.0.2.1:1", "", []string{"203.0.113.9"}, "192.0.2.1", false},
		{"10.0.0.0/8", "@", "", []string{"203.0.113.9"}, "invalid IP", false},
		{"unix", "@", "", []string{"nobody"}, "invalid IP", false},
	} {
		var words []string
		if c.trusted != "" {
			words = strings.Split(c.trusted, ",")
		}
		p, err := Parse(words)
		if err != nil {
			t.Fatal(err)
		}
		p.Header = c.kind
		name, other := XForwardedFor, Forwarded
		if c.kind != "" {
			name, other = Forwarded, XForwardedFor
		}
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{name: c.header, other: {"for=198.51.100.66", "198.51.100.66"}}}
		if got, forwarded := p.Client(r); got.String() != c.want || forwarded != c.forwarded {
			t.Errorf("%+v: %v, forwarded %v", c, got, forwarded)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	all, err := Parse([]string{"10.1.2.3/8", "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1", "unix"})
	got := all.Trusted
	if err != nil || !all.Unix || len(got) != 4 || got[0].String() != "10.0.0.0/8" || got[1].String() != "192.0.2.1/32" || got[2].String() != "2001:db8::1/128" || got[3].String() != "10.0.0.1/32" {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"proxy.example", "10.0.0.0/33", "fe80::1%eth0", "10.0.0", "::ffff:10.0.0.0/104", ""} {
		if got, err := Parse([]string{bad}); err == nil {
			t.Errorf("%q is taken for %v", bad, got)
		}
	}
}

// TestEncrypted: the header counts if it is from a trusted proxy, and never if it is from a client.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	believed, err := Parse([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header, from, name, value string
		want                      bool
	}{
		{"", "10.0.0.1:1", "X-Forwarded-Proto", "https", true},
		{"", "10.0.0.1:1", "X-Forwarded-Proto", "http, HTTPS", true},
		{"", "10.0.0.1:1", "X-Forwarded-Proto", "https, http", false},
		{"", "10.0.0.1:1", "Forwarded", "proto=https", false},
		{"", "192.0.2.1:1", "X-Forwarded-Proto", "https", false},
		{"forwarded", "10.0.0.1:1", "Forwarded", `for=192.0.2.1;proto=http, for=192.0.2.1;Proto="https"`, true},
		{"forwarded", "10.0.0.1:1", "Forwarded", "for=192.0.2.1", false},
		{"forwarded", "10.0.0.1:1", "X-Forwarded-Proto", "https", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = c.from
		r.Header.Set(c.name, c.value)
		p := Proxies{Trusted: believed.Trusted, Header: c.header}
		if got := p.Encrypted(r); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
		r.TLS = &tls.ConnectionState{}
		if !p.Encrypted(r) {
			t.Errorf("%+v: TLS", c)
		}
	}
}
