package web_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/server"
)

// fixture is the page of a fleet in a file.
type fixture struct {
	t      *testing.T
	page   http.Handler
	api    http.Handler
	client *craton.Client
}

// clientOf returns a client of a handler in this process.
func clientOf(t *testing.T, h http.Handler) *craton.Client {
	t.Helper()
	c, err := craton.New("http://embedded", craton.WithTransport(connect.InProcess(h)), craton.WithMessage(`why </q><script>alert(1)</script>`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newFixture returns the page of a fleet file.
func newFixture(t *testing.T, fleet string) *fixture {
	t.Helper()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true, HashedKeys: []string{"secret*"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h, err := s.Embedded(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	c := clientOf(t, h)
	o := inventory.DefaultOptions()
	o.ExcludeVariables = []string{"ansible_connection"}
	f := &fixture{t: t, client: c, api: h}
	f.page = web.New(web.Options{Client: func(*http.Request) (*craton.Client, error) { return c, nil }, Where: "sqlite:<fleet>.db", Inventory: &o})
	if fleet != "" {
		f.apply(fleet)
	}
	return f
}

func (f *fixture) apply(fleet string) {
	f.t.Helper()
	file, err := fleetfile.Parse("fleet.yml", strings.NewReader(fleet))
	if err == nil {
		_, err = fleetfile.Apply(f.t.Context(), f.client, file, fleetfile.Options{})
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// at returns the page of the host with a name.
func (f *fixture) at(name string) string {
	f.t.Helper()
	for h, err := range f.client.Hosts.All(f.t.Context(), craton.HostListOptions{Name: name}) {
		if err != nil {
			f.t.Fatal(err)
		}
		return "/ui/hosts/" + strconv.Itoa(h.ID)
	}
	f.t.Fatalf("no host %s", name)
	return ""
}

// revision returns where the change log ends.
func (f *fixture) revision() string {
	f.t.Helper()
	can, err := f.client.Capabilities(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	number, _, _ := strings.Cut(can.Revision, "-")
	return number
}

// get asks for a page.
func (f *fixture) get(path string) *httptest.ResponseRecorder {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.page.ServeHTTP(w, httptest.NewRequestWithContext(f.t.Context(), http.MethodGet, path, nil))
	return w
}

// read returns the document of a page that is there.
func (f *fixture) read(path string) *document {
	f.t.Helper()
	w := f.get(path)
	if w.Code != http.StatusOK {
		f.t.Fatalf("%s: %d\n%s", path, w.Code, w.Body)
	}
	return f.check(path, w)
}

// document is what a test looks at of HTML.
type document struct {
	text  string   // all that is shown, and the attributes that are
	links []string // to other pages
}

// check reads HTML, and finds what no page may have.
func (f *fixture) check(path string, w *httptest.ResponseRecorder) *document {
	f.t.Helper()
	body := w.Body.String()
	if len(body) > 100<<10 {
		f.t.Errorf("%s has %d bytes", path, len(body))
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		f.t.Errorf("%s: %v", path, w.Header())
	}
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	doc, open := &document{}, []string{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			f.t.Fatalf("%s: %v", path, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
			f.element(path, token, doc)
		case xml.EndElement:
			if last := open[len(open)-1]; last != token.Name.Local {
				f.t.Fatalf("%s: </%s> ends <%s>", path, token.Name.Local, last)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if slices.Contains(open, "script") || slices.Contains(open, "style") {
				f.t.Errorf("%s: a script or style in the page: %s", path, token)
			}
			doc.text += string(token)
		}
	}
	for _, r := range "\u202e\u200b\x1b" {
		if strings.ContainsRune(body, r) {
			f.t.Errorf("%s: %U is not shown as an escape", path, r)
		}
	}
	return doc
}

func (f *fixture) element(path string, e xml.StartElement, doc *document) {
	f.t.Helper()
	for _, a := range e.Attr {
		switch name := strings.ToLower(a.Name.Local); {
		case strings.HasPrefix(name, "on"), name == "style", name == "srcset":
			f.t.Errorf("%s: <%s %s=%q>", path, e.Name.Local, name, a.Value)
		case name == "href" && e.Name.Local == "a" && strings.HasPrefix(a.Value, "#"):
		case name == "href" || name == "src" || name == "action":
			if !strings.HasPrefix(a.Value, "/ui/") {
				f.t.Errorf("%s: <%s %s=%q>", path, e.Name.Local, name, a.Value)
			}
			if e.Name.Local == "a" {
				doc.links = append(doc.links, a.Value)
			}
		case name == "value" || name == "placeholder" || name == "title":
			doc.text += a.Value
		}
	}
	if !slices.Contains(strings.Fields("html head meta title link script body a header div form label input details summary button p nav main footer h1 h2 section dl dt dd ul ol li table thead tbody tr th td span b i bdi code pre q time strong ins del"), e.Name.Local) {
		f.t.Errorf("%s: <%s>", path, e.Name.Local)
	}
}

// hostile are texts that would do harm where they are not text.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `{{ .Client }}`, `{{template "head"}}`, `</title><script>`, `javascript:alert(1)`, `<!--`, `&lt;b&gt;`,
	`../../etc/passwd`, `a/b?c=d#e`, `שלום עולם`, `مرحبا`, `日本語`, `%00%2e%2e`, `]]>`, `'; DROP TABLE hosts; --`, strings.Repeat("long-", 50),
}

func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// hostileFleet has hostile texts wherever there is one, and values that show nothing or turn the direction of writing.
func hostileFleet() string {
	variables := func(i int) string {
		var b strings.Builder
		b.WriteString("{")
		for n, text := range hostile {
			fmt.Fprintf(&b, "%s: %s, ", quoted(text), quoted(hostile[(n+i)%len(hostile)]))
		}
		fmt.Fprintf(&b, `ntp: %s, "secret_key": "hush-%d", list: [%s, {"a": null}], big: %s, bidi: "a\u202eb\u200bc\u001b[31m", none: null, "n": %d.50}`,
			quoted(fmt.Sprintf("10.0.0.%d", i)), i, quoted(hostile[i%len(hostile)]), quoted(strings.Repeat("<b>0123456789", 800)), i)
		return b.String()
	}
	var hosts strings.Builder
	for i, text := range hostile {
		fmt.Fprintf(&hosts, "            - {name: %s, ip_address: 10.0.0.%d, device_type: %s, note: %s, labels: [%s, web], variables: %s, interfaces: [{name: %s, interface_type: eth, ip_address: 10.1.0.%[2]d}]}\n",
			quoted(text), i+1, quoted(text), quoted(text), quoted(hostile[i%9]), variables(i), quoted(text))
	}
	return fmt.Sprintf(`
project: {variables: %[1]s}
clouds:
  - name: %[2]s
    note: %[2]s
    variables: %[1]s
    regions:
      - name: %[2]s
        variables: %[1]s
        networks: [{name: %[2]s, cidr: 10.0.0.0/24, gateway: 10.0.0.1, netmask: 255.255.255.0, variables: %[1]s}]
        network_devices: [{name: %[3]s, ip_address: 10.0.0.200, device_type: switch, model_name: %[2]s, variables: %[1]s}]
        cells:
          - name: %[2]s
            variables: %[1]s
            hosts:
%[4]s`, variables(0), quoted(hostile[0]), quoted(hostile[1]+" "), hosts.String())
}

// TestHostile: every page that can be reached shows whatever the fleet has as text, is valid, and has a twin.
func TestHostile(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hostileFleet())
	seen, todo := map[string]bool{}, []string{"/ui/"}
	text := ""
	for len(todo) > 0 && len(seen) < 250 {
		path := todo[0]
		todo = todo[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(u.Path, ".json") {
			if w := f.get(path); w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: %d\n%.500s", path, w.Code, w.Body)
			}
			continue
		}
		doc := f.read(path)
		text += doc.text
		todo = append(todo, doc.links...)
	}
	for _, want := range hostile {
		if len(want) < 100 && !strings.Contains(text, want) {
			t.Errorf("%q is nowhere", want)
		}
	}
	for _, want := range []string{`a\u202eb\u200bc`, `10.0.0.7`, "overrides 3", "null"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is nowhere", want)
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d pages", len(seen))
	}
}

const smallFleet = `
project: {variables: {ntp: pool.ntp.org, dns: [10.0.0.53]}}
clouds:
  - name: east
    variables: {ntp: ntp.east, ansible_connection: local}
    regions:
      - name: dfw
        variables: {ntp: ntp.dfw}
        cells:
          - name: c1
            hosts:
              - {name: web-01, ip_address: 10.20.0.11, device_type: server, labels: [web], variables: {ntp: 10.0.0.1, role: front}}
              - {name: web-02, ip_address: 10.20.0.12, device_type: server, labels: [web]}
              - {name: guest, ip_address: 10.20.0.13, device_type: vm, parent: web-02, active: false}
`

// TestReadable: values are shown in their own characters, but for those that show nothing or turn the direction of
// writing.
func TestReadable(t *testing.T) {
	t.Parallel()
	f := newFixture(t, strings.Replace(smallFleet, "role: front", `role: "Zürich \\u00e9 \u202e日本 🙂\n"`, 1))
	const want = `"Zürich \\u00e9 \u202e日本 🙂\n"`
	for _, path := range []string{f.at("web-01"), f.at("web-01") + "?key=role", "/ui/variables/role", "/ui/compare?a=web-01&b=web-02", "/ui/changes?key=role"} {
		has(t, f.words(path), want)
	}
}

// TestHost: a host's page says where each variable comes from, what it hides, who set it, and what stands around.
func TestHost(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	page := f.at("web-01")
	id := strings.TrimPrefix(page, "/ui/hosts/")
	text := strings.Join(strings.Fields(f.read(page).text), " ")
	for _, want := range []string{
		"host web-01 id " + id, "cloud east / region dfw / cell c1", `ntp "10.0.0.1" overrides 3 region dfw "ntp.dfw"`, "this host root", `dns ["10.0.0.53"] project default root`,
		"not in the inventory", "craton explain " + id + " --who", "craton history --kind host " + id, "create host east/dfw/c1/web-01",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if text := f.read(f.at("web-02")).text; !strings.Contains(text, "Children") || !strings.Contains(text, "guest") {
		t.Errorf("no child:\n%s", text)
	}
	var twin struct {
		Object    map[string]any
		Variables map[string]struct {
			Value   any
			From    struct{ Type, Name string }
			Set     struct{ User string }
			Shadows []any
		}
	}
	if err := json.Unmarshal(f.get(page+".json").Body.Bytes(), &twin); err != nil {
		t.Fatal(err)
	}
	if ntp := twin.Variables["ntp"]; ntp.Value != "10.0.0.1" || ntp.From.Name != "web-01" || len(ntp.Shadows) != 3 || ntp.Set.User != "root" || twin.Object["name"] != "web-01" {
		t.Errorf("%+v", twin)
	}
	if text := f.read(page + "?key=ntp").text; !strings.Contains(text, `"pool.ntp.org"`) || !strings.Contains(text, "not set") {
		t.Errorf("%s", text)
	}
}

// TestList: terms choose, words of the search become terms, a mistake is shown where it was made, and pages go by
// marker.
func TestList(t *testing.T) {
	t.Parallel()
	var more strings.Builder
	for i := range 230 {
		fmt.Fprintf(&more, "              - {name: h%03d, ip_address: 10.30.%d.%d, device_type: server}\n", i, i/200, i%200+1)
	}
	f := newFixture(t, smallFleet+more.String())
	for q, want := range map[string]string{
		"web": "name=*web*", "10.20.0.11": "ip=10.20.0.11", "10.20.0.0/16": "ip=10.20.0.0/16", "web-*": "name=web-*", "label=web": "label=web", "web 10.20.0.12": "name=*web* ip=10.20.0.12",
	} {
		w := f.get("/ui/hosts?q=" + url.QueryEscape(q))
		if to, err := url.Parse(w.Header().Get("Location")); w.Code != http.StatusSeeOther || err != nil || to.Path != "/ui/hosts" || to.Query().Get("where") != want {
			t.Errorf("%s: %d %v", q, w.Code, w.Header())
		}
	}
	if w := f.get("/ui/hosts.json?q=web"); w.Header().Get("Location") != "/ui/hosts.json?where=name%3D%2Aweb%2A" {
		t.Errorf("%v", w.Header())
	}
	if text := f.read("/ui/hosts?where=ntp%3D10.0.0.1").text; !strings.Contains(text, "web-01") || strings.Contains(text, "web-02") || !strings.Contains(text, "1 host.") || !strings.Contains(text, "craton host-list --where ntp=10.0.0.1 --limit 100") {
		t.Errorf("%s", text)
	}
	if text := f.read("/ui/hosts?where=name%3D%3D").text; !strings.Contains(text, "column 1") {
		t.Errorf("%s", text)
	}
	if w := f.get("/ui/hosts.json?where=name%3D%3D"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "column 1") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	names, path, pages := map[string]bool{}, "/ui/hosts", 0
	for path != "" {
		var page struct {
			Objects []struct{ Name string }
			Next    string
		}
		if err := json.Unmarshal(f.get(strings.Replace(path, "/hosts", "/hosts.json", 1)).Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Objects {
			names[o.Name] = true
		}
		pages++
		links := f.read(path).links
		i := slices.IndexFunc(links, func(l string) bool { return page.Next != "" && strings.HasSuffix(l, "marker="+page.Next) })
		if path = ""; page.Next != "" {
			if i < 0 {
				t.Fatalf("no link to the next page: %v", links)
			}
			path = links[i]
		}
	}
	if len(names) != 233 || pages != 3 {
		t.Errorf("%d hosts on %d pages", len(names), pages)
	}
}

// TestTree: places with what is in them, and what hosts have otherwise.
func TestTree(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	text := strings.Join(strings.Fields(f.read("/ui/").text), " ")
	for _, want := range []string{"project default 3 0 2 ntp 3", "cloud east 3 0 1 2 ntp 3", "region dfw 3 0 1 1 ntp 1", "cell c1 3 0"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if text := newFixture(t, "project: {variables: {}}").read("/ui/").text; !strings.Contains(text, "This fleet has no clouds yet") {
		t.Errorf("%s", text)
	}
}

// TestPast: any page as of a moment, marked so, whose links stay there.
func TestPast(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	page := f.at("web-01")
	number := f.revision()
	f.apply(strings.Replace(smallFleet, "ntp: 10.0.0.1", "ntp: 10.9.9.9", 1))
	if text := f.read(page).text; !strings.Contains(text, "10.9.9.9") || strings.Contains(text, "Past state") {
		t.Errorf("now:\n%s", text)
	}
	for _, path := range []string{"/ui/?at=" + number, "/ui/hosts?at=" + number, page + "?at=" + number} {
		doc := f.read(path)
		if !strings.Contains(doc.text, "Past state: revision "+number) || strings.Contains(doc.text, "10.9.9.9") {
			t.Errorf("%s:\n%s", path, doc.text)
		}
		for _, l := range doc.links {
			u, err := url.Parse(l)
			if now := u.Path+"?"+u.RawQuery == strings.Replace(path, "at="+number, "", 1) || l+"?" == strings.Replace(path, "at="+number, "", 1); err != nil || u.Query().Get("at") == "" && !now {
				t.Errorf("%s leads to the present: %s", path, l)
			}
		}
	}
	if text := f.read(page + "?at=" + number).text; !strings.Contains(text, "10.0.0.1") || !strings.Contains(text, "craton explain "+strings.TrimPrefix(page, "/ui/hosts/")+" --who --at "+number+" --omit-hashed") {
		t.Errorf("then:\n%s", text)
	}
	for at, want := range map[string]string{"soon": "is not a time", "999999": "revision", "2099-01-01": "future"} {
		if w := f.get("/ui/hosts/1?at=" + at); w.Code < 400 || w.Code >= 500 || !strings.Contains(f.check(at, w).text, want) {
			t.Errorf("%s: %d %s", at, w.Code, w.Body)
		}
	}
}

// TestErrors: what is not there, and what is no reading.
func TestErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	for path, status := range map[string]int{"/ui/hosts/999": 404, "/ui/cells/1/x": 404, "/ui/nothing": 404, "/ui/variables/nothing.json": 404, "/ui/changes?kind=x": 400, "/ui/changes?id=1": 400, "/ui/changes?kind=host&id=999": 404, "/ui/changes?since=soon": 400, "/ui/compare.json?a=web-01&b=nobody": 404, "/ui/compare.json?a=web-01&then=soon": 400, "/ui/compare.json?a=web-01&b=web-02&then=1d": 400, "/ui/hosts/1?key=nothing": 404, "/ui/hosts?at=1&at=2": 400, "/ui/hosts?where=label%3Da&where=label%3Db": 400, "/ui/find?q=a&q=b": 400, "/ui/projects?where=name%3Dx": 400} {
		w := f.get(path)
		if w.Code != status {
			t.Errorf("%s: %d", path, w.Code)
		}
		if strings.Contains(path, ".json") {
			continue
		}
		f.check(path, w)
		at := strings.Replace(path, "?", ".json?", 1)
		if !strings.Contains(path, "?") {
			at += ".json"
		}
		if w := f.get(at); w.Code != status || w.Header().Get("Content-Type") != "application/json" || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s", at, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	f.page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/ui/hosts/1", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

// TestAssets: what pages load is there, is small, and may be kept.
func TestAssets(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	body := f.get("/ui/").Body.String()
	size := 0
	for _, name := range []string{"craton.css", "craton.js", "craton.svg"} {
		stem, ext, _ := strings.Cut(name, ".")
		from := strings.Index(body, "/ui/assets/"+stem+".")
		for from >= 0 && !strings.HasPrefix(body[from+len("/ui/assets/craton.000000000000"):], "."+ext+`"`) {
			next := strings.Index(body[from+1:], "/ui/assets/"+stem+".")
			if next < 0 {
				t.Fatalf("%s is not loaded:\n%s", name, body)
			}
			from += 1 + next
		}
		path, _, _ := strings.Cut(body[from:], `"`)
		w := f.get(path)
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if size += w.Body.Len(); ext == "js" && w.Body.Len() > 15<<10 {
			t.Errorf("%s has %d bytes", name, w.Body.Len())
		}
	}
	if size > 200<<10 {
		t.Errorf("assets have %d bytes", size)
	}
	if w := f.get("/ui/assets/craton.css"); w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}
