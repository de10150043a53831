package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/web"
)

// counting counts requests to the API.
type counting struct {
	http.Handler
	count  atomic.Int32
	fleets atomic.Int32 // whole fleets that were read
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.count.Add(1)
	if r.Method == http.MethodGet && r.URL.Path == "/v1/fleet" {
		c.fleets.Add(1)
	}
	c.Handler.ServeHTTP(w, r)
}

// TestRequests: a page of an object or of a list costs as many requests in a large fleet as in a small one, and few.
func TestRequests(t *testing.T) {
	t.Parallel()
	cost := func(hosts int) map[string]int32 {
		var more strings.Builder
		for i := range hosts {
			fmt.Fprintf(&more, "              - {name: h%03d, ip_address: 10.30.%d.%d, device_type: server}\n", i, i/200, i%200+1)
		}
		f := newFixture(t, smallFleet+more.String())
		api := &counting{Handler: f.api}
		c := clientOf(t, api)
		f.page = web.New(web.Options{Client: func(*http.Request) (*craton.Client, error) { return c, nil }})
		costs := map[string]int32{}
		for name, path := range map[string]string{"host": f.at("web-01"), "list": "/ui/hosts", "terms": "/ui/hosts?where=name%3Dh*", "compare": "/ui/compare?a=web-01&b=web-02", "tree": "/ui/", "variable": "/ui/variables/ntp", "changes": "/ui/changes"} {
			api.count.Store(0)
			f.read(path)
			costs[name] = api.count.Load()
		}
		return costs
	}
	few, many := cost(100), cost(300)
	for name, most := range map[string]int32{"host": 14, "list": 6, "terms": 6, "compare": 14, "tree": 5, "variable": 4, "changes": 2} {
		if few[name] != many[name] || many[name] > most {
			t.Errorf("%s: %d requests among 103 hosts, %d among 303", name, few[name], many[name])
		}
	}
}
