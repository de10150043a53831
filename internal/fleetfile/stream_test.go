package fleetfile

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// largeFile has enough hosts for it to be worth asking for a stream; round changes some of them.
func largeFile(round int) string {
	var b strings.Builder
	b.WriteString("clouds:\n- name: a\n  regions:\n")
	for region := range 3 {
		fmt.Fprintf(&b, "  - name: r%d\n    cells:\n    - name: c\n      network_devices:\n      - {name: switch, ip_address: 10.0.0.1, device_type: switch}\n      hosts:\n", region)
		for i := range 340 {
			fmt.Fprintf(&b, "      - {name: h%d, ip_address: 10.1.0.%d, device_type: server, parent: r%d/switch, labels: [l%d], variables: {b: %d, a: {z: [1.0, é], y: null}}, note: \"%s\"}\n",
				i, i%200+1, (region+i%(round+1))%3, i%(round+2), i/(100+round), strings.Repeat("n", round*i%3))
		}
	}
	return b.String()
}

// TestStream: what is read as a stream is what the pages say, and where there is no stream there are pages.
func TestStream(t *testing.T) {
	t.Parallel()
	server := newServer(t, t.TempDir())
	refuse := func(path string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, path) {
				http.Error(w, `{"message": "no", "status": 404}`, status)
				return
			}
			server.ServeHTTP(w, r)
		}
	}
	c := clientOf(t, server)
	if r := apply(t, c, largeFile(0), Options{AllowDuplicates: true}); counts(r) != [3]int{1 + 3*(1+1+1+340), 0, 0} {
		t.Fatal(counts(r))
	}
	for round := range 2 {
		file := largeFile(round)
		server.taken()
		streamed := apply(t, c, file, Options{AllowDuplicates: true, Check: true})
		if read := server.taken(); !slices.Contains(read, "GET /v1/fleet") || slices.Contains(read, "GET /v1/devices") {
			t.Errorf("read by %v", read)
		}
		for name, h := range map[string]http.Handler{"no such thing": refuse("/capabilities", http.StatusNotFound), "broken": refuse("/capabilities", http.StatusForbidden), "refused": refuse("/fleet", http.StatusBadRequest)} {
			paged := apply(t, clientOf(t, h), file, Options{AllowDuplicates: true, Check: true})
			if read := server.taken(); !slices.Contains(read, "GET /v1/devices") {
				t.Errorf("%s: read by %v", name, read)
			}
			if diff := cmp.Diff(paged, streamed); diff != "" {
				t.Fatalf("%s: (-pages +stream):\n%s", name, diff)
			}
		}
		brief := apply(t, c, file, Options{AllowDuplicates: true, Check: true, Brief: true})
		for i, change := range streamed.Changes {
			change.Before, change.After = nil, nil
			if diff := cmp.Diff(change, brief.Changes[i]); diff != "" {
				t.Fatalf("in brief:\n%s", diff)
			}
		}
		written := apply(t, c, file, Options{})
		if diff := cmp.Diff(streamed, written); diff != "" {
			t.Fatalf("(-check +run):\n%s", diff)
		}
		if again := apply(t, c, file, Options{}); again.Changed() {
			t.Fatalf("again: %v", counts(again))
		}
	}
}
