package iotronic

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	api "github.com/craton-fleet/craton/iotronic"
)

// asked are the requests that a server got, without how they are spelled out.
func asked(s *iotronictest.Server) []string {
	var all []string
	for _, r := range s.Requests() {
		query := strings.ReplaceAll(r.Query, "%20", "+")
		if r.Query != "" {
			query = "?" + query
		}
		all = append(all, strings.TrimPrefix(r.Path, "/v1")+query)
	}
	return all
}

// TestRequests: what is asked of each Iotronic, and no more.
func TestRequests(t *testing.T) {
	t.Parallel()
	const first, second = "00000003-0000-4000-8000-000000000003", "00000002-0000-4000-8000-000000000002"
	for name, c := range map[string]struct {
		server *iotronictest.Server
		change func(*Options)
		want   []string
	}{
		// The page that is just full has an empty one behind it.
		"boards": {boards(t, iotronictest.MaxLimit(3)), nil,
			[]string{"", "/boards/detail", "/boards/detail?marker=00000005-0000-4000-8000-000000000005", "/fleets"}},
		"boards without fleets": {boards(t), func(o *Options) { o.Groups = []GroupKind{StatusGroups} }, []string{"", "/boards/detail"}},
		"boards that the server filters": {boards(t), func(o *Options) { o.Filters = []Filter{{"status", []string{"registered"}}} },
			[]string{"", "/boards/detail?status=registered"}},
		"nodes of 2017": {nodes(t, iotronictest.Nodes2017, iotronictest.MaxLimit(2)), nil,
			[]string{"", "/", "/nodes/detail", "/nodes/detail?marker=" + second}},
		"nodes of 2016, one by one": {nodes(t, iotronictest.Nodes2016), nil,
			[]string{"", "/", "/nodes", "/nodes/00000001-0000-4000-8000-000000000001", "/nodes/" + second, "/nodes/" + first}},
	} {
		o := DefaultOptions()
		if c.change != nil {
			c.change(&o)
		}
		load(t, c.server.URL, o)
		got := asked(c.server)
		slices.Sort(got[min(3, len(got)):]) // what is read one by one is read side by side
		slices.Sort(c.want[min(3, len(c.want)):])
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestPages: all hosts, however they are divided, and whatever the server's next links forget.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, era := range []iotronictest.Era{iotronictest.Nodes2016, iotronictest.Nodes2017, iotronictest.Boards2019} {
		collection := map[bool]string{true: "boards", false: "nodes"}[era == iotronictest.Boards2019]
		s := iotronictest.Start(t, era, iotronictest.MaxLimit(7))
		var want []string
		for n := range 30 {
			name := fmt.Sprintf("host-%02d", n)
			s.Add(collection, object{"name": name, "code": name, "extra": object{"ansible_host": "10.0.0.1"}, "status": []string{"online", "offline"}[n%2]})
			if n%2 == 0 {
				want = append(want, name)
			}
		}
		o := DefaultOptions()
		o.Filters = []Filter{{"status", []string{"online"}}, {"extra.ansible_host", []string{"10.0.0.1"}}}
		if diff := cmp.Diff(want, hostNames(t, load(t, s.URL, o), o)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", era, diff)
		}
	}
}

// TestBrokenWalks: a listing that the server breaks once or twice is begun anew and gives all; one that it breaks again
// and again is an error. Time is not real, so nobody waits.
func TestBrokenWalks(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"marker gone": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Board x could not be found.\", \"debuginfo\": null}"}`))
		},
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		for _, times := range []int{1, 2, 3} {
			synctest.Test(t, func(t *testing.T) {
				s := iotronictest.New(iotronictest.Boards2019, iotronictest.MaxLimit(2))
				for n := range 5 {
					s.Add("boards", object{"name": fmt.Sprintf("pi-%d", n), "code": fmt.Sprint(n)})
				}
				broken := 0
				s.Answer(func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Query().Get("marker") == "" || broken == times {
						return false
					}
					broken++
					answer(w, r)
					return true
				})
				c, err := api.New("http://iotronic", api.WithToken(iotronictest.Admin.Token), api.WithTransport(direct{s}), api.WithRetries(0))
				if err != nil {
					t.Fatal(err)
				}
				l, err := Load(t.Context(), c, DefaultOptions())
				switch {
				case times == 3 && (err == nil || l != nil || !strings.Contains(err.Error(), "the list could not be read completely in 3 tries: ")):
					t.Errorf("%s: %v, %v", name, l, err)
				case times < 3 && err != nil:
					t.Errorf("%s %d times: %v", name, times, err)
				case times < 3 && len(l.Machines) != 5:
					t.Errorf("%s %d times: %d boards", name, times, len(l.Machines))
				}
			})
		}
	}
}

// TestRecreated: Ironic has no two nodes of one name. A listing that has was broken by one that was made in the place
// of another, and is read again.
func TestRecreated(t *testing.T) {
	t.Parallel()
	for _, times := range []int{2, 3} {
		synctest.Test(t, func(t *testing.T) {
			lists := 0
			ironic := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				lists++
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("X-OpenStack-Ironic-API-Version", "1.82")
				old := `{"uuid": "` + uuid1 + `", "name": "metal", "extra": {}}, `
				if lists > times {
					old = ""
				}
				_, _ = io.WriteString(w, `{"nodes": [`+old+`{"uuid": "`+uuid2+`", "name": "metal", "extra": {}}, {"uuid": "33333333-0000-4000-8000-000000000003", "name": null}]}`)
			})
			c, err := api.New("http://ironic", api.WithDialect(api.DialectIronic), api.WithTransport(direct{ironic}), api.WithRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			l, err := Load(t.Context(), c, DefaultOptions())
			switch {
			case times == 2 && (err != nil || len(l.Machines) != 2):
				t.Errorf("%v, %v", l, err)
			case times == 3 && (err == nil || !strings.Contains(err.Error(), `the list could not be read completely in 3 tries: it has both node "metal" (`+uuid1+`) and node "metal" (`+uuid2+`)`)):
				t.Errorf("error %v", err)
			}
		})
	}
}

// direct calls a server without a network.
type direct struct{ h http.Handler }

func (d direct) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("connection reset by peer")
		}
	}()
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, in)
	resp = w.Result()
	resp.Request = r
	return resp, nil
}

// TestPermanentFailures are not tried again.
func TestPermanentFailures(t *testing.T) {
	t.Parallel()
	town, older := boards(t), nodes(t, iotronictest.Nodes2016)
	refused := func(status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "fleets") {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"No.\", \"debuginfo\": null}"}`))
			return true
		}
	}
	noFleets := boards(t)
	noFleets.Answer(refused(http.StatusForbidden))
	for name, c := range map[string]struct {
		url     string
		options []api.Option
		change  func(*Options)
		want    string
	}{
		"down":        {"http://127.0.0.1:1", nil, nil, "cannot reach the Ironic or Iotronic API"},
		"down, known": {"http://127.0.0.1:1", []api.Option{api.WithDialect(api.DialectBoards)}, nil, "cannot reach the Ironic or Iotronic API"},
		"no token":    {town.URL, []api.Option{api.WithToken("wrong")}, nil, "401"},
		"no role":     {older.URL, []api.Option{api.WithToken(iotronictest.Member.Token)}, nil, "403"},
		"a dialect":   {town.URL, []api.Option{api.WithDialect(api.DialectIronic)}, nil, "the server is Iotronic"},
		"fleets":      {noFleets.URL, nil, nil, "the names of the boards' fleets cannot be read: GET /v1/fleets: 403 Forbidden: No. Leave fleet out of groups and filters to do without"},
		"a project": {town.URL, []api.Option{api.WithToken(iotronictest.Member.Token)}, func(o *Options) { o.Filters = []Filter{{"project", []string{"x"}}} },
			"Project parameter can be used only by the administrator"},
	} {
		o := DefaultOptions()
		if c.change != nil {
			c.change(&o)
		}
		_, err := Load(t.Context(), clientOf(t, c.url, c.options...), o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "tries") {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := DefaultOptions()
	o.Groups = []GroupKind{StatusGroups}
	if got := hostNames(t, load(t, noFleets.URL, o), o); len(got) != 3 {
		t.Errorf("without fleets: %v", got)
	}
}

// TestUnlistedFleet is one that is gone, or was made meanwhile: a second look tells.
func TestUnlistedFleet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := iotronictest.New(iotronictest.Boards2019)
		s.Add("boards", object{"name": "pi", "code": "c", "fleet": uuid1})
		c, err := api.New("http://iotronic", api.WithToken(iotronictest.Admin.Token), api.WithTransport(direct{s}), api.WithRetries(0))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Load(t.Context(), c, DefaultOptions())
		if err == nil || !strings.Contains(err.Error(), `in 3 tries: board "pi" (00000001-0000-4000-8000-000000000001) is in the fleet `+uuid1+`, which the API does not list`) {
			t.Errorf("%v", err)
		}
		s.Add("fleets", object{"uuid": uuid1, "name": "roofs"})
		looks := 0
		s.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v1/fleets" {
				return false
			}
			if looks++; looks > 1 {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"fleets": []}`))
			return true
		})
		if l, err := Load(t.Context(), c, DefaultOptions()); err != nil || l.Fleets[uuid1] != "roofs" || looks != 2 {
			t.Errorf("%v, %v, %d looks", l, err, looks)
		}
	})
}

// TestProjects: an admin may list other projects than the own, one at a time.
func TestProjects(t *testing.T) {
	t.Parallel()
	town := boards(t)
	for want, projects := range map[string][]string{
		"gate.example.net pi-01 pi-02":           nil,
		"elsewhere":                              {iotronictest.Stranger.Project},
		"elsewhere gate.example.net pi-01 pi-02": {iotronictest.Stranger.Project, iotronictest.Admin.Project, iotronictest.Stranger.Project},
		"":                                       {"no-such-project"},
	} {
		o := DefaultOptions()
		if projects != nil {
			o.Filters = []Filter{{"project", projects}}
		}
		if got := strings.Join(hostNames(t, load(t, town.URL, o), o), " "); got != want {
			t.Errorf("%v: %s", projects, got)
		}
	}
}

// TestFilters: what they let through, and slips.
func TestFilters(t *testing.T) {
	t.Parallel()
	town, yuns, older := boards(t), nodes(t, iotronictest.Nodes2017), nodes(t, iotronictest.Nodes2016)
	for _, c := range []struct {
		url, filters, want string // hosts, or an error
	}{
		{town.URL, "status=online", "pi-01"},
		{town.URL, "status=online,status=offline", "pi-01 pi-02"},
		{town.URL, "status = online, type = raspberry", "pi-01"},
		{town.URL, "status=online,type=arancino mega", ""},
		{town.URL, "status=operative", ""}, // a state, if of another time
		{town.URL, "fleet=roofs of town,mobile=True", "pi-02"},
		{town.URL, "fleet=00000001-0000-4000-8000-000000000001,mobile=false", "pi-01"},
		{town.URL, "fleet=empty", ""}, // a fleet that there is
		{town.URL, "extra.rack=b7,extra.rack=b8", "pi-01 pi-02"},
		{town.URL, "extra.mgmt.ip=2001:db8::2", "pi-02"},
		{town.URL, "location.0.latitude=38.1", "pi-01"},
		{town.URL, "name=pi-01,name=gate.example.net", "gate.example.net pi-01"},
		{yuns.URL, "type=yun", "yun-01 yun-02"},
		{older.URL, "type=yun,mobile=true", "yun-02"},
		{older.URL, "device=yun,mobile=false", "yun-01"},

		{town.URL, "status=onlin", `filters: no board has status=onlin; did you mean "online"?`},
		{town.URL, "type=raspbery", `filters: no board has type=raspbery; did you mean "raspberry"?`},
		{town.URL, "status=registered,type=raspbery", `filters: no board has type=raspbery; did you mean "raspberry"?`},
		{town.URL, "status=registered,fleet=roof of town", `filters: no board has fleet=roof of town; did you mean "roofs of town"?`},
		{town.URL, "status=registered,fleet=empty", ""},
		{town.URL, "mobile=perhaps", `filters: no board has mobile=perhaps; choose from: false, true`},
		{town.URL, "typ=raspberry", `filters: no board has a field typ; did you mean "type"?`},
		{town.URL, "extra.rock=b7", `filters: no board has a field extra.rock`},
		{town.URL, "driver=ipmi", `filters: no board has a field driver`},
		{town.URL, "power_state=power on", `filters: no board has a field power_state`},
		{town.URL, "connectivity=eth0", `filters: no board has connectivity=eth0`}, // an object has no words
		{yuns.URL, "type=yum", `filters: no node has type=yum; did you mean "yun"?`},
	} {
		o := DefaultOptions()
		var err error
		if o.Filters, err = ParseFilters(strings.Split(c.filters, ",")); err != nil {
			t.Fatal(err)
		}
		l, err := Load(t.Context(), clientOf(t, c.url), o)
		if err != nil {
			if !strings.HasPrefix(err.Error(), c.want) || c.want == "" {
				t.Errorf("%s: %v\nwant %s", c.filters, err, c.want)
			}
			continue
		}
		if got := strings.Join(hostNames(t, l, o), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.filters, got, c.want)
		}
	}
	for _, bad := range []string{"driver", "=x", ""} {
		if _, err := ParseFilters([]string{bad}); err == nil || !strings.Contains(err.Error(), "write FIELD=VALUE") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
