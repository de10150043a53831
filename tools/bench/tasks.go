package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// way is how a task gets its work done.
type way int

// The ways of one host that is there already and stays as it is, and the two that do nothing.
const (
	floorHere   way = iota // a task that Ansible carries out itself
	floorCopied            // a module that does nothing
	here                   // craton_host by the action plugin
	hereFile               // the same on a file of SQLite
	copied                 // craton_host, copied and run as any binary module
	python                 // a Python module with the same requests
	ways
)

var wayNames = [ways]string{
	floorHere:   "floor: debug",
	floorCopied: "floor of copied modules: two lines of shell",
	here:        "craton_host on the controller",
	hereFile:    "the same, sqlite:",
	copied:      "craton_host copied",
	python:      "the Python module",
}

// items is how many items the shorter loop has, and how many tasks of their own are carried out.
const items = 10

// perTask is what a task takes of a release of ansible-core, by its way: as one item of a loop, and as a task of its
// own.
type perTask struct {
	release string
	item    [ways]time.Duration
	own     [ways]time.Duration
}

// measureTasks takes the times. That of an item is the slope between loops of n and 2 n, so that nothing that Ansible
// does once for a task is in it. Every round has all the ways, so that a slow moment of the machine hits all alike.
func measureTasks(ctx context.Context, a *ansible, s *served, rounds int) (perTask, error) {
	p := perTask{release: a.release}
	fmt.Fprintf(os.Stderr, "ansible-core %s: tasks\n", a.release)
	tasks, err := taskWays(ctx, a, s)
	if err != nil {
		return p, err
	}
	if err := checkWays(ctx, a, tasks); err != nil {
		return p, err
	}
	var looped, own [ways][]time.Duration
	for range rounds {
		var play []task
		for _, t := range tasks {
			play = append(play, t, loop(t, items), loop(t, 2*items)) // the first is there to fill caches
			for range items {
				play = append(play, t)
			}
		}
		took, output, err := a.play(ctx, "", play)
		if err != nil {
			return p, err
		}
		if !strings.Contains(output, " changed=0 ") {
			return p, errors.New("a task changed something: this is not what is to be measured")
		}
		for w := range ways {
			t := took[int(w)*len(play)/int(ways):]
			looped[w] = append(looped[w], (t[2]-t[1])/items)
			own[w] = append(own[w], sum(t[3:3+items])/items)
		}
	}
	for w := range ways {
		p.item[w], p.own[w] = median(looped[w]), median(own[w])
	}
	return p, nil
}

func sum(all []time.Duration) (total time.Duration) {
	for _, d := range all {
		total += d
	}
	return total
}

func loop(t task, n int) task {
	looped := task{"loop": fmt.Sprintf("{{ range(%d) | list }}", n)}
	for key, value := range t {
		looped[key] = value
	}
	return looped
}

// taskWays makes the host, on the server and in a file, and the task for each way.
func taskWays(ctx context.Context, a *ansible, s *served) ([ways]task, error) {
	c, r, h, err := s.oneHost(ctx, "-"+a.release)
	if err != nil {
		return [ways]task{}, err
	}
	host := map[string]any{"name": h.Name, "region": r.Name, "ip_address": h.IPAddress, "device_type": h.DeviceType,
		"variables": h.Variables}
	onServer := with(host, s.connection())
	inFile := with(host, map[string]any{"url": "sqlite:" + filepath.Join(a.home, "fleet.db")})
	_, _, err = a.play(ctx, "", []task{
		{"craton.fleet.craton_cloud": with(map[string]any{"name": c.Name}, map[string]any{"url": inFile["url"]})},
		{"craton.fleet.craton_region": with(map[string]any{"name": r.Name, "cloud": c.Name}, map[string]any{"url": inFile["url"]})},
		{"craton.fleet.craton_host": inFile},
	})
	return [ways]task{
		floorHere:   {"ansible.builtin.debug": map[string]any{"msg": "nothing"}},
		floorCopied: {"craton.bench.nothing": map[string]any{}},
		here:        {"craton.fleet.craton_host": onServer},
		hereFile:    {"craton.fleet.craton_host": inFile},
		copied:      {"craton.fleet.craton_host": onServer, "become": true, "become_method": "craton.bench.plain"},
		python:      {"craton.bench.host": onServer},
	}, err
}

func with(a, b map[string]any) map[string]any {
	both := map[string]any{}
	for _, m := range []map[string]any{a, b} {
		for key, value := range m {
			both[key] = value
		}
	}
	return both
}

// connection are the options that say where the server is.
func (s *served) connection() map[string]any {
	return map[string]any{"url": s.url, "username": "bootstrap", "password": s.key, "project_id": s.projectID}
}

// checkWays makes sure that each task goes the way that it is measured for, which Ansible tells with -vvv.
func checkWays(ctx context.Context, a *ansible, tasks [ways]task) error {
	for w, want := range map[way]string{
		here:     " as craton_host",
		hereFile: " as craton_host",
		copied:   "Using module file " + filepath.Join(a.home, ".ansible/collections/ansible_collections/craton/fleet/plugins/modules", runtime.GOOS+"_"+runtime.GOARCH, "craton_host"),
		python:   "Using module file " + filepath.Join(a.home, ".ansible/collections/ansible_collections/craton/bench/plugins/modules/host.py"),
	} {
		_, output, err := a.play(ctx, "", []task{tasks[w]}, "-vvv")
		if err != nil {
			return err
		}
		if !strings.Contains(output, want) {
			return fmt.Errorf("ansible-core %s did not run task %v in the way that was to be measured: no %q in\n%s", a.release, tasks[w], want, tail(output))
		}
	}
	return nil
}
