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

// fleetHosts is the number of hosts created at once and one by one.
const fleetHosts = 1000

// perFleet is the time to create fleetHosts hosts.
type perFleet struct {
	release   string
	src, task time.Duration // one task craton_fleet, with the hosts in a file and with them in a variable
	loop      time.Duration // a loop of craton_host on the controller, over the variable
	file      bool          // in an SQLite file, without a server
}

func (p perFleet) where() string {
	if p.file {
		return "sqlite"
	}
	return "server"
}

// measureFleet creates the same hosts by one task and by a loop, in an empty region each time. The hosts are in a
// variable from a file, as usual; loading it is not included.
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
	if err := writeJSON(vars, map[string]any{"machines": machines}); err != nil {
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

	document := func(region string, hosts any) map[string]any {
		return map[string]any{"clouds": []any{map[string]any{"name": cloud, "regions": []any{map[string]any{"name": region, "hosts": hosts}}}}}
	}
	var inFile, inVariable []time.Duration
	for n := range rounds {
		region := fmt.Sprintf("%s-src-%d", cloud, n)
		src := filepath.Join(a.home, "fleet.json")
		if err := writeJSON(src, document(region, machines)); err != nil {
			return p, err
		}
		took, err := create(region, task{"craton.fleet.craton_fleet": with(map[string]any{"src": src}, connection)})
		if err != nil {
			return p, err
		}
		inFile = append(inFile, took)
		region = fmt.Sprintf("%s-%d", cloud, n)
		took, err = create(region, task{"craton.fleet.craton_fleet": with(map[string]any{"fleet": document(region, "{{ machines }}")}, connection)})
		if err != nil {
			return p, err
		}
		inVariable = append(inVariable, took)
	}
	p.src, p.task = median(inFile), median(inVariable)
	region := cloud + "-loop"
	var err error
	p.loop, err = create(region, task{"loop": "{{ machines }}", "craton.fleet.craton_host": with(map[string]any{"name": "{{ item.name }}", "region": region,
		"ip_address": "{{ item.ip_address }}", "device_type": "{{ item.device_type }}", "variables": "{{ item.variables }}"}, connection)})
	return p, err
}

// writeJSON writes JSON, which is also YAML.
func writeJSON(file string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}
