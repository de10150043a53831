package web_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/web"
)

// TestSizes: pages of as many rows as there may be have at most 100 KB, below the long name of a page of one user too.
func TestSizes(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("clouds:\n")
	for i := range 4 {
		fmt.Fprintf(&b, "  - name: cloud-%02d.example.net\n    regions:\n", i)
		for n := range 45 {
			fmt.Fprintf(&b, "      - name: region-%02d-%02d\n        variables: {%s}\n        hosts: [{name: web-%02d-%02d.example.net, ip_address: 10.20.%d.%d, device_type: server, note: found here, variables: {%s}}]\n",
				i, n, keysOf("region"), i, n, i, n+1, keysOf("host"))
		}
	}
	f := newFixture(t, b.String())
	l := web.NewLocal(web.Options{Client: func(*http.Request) (*craton.Client, error) { return f.client, nil }}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711})
	first, err := url.Parse(l.URL())
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string, cookies []*http.Cookie) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Host = "127.0.0.1:4711"
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		return w
	}
	cookies := get(first.RequestURI(), nil).Result().Cookies()
	for _, path := range []string{"", "hosts", "regions", "variables", "find?q=a", "changes", "hosts/2", "regions/2", "compare?a=web-00-01.example.net&b=web-00-02.example.net", "variables/ntp_servers_00"} {
		w := get(strings.TrimSuffix(first.Path, "enter")+path, cookies)
		if w.Code != http.StatusOK || w.Body.Len() > 100<<10 {
			t.Errorf("%s: %d, %d bytes", path, w.Code, w.Body.Len())
		}
		t.Logf("%s: %d bytes", path, w.Body.Len())
	}
}

// keysOf returns variables that are called alike and have other values.
func keysOf(value string) string {
	var all []string
	for i := range 8 {
		all = append(all, fmt.Sprintf("ntp_servers_%02d: %s", i, value))
	}
	return strings.Join(all, ", ")
}
