package iotronic_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/iotronic"
)

// names walks a listing and collects the names of its objects.
func names[T any](all func(func(*T, error) bool), name func(*T) string) ([]string, error) {
	found := []string{}
	for o, err := range all {
		if err != nil {
			return found, err
		}
		found = append(found, name(o))
	}
	return found, nil
}

func boardNames(t *testing.T, c *iotronic.Client, o iotronic.BoardListOptions) ([]string, error) {
	return names(c.Boards.All(t.Context(), o), func(b *iotronic.Board) string { return b.Name })
}

func nodeNames(t *testing.T, c *iotronic.Client, o iotronic.NodeListOptions) ([]string, error) {
	return names(c.Nodes.All(t.Context(), o), func(n *iotronic.Node) string { return n.Name })
}

// TestPages: filters, details and fields hold on every page, whatever the server's links say (§6, 1 and 2).
func TestPages(t *testing.T) {
	t.Parallel()
	const pageSize, count = 4, 18
	s, c := newIotronic(t, iotronictest.Boards2019, iotronictest.MaxLimit(pageSize))
	var online, theirs []string
	for i := range count {
		name := fmt.Sprintf("b%02d", i)
		o := iotronictest.Object{"name": name, "code": name, "status": "offline", "extra": iotronictest.Object{"at": i}}
		switch i % 3 {
		case 0:
			o["status"] = "online"
			online = append(online, name)
		case 1:
			o["project"] = iotronictest.Stranger.Project
			theirs = append(theirs, name)
		}
		s.Add("boards", o)
	}
	for _, tt := range []struct {
		options iotronic.BoardListOptions
		want    []string
	}{
		{iotronic.BoardListOptions{Status: "online"}, online},
		{iotronic.BoardListOptions{Status: "online", Detail: true}, online},
		{iotronic.BoardListOptions{Status: "online", Fields: []string{"name"}}, online},
		{iotronic.BoardListOptions{Project: iotronictest.Stranger.Project, Detail: true}, theirs},
		{iotronic.BoardListOptions{Status: "online", Paging: iotronic.Paging{Limit: 1}}, online},
		{iotronic.BoardListOptions{Status: "online", Paging: iotronic.Paging{Limit: 5000}}, online}, // capped
		{iotronic.BoardListOptions{Status: "online", Paging: iotronic.Paging{SortKey: "name", SortDir: "desc"}}, reversed(online)},
		{iotronic.BoardListOptions{Status: "never"}, []string{}},
	} {
		got, err := boardNames(t, c, tt.options)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v\n%s", tt.options, err, diff)
		}
	}
	for b, err := range c.Boards.All(t.Context(), iotronic.BoardListOptions{Detail: true}) {
		var at int
		if err != nil || b.CreatedAt.IsZero() {
			t.Fatalf("%v, %+v", err, b) // the second page has no details if the server's link is followed
		}
		if ok, err := b.Extra.Get("at", &at); !ok || err != nil || b.Name != fmt.Sprintf("b%02d", at) {
			t.Errorf("%s: extra %s, %v", b.Name, b.Extra, err)
		}
	}
	// By hand.
	var got []string
	for o := (iotronic.BoardListOptions{Status: "online", Paging: iotronic.Paging{Limit: 2}}); ; {
		page, err := c.Boards.List(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page.Items {
			got = append(got, b.Name)
		}
		if o.Marker = page.Marker; o.Marker == "" {
			break
		}
	}
	if diff := cmp.Diff(online, got); diff != "" {
		t.Error(diff)
	}
}

func reversed(s []string) []string {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

// TestMany: nothing is cut at the server's largest page (§6, 4).
func TestMany(t *testing.T) {
	t.Parallel()
	const count = 2345
	s, c := newIotronic(t, iotronictest.Boards2019)
	for i := range count {
		s.Add("boards", iotronictest.Object{"name": fmt.Sprintf("b%d", i), "code": fmt.Sprint(i)})
	}
	got, err := boardNames(t, c, iotronic.BoardListOptions{})
	if err != nil || len(got) != count {
		t.Errorf("%d boards, %v", len(got), err)
	}
	if n := len(s.Requests()); n != 4 { // /v1 and three pages
		t.Errorf("%d requests", n)
	}
	// Leaving a walk early is no error, and asks for one page more at most.
	for _, err := range c.Boards.All(t.Context(), iotronic.BoardListOptions{Paging: iotronic.Paging{Limit: 10}}) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if n := len(s.Requests()); n > 6 {
		t.Errorf("%d requests", n)
	}
}

// TestIronicPages: the same from a real Ironic, whose links forget filters as well.
func TestIronicPages(t *testing.T) {
	t.Parallel()
	i, c := newIronic(t)
	class, want := i.Nodes(t, 2*openstacktest.IronicPageSize+5, "")
	sorted := iotronic.Paging{SortKey: "name"}
	for name, o := range map[string]iotronic.NodeListOptions{
		"plain":  {Paging: sorted, ResourceClass: class},
		"detail": {Paging: sorted, ResourceClass: class, Detail: true},
		"fields": {Paging: sorted, ResourceClass: class, Fields: []string{"name", "extra"}},
		"small":  {Paging: iotronic.Paging{SortKey: "name", Limit: 9}, ResourceClass: class, Maintenance: new(false), Associated: new(false)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				got, err := nodeNames(t, c, o)
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Fatalf("%v\n%s", err, diff)
				}
			}
			for n, err := range c.Nodes.All(t.Context(), o) {
				if err != nil {
					t.Fatal(err)
				}
				if n.Extra.Text("made_by") != map[bool]string{true: "tests"}[o.Detail || o.Fields != nil] || n.Driver != map[bool]string{true: openstacktest.IronicDriver}[o.Detail] {
					t.Fatalf("node %+v", n)
				}
			}
		})
	}
}

// TestRaw: what comes undecoded is what is decoded, page by page, where objects are read one by one too.
func TestRaw(t *testing.T) {
	t.Parallel()
	i, c := newIronic(t)
	class, _ := i.Nodes(t, 2*openstacktest.IronicPageSize+5, "")
	o := iotronic.NodeListOptions{Paging: iotronic.Paging{SortKey: "name"}, ResourceClass: class, Detail: true}
	sameRaw(t, 2*openstacktest.IronicPageSize+5, c.Nodes.All(t.Context(), o), c.Nodes.Raw(t.Context(), o), func(n *iotronic.Node) iotronic.Object { return n.Fields })

	s, c := newIotronic(t, iotronictest.Nodes2016, iotronictest.MaxLimit(3))
	for n := range 7 {
		s.Add("nodes", iotronictest.Object{"name": fmt.Sprint(n), "code": fmt.Sprint(n), "device": "yun", "extra": iotronictest.Object{"a": "<&>"}})
	}
	o = iotronic.NodeListOptions{Detail: true}
	sameRaw(t, 7, c.Nodes.All(t.Context(), o), c.Nodes.Raw(t.Context(), o), func(n *iotronic.Node) iotronic.Object { return n.Fields })

	s, c = newIotronic(t, iotronictest.Boards2019, iotronictest.MaxLimit(3))
	for n := range 7 {
		s.Add("boards", iotronictest.Object{"name": fmt.Sprint(n), "code": fmt.Sprint(n)})
	}
	sameRaw(t, 7, c.Boards.All(t.Context(), iotronic.BoardListOptions{}), c.Boards.Raw(t.Context(), iotronic.BoardListOptions{}), func(b *iotronic.Board) iotronic.Object { return b.Fields })
	s.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("marker") {
			w.WriteHeader(http.StatusForbidden)
		}
		return r.URL.Query().Has("marker")
	})
	read, failures := 0, 0
	for item, err := range c.Boards.Raw(t.Context(), iotronic.BoardListOptions{}) {
		if err == nil {
			read++
		} else if failures++; !iotronic.IsForbidden(err) || item.JSON != nil {
			t.Errorf("%v, %s", err, item.JSON)
		}
	}
	if read != 3 || failures != 1 {
		t.Errorf("%d boards and %d errors", read, failures)
	}
}

// sameRaw compares two walks of so many objects.
func sameRaw[T any](t *testing.T, count int, all iter.Seq2[*T, error], raw iter.Seq2[iotronic.RawItem, error], fields func(*T) iotronic.Object) {
	t.Helper()
	var want, got []iotronic.Object
	for object, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fields(object))
	}
	for item, err := range raw {
		var object iotronic.Object
		if err != nil || json.Unmarshal(item.JSON, &object) != nil || object.Text("uuid") != item.UUID {
			t.Fatalf("%s: %v: %s", item.UUID, err, item.JSON)
		}
		got = append(got, object)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != count {
		t.Errorf("%d objects of %d (-decoded +raw): %s", len(got), count, diff)
	}
}

// TestOldIronic: before 1.43, details are a route and not a parameter. The version comes from a 406 where the dialect
// is set, and from /v1 else.
func TestOldIronic(t *testing.T) {
	t.Parallel()
	i := openstacktest.NewIronic(t, openstacktest.IronicRelease("9.2"))
	class, want := i.Nodes(t, openstacktest.IronicPageSize+1, "")
	for _, dialect := range []iotronic.Dialect{iotronic.DialectAuto, iotronic.DialectIronic} {
		c := newClient(t, i.URL, iotronic.WithDialect(dialect))
		latest := newClient(t, i.URL, iotronic.WithDialect(dialect), iotronic.WithVersion(iotronic.Version{}))
		if n, err := latest.Nodes.List(t.Context(), iotronic.NodeListOptions{Detail: true}); err != nil || n.Items[0].Driver != openstacktest.IronicDriver {
			t.Errorf("details in the latest version: %v", err)
		}
		got, err := nodeNames(t, c, iotronic.NodeListOptions{Paging: iotronic.Paging{SortKey: "name"}, ResourceClass: class, Detail: true})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		// A filter that came later cannot be had, and the answer says since when there is one.
		_, err = nodeNames(t, c, iotronic.NodeListOptions{ConductorGroup: "x"})
		var uv *iotronic.UnsupportedVersionError
		if !errors.As(err, &uv) || uv.Requested != (iotronic.Version{Major: 1, Minor: 35}) || !strings.Contains(err.Error(), "1.46") {
			t.Errorf("error %v", err)
		}
	}
}

// TestOldNodes: the lists of Iotronic before boards: no details at all in 2016, and a project in details only in 2017.
func TestOldNodes(t *testing.T) {
	t.Parallel()
	s, c := newIotronic(t, iotronictest.Nodes2016, iotronictest.MaxLimit(3))
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprintf("n%d", i))
		s.Add("nodes", iotronictest.Object{"name": want[i], "code": fmt.Sprint(i), "device": "yun"})
	}
	for _, detail := range []bool{false, true} {
		var got []string
		for n, err := range c.Nodes.All(t.Context(), iotronic.NodeListOptions{Detail: detail}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, n.Name)
			if (n.Type == "yun") != detail || n.Status != "operative" {
				t.Errorf("node %+v", n)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("detail %v: %s", detail, diff)
		}
	}
	// A node that goes between the list and its reading is not there.
	gone := ""
	s.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
		if id, ok := strings.CutPrefix(r.URL.Path, "/v1/nodes/"); ok && gone == "" {
			gone = id
			r.URL.Path = "/v1/nodes/" + uuid
		}
		return false
	})
	got, err := nodeNames(t, c, iotronic.NodeListOptions{Detail: true})
	if err != nil || len(got) != len(want)-1 {
		t.Errorf("%v, %v", got, err)
	}

	s, c = newIotronic(t, iotronictest.Nodes2017, iotronictest.MaxLimit(2))
	want = nil
	for i := range 5 {
		want = append(want, fmt.Sprintf("theirs%d", i))
		s.Add("nodes", iotronictest.Object{"name": want[i], "code": fmt.Sprint(i), "project": "p2"})
	}
	for _, fields := range [][]string{nil, {"name"}, {"uuid", "code"}} { // which this list does not take
		if got, err := nodeNames(t, c, iotronic.NodeListOptions{Project: "p2", Fields: fields}); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %v, %v", fields, got, err)
		}
	}
	if got, err := nodeNames(t, c, iotronic.NodeListOptions{}); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// TestMarkerGone: a walk whose last object was deleted is broken, which is not "not found".
func TestMarkerGone(t *testing.T) {
	t.Parallel()
	s, c := newIotronic(t, iotronictest.Boards2019, iotronictest.MaxLimit(2))
	for _, name := range []string{"a", "b", "c"} {
		s.Add("boards", iotronictest.Object{"name": name, "code": name})
	}
	page, err := c.Boards.List(t.Context(), iotronic.BoardListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.Remove("boards", page.Marker)
	_, ironic := newIronic(t)
	for _, err := range []error{
		second(c.Boards.List(t.Context(), iotronic.BoardListOptions{Paging: iotronic.Paging{Marker: page.Marker}})),
		second(ironic.Nodes.List(t.Context(), iotronic.NodeListOptions{Paging: iotronic.Paging{Marker: uuid}})),
	} {
		var nf *iotronic.NotFoundError
		if !iotronic.IsMarkerGone(err) || iotronic.IsNotFound(err) || !errors.As(err, &nf) || !strings.Contains(err.Error(), "anew") {
			t.Errorf("error %v", err)
		}
	}
}

// TestOddPages: answers that would make a walk endless or wrong.
func TestOddPages(t *testing.T) {
	t.Parallel()
	const one = `{"uuid": "00000001-0000-4000-8000-000000000001", "name": "a"}`
	for body, want := range map[string]string{
		`{"boards": [` + one + `], "next": "http://h/v1/boards?marker=x"}`: "goes in a circle",
		`{"boards": [{"name": "a"}]}`:                                      `row 1 of its list "boards" has no uuid`,
		`{"boards": [` + one + `, null]}`:                                  `row 2 of its list "boards" is null, not an object`,
		`{"boards": [7]}`:                                                  `row 1 of its list "boards" is a number`,
		`{"boards": [{"uuid": null}]}`:                                     `row 1 of its list "boards" has no uuid`,
		`{"boards": {}}`:                                                   `its member "boards" is an object, not a list`,
		`{"boards": null}`:                                                 `its member "boards" is null, not a list`,
		`{"nodes": []}`:                                                    `no member "boards"`,
		`{"boards": [` + one:                                               "is incomplete",
	} {
		mux, c := newMux(t)
		mux.HandleFunc("/v1/boards", always(200, body))
		_, err := boardNames(t, c, iotronic.BoardListOptions{})
		var re *iotronic.ResponseError
		if !errors.As(err, &re) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	// What comes twice counts once; values of other types than expected harm nothing; the last page may be empty.
	mux, c := newMux(t)
	var queries []url.Values
	mux.HandleFunc("/v1/boards/detail", func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.Query())
		always(200, []string{
			`{"boards": [` + one + `, {"uuid": "2", "name": "b", "mobile": "yes", "created_at": 7, "extra": [], "new": 12345678901234567890}], "next": "x"}`,
			`{"boards": [` + one + `, {"uuid": "3", "name": null, "created_at": "2026-11-21T23:28:59.361410+00:00"}], "next": "x"}`,
			`{"boards": []}`,
		}[len(queries)-1])(w, r)
	})
	var got []*iotronic.Board
	for b, err := range c.Boards.All(t.Context(), iotronic.BoardListOptions{Detail: true, Status: "a&b"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b)
	}
	if len(got) != 3 || got[1].Mobile || string(got[1].Fields["mobile"]) != `"yes"` || string(got[1].Fields["new"]) != "12345678901234567890" ||
		got[2].Name != "" || got[2].CreatedAt.Nanosecond() != 361410000 {
		t.Errorf("%+v", got)
	}
	want := []url.Values{{"status": {"a&b"}}, {"status": {"a&b"}, "marker": {"2"}}, {"status": {"a&b"}, "marker": {"3"}}}
	if diff := cmp.Diff(want, queries); diff != "" {
		t.Error(diff)
	}
}

// TestListContext: a walk ends with its context.
func TestListContext(t *testing.T) {
	t.Parallel()
	mux, c := newMux(t)
	mux.HandleFunc("/v1/boards", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := contextOf(t)
	cancel()
	var errs []error
	for _, err := range c.Boards.All(ctx, iotronic.BoardListOptions{}) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("errors %v", errs)
	}
}

// TestListLeft: who leaves a walk early does not wait for the page that is on its way.
func TestListLeft(t *testing.T) {
	t.Parallel()
	mux, c := newMux(t, iotronic.WithRetries(0))
	asked, given := make(chan struct{}), make(chan struct{})
	mux.HandleFunc("/v1/boards", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("marker") {
			close(asked)
			<-r.Context().Done()
			close(given)
			return
		}
		always(200, `{"boards": [{"uuid": "1"}, {"uuid": "2"}], "next": "x"}`)(w, r)
	})
	for b, err := range c.Boards.All(t.Context(), iotronic.BoardListOptions{}) {
		if err != nil || b.UUID != "1" {
			t.Fatal(b, err)
		}
		<-asked
		break
	}
	select {
	case <-given:
	case <-time.After(10 * time.Second):
		t.Error("the next page is still waited for")
	}
}
