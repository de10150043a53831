package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
)

// figure are the measurements of craton-inventory at one size.
type figure struct {
	listing                  // merged
	layered    listing       // the same fleet
	seeded     time.Duration // creating the fleet over the API
	resolved   float64       // hosts a second, with details and resolved values
	beyondHost int           // requests beyond pages of 100 hosts
	kept       kept          // with a cached inventory
}

// measure creates a fleet, serves it, and measures everything.
func measure(ctx context.Context, binary string, hosts, runs int) (figure, error) {
	var f figure
	fmt.Fprintf(os.Stderr, "%d hosts: creating\n", hosts)
	dir, err := os.MkdirTemp("", "craton-bench")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	s, err := serve(ctx, binary, "sqlite:"+filepath.Join(dir, "fleet.db"))
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
	inventory := lister{command: "craton-inventory", binary: binary, url: s.url, environment: s.environment}
	taken, err := inventory.measure(ctx, hosts, runs, "CRATON_INVENTORY_VARS=merged", "CRATON_INVENTORY_VARS=layered")
	if err != nil {
		return f, err
	}
	f.listing, f.layered = taken[0], taken[1]
	f.beyondHost = max(f.requests-hosts/100, 0) // none if the fleet is read in one response
	if f.kept, err = s.measureKept(ctx, inventory, hosts, runs); err != nil {
		return f, err
	}
	f.resolved, err = s.listResolved(ctx)
	return f, err
}

// listResolved lists all hosts with details and resolved values, regions in parallel, as fast as possible.
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
