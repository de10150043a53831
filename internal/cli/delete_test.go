package cli_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/craton-fleet/craton/internal/wording"
)

// TestDeleteCaller needs --yes, and the last root user stays even so.
func TestDeleteCaller(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for line, want := range map[string][]string{
		"user-delete bootstrap":          {"This command signs in ... user bootstrap", "--yes"},
		"user-delete bootstrap --yes":    {"last root user", "craton server bootstrap --new-key"},
		"project-delete bootstrap":       {"with it: 1 user.", "--yes"},
		"project-delete bootstrap --yes": {`user "bootstrap" ... last root user`},
	} {
		got := f.fails(t, line)
		for _, w := range want {
			if !wording.Has(got, w) {
				t.Errorf("%s: %s; it lacks %q", line, got, w)
			}
		}
	}
	if got := f.must(t, "user-delete bootstrap --dry-run"); !wording.Has(got, "Would delete user bootstrap; ... this command signs in ... --yes") {
		t.Error(got)
	}
	f.must(t, "user-create -n ci --project bootstrap")
	if got := f.must(t, "user-delete ci --dry-run"); !wording.Has(got, "Would delete user ci; ... refuses ... last root user") {
		t.Error(got)
	}
	f.must(t, "user-delete ci")
}

// TestDeleteCountsOnlySoFar: what a cloud of 100,000 hosts holds is told after a bounded number of requests.
func TestDeleteCountsOnlySoFar(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	begin := func(r *http.Request) answer {
		requests.Add(1)
		at, _ := strconv.Atoi(r.URL.Query().Get("marker"))
		var b strings.Builder
		for i := range 100 {
			fmt.Fprintf(&b, `,{"id": %[1]d, "name": "h%[1]d", "cloud_id": 1}`, at+i+1)
		}
		links := fmt.Sprintf(`{"href": "http://craton/v1/hosts?cloud_id=1&limit=100", "rel": "first"}, {"href": "http://craton/v1/hosts?cloud_id=1&limit=100&marker=%s", "rel": "self"},`+
			` {"href": "http://craton/v1/hosts?cloud_id=1&limit=100&marker=%d", "rel": "next"}`, askedMarker, at+100)
		return answer{200, fmt.Sprintf(`{"hosts": [%s], "links": [%s]}`, b.String()[1:], links)}
	}
	f := original(t, answers{
		"GET /regions": page("regions", "", 100, ""), "GET /cells": page("cells", "", 100, ""), "GET /network-devices": page("network_devices", "", 100, ""),
		"GET /networks": page("networks", "", 100, ""), "GET /network-interfaces": page("network_interfaces", "", 100, ""), "GET /hosts": begin,
	})
	if got := f.fails(t, "cloud-delete 1"); !strings.Contains(got, "with it: at least 10000 hosts.") || requests.Load() > 102 {
		t.Errorf("%d requests: %s", requests.Load(), got)
	}
}
