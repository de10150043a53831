package server_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/cli/export"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/prometheustest"
)

// targets are those of an answer, sorted, as strict as http_sd_configs is: a
// list of objects with nothing but targets and labels, which are texts.
func (f *fixture) targets(who caller, query string) []string {
	f.t.Helper()
	r := f.must(who, 200, "GET", "/v1/prometheus"+query, "")
	if !regexp.MustCompile(`^(?i:application/json(;\s*charset=("utf-8"|utf-8))?)$`).MatchString(r.Header.Get("Content-Type")) { // Prometheus's own
		f.t.Errorf("the content type is %q", r.Header.Get("Content-Type"))
	}
	return sortedTargets(f.t, r.Text)
}

func sortedTargets(t testing.TB, text string) []string {
	t.Helper()
	var groups []struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&groups); err != nil || groups == nil {
		t.Fatalf("%v in %q", err, text)
	}
	lines := []string{}
	for _, g := range groups {
		line, _ := json.Marshal(g)
		lines = append(lines, string(line))
	}
	slices.Sort(lines)
	return lines
}

func TestPrometheus(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	if got := f.must(f.root, 200, "GET", "/v1/prometheus?where=name=none", ""); got.Text != "[]\n" {
		t.Errorf("of nothing: %q", got.Text)
	}
	f.must(f.a.member, 200, "PUT", "/v1/regions/"+f.a.region+"/variables", `{"metrics_port":9100,"team":"ops"}`)
	in := `,"device_type":"y","cloud_id":` + f.a.cloud + `,"region_id":` + f.a.region + `,"cell_id":` + f.a.cell
	f.must(f.a.member, 201, "POST", "/v1/hosts", `{"name":"v6","ip_address":"2001:db8::1","active":false,"variables":{"metrics_port":"9200","metrics_path":"/m","metrics_scheme":"https","team":null}`+in+`}`)
	f.must(f.a.member, 201, "POST", "/v1/hosts", `{"name":"bad\"\\","ip_address":"10.0.0.3","labels":["a b"],"variables":{"metrics_port":"22; x","metrics_path":"//\n","team":{"a":"é"}}`+in+`}`)
	_, reader := f.key(f.a.member, "self", f.a.member, `{"name":"prometheus","role":"reader"}`)
	want := []string{
		`{"targets":["10.0.0.1:9100"],"labels":{"__meta_craton_active":"true","__meta_craton_label_web":"true","__meta_craton_labels":",web,","cloud":"c","device_type":"x","host":"h","region":"r","team":"ops"}}`,
		`{"targets":["10.0.0.3:9999"],"labels":{"__meta_craton_active":"true","__meta_craton_label_a_b":"true","__meta_craton_labels":",a b,","__meta_craton_problem":"metrics_port is not usable: 22; x; metrics_path is not usable: //\\u000a","cell":"l","cloud":"c","device_type":"y","host":"bad\"\\","region":"r","team":"{\"a\":\"\\u00e9\"}"}}`,
		`{"targets":["[2001:db8::1]:9200"],"labels":{"__meta_craton_active":"false","__metrics_path__":"/m","__scheme__":"https","cell":"l","cloud":"c","device_type":"y","host":"v6","region":"r"}}`,
	}
	for name, who := range map[string]caller{"member": f.a.member, "reader": reader, "admin": f.a.admin} {
		if diff := cmp.Diff(want, f.targets(who, "?port=9999&labels=team")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for query, n := range map[string]int{
		"": 3, "?cell_id=" + f.a.cell: 2, "?region_id=" + f.a.region: 3, "?cloud_id=" + f.b.cloud: 0, "?label=web": 1, "?device_type=y": 2, "?active=true": 2, "?active=false": 1,
		"?where=team=ops": 1, "?where=name=v*": 1, "?vars=team:%22ops%22": 1,
	} {
		if got := f.targets(f.a.member, query); len(got) != n {
			t.Errorf("%s: %v", query, got)
		}
	}
	if got := f.targets(f.a.member, "?port_variable=&label=web&labels=__meta_n=own,own"); !cmp.Equal(got, []string{`{"targets":["10.0.0.1"],"labels":{"__meta_craton_active":"true","__meta_craton_label_web":"true","__meta_craton_labels":",web,","__meta_n":"1","cloud":"c","device_type":"x","host":"h","own":"1","region":"r"}}`}) {
		t.Errorf("%v", got)
	}
	for _, query := range []string{"port=0", "port=65536", "port=x", "labels=cloud", "labels=__address__=x", "labels=a,a", "labels=,", "labels=a-b=c", "limit=10", "where=%22", "region_id=x"} {
		f.status(f.a.member, 400, "GET", "/v1/prometheus?"+query, "")
	}
	f.status(caller{}, 401, "GET", "/v1/prometheus", "")
	f.status(f.root, 405, "POST", "/v1/prometheus", "{}")

	// Its tag is another one once a value has changed that it shows, and only then the same.
	tag := f.must(reader, 200, "GET", "/v1/prometheus", "").Header.Get("Etag")
	asked := func() int {
		r := &reading{who: reader, path: "/v1/prometheus", tag: tag}
		status, _, _ := f.ask(r, true)
		return status
	}
	if got := asked(); got != 304 {
		t.Errorf("unchanged: %d", got)
	}
	f.must(f.a.admin, 200, "PUT", "/v1/projects/"+f.a.project+"/variables", `{"metrics_scheme":"https"}`)
	if got := asked(); got != 200 {
		t.Errorf("changed: %d", got)
	}
	if got := strings.Count(strings.Join(f.targets(reader, ""), ""), `"__scheme__":"https"`); got != 3 {
		t.Errorf("%d targets have the scheme of the project", got)
	}
}

// TestPrometheusDiscovers: Prometheus itself reads the answer, and what takes the key along for it may stand between.
func TestPrometheusDiscovers(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	in := `,"device_type":"y","cloud_id":` + f.a.cloud + `,"region_id":` + f.a.region + `}`
	f.must(f.a.member, 201, "POST", "/v1/hosts", `{"name":"v6","ip_address":"2001:db8::1","active":false,"variables":{"metrics_port":"9200","metrics_path":"/m","metrics_scheme":"https"}`+in)
	f.must(f.a.member, 201, "POST", "/v1/hosts", `{"name":"odd\"\\ {{ x }}","ip_address":"10.0.0.3","labels":["a b"],"variables":{"metrics_port":"22; x","metrics_path":"//\n","team":{"a":"é"}}`+in)
	_, reader := f.key(f.a.member, "self", f.a.member, `{"name":"prometheus","role":"reader"}`)
	to, err := url.Parse(f.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { // older releases cannot send headers of one's own
		r.SetURL(to)
		reader.sign(r.Out)
	}})
	t.Cleanup(proxy.Close)
	discover := func(query string, want int) []prometheustest.Target {
		return prometheustest.Discover(t, "scrape_configs:\n- job_name: fleet\n  http_sd_configs: [{url: '"+proxy.URL+"/v1/prometheus"+query+"'}]\n", "fleet", want)
	}
	got := map[string]string{}
	for _, target := range discover("?port=9999&labels=team", 3) {
		got[target.Discovered["host"]] = strings.Join([]string{target.Labels["instance"], target.Discovered["__scheme__"], target.Discovered["__metrics_path__"], target.Discovered["team"], target.Discovered["__meta_craton_labels"]}, " ")
	}
	want := map[string]string{"h": "10.0.0.1:9999 http /metrics  ,web,", "v6": "[2001:db8::1]:9200 https /m  ", `odd"\ {{ x }}`: `10.0.0.3:9999 http /metrics {"a":"\u00e9"} ,a b,`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	discover("?where=name=none", 0)
}

// TestPrometheusAsExport: the server and the command line say the same.
func TestPrometheusAsExport(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	r := &random{f.fixture, rand.New(rand.NewPCG(7, 2)), 0}
	r.fill(f.a.member)
	var out, errs bytes.Buffer
	s := output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
	args := []string{"export", "--format", "prometheus", "--port", "1", "--port-variable", "a", "--labels", "b,d",
		"--config", "/dev/null", "--craton-url", f.url, "--os-username", f.a.member.user, "--os-password", f.a.member.key, "--os-project-id", f.a.project}
	if code := cli.Run(t.Context(), args, s, cli.Version{}, export.New(s)); code != 0 {
		t.Fatal(code, errs.String())
	}
	want := f.targets(f.a.member, "?port=1&port_variable=a&labels=b,d")
	if diff := cmp.Diff(want, sortedTargets(t, out.String())); diff != "" || len(want) < 3 {
		t.Errorf("%d targets (-server +command):\n%s", len(want), diff)
	}
}

// TestPrometheusLarge: more hosts than a light view reads.
func TestPrometheusLarge(t *testing.T) {
	t.Parallel()
	if os.Getenv("CRATON_TEST_PROOF") == "" {
		t.Skip("makes many hosts: make proof does")
	}
	f := newFixture(t)
	f.place("c", "r", "l")
	const n = 2100
	for i := range n {
		f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"h`+strconv.Itoa(i)+`","ip_address":"10.0.0.1","device_type":"x","cloud_id":1,"region_id":1}`)
	}
	if got := f.targets(f.root, ""); len(got) != n {
		t.Errorf("%d targets", len(got))
	}
}
