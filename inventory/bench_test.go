package inventory

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/craton-fleet/craton/craton"
)

// benchFleet returns a fleet of about 20 variables a host, in 10 regions.
func benchFleet(hosts int) *fake {
	f := newFake()
	f.tells = true
	level := func(kind string, n int) vars {
		return vars{
			kind + "_ntp":        fmt.Sprintf(`["ntp1.%s%d.example.net", "ntp2.%s%d.example.net"]`, kind, n, kind, n),
			kind + "_mtu":        fmt.Sprint(1500 + n),
			kind + "_monitoring": fmt.Sprintf(`{"enabled": true, "interval": 30, "tags": [%q, "%d"]}`, kind, n),
			kind + "_text":       `"plain text of some length"`,
		}
	}
	f.project(project1, level("project", 0))
	n := 0
	for i := range 2 {
		c := f.cloud(fmt.Sprintf("cloud%d", i), level("cloud", i))
		for j := range 5 {
			r := f.region(c, fmt.Sprintf("region%d", j), level("region", j))
			for k := range max(hosts/1000, 1) {
				cell := f.cell(r, fmt.Sprintf("cell%d", k), level("cell", k))
				for range hosts / 10 / max(hosts/1000, 1) {
					f.host(cell, fmt.Sprintf("host-%06d.example.net", n), vars{
						"serial": fmt.Sprintf(`"SN%08d"`, n), "bay": fmt.Sprint(n % 42), "kernel": `"6.12.9-1.el10"`,
						"disks": `["nvme0n1", "nvme1n1"]`,
					}, object{"labels": []string{fmt.Sprintf("role%d", n%7), fmt.Sprintf("rack%d", n%20)}})
					n++
				}
			}
		}
	}
	return f
}

// pages answers every request from memory, so that only the client's side is measured.
type pages map[string][]byte

func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := p[key(r.URL)]
	if !ok {
		fail(w, 404, "no such page: "+key(r.URL))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

func key(u *url.URL) string { return u.Path + "?" + u.Query().Encode() }

// remembered returns everything that the fake answered to a Load.
func remembered(b *testing.B, f *fake, o Options) pages {
	b.Helper()
	p := pages{}
	f.load(b, o)
	for _, uri := range f.asked() {
		r := httptest.NewRequest(http.MethodGet, uri, nil)
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		p[key(r.URL)] = w.Body.Bytes()
	}
	return p
}

func BenchmarkInventory(b *testing.B) {
	o := DefaultOptions()
	p := remembered(b, benchFleet(2000), o)
	client, err := craton.New("http://fake:7780", craton.WithTransport(direct{p}))
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	fleet, err := Load(ctx, client, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Load(ctx, client, o); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		bytes := 0
		for b.Loop() {
			d := newDecoder()
			bytes = 0
			for k, body := range p {
				if len(body) > 20000 && k[:9] == "/v1/hosts" {
					bytes += len(body)
					if _, err := d.page(&craton.RawPage{Body: body}, HostKind, true); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		b.SetBytes(int64(bytes))
	})
	for _, form := range []Form{Merged, Layered} {
		o.Vars = form
		b.Run("build/"+string(form), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Build(fleet, o); err != nil {
					b.Fatal(err)
				}
			}
		})
		doc, err := Build(fleet, o)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("write/"+string(form), func(b *testing.B) {
			b.ReportAllocs()
			var n counter
			for b.Loop() {
				n = 0
				if err := doc.Write(&n, false); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(n))
		})
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)
