package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/postgrestest"
)

// The work for each engine.
const (
	enginePages  = 600  // pages to read, 30 hosts with resolved variables each
	engineWrites = 2000 // writes by 32 writers; a tenth of that by one
)

// engineFigure are the measurements of one program on one database.
type engineFigure struct {
	name              string
	pages             float64 // a second, by 4 readers
	first, last       float64 // milliseconds for the first page of all, and the last
	writes, oneWriter float64 // durable ones a second
}

// measureEngines measures `craton server` on SQLite and PostgreSQL, both with durable commits, and also the program of
// an earlier commit, if there is one. Requests that the earlier one does not support are left out.
func measureEngines(ctx context.Context, binary, before string, hosts, runs int) ([]engineFigure, error) {
	dir, err := os.MkdirTemp("", "craton-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	databases := map[string]func(n int) (string, error){"SQLite": func(n int) (string, error) { return fmt.Sprintf("sqlite:%s/%d.db", dir, n), nil }}
	order := []string{"SQLite"}
	switch pg, err := postgrestest.Run(postgrestest.Durable()); {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintln(os.Stderr, "not measured: PostgreSQL:", err)
	case err != nil:
		return nil, err
	default:
		defer pg.Close()
		databases["PostgreSQL"] = func(int) (string, error) {
			name, err := pg.Create(ctx)
			return pg.URL(name), err
		}
		order = append(order, "PostgreSQL")
	}
	type one struct {
		name, binary string
		database     func(int) (string, error)
		figures      []engineFigure
	}
	var all []*one
	for _, name := range order {
		if before != "" {
			all = append(all, &one{name: name + ", before", binary: before, database: databases[name]})
		}
		all = append(all, &one{name: name, binary: binary, database: databases[name]})
	}
	n := 0
	for range runs { // in turn, so that other load on the machine affects all alike
		for _, o := range all {
			n++
			database, err := o.database(n)
			if err != nil {
				return nil, err
			}
			f, err := measureEngine(ctx, o.binary, database, hosts)
			if err != nil && o.binary == before && strings.HasPrefix(o.name, "PostgreSQL") {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", o.name, err)
			}
			o.figures = append(o.figures, f)
		}
	}
	var figures []engineFigure
	for _, o := range all {
		if len(o.figures) == 0 {
			continue
		}
		middle := func(of func(engineFigure) float64) float64 {
			var v []float64
			for _, f := range o.figures {
				v = append(v, of(f))
			}
			slices.Sort(v)
			return v[len(v)/2]
		}
		figures = append(figures, engineFigure{
			name:      o.name,
			pages:     middle(func(f engineFigure) float64 { return f.pages }),
			first:     middle(func(f engineFigure) float64 { return f.first }),
			last:      middle(func(f engineFigure) float64 { return f.last }),
			writes:    middle(func(f engineFigure) float64 { return f.writes }),
			oneWriter: middle(func(f engineFigure) float64 { return f.oneWriter }),
		})
	}
	return figures, nil
}

func measureEngine(ctx context.Context, binary, database string, hosts int) (f engineFigure, err error) {
	s, err := serve(ctx, binary, database)
	if err != nil {
		return f, err
	}
	defer s.stop()
	if err := seed(ctx, s.client, s.projectID, hosts); err != nil {
		return f, err
	}
	var markers []string
	for page, err := range s.client.Pages(ctx, "/hosts", url.Values{"limit": {"30"}}) {
		if err != nil {
			return f, err
		}
		if i := strings.LastIndex(string(page.Body), "marker="); i >= 0 {
			markers = append(markers, strings.TrimRight(strings.FieldsFunc(string(page.Body)[i+7:], func(r rune) bool { return r < '0' || r > '9' })[0], `"`))
		}
	}
	read := func(ctx context.Context, marker string) error {
		q := url.Values{"limit": {"30"}, "details": {"true"}}
		if marker != "" {
			q.Set("marker", marker)
		}
		for _, err := range s.client.Pages(ctx, "/hosts", q) {
			return err
		}
		return nil
	}
	if f.pages, err = perSecond(ctx, enginePages, 4, func(ctx context.Context, n int) error { return read(ctx, markers[n*7%len(markers)]) }); err != nil {
		return f, err
	}
	for marker, ms := range map[string]*float64{"": &f.first, markers[len(markers)-2]: &f.last} {
		rate, err := perSecond(ctx, 100, 1, func(ctx context.Context, _ int) error { return read(ctx, marker) })
		if err != nil {
			return f, err
		}
		*ms = 1000 / rate
	}
	_, region, _, err := s.oneHost(ctx, "-w")
	if err != nil {
		return f, err
	}
	var made atomic.Int64
	write := func(ctx context.Context, _ int) error {
		n := made.Add(1)
		_, err := s.client.Hosts.Create(ctx, craton.HostCreate{Name: fmt.Sprint("w", n), IPAddress: "192.0.2.11", DeviceType: "server",
			CloudID: region.CloudID, RegionID: region.ID, Variables: craton.Vars(map[string]any{"role": "frontend", "workers": n})})
		return err
	}
	if f.oneWriter, err = perSecond(ctx, engineWrites/10, 1, write); err != nil {
		return f, err
	}
	f.writes, err = perSecond(ctx, engineWrites, 32, write)
	return f, err
}

// perSecond calls do n times, atOnce at a time, and returns the calls per second.
func perSecond(ctx context.Context, n, atOnce int, do func(ctx context.Context, n int) error) (float64, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	started := time.Now()
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	err := group.Wait()
	return float64(n) / time.Since(started).Seconds(), err
}

func reportEngines(w io.Writer, all []engineFigure, hosts int) {
	fmt.Fprintf(w, "craton server, %d hosts; durable writes of a host with two variables\n", hosts)
	row, flush := table(w, all)
	row("", func(f engineFigure) string { return f.name })
	for _, line := range []struct {
		name string
		of   func(engineFigure) float64
	}{
		{"pages/s, 4 readers", func(f engineFigure) float64 { return f.pages }},
		{"first page, ms", func(f engineFigure) float64 { return f.first }},
		{"last page, ms", func(f engineFigure) float64 { return f.last }},
		{"writes/s, 1 writer", func(f engineFigure) float64 { return f.oneWriter }},
		{"writes/s, 32 writers", func(f engineFigure) float64 { return f.writes }},
	} {
		row(line.name, func(f engineFigure) string { return fmt.Sprintf("%.4g", line.of(f)) })
	}
	flush()
}

// engineVerdicts compares PostgreSQL with SQLite, and the program with the earlier one.
func engineVerdicts(all []engineFigure) (v []verdict) {
	by := map[string]engineFigure{}
	for _, f := range all {
		by[f.name] = f
	}
	sqlite, pg := by["SQLite"], by["PostgreSQL"]
	if pg.pages > 0 {
		v = append(v, verdict{"pages: SQLite / PostgreSQL", sqlite.pages / pg.pages, targetEngines, ""},
			verdict{"durable writes, 32 writers: SQLite / PostgreSQL", sqlite.writes / pg.writes, targetEngines, ""})
	}
	for _, name := range []string{"SQLite", "PostgreSQL"} {
		before, ok := by[name+", before"]
		if !ok {
			continue
		}
		now := by[name]
		v = append(v, verdict{"cost of a write, 32 writers, " + name + ": now / before", before.writes / now.writes, targetWrite, ""},
			verdict{"cost of a write, 1 writer, " + name + ": now / before", before.oneWriter / now.oneWriter, targetWrite, ""},
			verdict{"cost of a page, " + name + ": now / before", before.pages / now.pages, 0, ""})
	}
	return v
}
