package iotronic_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/iotronic"
)

// versions are those that requests were sent in.
func versions(s *iotronictest.Server) []string {
	var sent []string
	for _, r := range s.Requests() {
		sent = append(sent, r.Version)
	}
	return sent
}

// TestVersion: the one version of Iotronic is asked for, so that nothing is answered with 406 (§6, 5); one that the
// user sets is not negotiated (§1.5).
func TestVersion(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		set  []iotronic.Option
		sent []string
		err  bool
	}{
		"asked":        {nil, []string{"", "1.0"}, false},
		"dialect set":  {[]iotronic.Option{iotronic.WithDialect(iotronic.DialectBoards)}, []string{"1.0"}, false},
		"1.0 set":      {[]iotronic.Option{iotronic.WithVersion(iotronic.Version{Major: 1})}, []string{"", "1.0"}, false},
		"latest set":   {[]iotronic.Option{iotronic.WithVersion(iotronic.Version{})}, []string{"", "latest"}, false},
		"1.9 set":      {[]iotronic.Option{iotronic.WithVersion(iotronic.Version{Major: 1, Minor: 9})}, []string{"", "1.9"}, true},
		"both are set": {[]iotronic.Option{iotronic.WithDialect(iotronic.DialectBoards), iotronic.WithVersion(iotronic.Version{Major: 1, Minor: 9})}, []string{"1.9"}, true},
	} {
		s := iotronictest.Start(t, iotronictest.Boards2019)
		_, err := as(t, s, iotronictest.Admin, tt.set...).Boards.List(t.Context(), iotronic.BoardListOptions{})
		if diff := cmp.Diff(tt.sent, versions(s)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if !tt.err {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var uv *iotronic.UnsupportedVersionError
		if !errors.As(err, &uv) || !is[*iotronic.NotAcceptableError](err) ||
			uv.Requested != (iotronic.Version{Major: 1, Minor: 9}) || uv.Min != (iotronic.Version{Major: 1}) || uv.Max != uv.Min {
			t.Errorf("%s: %#v", name, err)
		}
	}
}

// negotiator is a server that changes its mind about versions.
type negotiator struct {
	mu       sync.Mutex
	min, max iotronic.Version
	silent   bool // 406 has no range; /v1 does
	sent     []string
}

const ironicVersion = "X-OpenStack-Ironic-API-Version"

func (n *negotiator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := r.Header.Get(ironicVersion)
	n.sent = append(n.sent, r.URL.Path+" "+text)
	w.Header().Set("Content-Type", "application/json")
	v, err := iotronic.ParseVersion(text)
	good := text == "" || err == nil && v.Compare(n.min) >= 0 && v.Compare(n.max) <= 0
	if good || !n.silent {
		w.Header().Set("X-OpenStack-Ironic-API-Minimum-Version", n.min.String())
		w.Header().Set("X-OpenStack-Ironic-API-Maximum-Version", n.max.String())
	}
	if !good {
		w.WriteHeader(http.StatusNotAcceptable)
		_, _ = w.Write([]byte(`{"error_message": "{\"code\": 406, \"title\": \"Not Acceptable\", \"description\": \"not in this version\"}"}`))
		return
	}
	_, _ = w.Write([]byte(`{"id": "v1", "nodes": [], "drivers": []}`))
}

func (n *negotiator) since() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	sent := n.sent
	n.sent = nil
	return sent
}

// TestNegotiate: a 406 is answered with the version that both have, once (§1.5).
func TestNegotiate(t *testing.T) {
	t.Parallel()
	v := func(minor int) iotronic.Version { return iotronic.Version{Major: 1, Minor: minor} }
	list := func(t *testing.T, c *iotronic.Client) error {
		return second(c.Nodes.List(t.Context(), iotronic.NodeListOptions{}))
	}
	for name, tt := range map[string]struct {
		least, most iotronic.Version
		silent      bool
		sent        []string
	}{
		"lower":         {v(1), v(31), false, []string{"/iot/v1/nodes 1.115", "/iot/v1/nodes 1.31"}},
		"by number":     {v(9), v(10), false, []string{"/iot/v1/nodes 1.115", "/iot/v1/nodes 1.10"}},
		"higher":        {v(120), v(130), false, []string{"/iot/v1/nodes 1.115", "/iot/v1/nodes 1.120"}},
		"range in /v1":  {v(1), v(31), true, []string{"/iot/v1/nodes 1.115", "/iot/v1 ", "/iot/v1/nodes 1.31"}},
		"nothing to do": {v(1), v(115), false, []string{"/iot/v1/nodes 1.115"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &negotiator{min: tt.least, max: tt.most, silent: tt.silent}
			mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
			mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
				r.URL.Path = "/iot" + r.URL.Path
				n.ServeHTTP(w, r)
			})
			if err := list(t, c); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.sent, n.since()); diff != "" {
				t.Error(diff)
			}
			// It is remembered.
			last := tt.sent[len(tt.sent)-1:]
			if err := list(t, c); err != nil || !cmp.Equal(last, n.since()) {
				t.Errorf("second: %v, %v", err, n.since())
			}
			// And not negotiated twice: the server became another.
			if len(tt.sent) == 1 {
				return
			}
			n.mu.Lock()
			n.min, n.max = v(200), v(201)
			n.mu.Unlock()
			err := list(t, c)
			var uv *iotronic.UnsupportedVersionError
			if !errors.As(err, &uv) || uv.Max != v(201) || !wording.Has(err.Error(), "1.200 ... 1.201") {
				t.Errorf("error %v", err)
			}
		})
	}
	// Many at once: all of them end up in the one version.
	n := &negotiator{min: v(1), max: v(31)}
	mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
	mux.Handle("/", n)
	done := make(chan error)
	for range 10 {
		go func() { done <- list(t, c) }()
	}
	for range 10 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestNotNegotiable: a 406 that names the version it was handled in is about something else (§1.5).
func TestNotNegotiable(t *testing.T) {
	t.Parallel()
	_, c := newIronic(t, iotronic.WithVersion(iotronic.Version{Major: 1, Minor: 9}))
	err := second(c.Do(t.Context(), http.MethodGet, "/nodes", map[string][]string{"driver": {"x"}}, nil)) // which nothing is known of
	var uv *iotronic.UnsupportedVersionError
	if !errors.As(err, &uv) || !strings.Contains(err.Error(), "minimal required API version should be 1.16") || uv.Max.Minor < 82 {
		t.Errorf("error %v", err)
	}
	// Names came with 1.5: before that there is none, whatever there is.
	_, c = newIronic(t, iotronic.WithVersion(iotronic.Version{Major: 1, Minor: 4}))
	for _, err := range []error{second(c.Nodes.Get(t.Context(), "any")), c.Nodes.Delete(t.Context(), "any")} {
		if !errors.As(err, &uv) || iotronic.IsNotFound(err) || !strings.Contains(err.Error(), `in API version 1.4: nodes have names from 1.5 on; use the UUID of "any"`) {
			t.Errorf("error %v", err)
		}
	}
	if err := second(c.Nodes.Get(t.Context(), uuid)); !iotronic.IsNotFound(err) {
		t.Errorf("error %v", err)
	}
	if v, err := c.Version(t.Context()); err != nil || v != (iotronic.Version{Major: 1, Minor: 4}) {
		t.Errorf("%v, %v", v, err)
	}
	// Also where the version is the client's own choice.
	var n int
	mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		n++
		always(406, `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"The minimal required API version should be 1.99\"}"}`,
			"X-OpenStack-Ironic-API-Minimum-Version", "1.1", "X-OpenStack-Ironic-API-Maximum-Version", "1.115", ironicVersion, "1.82")(w, r)
	})
	err = second(c.Nodes.List(t.Context(), iotronic.NodeListOptions{}))
	if !errors.As(err, &uv) || n != 1 {
		t.Errorf("%v after %d requests", err, n)
	}
	// One that wants another version each time is not followed for long.
	n = 0
	mux, c = newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		n++
		version := fmt.Sprintf("1.%d", 100+n)
		always(406, "{}", "X-OpenStack-Ironic-API-Minimum-Version", version, "X-OpenStack-Ironic-API-Maximum-Version", version)(w, r)
	})
	if err = second(c.Nodes.List(t.Context(), iotronic.NodeListOptions{})); !is[*iotronic.NotAcceptableError](err) || n > 3 {
		t.Errorf("%v after %d requests", err, n)
	}
	// A caller that goes away meanwhile is told of that.
	ctx, cancel := contextOf(t)
	mux, c = newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
	mux.HandleFunc("/v1/nodes", always(406, ""))
	mux.HandleFunc("/v1", func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if err = second(c.Nodes.List(ctx, iotronic.NodeListOptions{})); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	// And one that says nothing at all.
	mux, c = newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
	mux.HandleFunc("/", always(406, ""))
	if err = second(c.Nodes.List(t.Context(), iotronic.NodeListOptions{})); !errors.As(err, &uv) || uv.Max != (iotronic.Version{}) {
		t.Errorf("error %v", err)
	}
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1.0", "1.82", "latest", "2.10"} {
		if v, err := iotronic.ParseVersion(text); err != nil || v.String() != text {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
	for _, text := range []string{"", "1", "x", "1.x", "0.1", "1.-1"} {
		if _, err := iotronic.ParseVersion(text); err == nil || !strings.Contains(err.Error(), "1.82") {
			t.Errorf("%q: %v", text, err)
		}
	}
	order := []string{"1.2", "1.9", "1.10", "2.0", "latest"}
	for i, a := range order {
		for j, b := range order {
			va, _ := iotronic.ParseVersion(a)
			vb, _ := iotronic.ParseVersion(b)
			if want := map[bool]int{i < j: -1, i > j: 1}[true]; va.Compare(vb) != want {
				t.Errorf("%s and %s: %d", a, b, va.Compare(vb))
			}
		}
	}
}

// endingContext ends when it is asked for its error the nth time.
type endingContext struct {
	context.Context //nolint:containedctx // it is one
	left            atomic.Int32
}

func (c *endingContext) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return c.Context.Err()
}

// TestEndsWhileNegotiating: whenever the context ends, there is an error or an answer, and never anything else.
func TestEndsWhileNegotiating(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/nodes/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-OpenStack-Ironic-API-Version") != "1.35" {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		always(200, `{"uuid": "`+uuid+`"}`)(w, r)
	})
	mux.HandleFunc("/v1", always(200, `{}`, "X-OpenStack-Ironic-API-Minimum-Version", "1.1", "X-OpenStack-Ironic-API-Maximum-Version", "1.35"))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	failed, read := 0, 0
	for n := range int32(40) {
		c := newClient(t, server.URL, iotronic.WithDialect(iotronic.DialectIronic))
		ctx := &endingContext{Context: t.Context()}
		ctx.left.Store(n)
		switch node, err := c.Nodes.Get(ctx, uuid); {
		case err != nil && errors.Is(err, context.Canceled):
			failed++
		case err == nil && node.UUID == uuid:
			read++
		default:
			t.Errorf("%d: %v, %v", n, node, err)
		}
	}
	if failed == 0 || read == 0 {
		t.Errorf("%d failed, %d were read", failed, read)
	}
}
