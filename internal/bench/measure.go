package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
)

// streams is how many pages the floor fetches side by side: as many as the inventory's default.
const streams = 16

// figure is what was measured at one size. Times are medians.
type figure struct {
	hosts            int
	seeded           time.Duration // creating the fleet over the API
	floor            time.Duration // the same pages, side by side, thrown away
	merged, layered  time.Duration // wall time of --list
	mergedBytes      int64
	layeredBytes     int64
	peak             int64 // bytes resident at most, merged
	peakLayered      int64
	requests         int     // of one --list
	listed           float64 // hosts a second, details and resolved values
	mergedCPU        time.Duration
	requestsConstant int // requests beyond pages of 100
}

// measure makes a fleet, serves it, and takes every figure.
func measure(ctx context.Context, binary string, hosts, runs int) (figure, error) {
	f := figure{hosts: hosts}
	fmt.Fprintf(os.Stderr, "%d hosts: creating\n", hosts)
	dir, err := os.MkdirTemp("", "craton-bench")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	s, err := serve(ctx, binary, filepath.Join(dir, "fleet.db"))
	if err != nil {
		return f, err
	}
	defer s.stop()
	started := time.Now()
	if err := seed(ctx, s.client, s.projectID, hosts); err != nil {
		return f, err
	}
	f.seeded = time.Since(started)

	fmt.Fprintf(os.Stderr, "%d hosts: measuring\n", hosts)
	pages, err := s.pages(ctx)
	if err != nil {
		return f, err
	}
	f.requests, f.requestsConstant = len(pages), len(pages)-hosts/100
	// The runs alternate, so that a slow moment of the machine hits all alike.
	var floors, merged, layered, cpu []time.Duration
	for range runs {
		d, err := s.floor(ctx, pages)
		if err != nil {
			return f, err
		}
		floors = append(floors, d)
		m, err := s.inventory(ctx, "merged")
		if err != nil {
			return f, err
		}
		merged, cpu = append(merged, m.wall), append(cpu, m.cpu)
		f.mergedBytes, f.peak = m.bytes, max(f.peak, m.peak)
		l, err := s.inventory(ctx, "layered")
		if err != nil {
			return f, err
		}
		layered = append(layered, l.wall)
		f.layeredBytes, f.peakLayered = l.bytes, max(f.peakLayered, l.peak)
	}
	f.floor, f.merged, f.layered, f.mergedCPU = median(floors), median(merged), median(layered), median(cpu)
	f.listed, err = s.listResolved(ctx)
	return f, err
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// pages are the requests that one --list makes, seen by a proxy in between.
func (s *served) pages(ctx context.Context) ([]string, error) {
	target, err := url.Parse(s.url)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var seen []string
	proxy := httputil.NewSingleHostReverseProxy(target)
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	hs := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.URL.RequestURI())
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	})}
	go hs.Serve(l)   //nolint:errcheck // closed below
	defer hs.Close() //nolint:errcheck // nothing is under way any more
	through := *s
	through.url = "http://" + l.Addr().String()
	if _, err := through.inventory(ctx, "merged"); err != nil {
		return nil, err
	}
	return seen, nil
}

// floor fetches the pages side by side and throws their bodies away.
func (s *served) floor(ctx context.Context, pages []string) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: streams}}
	defer client.CloseIdleConnections()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(streams)
	started := time.Now()
	for _, page := range pages {
		group.Go(func() error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+page, nil)
			if err != nil {
				return err
			}
			req.Header.Set("X-Auth-User", "bootstrap")
			req.Header.Set("X-Auth-Token", s.key)
			req.Header.Set("X-Auth-Project", s.projectID)
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close() //nolint:errcheck // read to its end
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %s", page, resp.Status)
			}
			_, err = drain(resp.Body)
			return err
		})
	}
	err := group.Wait()
	return time.Since(started), err
}

// ran is one run of the binary.
type ran struct {
	wall, cpu   time.Duration
	bytes, peak int64
}

// inventory runs --list as Ansible does, its output through a pipe.
func (s *served) inventory(ctx context.Context, vars string) (ran, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(s.binary), "craton-inventory"), "--list")
	cmd.Env = append(s.environment(), "CRATON_INVENTORY_VARS="+vars)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return ran{}, err
	}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return ran{}, err
	}
	n, err := drain(out)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return ran{}, fmt.Errorf("craton-inventory --list: %w", err)
	}
	r := ran{wall: time.Since(started), bytes: n, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss * rssUnit
	}
	return r, nil
}

// drain reads to the end and throws away, in pieces of what a pipe holds (io.Discard reads 8 kB at a time).
func drain(r io.Reader) (n int64, err error) {
	buf := make([]byte, 1<<16)
	for {
		got, err := r.Read(buf)
		n += int64(got)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// listResolved walks all hosts with details and resolved values, region by region side by side, as fast as it goes.
func (s *served) listResolved(ctx context.Context) (float64, error) {
	var regions []int
	for r, err := range s.client.Regions.All(ctx, craton.RegionListOptions{}) {
		if err != nil {
			return 0, err
		}
		regions = append(regions, r.ID)
	}
	var mu sync.Mutex
	total := 0
	group, ctx := errgroup.WithContext(ctx)
	started := time.Now()
	for _, id := range regions {
		group.Go(func() error {
			q := url.Values{"region_id": {fmt.Sprint(id)}, "details": {"true"}, "limit": {"100"}}
			for page, err := range s.client.Pages(ctx, "/hosts", q) {
				if err != nil {
					return err
				}
				mu.Lock()
				total += strings.Count(string(page.Body), `"device_type"`)
				mu.Unlock()
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(total) / time.Since(started).Seconds(), err
}
