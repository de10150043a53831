package craton_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
)

const benchHosts = 10_000

// BenchmarkAllHosts walks 10,000 hosts with details, pages of 100 of about 1.5 kB a host, over loopback, and decodes
// them. Bytes are those of the answers' bodies; the server's own work counts too.
func BenchmarkAllHosts(b *testing.B) {
	c := benchClient(b)
	for b.Loop() {
		n := 0
		for _, err := range c.Hosts.All(b.Context(), craton.HostListOptions{Details: true}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != benchHosts {
			b.Fatalf("%d hosts, want %d", n, benchHosts)
		}
	}
}

// BenchmarkPages walks the same pages without decoding them: what the walk itself costs.
func BenchmarkPages(b *testing.B) {
	c := benchClient(b)
	for b.Loop() {
		n := 0
		for _, err := range c.Pages(b.Context(), "/hosts", url.Values{"limit": {"100"}}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != benchHosts/craton.MaxLimit+1 {
			b.Fatalf("%d pages", n)
		}
	}
}

// benchClient returns a client of a server that has all pages ready.
func benchClient(b *testing.B) *craton.Client {
	b.Helper()
	pages := map[string][]byte{}
	var total int64
	for first := 0; first <= benchHosts; first += craton.MaxLimit {
		marker := ""
		if first > 0 {
			marker = strconv.Itoa(first)
		}
		body := benchPage(first, min(craton.MaxLimit, benchHosts-first))
		pages[marker] = body
		total += int64(len(body))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		marker := r.URL.Query().Get("marker")
		last := ""
		if first, _ := strconv.Atoi(marker); first < benchHosts {
			last = strconv.Itoa(first + craton.MaxLimit)
		}
		_, _ = fmt.Fprintf(w, "%s%s\n}\n", pages[marker], links(r, "http://craton.example:7780", last))
	}))
	b.Cleanup(server.Close)
	b.SetBytes(total)
	b.ReportAllocs()
	return newClient(b, server.URL)
}

// benchPage writes a page of n hosts after the given id, pretty-printed as the server does, up to its links.
func benchPage(after, n int) []byte {
	var s strings.Builder
	s.WriteString("{\n  \"hosts\": [")
	for i := 1; i <= n; i++ {
		if i > 1 {
			s.WriteString(",")
		}
		id := after + i
		fmt.Fprintf(&s, `
    {
      "active": true,
      "cell_id": %d,
      "cloud_id": 1,
      "created_at": "2017-03-30T08:20:01.000000",
      "device_type": "server",
      "id": %d,
      "ip_address": "10.%d.%d.%d",
      "links": [
        {
          "href": "http://craton.example:7780/v1/cells/%d",
          "rel": "up"
        }
      ],
      "name": "web-%05d.example.net",
      "note": null,
      "parent_id": null,
      "project_id": "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c",
      "region_id": 1,
      "updated_at": null,
      "variables": {`, id%58+1, id, id>>16, id>>8&255, id&255, id%58+1, id)
		for v := range 20 {
			if v > 0 {
				s.WriteString(",")
			}
			fmt.Fprintf(&s, "\n        \"variable_%02d\": ", v)
			switch v % 4 {
			case 0:
				fmt.Fprintf(&s, `"value %d of %d"`, v, id)
			case 1:
				fmt.Fprintf(&s, "%d", v*id)
			case 2:
				s.WriteString("true")
			default:
				s.WriteString("{\n          \"nested\": [\n            1,\n            2\n          ]\n        }")
			}
		}
		s.WriteString("\n      }\n    }")
	}
	s.WriteString("\n  ],\n  \"links\": ")
	return []byte(s.String())
}
