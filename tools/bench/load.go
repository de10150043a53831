package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/internal/retry"
)

// The limits for the load. There must be no errors.
const (
	// The highest resident memory in the second half may be loadGrowth times that of the first half, plus loadSlack.
	// The first tenth of the time is ignored: the program's own caches fill then.
	loadGrowth = 1.10
	loadSlack  = 16 << 20 // bytes
)

// pressure is a load on a server: clients at once, without pauses.
type pressure struct {
	hosts, clients int
	duration       time.Duration
}

// loadRoute is one kind of request, with its weight among all kinds.
type loadRoute struct {
	name   string
	weight int
	do     func(ctx context.Context, c *loadClient) error
}

// loadRow are the results of a route.
type loadRow struct {
	name  string
	times []time.Duration // sorted
}

// loadFigure is one server under load.
type loadFigure struct {
	name     string
	load     pressure
	rows     []loadRow
	errors   []string // the first of them
	failed   int
	took     time.Duration
	resident []int64 // bytes, each second
}

// loadClient is a client: it has its own hosts, which no other client deletes.
type loadClient struct {
	*looker
	page   *looker // the same server, as a signed-in browser
	random *rand.Rand
	n      int
	ids    []string // of the fleet's hosts
	place  string   // JSON members of the hosts that it creates
	made   []string // ids of hosts that it created
	count  int      // number of hosts created so far
	next   string   // where its walk over the list continues
	fleet  string   // the path of the part of the fleet that is read at once
}

// send sends a request, and returns the response, which must be a success.
func (c *loadClient) send(ctx context.Context, l *looker, method, path, body string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, l.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = l.header.Clone()
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := l.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode < 200 || resp.StatusCode > 299) {
		err = fmt.Errorf("%s %s: %s %.200s", method, path, resp.Status, text)
	}
	return text, err
}

func (c *loadClient) get(ctx context.Context, path string) error {
	_, err := c.send(ctx, c.looker, http.MethodGet, path, "")
	return err
}

func (c *loadClient) host() string { return c.ids[c.random.IntN(len(c.ids))] }

// maxMade is the approximate number of a client's own hosts, so that the fleet does not grow.
const maxMade = 20

// create creates a host.
func (c *loadClient) create(ctx context.Context) error {
	c.count++
	text, err := c.send(ctx, c.looker, http.MethodPost, "/v1/hosts", fmt.Sprintf(
		`{"name": "load-%d-%d", "ip_address": "10.200.%d.%d", "device_type": "server", %s, "variables": {"role": "load", "n": %d}}`, c.n, c.count, c.n, c.count%250+1, c.place, c.count))
	if err == nil {
		c.made = append(c.made, gjson.GetBytes(text, "id").String())
	}
	return err
}

// remove deletes the oldest of its hosts.
func (c *loadClient) remove(ctx context.Context) error {
	id := c.made[0]
	c.made = c.made[1:]
	_, err := c.send(ctx, c.looker, http.MethodDelete, "/v1/hosts/"+id, "")
	return err
}

// loadRoutes are the kinds of requests: mostly reads, and a fifth writes.
var loadRoutes = []loadRoute{
	{"GET /v1/hosts, details", 15, func(ctx context.Context, c *loadClient) error { return c.get(ctx, "/v1/hosts?details=true&limit=30") }},
	{"GET /v1/hosts, page by page", 15, func(ctx context.Context, c *loadClient) error {
		text, err := c.send(ctx, c.looker, http.MethodGet, cmp.Or(c.next, "/v1/hosts?limit=100"), "")
		walking := c.next != ""
		c.next = ""
		if err != nil {
			if walking && strings.Contains(err.Error(), "400 Bad Request") && strings.Contains(err.Error(), "Marker ") {
				return nil // somebody deleted the host that the last page ended with: v1 has clients begin anew
			}
			return err
		}
		gjson.GetBytes(text, "links").ForEach(func(_, link gjson.Result) bool {
			if link.Get("rel").Str == "next" {
				if next, err := url.Parse(link.Get("href").Str); err == nil {
					c.next = next.RequestURI()
				}
			}
			return true
		})
		return nil
	}},
	{"GET /v1/hosts?where=", 3, func(ctx context.Context, c *loadClient) error {
		return c.get(ctx, "/v1/hosts?limit=30&where="+url.QueryEscape(fmt.Sprintf("label=role%d bay=%d", c.random.IntN(7), c.random.IntN(42))))
	}},
	{"GET /v1/hosts/ID", 20, func(ctx context.Context, c *loadClient) error { return c.get(ctx, "/v1/hosts/"+c.host()) }},
	{"GET /v1/hosts/ID/variables", 10, func(ctx context.Context, c *loadClient) error { return c.get(ctx, "/v1/hosts/"+c.host()+"/variables") }},
	{"GET /v1/history of a host", 4, func(ctx context.Context, c *loadClient) error {
		return c.get(ctx, "/v1/history?limit=20&kind=host&id="+c.host())
	}},
	{"GET /v1/changes", 4, func(ctx context.Context, c *loadClient) error { return c.get(ctx, "/v1/changes?limit=100") }},
	{"GET /v1/fleet", 1, func(ctx context.Context, c *loadClient) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+c.fleet, nil)
		if err != nil {
			return err
		}
		r.Header = c.header.Clone()
		resp, err := c.client.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close() //nolint:errcheck // read to its end
		var last bytes.Buffer
		if _, err := io.Copy(lastBytes{&last}, resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK || !bytes.Contains(last.Bytes(), []byte(`{"end": {"count":`)) && !bytes.Contains(last.Bytes(), []byte(`{"end":{"count":`)) {
			return fmt.Errorf("GET /v1/fleet: %s without its last line: %.200s", resp.Status, last.Bytes())
		}
		return nil
	}},
	{"GET /ui/, a host", 5, func(ctx context.Context, c *loadClient) error {
		_, _, _, err := c.page.get(ctx, "/ui/hosts/"+c.host())
		return err
	}},
	{"GET /ui/, a list", 3, func(ctx context.Context, c *loadClient) error {
		_, _, _, err := c.page.get(ctx, "/ui/hosts")
		return err
	}},
	{"POST /v1/hosts", 6, func(ctx context.Context, c *loadClient) error { return c.create(ctx) }},
	{"PUT /v1/hosts/ID", 5, func(ctx context.Context, c *loadClient) error {
		_, err := c.send(ctx, c.looker, http.MethodPut, "/v1/hosts/"+c.host(), fmt.Sprintf(`{"note": "client %d, %d"}`, c.n, c.random.IntN(1000)))
		return err
	}},
	{"PUT /v1/hosts/ID/variables", 6, func(ctx context.Context, c *loadClient) error {
		_, err := c.send(ctx, c.looker, http.MethodPut, "/v1/hosts/"+c.host()+"/variables", fmt.Sprintf(`{"load": %d}`, c.random.IntN(1000)))
		return err
	}},
	{"DELETE /v1/hosts/ID/variables", 2, func(ctx context.Context, c *loadClient) error {
		_, err := c.send(ctx, c.looker, http.MethodDelete, "/v1/hosts/"+c.host()+"/variables", `["load"]`)
		return err
	}},
	{"DELETE /v1/hosts/ID", 6, func(ctx context.Context, c *loadClient) error { return c.remove(ctx) }},
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct{ *bytes.Buffer }

func (t lastBytes) Write(b []byte) (int, error) {
	const most = 200
	t.Buffer.Write(b[max(0, len(b)-most):])
	if n := t.Len(); n > most {
		t.Next(n - most)
	}
	return len(b), nil
}

// pick returns a random route. A client without hosts of its own creates one, and one with many deletes one.
func (c *loadClient) pick() *loadRoute {
	all := 0
	for i := range loadRoutes {
		all += loadRoutes[i].weight
	}
	n := c.random.IntN(all)
	for i := range loadRoutes {
		r := &loadRoutes[i]
		if n -= r.weight; n >= 0 {
			continue
		}
		switch {
		case r.name == "DELETE /v1/hosts/ID" && len(c.made) == 0:
			return route("POST /v1/hosts")
		case r.name == "POST /v1/hosts" && len(c.made) >= maxMade:
			return route("DELETE /v1/hosts/ID")
		}
		return r
	}
	return &loadRoutes[0]
}

func route(name string) *loadRoute {
	return &loadRoutes[slices.IndexFunc(loadRoutes, func(r loadRoute) bool { return r.name == name })]
}

// loadServer creates a fleet, and puts the load on it.
func loadServer(ctx context.Context, binary, database, name string, l pressure) (f loadFigure, err error) {
	f = loadFigure{name: name, load: l}
	s, err := serve(ctx, binary, database)
	if err != nil {
		return f, err
	}
	defer func() { s.stop() }()
	fmt.Fprintf(os.Stderr, "%s: creating %d hosts\n", name, l.hosts)
	if err := seed(ctx, s.client, s.projectID, l.hosts); err != nil {
		return f, err
	}
	_, region, _, err := s.oneHost(ctx, "-load")
	if err != nil {
		return f, err
	}
	s.stop() // creating it is not part of the measurements
	if err := s.start(ctx, database); err != nil {
		return f, err
	}
	ids, err := s.hostIDs(ctx)
	if err != nil {
		return f, err
	}
	return f, s.press(ctx, &f, region, ids, "/v1/fleet")
}

// press puts the load on a server: clients create hosts in a region, and read a part of the fleet by a path.
func (s *served) press(ctx context.Context, f *loadFigure, region *craton.Region, ids []string, fleet string) error {
	l := f.load
	browser, err := s.browser(ctx)
	if err != nil {
		return err
	}
	api := s.program()
	shared := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	shared.MaxIdleConnsPerHost, shared.MaxIdleConns, shared.DisableCompression = 2*l.clients, 2*l.clients, true
	api.client.Transport, browser.client.Transport = shared, shared
	fmt.Fprintf(os.Stderr, "%s: %d clients for %s\n", f.name, l.clients, l.duration)
	began := time.Now()
	f.run(ctx, s.process.Process.Pid, func(n int) *loadClient {
		return &loadClient{looker: api, page: browser, random: rand.New(rand.NewPCG(18, uint64(n))), n: n, ids: ids, fleet: fleet, //nolint:gosec // the same each time
			place: fmt.Sprintf(`"cloud_id": %d, "region_id": %d`, region.CloudID, region.ID)}
	})
	f.took = time.Since(began)
	return ctx.Err()
}

// hostIDs returns the ids of all hosts.
func (s *served) hostIDs(ctx context.Context) (ids []string, err error) {
	for page, err := range s.client.Pages(ctx, "/hosts", url.Values{"limit": {"100"}}) {
		if err != nil {
			return nil, err
		}
		for _, id := range gjson.GetBytes(page.Body, "hosts.#.id").Array() {
			ids = append(ids, id.String())
		}
	}
	return ids, nil
}

// run runs the clients, and samples the memory of a process meanwhile.
func (f *loadFigure) run(ctx context.Context, pid int, client func(n int) *loadClient) {
	ctx, cancel := context.WithTimeout(ctx, f.load.duration+time.Minute) // requests that began in time may finish
	defer cancel()
	end := time.Now().Add(f.load.duration)
	var mu sync.Mutex
	times := map[string][]time.Duration{}
	var group errgroup.Group
	for n := range f.load.clients {
		c := client(n)
		group.Go(func() error {
			mine := map[string][]time.Duration{}
			for time.Now().Before(end) && ctx.Err() == nil {
				r := c.pick()
				began := time.Now()
				if err := r.do(ctx, c); err != nil {
					mu.Lock()
					if f.failed++; len(f.errors) < 10 {
						f.errors = append(f.errors, r.name+": "+err.Error())
					}
					mu.Unlock()
				}
				mine[r.name] = append(mine[r.name], time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			for name, all := range mine {
				times[name] = append(times[name], all...)
			}
			return nil
		})
	}
	for time.Now().Before(end) && ctx.Err() == nil {
		now, _ := resident(pid)
		f.resident = append(f.resident, now)
		_ = retry.Wait(ctx, min(time.Second, f.load.duration/10))
	}
	_ = group.Wait()
	for i := range loadRoutes {
		name := loadRoutes[i].name
		slices.Sort(times[name])
		f.rows = append(f.rows, loadRow{name, times[name]})
	}
}

// halves returns the peak resident memory in the first half, without its first fifth, and in the second half.
func (f *loadFigure) halves() (first, second int64) {
	n := len(f.resident)
	if n < 4 {
		return 0, 0
	}
	return slices.Max(f.resident[n/10 : n/2]), slices.Max(f.resident[n/2:])
}

// problems returns the violations of the limits.
func (f *loadFigure) problems() (all []string) {
	if f.failed > 0 {
		all = append(all, fmt.Sprintf("%s: %d requests failed, such as\n  %s", f.name, f.failed, strings.Join(f.errors, "\n  ")))
	}
	if first, second := f.halves(); float64(second) > loadGrowth*float64(first)+loadSlack {
		all = append(all, fmt.Sprintf("%s: memory grows: at most %s in the first half, %s in the second", f.name, mb(first), mb(second)))
	}
	for _, r := range f.rows {
		if len(r.times) == 0 {
			all = append(all, fmt.Sprintf("%s: nobody did %s", f.name, r.name))
		}
	}
	return all
}

// at returns the time within which a part of the requests got a response.
func (r loadRow) at(part float64) time.Duration {
	if len(r.times) == 0 {
		return 0
	}
	return r.times[min(len(r.times)-1, int(part*float64(len(r.times))))]
}

func (f *loadFigure) report(w io.Writer) {
	n := 0
	for _, r := range f.rows {
		n += len(r.times)
	}
	first, second := f.halves()
	fmt.Fprintf(w, "%s, %d hosts, %d clients for %.0f s: %d requests, %.0f a second, %d errors; resident at most %s in the first half, %s in the second\n",
		f.name, f.load.hosts, f.load.clients, f.took.Seconds(), n, float64(n)/f.took.Seconds(), f.failed, mb(first), mb(second))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "route\trequests\tmedian, ms\tp99, ms\tlongest, ms\t\n")
	for _, r := range f.rows {
		ms := func(part float64) string { return strconv.FormatFloat(r.at(part).Seconds()*1000, 'f', 1, 64) }
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t\n", r.name, len(r.times), ms(0.5), ms(0.99), ms(1))
	}
	_ = t.Flush()
}

// measureLoad puts the load on each engine, and prints the results. Violations of the limits are an error.
func measureLoad(ctx context.Context, w io.Writer, binary string, l pressure) error {
	dir, err := os.MkdirTemp("", "craton-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	var problems []string
	take := func(database, name string) error {
		f, err := loadServer(ctx, binary, database, "craton server on "+name, l)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f.report(w)
		fmt.Fprintln(w)
		problems = append(problems, f.problems()...)
		return nil
	}
	if err := take("sqlite:"+filepath.Join(dir, "fleet.db"), "SQLite"); err != nil {
		return err
	}
	switch pg, err := postgrestest.Run(postgrestest.Durable()); {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintln(os.Stderr, "not measured: PostgreSQL:", err)
	case err != nil:
		return err
	default:
		defer pg.Close()
		name, err := pg.Create(ctx)
		if err == nil {
			err = take(pg.URL(name), "PostgreSQL")
		}
		if err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "\n"))
	}
	return nil
}
