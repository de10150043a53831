package metrics_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/metrics"
)

// TestMetrics: what a server has done is in its metrics, as Prometheus reads them, and nothing of the fleet's names.
func TestMetrics(t *testing.T) {
	t.Parallel()
	m := metrics.New("1.2")
	path := filepath.Join(t.TempDir(), "fleet.db")
	s, err := server.Open(t.Context(), "sqlite:"+path, server.Options{Create: true, Observe: m.Observe})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m.Watch(s)
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	api := s.Handler()
	call := func(method, path, body string, want int) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		for name, value := range map[string]string{"Content-Type": "application/json", "X-Auth-User": b.Username, "X-Auth-Token": b.APIKey, "X-Auth-Project": b.ProjectID} {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != want {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
	call("POST", "/v1/clouds", `{"name":"hush-cloud"}`, 201)
	call("POST", "/v1/regions", `{"name":"hush-region","cloud_id":1}`, 201)
	for _, host := range []string{"hush-1", "hush-2"} {
		call("POST", "/v1/hosts", `{"name":"`+host+`","ip_address":"10.0.0.1","device_type":"server","cloud_id":1,"region_id":1,"variables":{"hush":"hush"}}`, 201)
	}
	call("GET", "/v1/hosts/1", "", 200)
	call("GET", "/v1/hosts/2", "", 200)
	call("GET", "/v1/hush", "", 404)
	call("GET", "/hush", "", 404)
	call("HUSH", "/v1/hosts", "", 405)
	call("GET", "/readyz", "", 200)
	text := scrape(t, m.Handler(""), "")
	for _, want := range []string{
		`craton_http_requests_total{code="200",method="GET",route="/v1/hosts/<id>"} 2`,
		`craton_http_requests_total{code="201",method="POST",route="/v1/hosts"} 2`,
		`craton_http_requests_total{code="404",method="GET",route="other"} 2`,
		`craton_http_requests_total{code="405",method="other",route="/v1/hosts"} 1`,
		`craton_http_requests_total{code="200",method="GET",route="/readyz"} 1`,
		`craton_http_request_duration_seconds_count{method="POST",route="/v1/hosts"} 2`,
		`craton_http_requests_in_flight 0`, `craton_http_requests_refused_total 0`,
		`craton_hosts{project="` + b.ProjectID + `"} 2`, `craton_network_devices{project="` + b.ProjectID + `"} 0`,
		`craton_database_up 1`, `craton_database_connections{state="in_use"} `, `craton_database_waits_total `, `craton_database_retries_total `,
		`craton_cache_requests_total{cache="past_states",result="miss"} 0`, `craton_build_info{goversion="go`, `version="1.2"} 1`, "go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, regexp.MustCompile(`(?m)^(#|go_|process_).*\n`).ReplaceAllString(text, ""))
		}
	}
	if strings.Contains(strings.ToLower(text), "hush") || strings.Contains(text, b.APIKey) {
		t.Errorf("names of the fleet are in the metrics:\n%s", text)
	}
	before := regexp.MustCompile(`(?m)^craton_revision (\d+)$`).FindString(text)
	call("DELETE", "/v1/hosts/1", "", 204)
	text = scrape(t, m.Handler(""), "")
	if after := regexp.MustCompile(`(?m)^craton_revision (\d+)$`).FindString(text); before == "" || after == before {
		t.Errorf("revision: %q, then %q", before, after)
	}
}

// scrape asks for the metrics, and reads them as Prometheus does.
func scrape(t *testing.T, h http.Handler, authorization string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, metrics.Path, nil)
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(string(text))); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return string(text)
}

// TestKey: with a key, only who sends it sees metrics.
func TestKey(t *testing.T) {
	t.Parallel()
	h := metrics.New("1").Handler("k3y")
	scrape(t, h, "Bearer k3y")
	scrape(t, h, "bearer  k3y")
	for _, wrong := range []string{"", "k3y", "Basic k3y", "Bearer", "Bearer k3", "Bearer k3yy"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, metrics.Path, nil)
		if wrong != "" {
			r.Header.Set("Authorization", wrong)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" || strings.Contains(w.Body.String(), "craton_") {
			t.Errorf("%q: %d %s", wrong, w.Code, w.Body)
		}
	}
}

// TestDatabaseIsGone: metrics that need no database are there without it.
func TestDatabaseIsGone(t *testing.T) {
	t.Parallel()
	m := metrics.New("1")
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	m.Watch(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text := scrape(t, m.Handler(""), "")
	if !strings.Contains(text, "craton_database_up 0") || strings.Contains(text, "craton_hosts{") {
		t.Error(text)
	}
}
