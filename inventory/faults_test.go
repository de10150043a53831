package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/walk"
	"github.com/craton-fleet/craton/server"
)

// faults are what a proxy may do to a page of a listing: they change its body, or what is decoded of it.
var faults = map[string]func(p *faultyPage){
	"loses the first row":        func(p *faultyPage) { p.drop(0) },
	"loses a row in the middle":  func(p *faultyPage) { p.drop(len(p.rows) / 2) },
	"loses the last row":         func(p *faultyPage) { p.drop(len(p.rows) - 1) },
	"loses half of the rows":     func(p *faultyPage) { p.rows = p.rows[:len(p.rows)/2] },
	"loses all rows":             func(p *faultyPage) { p.rows = []any{} },
	"loses the link next":        func(p *faultyPage) { p.unlink("next") },
	"loses the link first":       func(p *faultyPage) { p.unlink("first") },
	"loses the link self":        func(p *faultyPage) { p.unlink("self") },
	"loses all links":            func(p *faultyPage) { p.links = []any{} },
	"loses the last and next":    func(p *faultyPage) { p.drop(len(p.rows) - 1); p.unlink("next") },
	"swaps rows":                 func(p *faultyPage) { p.swap() },
	"repeats a row":              func(p *faultyPage) { p.repeat() },
	"puts a row for another":     func(p *faultyPage) { p.repeat(); p.drop(1) },
	"adds a next link":           func(p *faultyPage) { p.link("next", "1") },
	"leads on from another row":  func(p *faultyPage) { p.mark("next", "2") },
	"gives another page":         func(p *faultyPage) { p.mark("self", "3") },
	"puts null for a row":        func(p *faultyPage) { p.set(nil) },
	"puts a row without an id":   func(p *faultyPage) { p.set(map[string]any{"name": "x"}) },
	"cuts the body":              func(p *faultyPage) { p.body = func(b []byte) []byte { return b[:len(b)*2/3] } },
	"gives nothing":              func(p *faultyPage) { p.body = func([]byte) []byte { return nil } },
	"asks for a login":           func(p *faultyPage) { p.body = func([]byte) []byte { return []byte("<html>Sign in</html>") } },
	"says that there is nothing": func(p *faultyPage) { p.rows = []any{}; p.unlink("next") },
}

// untold are those that no rule of the API shows: the second one of a page with one row.
var untold = []string{"says that there is nothing", "loses the last and next"}

// faultyPage is a page on its way.
type faultyPage struct {
	key         string
	rows, links []any
	body        func([]byte) []byte
}

func (p *faultyPage) drop(i int) {
	if i >= 0 && i < len(p.rows) {
		p.rows = slices.Delete(slices.Clone(p.rows), i, i+1)
	}
}

func (p *faultyPage) swap() {
	if n := len(p.rows); n > 1 {
		p.rows[n/2], p.rows[n/2-1] = p.rows[n/2-1], p.rows[n/2]
	}
}

func (p *faultyPage) repeat() {
	if len(p.rows) > 0 {
		p.rows = slices.Insert(slices.Clone(p.rows), 0, p.rows[len(p.rows)/2])
	}
}

func (p *faultyPage) set(row any) {
	if n := len(p.rows); n > 0 {
		p.rows[n/2] = row
	}
}

func (p *faultyPage) unlink(rel string) {
	p.links = slices.DeleteFunc(slices.Clone(p.links), func(l any) bool { return l.(map[string]any)["rel"] == rel })
}

func (p *faultyPage) link(rel, marker string) {
	if !slices.ContainsFunc(p.links, func(l any) bool { return l.(map[string]any)["rel"] == rel }) {
		p.links = append(p.links, map[string]any{"rel": rel, "href": "http://h/v1/" + strings.ReplaceAll(p.key, "_", "-") + "?marker=" + marker})
	}
}

func (p *faultyPage) mark(rel, marker string) {
	for _, l := range p.links {
		if l := l.(map[string]any); l["rel"] == rel {
			u, _ := url.Parse(l["href"].(string))
			q := u.Query()
			q.Set("marker", marker)
			u.RawQuery = q.Encode()
			l["href"] = u.String()
		}
	}
}

// faulty is a proxy before a server that spoils one page.
type faulty struct {
	http.Handler
	fault func(*faultyPage)
	page  string // which one
	once  bool   // only the first time

	mu   sync.Mutex
	seen []string // all pages of listings
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/fleet" {
		fail(w, 404, "The requested URL was not found on the server.")
		return
	}
	answer := httptest.NewRecorder()
	f.Handler.ServeHTTP(answer, r)
	body := answer.Body.Bytes()
	var decoded map[string]any
	if list := strings.TrimPrefix(r.URL.Path, "/v1/"); answer.Code == 200 && !strings.Contains(list, "/") {
		name := list + " " + r.URL.Query().Get("region_id") + " after " + r.URL.Query().Get("marker")
		f.mu.Lock()
		spoil := f.page == name && f.fault != nil
		if f.once && spoil {
			f.page = ""
		}
		if !slices.Contains(f.seen, name) {
			f.seen = append(f.seen, name)
		}
		f.mu.Unlock()
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if spoil && d.Decode(&decoded) == nil {
			p := &faultyPage{key: strings.ReplaceAll(list, "-", "_"), links: decoded["links"].([]any)}
			p.rows = decoded[p.key].([]any)
			f.fault(p)
			decoded[p.key], decoded["links"] = p.rows, p.links
			body, _ = json.Marshal(decoded)
			if p.body != nil {
				body = p.body(body)
			}
		}
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
}

// bigFleet has listings of several pages, of one page, and one that fills its page; every place has something in it.
func bigFleet() string {
	var b strings.Builder
	b.WriteString("clouds:\n")
	for i, c := range []struct {
		cloud, region string
		hosts         int
	}{{"one", "long", 230}, {"two", "full", 100}, {"three", "short", 30}} {
		fmt.Fprintf(&b, "- name: %s\n  variables: {v: %d}\n  regions:\n  - name: %s\n    cells:\n    - name: c\n      hosts:\n", c.cloud, i, c.region)
		for n := range c.hosts {
			fmt.Fprintf(&b, "      - {name: %s%d, ip_address: 10.%d.%d.%d, device_type: server, labels: [l%d], variables: {n: %d}}\n", c.region, n, i, n/250, n%250, n%3, n)
		}
	}
	return b.String()
}

// smallFleet has no cells, which would tell of their regions, a region with fewer hosts than the smallest page, and one
// that is empty.
func smallFleet() string {
	var b strings.Builder
	b.WriteString("clouds:\n")
	for i, c := range []struct {
		cloud, region string
		hosts         int
	}{{"one", "few", 4}, {"two", "some", 13}, {"three", "none", 0}, {"four", "one", 1}} {
		fmt.Fprintf(&b, "- name: %s\n  variables: {v: %d}\n  regions:\n  - name: %s\n    hosts:\n", c.cloud, i, c.region)
		for n := range c.hosts {
			fmt.Fprintf(&b, "    - {name: %s%d, ip_address: 10.%d.0.%d, device_type: server, labels: [l%d], variables: {n: %d}}\n", c.region, n, i, n, n%3, n)
		}
	}
	return b.String()
}

// bigServer returns craton server with a bigFleet.
func bigServer(t *testing.T) (http.Handler, func(http.Handler) *craton.Client) {
	t.Helper()
	return fleetServer(t, bigFleet())
}

// fleetServer returns craton server with a fleet.
func fleetServer(t *testing.T, fleet string) (http.Handler, func(http.Handler) *craton.Client) {
	t.Helper()
	s, err := server.Open(t.Context(), "sqlite:"+t.TempDir()+"/fleet.db", server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := func(h http.Handler) *craton.Client {
		c, err := craton.New("http://embedded", craton.WithTransport(direct{h}), craton.WithLocalAuth(b.Username, b.APIKey, b.ProjectID),
			craton.WithRetries(2), craton.WithRetryWait(time.Microsecond, time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	file, err := fleetfile.Parse("fleet.yml", strings.NewReader(fleet))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fleetfile.Apply(t.Context(), client(s.Handler()), file, fleetfile.Options{}); err != nil {
		t.Fatal(err)
	}
	return s.Handler(), client
}

// TestFaultyPages spoils every page that an inventory is made of in every way: the whole fleet comes, or an error, and
// never a part of it. What happens only once does no harm.
func TestFaultyPages(t *testing.T) {
	t.Parallel()
	t.Run("big", func(t *testing.T) { t.Parallel(); testFaultyPages(t, bigFleet(), 360, 14) })
	t.Run("small", func(t *testing.T) { t.Parallel(); testFaultyPages(t, smallFleet(), 18, 7) })
}

func testFaultyPages(t *testing.T, text string, hosts, pages int) {
	handler, client := fleetServer(t, text)
	o := DefaultOptions()
	clean := &faulty{Handler: handler}
	fleet, err := Load(t.Context(), client(clean), o)
	if err != nil {
		t.Fatal(err)
	}
	want := render(t, fleet, o, false)
	if len(fleet.Hosts) != hosts || len(clean.seen) < pages {
		t.Fatalf("%d hosts of %q", len(fleet.Hosts), clean.seen)
	}
	for _, page := range clean.seen {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			for name, fault := range faults {
				for _, once := range []bool{true, false} {
					o := o
					if slices.Contains(untold, name) {
						o.ExpectAtLeast = len(fleet.Hosts)
					}
					f := &faulty{Handler: handler, fault: fault, page: page, once: once}
					got, err := Load(t.Context(), client(f), o)
					switch {
					case err != nil && once:
						t.Errorf("%s once: %v", name, err)
					case err == nil && render(t, got, o, false) != want:
						t.Errorf("%s: %d of %d hosts", name, len(got.Hosts), len(fleet.Hosts))
					}
				}
			}
		})
	}
}

// TestFaultyAnswer spoils the one answer that an inventory is made of, in every line: the whole fleet comes, or an
// error, and never a part of it. What happens only twice does no harm.
func TestFaultyAnswer(t *testing.T) {
	t.Parallel()
	handler, client := fleetServer(t, smallFleet())
	o := DefaultOptions()
	fleet, err := Load(t.Context(), client(handler), o)
	if err != nil {
		t.Fatal(err)
	}
	want := render(t, fleet, o, false)
	count := len(fleet.Clouds) + len(fleet.Regions) + len(fleet.Devices) + 3 // the first, the last and the project
	for name, fault := range map[string]func(lines [][]byte, i int) [][]byte{
		"cut before the line":  func(lines [][]byte, i int) [][]byte { return lines[:i] },
		"cut within the line":  func(lines [][]byte, i int) [][]byte { return append(lines[:i:i], lines[i][:len(lines[i])/2]) },
		"a line lost":          func(lines [][]byte, i int) [][]byte { return slices.Delete(lines, i, i+1) },
		"a line twice":         func(lines [][]byte, i int) [][]byte { return slices.Insert(lines, i, lines[i]) },
		"a line of a robot":    func(lines [][]byte, i int) [][]byte { return slices.Insert(lines, i, []byte("<html>\n")) },
		"another line instead": func(lines [][]byte, i int) [][]byte { lines[i] = lines[(i+1)%len(lines)]; return lines },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, at := range []int{0, 1, count / 2, count - 2, count - 1} {
				t.Run(strconv.Itoa(at), func(t *testing.T) {
					t.Parallel()
					streams := 0
					f := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						answer := httptest.NewRecorder()
						handler.ServeHTTP(answer, r)
						body := answer.Body.Bytes()
						if r.URL.Path == "/v1/fleet" {
							streams++
							lines := bytes.SplitAfter(body, []byte("\n"))
							body = bytes.Join(fault(lines[:len(lines)-1], at), nil)
						}
						maps.Copy(w.Header(), answer.Header())
						w.Header().Set("Content-Length", strconv.Itoa(len(body)))
						w.WriteHeader(answer.Code)
						_, _ = w.Write(body)
					})
					got, err := Load(t.Context(), client(f), o)
					if err != nil {
						t.Fatal(err)
					}
					if streams != maxStreamTries || got.Snapshot != nil || render(t, got, o, false) != want {
						t.Errorf("asked %d times: %d of %d hosts", streams, len(got.Hosts), len(fleet.Hosts))
					}
				})
			}
		})
	}
}

// TestExpectAtLeast: what no rule of the API shows.
func TestExpectAtLeast(t *testing.T) {
	t.Parallel()
	f := fleetOf(5)
	o := DefaultOptions()
	for least, want := range map[int]string{
		5: "", 6: "the fleet could not be read completely in 3 tries: the inventory has 5 hosts, but expect_at_least is 6", -1: "expect_at_least must be",
	} {
		o.ExpectAtLeast = least
		_, err := Load(t.Context(), f.client(), o)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d: %v", least, err)
		}
	}
}

// TestPagesOfAChangingFleet: hosts that come and go between two pages break no rule, and those that stay all come.
func TestPagesOfAChangingFleet(t *testing.T) {
	t.Parallel()
	handler, client := bigServer(t)
	writer := client(handler)
	long := craton.Region{}
	for r, err := range writer.Regions.All(t.Context(), craton.RegionListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Name == "long" {
			long = *r
		}
	}
	var stay []int
	next, gone := 0, []int{}
	for h, err := range writer.Hosts.All(t.Context(), craton.HostListOptions{RegionID: long.ID}) {
		if err != nil {
			t.Fatal(err)
		}
		if h.ID%3 == 0 {
			gone = append(gone, h.ID)
		} else {
			stay = append(stay, h.ID)
		}
	}
	slices.Reverse(gone) // the last page changes most
	changing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if next++; next%2 == 0 {
			_, err := writer.Hosts.Create(t.Context(), craton.HostCreate{Name: "new" + strconv.Itoa(next), IPAddress: "10.9.9.9", DeviceType: "server", CloudID: long.CloudID, RegionID: long.ID})
			if err != nil {
				t.Error(err)
			}
		}
		if len(gone) > 0 && next%3 == 0 {
			if err := writer.Hosts.Delete(t.Context(), gone[0]); err != nil {
				t.Error(err)
			}
			gone = gone[1:]
		}
	})
	reader := client(changing)
	for range 20 {
		found := map[int]bool{}
		err := walk.Retry(craton.IsMarkerGone, func() error {
			for h, err := range reader.Hosts.All(t.Context(), craton.HostListOptions{RegionID: long.ID}) {
				if err != nil {
					return err
				}
				found[h.ID] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range stay {
			if !found[id] {
				t.Fatalf("host %d is missing", id)
			}
		}
	}
}
