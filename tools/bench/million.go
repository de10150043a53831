package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/postgrestest"
)

// modelHosts is the number of hosts in the model from which a larger fleet is built.
const modelHosts = 1000

// makeModel creates a small fleet with a history, and backs it up. It returns the stopped server, whose users are in
// the backup.
func makeModel(ctx context.Context, binary, dir string) (*served, *model, error) {
	database := "sqlite:" + filepath.Join(dir, "model.db")
	s, err := serve(ctx, binary, database)
	if err != nil {
		return nil, nil, err
	}
	err = seed(ctx, s.client, s.projectID, modelHosts)
	for region, each := range s.client.Regions.All(ctx, craton.RegionListOptions{}) {
		if err != nil || each != nil {
			break
		}
		_, err = s.client.Bulk(ctx, craton.BulkEdit{Kind: craton.KindHost, Where: fmt.Sprintf("region_id=%d", region.ID), Variables: craton.Vars(map[string]any{"kernel": "6.12.10-1.el10"})})
	}
	s.stop()
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(dir, "model.backup")
	if out, err := exec.CommandContext(ctx, binary, "server", "backup", "--database", database, file).CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("backup: %w\n%s", err, out)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	m, err := readModel(f)
	return s, m, err
}

// archive writes the backup of a large fleet.
func (m *model) archive(file string, copies int) (rows int64, took time.Duration, err error) {
	started := time.Now()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, 0, err
	}
	if rows, err = m.stretch(f, copies); err != nil {
		_ = f.Close()
		return 0, 0, err
	}
	return rows, time.Since(started), f.Close()
}

// millionRow is one request to a large fleet.
type millionRow struct {
	name, path string
	page       bool // of the page
	rare       bool // it may take seconds

	times []time.Duration
	after int64 // bytes resident
}

// million are the measurements of a large fleet.
type million struct {
	hosts            int
	rows             int64 // of the archive
	archived, stored time.Duration
	archive          int64         // bytes
	restoring        int64         // peak resident bytes during the restore
	resting          int64         // resident bytes of the idle server
	walk             time.Duration // over all pages
	walked           int64         // peak resident bytes until then
	list, find       ran           // of the programs
	listed           int64         // peak resident bytes until then
	asked            []*millionRow
	ids              []string
	load             loadFigure
}

// enoughOnce is the duration from which on a request is measured once.
const enoughOnce = 5 * time.Second

// The targets of a large fleet.
const (
	targetLastPage = 3.0   // time of the last page over that of the first
	targetCommon   = 0.5   // seconds for conditions that many hosts match, or that have an index
	targetRare     = 5.0   // seconds for conditions that may read all values of a variable
	targetResident = 512.0 // MB of the server, whatever is requested
)

// measureMillion restores a large fleet into PostgreSQL, measures every request, and puts the load on it.
func measureMillion(ctx context.Context, w io.Writer, binary string, hosts, runs int, l pressure) error {
	if hosts < modelHosts || hosts%modelHosts != 0 {
		return fmt.Errorf("--million-hosts %d: it is a multiple of %d", hosts, modelHosts)
	}
	dir, err := os.MkdirTemp("", "craton-million-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	// As in docs/operate.md.
	pg, err := postgrestest.Run(postgrestest.Durable(), postgrestest.Setting("shared_buffers", "1GB"), postgrestest.Setting("max_wal_size", "4GB"))
	if err != nil {
		return err
	}
	defer pg.Close()
	name, err := pg.Create(ctx)
	if err != nil {
		return err
	}
	database := pg.URL(name)
	m := million{hosts: hosts}
	s, err := m.restore(ctx, binary, dir, database)
	if err != nil {
		return err
	}
	if err := s.start(ctx, database); err != nil {
		return err
	}
	defer s.stop()
	if err := m.ask(ctx, s, runs); err != nil {
		return err
	}
	m.report(w)
	_, region, _, err := s.oneHost(ctx, "-load")
	if err != nil {
		return err
	}
	m.load = loadFigure{name: "craton server on PostgreSQL", load: l}
	m.load.load.hosts = hosts
	if err := s.press(ctx, &m.load, region, m.ids, "/v1/fleet?cell_id=1"); err != nil {
		return err
	}
	fmt.Fprintln(w)
	m.load.report(w)
	fmt.Fprintln(w)
	reportVerdicts(w, m.verdicts())
	if problems := m.load.problems(); len(problems) > 0 {
		return errors.New(strings.Join(problems, "\n"))
	}
	return nil
}

// restore creates an archive, and restores it as users would.
func (m *million) restore(ctx context.Context, binary, dir, database string) (*served, error) {
	fmt.Fprintf(os.Stderr, "%d hosts: making the archive\n", m.hosts)
	s, small, err := makeModel(ctx, binary, dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "million.backup")
	if m.rows, m.archived, err = small.archive(file, m.hosts/modelHosts); err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	m.archive = info.Size()
	fmt.Fprintf(os.Stderr, "%d hosts: restoring %d rows\n", m.hosts, m.rows)
	cmd := exec.CommandContext(ctx, binary, "server", "restore", "--database", database, file)
	cmd.Stderr = os.Stderr
	started := time.Now()
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	m.stored = time.Since(started)
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.restoring = usage.Maxrss * rssUnit
	}
	return s, os.Remove(file)
}

// ask measures every request to a server.
func (m *million) ask(ctx context.Context, s *served, runs int) error {
	pid := s.process.Process.Pid
	m.resting, _ = resident(pid)
	last, middle := m.hosts-40, m.hosts/2
	where := func(terms string) string { return "/v1/hosts?limit=30&where=" + url.QueryEscape(terms) }
	m.asked = []*millionRow{
		{name: "the first page, details", path: "/v1/hosts?details=true&limit=30"},
		{name: "a page in the middle", path: fmt.Sprintf("/v1/hosts?details=true&limit=30&marker=%d", middle)},
		{name: "the last page", path: fmt.Sprintf("/v1/hosts?details=true&limit=30&marker=%d", last)},
		{name: "name= of one", path: fmt.Sprintf("/v1/hosts?name=host-%06d.example.net", middle)},
		{name: "where name=host-0009*", path: where("name=host-0009*")},
		{name: "where ip of one", path: where("ip=10.0.200.7")},
		{name: "where ip in a /24", path: where("ip=10.7.20.0/24"), rare: true},
		{name: "where label=role3 bay=17", path: where("label=role3 bay=17")},
		{name: "where bay=17", path: where("bay=17")},
		{name: "where bay!=17 spare=true", path: where("bay!=17 spare=true")},
		{name: "where cell_mtu=1501, of all cells", path: where("cell_mtu=1501")},
		{name: "where a variable that nobody has", path: where("nobody_has_this=1")},
		{name: "where serial= of one", path: where(fmt.Sprintf("serial=SN%08d", middle)), rare: true},
		{name: "where kernel=6.13*, nobody's", path: where("kernel=6.13*"), rare: true},
		{name: "vars=serial: of one", path: "/v1/hosts?limit=30&vars=" + url.QueryEscape(fmt.Sprintf(`serial:"SN%08d"`, middle)), rare: true},
		{name: "history of a host", path: fmt.Sprintf("/v1/history?limit=20&kind=host&id=%d", middle)},
		{name: "the newest changes", path: "/v1/changes?limit=100"},
		{name: "the page: hosts", path: "/ui/hosts", page: true},
		{name: "the page: a host", path: fmt.Sprintf("/ui/hosts/%d", middle), page: true},
		{name: "the page: find a name", path: fmt.Sprintf("/ui/find?q=host-%06d", middle), page: true, rare: true},
	}
	api := s.program()
	browser, err := s.browser(ctx)
	if err != nil {
		return err
	}
	for _, row := range m.asked {
		fmt.Fprintf(os.Stderr, "%d hosts: %s\n", m.hosts, row.name)
		who := api
		if row.page {
			who = browser
		}
		for range runs {
			_, whole, _, err := who.get(ctx, row.path)
			if err != nil {
				return err
			}
			if row.times = append(row.times, whole); whole > enoughOnce {
				break
			}
		}
		row.after, _ = resident(pid)
	}
	fmt.Fprintf(os.Stderr, "%d hosts: page by page\n", m.hosts)
	started := time.Now()
	if m.ids, err = s.hostIDs(ctx); err != nil {
		return err
	}
	if m.walk = time.Since(started); len(m.ids) != m.hosts {
		return fmt.Errorf("the pages have %d hosts, not %d", len(m.ids), m.hosts)
	}
	_, m.walked = resident(pid)
	for _, program := range []struct {
		of   *ran
		args []string
	}{{&m.list, []string{"craton-inventory", "--list"}}, {&m.find, []string{"craton", "find", fmt.Sprintf("SN%08d", middle)}}} {
		fmt.Fprintf(os.Stderr, "%d hosts: %s\n", m.hosts, strings.Join(program.args, " "))
		if *program.of, err = s.runs(ctx, program.args...); err != nil {
			return err
		}
	}
	_, m.listed = resident(pid)
	return nil
}

func (m *million) report(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "craton server on PostgreSQL, %d hosts\n", m.hosts)
	line := func(name, text string) { fmt.Fprintf(t, "%s\t%s\t\n", name, text) }
	line("archive", fmt.Sprintf("%d rows, %s, written in %s", m.rows, mb(m.archive), seconds(m.archived)))
	line("craton server restore", fmt.Sprintf("%s, %.0f rows a second, resident at most %s", seconds(m.stored), float64(m.rows)/m.stored.Seconds(), mb(m.restoring)))
	line("server at rest", mb(m.resting))
	for _, r := range m.asked {
		line(r.name, fmt.Sprintf("%.1f ms, then resident %s", median(r.times).Seconds()*1000, mb(r.after)))
	}
	line("all hosts, page by page", fmt.Sprintf("%s, server resident at most %s", seconds(m.walk), mb(m.walked)))
	line("craton-inventory --list", fmt.Sprintf("%s, output %s, resident at most %s", seconds(m.list.wall), mb(m.list.bytes), mb(m.list.peak)))
	line("craton find of one variable", fmt.Sprintf("%s, resident at most %s", seconds(m.find.wall), mb(m.find.peak)))
	line("the server, at most until then", mb(m.listed))
	_ = t.Flush()
}

func (m *million) verdicts() (all []verdict) {
	all = append(all, verdict{"the last page over the first", median(m.asked[2].times).Seconds() / median(m.asked[0].times).Seconds(), targetLastPage, ""},
		verdict{"a page in the middle over the first", median(m.asked[1].times).Seconds() / median(m.asked[0].times).Seconds(), targetLastPage, ""})
	var common, rare time.Duration
	for _, r := range m.asked {
		if took := median(r.times); r.rare {
			rare = max(rare, took)
		} else {
			common = max(common, took)
		}
	}
	_, second := m.load.halves()
	return append(all, verdict{"the slowest of what an index or many hosts answer", common.Seconds(), targetCommon, " s"},
		verdict{"the slowest of what looks at all values", rare.Seconds(), targetRare, " s"},
		verdict{"the server, resident at most before the load", float64(m.listed) / 1e6, targetResident, " MB"},
		verdict{"and under load", float64(second) / 1e6, targetResident, " MB"})
}

// runs runs a program against a server, and discards its output.
func (s *served) runs(ctx context.Context, args ...string) (ran, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(s.binary), args[0]), args[1:]...)
	cmd.Env, cmd.Stderr = s.environment(s.url), os.Stderr
	return run(cmd)
}
