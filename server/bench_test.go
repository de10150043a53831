package server_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/server/store"
)

// benchHosts is the size of the benchmarks' fleet. A host has 5 variables of its own and inherits 15.
var benchHosts = flag.Int("hosts", 10000, "hosts in the benchmarks' fleet")

// benchFleet fills a new server with hosts in 10 regions of 10 cells.
func benchFleet(b *testing.B) *fixture {
	b.Helper()
	f := newFixture(b)
	s, err := store.Open(b.Context(), f.database, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	sc := store.Scope{Project: f.root.project}
	set := func(level string, n int) []store.Variable {
		var v []store.Variable
		for i := range n {
			v = append(v, store.Variable{Name: fmt.Sprintf("%s_setting_%d", level, i), Value: fmt.Sprintf(`"value %d of the %s"`, i, level)})
		}
		return v
	}
	add := func(e *store.Entity, n store.CreateParams) int64 {
		row, err := s.Create(b.Context(), e, sc, n)
		if err != nil {
			b.Error(err)
			return 0
		}
		return row[e.Index("id")].(int64)
	}
	if err := s.SetVariables(b.Context(), store.Projects, sc, sc.Project, set("project", 3)); err != nil {
		b.Fatal(err)
	}
	cloud := add(store.Clouds, store.CreateParams{Values: store.Values{"name": "c"}, Variables: set("cloud", 4)})
	var wg sync.WaitGroup
	gate := make(chan struct{}, 64)
	for r := range 10 {
		region := add(store.Regions, store.CreateParams{Values: store.Values{"name": fmt.Sprint("r", r), "cloud_id": cloud}, Variables: set("region", 4)})
		for l := range 10 {
			cell := add(store.Cells, store.CreateParams{Values: store.Values{"name": fmt.Sprint("l", l), "cloud_id": cloud, "region_id": region}, Variables: set("cell", 4)})
			for h := range *benchHosts / 100 {
				gate <- struct{}{}
				wg.Go(func() {
					defer func() { <-gate }()
					add(store.Hosts, store.CreateParams{
						Values: store.Values{"name": fmt.Sprintf("host-%d-%d-%d", r, l, h), "ip_address": fmt.Sprintf("10.%d.%d.%d", r*10+l, h/256, h%256), "device_type": "server",
							"active": true, "cloud_id": cloud, "region_id": region, "cell_id": cell},
						Variables: append(set("host", 4), store.Variable{Name: "nested", Value: `{"a":[1,2,{"b":null}],"c":"d"}`}),
						Labels:    []string{"all-of-them", fmt.Sprint("l", l)},
					})
				})
			}
		}
	}
	wg.Wait()
	return f
}

var nextLink = regexp.MustCompile(`"href": "([^"]*)",\s*"rel": "next"`)

// walk reads every page of a listing and returns the number of pages.
func (f *fixture) walk(path string) (pages int, bytes int64) {
	f.t.Helper()
	for url := f.url + path; url != ""; pages++ {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			f.t.Fatal(err)
		}
		f.root.sign(req)
		resp, err := plain.Do(req)
		if err != nil {
			f.t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 {
			f.t.Fatalf("%s: %d %v", url, resp.StatusCode, err)
		}
		bytes += int64(len(body))
		tail := string(body[strings.LastIndex(string(body), `"links": [`):])
		if len(body) < 2000 { // hosts come before links; the tail of a full page is short
			tail = string(body)
		}
		url = ""
		if m := nextLink.FindStringSubmatch(tail); m != nil {
			url = m[1]
		}
	}
	return pages, bytes
}

// BenchmarkListHosts reads all hosts over loopback, one page after the other.
func BenchmarkListHosts(b *testing.B) {
	f := benchFleet(b)
	for _, c := range []struct{ name, query string }{
		{"plain", ""},
		{"own", "&details=true&resolved-values=false"},
		{"resolved", "&details=true"},
		{"label", "&details=true&label=all-of-them"},
		{"vars", "&vars=host_setting_1:\"value%201%20of%20the%20host\""},
		{"vars-none", "&vars=region_setting_1:1"},
		{"where-own", "&where=own:host_setting_1%3D%22value%201%20of%20the%20host%22"},
		{"where-resolved", "&where=region_setting_1%3Dvalue*"},
		{"where-name", "&where=name%3Dhost-*"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				f.walk("/v1/hosts?limit=100" + c.query)
			}
			b.ReportMetric(float64(*benchHosts*b.N)/b.Elapsed().Seconds(), "hosts/s")
		})
	}
}

// BenchmarkFleet reads the whole fleet as one stream.
func BenchmarkFleet(b *testing.B) {
	f := benchFleet(b)
	for _, accept := range []string{"", "gzip", "zstd"} {
		b.Run("as-"+accept, func(b *testing.B) {
			var size int64
			for b.Loop() {
				req, err := http.NewRequest("GET", f.url+"/v1/fleet", nil)
				if err != nil {
					b.Fatal(err)
				}
				f.root.sign(req)
				req.Header.Set("Accept-Encoding", accept)
				resp, err := plain.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				size, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != 200 {
					b.Fatalf("%d %v", resp.StatusCode, err)
				}
			}
			b.ReportMetric(float64(*benchHosts*b.N)/b.Elapsed().Seconds(), "hosts/s")
			b.ReportMetric(float64(size)/float64(*benchHosts), "bytes/host")
		})
	}
}

// BenchmarkAnsibleInventory reads the whole fleet as one document.
func BenchmarkAnsibleInventory(b *testing.B) {
	f := benchFleet(b)
	for b.Loop() {
		req, err := http.NewRequest("GET", f.url+"/v1/ansible-inventory", nil)
		if err != nil {
			b.Fatal(err)
		}
		f.root.sign(req)
		if resp, body := do(b, req); resp.StatusCode != 200 || len(body) < *benchHosts {
			b.Fatalf("%d, %d bytes", resp.StatusCode, len(body))
		}
	}
	b.ReportMetric(float64(*benchHosts*b.N)/b.Elapsed().Seconds(), "hosts/s")
}

// BenchmarkCreateHost measures acknowledged, durable writes over loopback from 16 clients side by side.
func BenchmarkCreateHost(b *testing.B) {
	f := newFixture(b)
	f.place("c", "r", "l")
	var mu sync.Mutex
	n := 0
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			n++
			name := fmt.Sprint("h", n)
			mu.Unlock()
			f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"`+name+`","ip_address":"10.0.0.1","device_type":"s","cloud_id":1,"region_id":1,"cell_id":1,"labels":["a"],"variables":{"a":1,"b":2,"c":3}}`)
		}
	})
}
