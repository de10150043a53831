//go:build !collection && !nopage && !nometrics

package serve

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/prometheustest"
	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/metrics"
)

// TestPageMetrics: requests of the page are counted by routes that name nothing of the fleet, and promtool finds
// nothing wrong with what is scraped.
func TestPageMetrics(t *testing.T) {
	t.Parallel()
	m := &meter{metrics: metrics.New("1.2")}
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true, Observe: m.observe()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	both, err := withPage(t.Context(), s.Handler(), s, false, m.observe())
	if err != nil {
		t.Fatal(err)
	}
	live := httptest.NewServer(m.wrap(both, s))
	t.Cleanup(live.Close)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(path string) []byte {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, live.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, path := range []string{"/ui/hosts/7?key=hush", "/ui/hosts/8.json", "/ui/variables/hush", "/ui/hush", "/ui/hosts/hush", "/ui/sign-in", "/ui/", "/v1/hosts"} {
		get(path)
	}
	text := get(metrics.Path)
	for _, want := range []string{
		`craton_http_requests_total{code="303",method="GET",route="/ui/hosts/<id>"} 1`, `craton_http_requests_total{code="401",method="GET",route="/ui/hosts/<id>"} 1`,
		`craton_http_requests_total{code="303",method="GET",route="/ui/variables/<key>"} 1`, `craton_http_requests_total{code="200",method="GET",route="/ui/sign-in"} 1`,
		`craton_http_requests_total{code="303",method="GET",route="/ui/"} 1`, `craton_http_requests_total{code="303",method="GET",route="other"} 2`, `craton_http_request_duration_seconds_count{method="GET",route="/ui/hosts/<id>"} 2`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "hush") {
		t.Error("a name is in the metrics")
	}
	prometheustest.Check(t, text)
	for path, want := range map[string]string{"/ui/assets/x.css": "/ui/assets/<file>", "/ui/variables/a/b": "/ui/variables/<key>", "/ui/index.json": "/ui/", "/v1/hosts": "", "/ui/changes.json": "/ui/changes", "/ui/projects/x": "", "/ui/find/x": ""} {
		if got := web.RouteOf(path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}
