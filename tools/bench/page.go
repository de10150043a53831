package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/postgrestest"
)

// The targets of the page.
const (
	targetPageFirst = 10.0  // first byte of an object's page and of a list's, over GET /v1/hosts/ID
	targetPageWhole = 2.0   // fleet-wide pages, over the API call whose data they show
	targetPageKB    = 100.0 // of HTML, in units of 1,024 bytes
)

const (
	editRounds = 4  // number of changes of each host
	quickRuns  = 15 // factor for the runs of what takes milliseconds
	viewers    = 8  // concurrent viewers
)

// pageRow is the cost of one request.
type pageRow struct {
	name    string
	paths   []string                        // used in turn
	before  func(ctx context.Context) error // called before each run; may be nil
	against string                          // the row that it is compared with; "" for none
	first   float64                         // target for the first byte, as a multiple of that row; 0 for none
	whole   float64                         // and for the last byte
	slow    bool

	firsts, wholes []time.Duration
	bytes          int64 // at most
}

// pageFigure is one server with a fleet.
type pageFigure struct {
	name      string
	hosts     int
	rows      []*pageRow
	atOnce    time.Duration // until all viewers have the page of a variable, each of a different one
	resting   int64         // resident bytes afterwards
	peak      int64         // peak resident bytes with the viewers
	startedAt int64         // resident bytes before the first viewer
}

// looker is a simple browser, or a program.
type looker struct {
	base   string // without a trailing slash
	client *http.Client
	header http.Header
}

// get measures one request.
func (l *looker) get(ctx context.Context, path string) (first, whole time.Duration, n int64, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+path, nil)
	if err != nil {
		return 0, 0, 0, err
	}
	r.Header = l.header.Clone()
	started := time.Now()
	resp, err := l.client.Do(r)
	if err != nil {
		return 0, 0, 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	var begin [1]byte
	if _, err := io.ReadFull(resp.Body, begin[:]); err != nil {
		return 0, 0, 0, fmt.Errorf("%s: %w", path, err)
	}
	first = time.Since(started)
	var kept bytes.Buffer
	n, err = io.Copy(&kept, io.LimitReader(resp.Body, 1<<20))
	if err == nil {
		var more int64
		more, err = drain(resp.Body)
		n += more
	}
	whole = time.Since(started)
	if err == nil && (resp.StatusCode != http.StatusOK || bytes.Contains(kept.Bytes(), []byte(`<p class="problem"`))) {
		err = fmt.Errorf("%s: %s\n%.2000s", path, resp.Status, kept.String())
	}
	return first, whole, n + 1, err
}

// measurePages measures the page on each engine, and `craton ui`.
func measurePages(ctx context.Context, binary string, hosts, runs int) (all []pageFigure, err error) {
	dir, err := os.MkdirTemp("", "craton-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	file := "sqlite:" + filepath.Join(dir, "fleet.db")
	f, err := measureServedPage(ctx, binary, file, "craton server, SQLite", hosts, runs)
	if err != nil {
		return nil, err
	}
	all = append(all, f)
	if f, err = measureOwnPage(ctx, binary, file, hosts, runs, f.rows); err != nil {
		return nil, err
	}
	all = append(all, f)
	switch pg, err := postgrestest.Run(); {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintln(os.Stderr, "not measured: PostgreSQL:", err)
	case err != nil:
		return nil, err
	default:
		defer pg.Close()
		name, err := pg.Create(ctx)
		if err != nil {
			return nil, err
		}
		if f, err = measureServedPage(ctx, binary, pg.URL(name), "craton server, PostgreSQL", hosts, runs); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// measureServedPage creates a fleet with a history, and reads it as a signed-in user.
func measureServedPage(ctx context.Context, binary, database, name string, hosts, runs int) (f pageFigure, err error) {
	f = pageFigure{name: name, hosts: hosts}
	s, err := serve(ctx, binary, database)
	if err != nil {
		return f, err
	}
	defer func() { s.stop() }()
	fmt.Fprintf(os.Stderr, "%s, %d hosts: creating\n", name, hosts)
	if err := seed(ctx, s.client, s.projectID, hosts); err != nil {
		return f, err
	}
	if err := s.edit(ctx); err != nil {
		return f, err
	}
	if err := s.addHostile(ctx); err != nil {
		return f, err
	}
	rows, err := s.pageRows(ctx, hosts)
	if err != nil {
		return f, err
	}
	s.stop() // creating it is not part of the measurements
	if err := s.start(ctx, database); err != nil {
		return f, err
	}
	f.startedAt, _ = resident(s.process.Process.Pid)
	page, err := s.browser(ctx)
	if err != nil {
		return f, err
	}
	api := s.program()
	for _, row := range rows {
		if row.before != nil {
			row.before = s.touchOne()
		}
	}
	fmt.Fprintf(os.Stderr, "%s, %d hosts: measuring\n", name, hosts)
	f.rows = rows
	return f, f.take(ctx, api, page, s.process.Process.Pid, runs)
}

// browser returns a signed-in browser.
func (s *served) browser(ctx context.Context) (*looker, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	page := &looker{base: s.url, client: &http.Client{Jar: jar, Timeout: 5 * time.Minute}, header: http.Header{}}
	form := url.Values{"user": {"bootstrap"}, "project": {s.projectID}, "secret": {s.key}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/ui/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin") // as a browser sends it
	resp, err := page.client.Do(r)
	if err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("sign in: %s %w", resp.Status, err)
	}
	return page, nil
}

// program returns a program that uses the API without a client library.
func (s *served) program() *looker {
	return &looker{base: s.url, client: &http.Client{Timeout: 5 * time.Minute}, header: http.Header{"X-Auth-User": {"bootstrap"}, "X-Auth-Project": {s.projectID}, "X-Auth-Token": {s.key}}}
}

// measureOwnPage reads a file with `craton ui`. The floors are those of the server.
func measureOwnPage(ctx context.Context, binary, database string, hosts, runs int, like []*pageRow) (f pageFigure, err error) {
	f = pageFigure{name: "craton ui", hosts: hosts}
	cmd := exec.CommandContext(ctx, binary, "ui", "--no-open")
	cmd.Env = append(os.Environ(), "CRATON_URL="+database)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return f, err
	}
	if err := cmd.Start(); err != nil {
		return f, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return f, err
	}
	at, _, _ := strings.Cut(strings.TrimSpace(line), "enter?")
	jar, err := cookiejar.New(nil)
	if err != nil {
		return f, err
	}
	page := &looker{base: strings.TrimSuffix(at, "/ui/"), client: &http.Client{Jar: jar, Timeout: 5 * time.Minute}, header: http.Header{}}
	resp, err := page.client.Get(strings.TrimSpace(line)) //nolint:noctx // as a browser
	if err != nil {
		return f, err
	}
	if err := resp.Body.Close(); err != nil {
		return f, err
	}
	f.startedAt, _ = resident(cmd.Process.Pid)
	for _, row := range like {
		one := *row
		one.whole = 0 // the API's calls were in another process, at another time
		if one.before != nil {
			one.before = func(ctx context.Context) error {
				edit := exec.CommandContext(ctx, binary, "host-vars-set", "1", fmt.Sprintf("touched=%d", time.Now().UnixNano()))
				edit.Env, edit.Stderr = cmd.Env, os.Stderr
				return edit.Run()
			}
		}
		if row.isPage() {
			one.firsts, one.wholes, one.bytes = nil, nil, 0
		}
		f.rows = append(f.rows, &one)
	}
	fmt.Fprintf(os.Stderr, "%s, %d hosts: measuring\n", f.name, hosts)
	return f, f.take(ctx, nil, page, cmd.Process.Pid, runs)
}

// edit changes every host several times, as years of use do: some variables of some hosts each time, in one write per
// region.
func (s *served) edit(ctx context.Context) error {
	for round := range editRounds {
		for region, err := range s.client.Regions.All(ctx, craton.RegionListOptions{}) {
			if err != nil {
				return err
			}
			_, err := s.client.Bulk(ctx, craton.BulkEdit{
				Kind: craton.KindHost, Where: fmt.Sprintf("region_id=%d", region.ID),
				Variables: craton.Vars(map[string]any{"kernel": fmt.Sprintf("6.12.%d-1.el10", 10+round), "patched": round}),
			})
			if err != nil {
				return err
			}
			if _, err := s.client.Regions.SetVariables(ctx, region.ID, craton.Vars(map[string]any{"release": round})); err != nil {
				return err
			}
		}
	}
	for round := range 500 { // variables of the project are changed often
		if _, err := s.client.Projects.SetVariables(ctx, s.projectID, craton.Vars(map[string]any{"build": round})); err != nil {
			return err
		}
	}
	return nil
}

// The names of objects that are as large as possible, and hostile.
const (
	hostileRegion = "hostile"
	hostileHosts  = 120
)

// addHostile adds a region of hosts with long names and one with many large values.
func (s *served) addHostile(ctx context.Context) error {
	const markup = `<script>alert("&'")</script>{{`
	cloud, err := s.client.Clouds.Create(ctx, craton.CloudCreate{Name: "hostile"})
	if err != nil {
		return err
	}
	region, err := s.client.Regions.Create(ctx, craton.RegionCreate{Name: hostileRegion, CloudID: cloud.ID})
	if err != nil {
		return err
	}
	for i := range hostileHosts {
		var labels []string
		for n := range 20 {
			labels = append(labels, fmt.Sprintf("%02d-%s", n, strings.Repeat(markup, 3)))
		}
		_, err := s.client.Hosts.Create(ctx, craton.HostCreate{
			Name: fmt.Sprintf("%03d%s", i, strings.Repeat(markup, 8)), IPAddress: fmt.Sprintf("192.0.2.%d", i+1), DeviceType: strings.Repeat(markup, 8),
			CloudID: cloud.ID, RegionID: region.ID, Labels: labels,
		})
		if err != nil {
			return err
		}
	}
	large := map[string]any{}
	for i := range 90 {
		large[fmt.Sprintf("%s%03d", strings.Repeat(markup, 7), i)] = strings.Repeat(markup, 300)
	}
	_, err = s.client.Hosts.Create(ctx, craton.HostCreate{Name: "large", IPAddress: "192.0.2.250", DeviceType: "server", CloudID: cloud.ID, RegionID: region.ID, Variables: craton.Vars(large)})
	return err
}

// touchOne changes something in the fleet, so that nothing cached is valid any more.
func (s *served) touchOne() func(ctx context.Context) error {
	n := 0
	return func(ctx context.Context) error {
		n++
		_, err := s.client.Hosts.SetVariables(ctx, n, craton.Vars(map[string]any{"touched": time.Now().UnixNano()}))
		return err
	}
}

// isPage reports whether a row is about the page, not the API.
func (r *pageRow) isPage() bool { return !strings.HasPrefix(r.paths[0], "/v1/") }

// pageRows returns the requests to measure.
func (s *served) pageRows(ctx context.Context, hosts int) (rows []*pageRow, err error) {
	var first struct{ cloud, region, cell int }
	hostile, large := 0, 0
	for r, err := range s.client.Regions.All(ctx, craton.RegionListOptions{}) {
		if err != nil {
			return nil, err
		}
		if r.Name == hostileRegion {
			hostile = r.ID
		} else if first.region == 0 {
			first.region, first.cloud = r.ID, r.CloudID
		}
	}
	for c, err := range s.client.Cells.All(ctx, craton.CellListOptions{}) {
		if err != nil {
			return nil, err
		}
		first.cell = c.ID
		break
	}
	for h, err := range s.client.Hosts.All(ctx, craton.HostListOptions{Name: "large"}) {
		if err != nil {
			return nil, err
		}
		large = h.ID
	}
	var some []string
	for i := range 10 {
		some = append(some, strconv.Itoa(1+i*hosts/10))
	}
	each := func(format string, ids []string) (paths []string) {
		for _, id := range ids {
			paths = append(paths, fmt.Sprintf(format, id))
		}
		return paths
	}
	where := url.QueryEscape
	const list = "/v1/hosts?details=true&resolved-values=false&limit=100&where="
	byName, byVariable := where(fmt.Sprintf("name=host-%05d*", hosts/20)), where(fmt.Sprintf("bay=7 name=*%d.example.net", hosts%7))
	const floor, floorLarge, fleet = "GET /v1/hosts/ID", "GET /v1/hosts/ID of 90 large values", "GET /v1/fleet"
	touch := func(context.Context) error { return nil } // measureServedPage sets a real one
	rows = []*pageRow{
		{name: floor, paths: each("/v1/hosts/%s", some)},
		{name: "host", paths: each("/ui/hosts/%s", some), against: floor, first: targetPageFirst},
		{name: "host, one variable", paths: each("/ui/hosts/%s?key=kernel", some), against: floor, first: targetPageFirst},
		{name: floorLarge, paths: []string{fmt.Sprint("/v1/hosts/", large)}},
		{name: "host with 90 large values", paths: []string{fmt.Sprint("/ui/hosts/", large)}, against: floorLarge, first: targetPageFirst},
		{name: "cell", paths: []string{fmt.Sprint("/ui/cells/", first.cell)}, against: floor, first: targetPageFirst},
		{name: "region", paths: []string{fmt.Sprint("/ui/regions/", first.region)}, against: floor, first: targetPageFirst},
		{name: "cloud", paths: []string{fmt.Sprint("/ui/clouds/", first.cloud)}, against: floor, first: targetPageFirst},
		{name: "project", paths: []string{"/ui/projects/" + s.projectID}, against: floor, first: targetPageFirst},
		{name: "hosts, first page", paths: []string{"/ui/hosts"}, against: floor, first: targetPageFirst},
		{name: "hosts, in the middle", paths: each("/ui/hosts?marker=%s", some[4:6]), against: floor, first: targetPageFirst},
		{name: "hosts, last page", paths: []string{fmt.Sprint("/ui/hosts?marker=", hosts-50)}, against: floor, first: targetPageFirst},
		{name: "hosts of a region", paths: []string{"/ui/hosts?where=" + where(fmt.Sprint("region_id=", first.region))}, against: floor, first: targetPageFirst},
		{name: "hosts, hostile and long", paths: []string{"/ui/hosts?where=" + where(fmt.Sprint("region_id=", hostile))}, against: floor, first: targetPageFirst},
		{name: "cells, first page", paths: []string{"/ui/cells"}, against: floor, first: targetPageFirst},
		{name: "GET where=name", paths: []string{list + byName}},
		{name: "search by name", paths: []string{"/ui/hosts?where=" + byName}, against: "GET where=name", whole: targetPageWhole},
		{name: "GET where=variable", paths: []string{list + byVariable}, slow: true},
		{name: "search by variable", paths: []string{"/ui/hosts?where=" + byVariable}, against: "GET where=variable", whole: targetPageWhole, slow: true},
		{name: fleet, paths: []string{"/v1/fleet"}, slow: true},
		{name: "variable of places, after a change", paths: []string{"/ui/variables/region_mtu"}, against: fleet, whole: targetPageWhole, slow: true, before: touch},
		{name: "the same, again", paths: []string{"/ui/variables/region_mtu"}, against: fleet, whole: targetPageWhole, slow: true},
		{name: "variable of hosts, after a change", paths: []string{"/ui/variables/serial"}, against: fleet, whole: targetPageWhole, slow: true, before: touch},
		{name: "variable, with terms, after a change", paths: []string{"/ui/variables/kernel?where=label%3Drole1"}, against: fleet, whole: targetPageWhole, slow: true, before: touch},
		{name: "tree, after a change", paths: []string{"/ui/"}, against: fleet, whole: targetPageWhole, slow: true, before: touch},
		{name: "tree, again", paths: []string{"/ui/"}, against: fleet, whole: targetPageWhole, slow: true},
		{name: "compare two hosts", paths: []string{fmt.Sprintf("/ui/compare?a=%s&b=%s", some[1], some[8])}, against: floor, first: targetPageFirst},
		{name: "GET /v1/history", paths: []string{"/v1/history?limit=25"}},
		{name: "changes", paths: []string{"/ui/changes"}, against: "GET /v1/history", whole: targetPageWhole},
		{name: "changes of a host", paths: each("/ui/changes?kind=host&id=%s", some), against: floor, first: targetPageFirst},
	}
	return rows, nil
}

// take measures the rows in turn, so that other load on the machine affects all alike, and then many viewers at once.
func (f *pageFigure) take(ctx context.Context, api, page *looker, pid, runs int) error {
	for run := range runs * quickRuns {
		for _, row := range f.rows {
			from := page
			if !row.isPage() {
				from = api
			}
			if from == nil || row.slow && run%quickRuns != 0 {
				continue
			}
			if row.before != nil {
				if err := row.before(ctx); err != nil {
					return err
				}
			}
			first, whole, n, err := from.get(ctx, row.paths[run%len(row.paths)])
			if err != nil {
				return fmt.Errorf("%s: %w", row.name, err)
			}
			row.firsts, row.wholes, row.bytes = append(row.firsts, first), append(row.wholes, whole), max(row.bytes, n)
		}
	}
	clearPeak(pid)
	group, gctx := errgroup.WithContext(ctx)
	started := time.Now()
	for _, key := range []string{"bay", "cell_mtu", "cloud_mtu", "disks", "host_monitoring", "patched", "project_mtu", "release"}[:viewers] {
		group.Go(func() error {
			_, _, _, err := page.get(gctx, "/ui/variables/"+key)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	f.atOnce = time.Since(started)
	_, f.peak = resident(pid)
	f.resting, _ = resident(pid)
	return nil
}

// resident returns the memory of a process, now and at its peak, from Linux; 0 elsewhere.
func resident(pid int) (now, peak int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			now = n << 10
		case "VmHWM:":
			peak = n << 10
		}
	}
	return now, peak
}

// clearPeak resets the peak memory of a process.
func clearPeak(pid int) { _ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) }

func (f *pageFigure) row(name string) *pageRow {
	return f.rows[slices.IndexFunc(f.rows, func(r *pageRow) bool { return r.name == name })]
}

// over returns the time until the first or last byte as a multiple of that of another row.
func (f *pageFigure) over(r *pageRow, whole bool) float64 {
	to := f.row(r.against)
	if whole {
		return median(r.wholes).Seconds() / median(to.wholes).Seconds()
	}
	return median(r.firsts).Seconds() / median(to.wholes).Seconds()
}

func reportPages(w io.Writer, figures []pageFigure) {
	for _, f := range figures {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(t, "%s, %d hosts\tfirst byte\tlast byte\tfirst over\tlast over\tKB\t\n", f.name, f.hosts)
		for _, r := range f.rows {
			ms := func(d []time.Duration) string { return fmt.Sprintf("%.1f ms", median(d).Seconds()*1000) }
			first, whole := "", ""
			if r.against != "" {
				first, whole = fmt.Sprintf("%.1f x", f.over(r, false)), fmt.Sprintf("%.1f x", f.over(r, true))
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%.0f\t\n", r.name, ms(r.firsts), ms(r.wholes), first, whole, float64(r.bytes)/1024)
		}
		_ = t.Flush()
		fmt.Fprintf(w, "%d viewers at once, each of another variable: all after %s; resident before anybody looked %s, at most meanwhile %s, afterwards %s\n\n",
			viewers, seconds(f.atOnce), mb(f.startedAt), mb(f.peak), mb(f.resting))
	}
}

// pageVerdicts returns the verdicts for the page; for HTML the largest page counts.
func pageVerdicts(figures []pageFigure) (all []verdict) {
	for _, f := range figures {
		var largest int64
		for _, r := range f.rows {
			if r.isPage() {
				largest = max(largest, r.bytes)
			}
			if r.first > 0 {
				all = append(all, verdict{fmt.Sprintf("%s, %s: first byte over %s", f.name, r.name, r.against), f.over(r, false), r.first, ""})
			}
			if r.whole > 0 {
				all = append(all, verdict{fmt.Sprintf("%s, %s: last byte over %s", f.name, r.name, r.against), f.over(r, true), r.whole, ""})
			}
		}
		all = append(all, verdict{f.name + ", the largest page", float64(largest) / 1024, targetPageKB, " KB"})
	}
	return all
}
