package craton_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// fleet serves hosts 1 to n in pages, as the original does: a next link on every page that is not empty.
// link is put before /v1 in links.
func fleet(n int, link string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		after, _ := strconv.Atoi(q.Get("marker"))
		limit, err := strconv.Atoi(q.Get("limit"))
		if err != nil {
			limit = 30
		}
		var items []string
		for id := after + 1; id <= n && len(items) < limit; id++ {
			items = append(items, fmt.Sprintf(`{"id": %d, "name": "h%d"}`, id, id))
		}
		last := ""
		if len(items) > 0 {
			last = strconv.Itoa(after + len(items))
		}
		if !q.Has("limit") {
			q.Set("limit", "30")
			r = r.Clone(r.Context())
			r.URL.RawQuery = q.Encode()
		}
		reply(w, 200, fmt.Sprintf(`{"hosts": [%s], "links": %s}`, strings.Join(items, ","), links(r, link, last)))
	}
}

func hostIDs(ctx context.Context, c *craton.Client, o craton.HostListOptions) (ids []int, err error) {
	for h, err := range c.Hosts.All(ctx, o) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, h.ID)
	}
	return ids, nil
}

func upTo(n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = i + 1
	}
	return ids
}

// TestAll walks listings of sizes around the page borders; links name other hosts, schemes and prefixes (Q21),
// and the last page that is not empty has a next link (Q13).
func TestAll(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 9, 10, 11, 20, 95} {
		for _, link := range []string{"http://backend.invalid:7780", "https://other.invalid/x", "", "http://user:pw@h.invalid/craton"} {
			t.Run(fmt.Sprintf("%d %s", n, link), func(t *testing.T) {
				t.Parallel()
				mux, c := newServer(t)
				var rec recorder
				mux.HandleFunc("GET /v1/hosts", rec.wrap(fleet(n, link)))
				got, err := hostIDs(t.Context(), c, craton.HostListOptions{Paging: craton.Paging{Limit: 10}, RegionID: 7})
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(upTo(n), got) {
					t.Errorf("ids %v", got)
				}
				want := (n+9)/10 + 1
				if 0 < n && n < 10 { // the one page is read in the other order too
					want++
				}
				if got := len(rec.all()); got != want {
					t.Errorf("%d requests, want %d", got, want)
				}
				for _, r := range rec.all() {
					if !strings.Contains(r.Query, "region_id=7") {
						t.Errorf("the filter got lost: %s", r.Query)
					}
				}
			})
		}
	}
}

// TestListByHand is what a caller does with List: Marker leads on, and is empty at the end.
func TestListByHand(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("GET /v1/hosts", fleet(25, "http://h"))
	var got []int
	for o := (craton.HostListOptions{Paging: craton.Paging{Limit: 10}}); ; {
		p, err := c.Hosts.List(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if p.Limit != 10 {
			t.Errorf("limit %d", p.Limit)
		}
		for _, h := range p.Items {
			got = append(got, h.ID)
		}
		if p.Marker == "" {
			break
		}
		o.Marker = p.Marker
	}
	if diff := cmp.Diff(upTo(25), got); diff != "" {
		t.Error(diff)
	}
}

// TestPagesEnd: what breaks a walk, and what it has given until then.
func TestPagesEnd(t *testing.T) {
	t.Parallel()
	page := func(marker, rows, next string) string {
		text := `{"hosts": [` + rows + `], "links": [{"rel": "first", "href": "/v1/hosts"}, {"rel": "self", "href": "/v1/hosts?marker=` + marker + `"}`
		if next != "" {
			text += `, {"rel": "next", "href": "http://h/v1/hosts?sort_keys=name,id&limit=10&marker=` + next + `"}`
		}
		return text + `]}`
	}
	ten := func(from int) string {
		var rows []string
		for id := from; id < from+10; id++ {
			rows = append(rows, fmt.Sprintf(`{"id": %d}`, id))
		}
		return strings.Join(rows, ",")
	}
	for _, tt := range []struct {
		name  string
		pages map[string]string // by marker
		ids   []int
		err   string
	}{
		{"the same object on two pages", map[string]string{ // Q30
			"": page("", ten(1), "10"), "10": page("10", `{"id": 10}, {"id": 11}`, "11"), "11": page("11", "", ""),
		}, upTo(11), ""},
		{"a circle", map[string]string{"": page("", ten(1), "10"), "10": page("10", ten(1), "10")}, upTo(10), "leads back"},
		{"next of another collection", map[string]string{"": strings.ReplaceAll(page("", `{"id": 1}`, "1"), "/v1/hosts", "/v1/users")}, nil, "points elsewhere"},
		{"no list", map[string]string{"": `{"links": []}`}, nil, `no member "hosts"`},
		{"not JSON", map[string]string{"": `{"hosts": [}`}, nil, "not JSON"},
		{"marker gone", map[string]string{"": page("", ten(1), "10")}, upTo(10), `Marker "10" does not exist`}, // Q13
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t)
			mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
				marker := r.URL.Query().Get("marker")
				body, ok := tt.pages[marker]
				if !ok {
					reply(w, 400, `{"message": "Marker \"`+marker+`\" does not exist", "status": 400}`)
					return
				}
				reply(w, 200, body)
			})
			got, err := hostIDs(t.Context(), c, craton.HostListOptions{Paging: craton.Paging{Limit: 10, SortKeys: []string{"name"}}})
			if diff := cmp.Diff(tt.ids, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			switch {
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if got, want := craton.IsMarkerGone(err), strings.Contains(tt.err, "Marker"); got != want {
				t.Errorf("IsMarkerGone is %v", got)
			}
		})
	}
}

// TestPrefetch: the next page is asked for before this one is consumed.
func TestPrefetch(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	asked := make(chan string, 10)
	serve := fleet(30, "http://h")
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Get("marker")
		serve(w, r)
	})
	for h, err := range c.Hosts.All(t.Context(), craton.HostListOptions{Paging: craton.Paging{Limit: 10}}) {
		if err != nil {
			t.Fatal(err)
		}
		if h.ID != 1 {
			break
		}
		for _, want := range []string{"", "10"} {
			select {
			case got := <-asked:
				if got != want {
					t.Errorf("marker %q, want %q", got, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the next page is not asked for while this one is consumed")
			}
		}
	}
}

// TestBreakCancels: leaving the loop cancels the request on its way and leaves no goroutine behind.
func TestBreakCancels(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	arrived, cancelled := make(chan struct{}), make(chan struct{})
	serve := fleet(30, "http://h")
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("marker") == "" {
			serve(w, r)
			return
		}
		close(arrived)
		<-r.Context().Done() // hangs until the client goes away
		close(cancelled)
	})
	for _, err := range c.Hosts.All(t.Context(), craton.HostListOptions{Paging: craton.Paging{Limit: 10}}) {
		if err != nil {
			t.Fatal(err)
		}
		<-arrived
		break
	}
	select {
	case <-cancelled:
	case <-time.After(10 * time.Second):
		t.Fatal("the server did not see the cancellation")
	}
}

// TestNoGoroutines counts goroutines that stand in this package after walks that were left early or failed.
func TestNoGoroutines(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	mux.HandleFunc("GET /v1/hosts", fleet(1000, "http://h"))
	mux.HandleFunc("GET /v1/cells", always(500, bodyUnknown))
	for range 20 {
		for _, err := range c.Hosts.All(t.Context(), craton.HostListOptions{Paging: craton.Paging{Limit: 10}}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		for range c.Cells.All(t.Context(), craton.CellListOptions{}) {
		}
	}
	// The walk waits for its request, so nothing needs to settle down.
	stacks := make([]byte, 1<<22)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, s := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(s, "rest.Prefetch") && strings.Contains(s, "TestNoGoroutines") {
			t.Errorf("a goroutine is left:\n%s", s)
		}
	}
}

// TestAllContext: a walk ends with its context, at once, also while the client waits for a retry.
func TestAllContext(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetryWait(time.Minute, time.Minute))
	failing := make(chan struct{}, 10)
	serve := fleet(30, "http://h")
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("marker") == "" {
			serve(w, r)
			return
		}
		reply(w, 503, "{}")
		failing <- struct{}{}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := time.Now()
	n := 0
	var last error
	for _, err := range c.Hosts.All(ctx, craton.HostListOptions{Paging: craton.Paging{Limit: 10}}) {
		if n++; n == 1 {
			<-failing
			cancel()
		}
		last = err
	}
	if n != 11 || last == nil || !strings.Contains(last.Error(), "canceled") {
		t.Errorf("%d objects, last error %v", n, last)
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestQ8SmallerPages: the original answers large pages with details with 500 now and then. After the retries
// smaller pages are tried from the same place, and large ones again later.
func TestQ8SmallerPages(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(1))
	var mu sync.Mutex
	var limits []string
	serve := fleet(400, "http://h")
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		mu.Lock()
		limits = append(limits, q.Get("limit"))
		mu.Unlock()
		if limit, _ := strconv.Atoi(q.Get("limit")); limit > 40 && q.Get("marker") == "100" {
			reply(w, 500, bodyUnknown)
			return
		}
		serve(w, r)
	})
	got, err := hostIDs(t.Context(), c, craton.HostListOptions{Details: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(upTo(400), got) {
		t.Errorf("ids %v", got)
	}
	want := []string{"100", "100", "100", "33", "33", "33", "33", "33", "99", "99", "36"} // the last counts the rows of the page before
	if diff := cmp.Diff(want, limits); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

// TestQ8Bounded: a listing that always fails does so after a bounded number of requests, and without details,
// where the original is not known to fail by chance, pages are not made smaller.
func TestQ8Bounded(t *testing.T) {
	t.Parallel()
	for details, want := range map[bool]int32{false: 3, true: 9} {
		t.Run(strconv.FormatBool(details), func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t, craton.WithRetries(2))
			var n atomic.Int32
			mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, _ *http.Request) {
				n.Add(1)
				reply(w, 500, bodyUnknown)
			})
			_, err := hostIDs(t.Context(), c, craton.HostListOptions{Details: details})
			if craton.StatusOf(err) != 500 || !strings.Contains(err.Error(), "An unknown exception occurred") {
				t.Error(err)
			}
			if n.Load() != want {
				t.Errorf("%d requests, want %d", n.Load(), want)
			}
		})
	}
}

// TestPages gives the bodies as they came, for callers that decode on their own.
func TestPages(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("GET /v1/hosts", fleet(3, "http://h"))
	var bodies []string // the last page that has hosts comes when the empty one behind it was seen
	for p, err := range c.Pages(t.Context(), "/hosts", map[string][]string{"limit": {"10"}}) {
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(p.Body))
	}
	if len(bodies) != 1 || !strings.Contains(bodies[0], `"name": "h3"`) {
		t.Errorf("%q", bodies)
	}
}

// TestNoContent: a read that is answered with nothing at all is an error, whatever is read.
func TestNoContent(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("/", always(204, ""))
	for what, read := range map[string]func() error{
		"a list":    func() error { _, err := hostIDs(t.Context(), c, craton.HostListOptions{}); return err },
		"a page":    func() error { _, err := c.Page(t.Context(), "/hosts", nil); return err },
		"an object": func() error { _, err := c.Hosts.Get(t.Context(), 1); return err },
		"variables": func() error { _, err := c.Hosts.Variables(t.Context(), 1); return err },
		"labels":    func() error { _, err := c.Hosts.Labels(t.Context(), 1); return err },
		"a fleet":   func() error { return allOf(c.Fleet(t.Context(), craton.FleetOptions{})) },
		"changes":   func() error { return allOfChanges(c.Changes(t.Context(), craton.ChangeOptions{})) },
	} {
		if err := read(); err == nil {
			t.Errorf("%s: nothing is taken for it", what)
		}
	}
}

func allOf(s *craton.FleetStream, err error) error {
	if err != nil {
		return err
	}
	for _, err := range s.All() {
		if err != nil {
			return err
		}
	}
	return nil
}

func allOfChanges(all iter.Seq2[*craton.Change, error]) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
