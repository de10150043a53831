package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// fleetHosts is how many hosts are created at once and one by one.
const fleetHosts = 1000

// perFleet is what it takes to create fleetHosts hosts.
type perFleet struct {
	release    string
	task, loop time.Duration // one task craton_fleet, and a loop of craton_host on the controller
	file       bool          // in a file of SQLite, and not over the server
}

func (p perFleet) where() string {
	if p.file {
		return "sqlite"
	}
	return "server"
}

// measureFleet creates the same hosts by one task and by a loop, in an empty region each time. The hosts are a variable
// from a file, as they would be; reading it is no part of the times.
func measureFleet(ctx context.Context, a *ansible, s *served, file bool, rounds int) (perFleet, error) {
	p := perFleet{release: a.release, file: file}
	connection := s.connection()
	if file {
		connection = map[string]any{"url": "sqlite:" + filepath.Join(a.home, "thousand.db")}
	}
	fmt.Fprintf(os.Stderr, "ansible-core %s: %d hosts, %s\n", a.release, fleetHosts, p.where())
	machines := make([]map[string]any, fleetHosts)
	for i := range machines {
		machines[i] = map[string]any{"name": fmt.Sprintf("host%04d", i), "ip_address": fmt.Sprintf("10.0.%d.%d", i>>8, i&255),
			"device_type": "server", "variables": map[string]any{"role": "web", "serial": fmt.Sprintf("SN%06d", i)}}
	}
	cloud := strings.Join([]string{"cloud", a.release, p.where()}, "-")
	vars := filepath.Join(a.home, "machines.json")
	text, err := json.Marshal(map[string]any{"machines": machines})
	if err != nil {
		return p, err
	}
	if err := os.WriteFile(vars, text, 0o600); err != nil {
		return p, err
	}
	create := func(region string, t task) (time.Duration, error) {
		took, _, err := a.play(ctx, vars, []task{
			{"craton.fleet.craton_cloud": with(map[string]any{"name": cloud}, connection)},
			{"craton.fleet.craton_region": with(map[string]any{"name": region, "cloud": cloud}, connection)},
			t,
			{"craton.fleet.craton_host_info": with(map[string]any{"region": region}, connection), "register": "found"},
			{"ansible.builtin.assert": map[string]any{"that": fmt.Sprintf("found.hosts | length == %d", fleetHosts)}},
		})
		if err != nil {
			return 0, err
		}
		return took[2], nil
	}

	var times []time.Duration
	for n := range rounds {
		region := fmt.Sprintf("%s-%d", cloud, n)
		fleet := map[string]any{"clouds": []any{map[string]any{"name": cloud, "regions": []any{map[string]any{"name": region, "hosts": "{{ machines }}"}}}}}
		took, err := create(region, task{"craton.fleet.craton_fleet": with(map[string]any{"fleet": fleet}, connection)})
		if err != nil {
			return p, err
		}
		times = append(times, took)
	}
	p.task = median(times)
	region := cloud + "-loop"
	p.loop, err = create(region, task{"loop": "{{ machines }}", "craton.fleet.craton_host": with(map[string]any{"name": "{{ item.name }}", "region": region,
		"ip_address": "{{ item.ip_address }}", "device_type": "{{ item.device_type }}", "variables": "{{ item.variables }}"}, connection)})
	return p, err
}
