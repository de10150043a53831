package craton_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

const (
	fleetBegin = `{"fleet":{"format":1}}` + "\n"
	fleetHost  = `{"host":{"id":1,"name":"h","variables":{"a":"}}"}}}` + "\n"
)

// all returns the lines of a fleet as texts.
func all(s *craton.FleetStream) (lines []string, err error) {
	for l, err := range s.All() {
		if err != nil {
			return lines, err
		}
		text := fmt.Sprintf("%s %s", l.Kind, l.Object)
		if l.Outside {
			text = "outside " + text
		}
		if l.Resolved != nil {
			text += " resolved " + string(l.Resolved)
		}
		lines = append(lines, text)
	}
	return lines, nil
}

// TestFleet: a fleet comes whole or is an error.
func TestFleet(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 600<<10)
	for name, tt := range map[string]struct {
		body string
		want []string
		err  string
	}{
		"empty": {body: fleetBegin + `{"end":{"count":0}}` + "\n"},
		"all sorts": {
			body: fleetBegin + `{"project":{"id":"p"}}` + "\n" + `{"region":{"id":2},"resolved":{"a":1}}` + "\n" + `{"outside":{"network-device":{"id":3}}}` + "\n" + fleetHost +
				`{"host":{"id":4,"note":"` + long + `"}}` + "\n" + `{"end":{"count":5},"later":1}` + "\n",
			want: []string{`project {"id":"p"}`, `region {"id":2} resolved {"a":1}`, `outside network-device {"id":3}`, `host {"id":1,"name":"h","variables":{"a":"}}"}}`, `host {"id":4,"note":"` + long + `"}`},
		},
		"what comes later": {
			body: fleetBegin + `{"robot":{"id":1}}` + "\n" + `{"more":true,"host":{"id":2}}` + "\n" + `{"end":{"count":2}}` + "\n",
			want: []string{`host {"id":2}`},
		},
		"cut between lines": {body: fleetBegin + fleetHost, want: []string{`host {"id":1,"name":"h","variables":{"a":"}}"}}`}, err: "it ends before its last line"},
		"cut within a line": {body: fleetBegin + fleetHost[:20], err: "it ends before its last line"},
		"nothing":           {err: "it ends before its last line"},
		"a line lost":       {body: fleetBegin + `{"end":{"count":1}}` + "\n", err: "it has 0 objects, but announces 1"},
		"no fleet":          {body: fleetHost + `{"end":{"count":1}}` + "\n", err: "it does not begin with"},
		"a proxy's page":    {body: "<html>\n", err: "a line of it is not JSON"},
		"broken JSON":       {body: fleetBegin + `{"host":{"id":1]}}` + "\n" + `{"end":{"count":1}}` + "\n", err: "a line of it is not JSON"},
		"two of them":       {body: fleetBegin + `{"end":{"count":0}}` + "\n" + fleetBegin, err: "it continues after its last line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux, c := newServer(t)
			mux.HandleFunc("GET /v1/fleet", func(w http.ResponseWriter, r *http.Request) {
				if got := r.URL.RawQuery; got != "cell_id=3&networks=true&region_id=2" {
					t.Errorf("query %s", got)
				}
				w.Header().Set("Etag", `"t"`)
				w.Header().Set("X-Craton-Revision", "7-x")
				_, _ = w.Write([]byte(tt.body))
			})
			s, err := c.Fleet(t.Context(), craton.FleetOptions{RegionID: 2, CellID: 3, Networks: true})
			if err != nil {
				t.Fatal(err)
			}
			got, err := all(s)
			if s.Tag != `"t"` || s.Revision != "7-x" {
				t.Errorf("tag %s, revision %s", s.Tag, s.Revision)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%.2000s", diff)
			}
			bad := (*craton.ResponseError)(nil)
			if (err != nil) != (tt.err != "") || err != nil && (!errors.As(err, &bad) || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

// TestFleetAnswers: what comes instead of a fleet, and one that does not go on.
func TestFleetAnswers(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithTimeout(300*time.Millisecond), craton.WithRetries(1))
	tries := 0
	mux.HandleFunc("GET /v1/fleet", func(w http.ResponseWriter, r *http.Request) {
		tries++
		switch {
		case r.URL.Query().Get("cloud_id") == "1":
			reply(w, 503, `{"message": "busy", "status": 503}`)
		case r.Header.Get("If-None-Match") == `"known"`:
			w.WriteHeader(304)
		case r.URL.Query().Get("cloud_id") == "2":
			for range 4 { // longer than the timeout, but never silent as long
				_, _ = w.Write([]byte(fleetBegin[:5]))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(100 * time.Millisecond)
			}
			<-r.Context().Done()
		default:
			reply(w, 404, `{"message": "The requested URL was not found on the server.", "status": 404}`)
		}
	})
	if _, err := c.Fleet(t.Context(), craton.FleetOptions{Known: `"known"`}); !craton.IsUnchanged(err) {
		t.Errorf("known: %v", err)
	}
	if _, err := c.Fleet(t.Context(), craton.FleetOptions{}); craton.StatusOf(err) != 404 || craton.IsNotFound(err) || craton.IsUnchanged(err) {
		t.Errorf("no such path: %v", err)
	}
	tries = 0
	if _, err := c.Fleet(t.Context(), craton.FleetOptions{CloudID: 1}); craton.StatusOf(err) != 503 || tries != 2 {
		t.Errorf("busy: %v, tried %d times", err, tries)
	}
	s, err := c.Fleet(t.Context(), craton.FleetOptions{CloudID: 2})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	_, err = all(s)
	if none := (*craton.ConnectionError)(nil); !errors.As(err, &none) || !strings.Contains(err.Error(), "no complete response within 300ms") || time.Since(begun) < 400*time.Millisecond {
		t.Errorf("a fleet that does not go on: %v after %s", err, time.Since(begun))
	}
	ctx, cancel := context.WithCancel(t.Context())
	if s, err = c.Fleet(ctx, craton.FleetOptions{CloudID: 2}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err = all(s); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that goes away: %v", err)
	}
}

// TestFleetUnreachable: the error of a fleet that does not begin to come says why, not that it was given up.
func TestFleetUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	c, err := craton.New(server.URL, craton.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Fleet(t.Context(), craton.FleetOptions{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v", err)
	}
}
