package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
)

// The shape of the fleet: 2 clouds of 5 regions; cells of 100 hosts.
const (
	clouds          = 2
	regionsPerCloud = 5
	hostsPerCell    = 100
)

// seed fills an API with a fleet: 4 variables each at project, cloud, region and cell, of which each level
// overrides one of the level above, and 6 on each host, so that 19 are in play for a host; two labels a host.
func seed(ctx context.Context, c *craton.Client, projectID string, hosts int) error {
	if _, err := c.Projects.SetVariables(ctx, projectID, level("project", 0)); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32)
	started, last := time.Now(), time.Now()
	made := 0
	for i := range clouds {
		cloud, err := c.Clouds.Create(ctx, craton.CloudCreate{Name: fmt.Sprintf("cloud%d", i), Variables: level("cloud", i)})
		if err != nil {
			return err
		}
		for j := range regionsPerCloud {
			region, err := c.Regions.Create(ctx, craton.RegionCreate{Name: fmt.Sprintf("region%d", j), CloudID: cloud.ID, Variables: level("region", j)})
			if err != nil {
				return err
			}
			for left := hosts / (clouds * regionsPerCloud); left > 0; left -= hostsPerCell {
				k := left / hostsPerCell
				cell, err := c.Cells.Create(ctx, craton.CellCreate{Name: fmt.Sprintf("cell%d", k), CloudID: cloud.ID, RegionID: region.ID, Variables: level("cell", k)})
				if err != nil {
					return err
				}
				for range min(left, hostsPerCell) {
					n := made
					made++
					group.Go(func() error {
						_, err := c.Hosts.Create(ctx, host(n, cell))
						return err
					})
					if now := time.Now(); now.Sub(last) > 5*time.Second {
						last = now
						fmt.Fprintf(os.Stderr, "  %d of %d hosts created after %.0f s\n", made, hosts, now.Sub(started).Seconds())
					}
				}
			}
		}
	}
	return group.Wait()
}

// level is what an object above the hosts sets: three variables of its own and one of the level below it.
func level(kind string, n int) craton.Variables {
	below := map[string]string{"project": "cloud", "cloud": "region", "region": "cell", "cell": "host"}[kind]
	return craton.Vars(map[string]any{
		kind + "_ntp":         []string{fmt.Sprintf("ntp1.%s%d.example.net", kind, n), fmt.Sprintf("ntp2.%s%d.example.net", kind, n)},
		kind + "_mtu":         1500 + n,
		kind + "_monitoring":  map[string]any{"enabled": n%2 == 0, "interval": 30, "tags": []string{kind, strconv.Itoa(n)}},
		below + "_monitoring": false,
	})
}

func host(n int, cell *craton.Cell) craton.HostCreate {
	return craton.HostCreate{
		Name:       fmt.Sprintf("host-%06d.example.net", n),
		IPAddress:  fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255),
		DeviceType: "server", CloudID: cell.CloudID, RegionID: cell.RegionID, CellID: cell.ID,
		Labels: []string{fmt.Sprintf("role%d", n%7), fmt.Sprintf("rack%d", n%20)},
		Variables: craton.Vars(map[string]any{
			"host_monitoring": map[string]any{"enabled": true, "checks": []string{"ping", "ssh"}},
			"serial":          fmt.Sprintf("SN%08d", n), "bay": n % 42, "kernel": "6.12.9-1.el10",
			"disks": []string{"nvme0n1", "nvme1n1"}, "spare": n%50 == 0,
		}),
	}
}
