package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/craton"
)

// applied is the cost of `craton apply` for a file with many hosts, and the floors to compare it with. Times are
// processor time, of the client alone.
type applied struct {
	hosts             int
	decode            ran // parsing the file into plain values, with the same YAML library
	create, createAll ran // only the requests that create the same hosts, and apply
	read, again       ran // only reading GET /v1/fleet, and apply without changes
	list              ran // the inventory of the same fleet
	plan, json, keep  ran // the plan of a file that changes every host: as text, as a document, and saved in a file
}

// Floors run in processes of their own, so that their memory can be measured: this program, called with --floor and one
// of these.
const (
	floorDecode = "decode" // FILE
	floorCreate = "create" // HOSTS; the server in the environment
	floorRead   = "read"
)

// runFloor runs a floor.
func runFloor(ctx context.Context, floor string, hosts int, file string) error {
	if floor == floorDecode {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read
		var v any
		return yaml.NewDecoder(f).Decode(&v)
	}
	project := os.Getenv("OS_PROJECT_ID")
	c, err := craton.New(os.Getenv("CRATON_URL"), craton.WithLocalAuth(os.Getenv("OS_USERNAME"), os.Getenv("OS_PASSWORD"), project))
	if err != nil {
		return err
	}
	switch floor {
	case floorCreate:
		return seed(ctx, c, project, hosts)
	case floorRead:
		s, err := c.Fleet(ctx, craton.FleetOptions{})
		if err != nil {
			return err
		}
		for _, err := range s.All() {
			if err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("--floor %s: there are %s, %s and %s", floor, floorDecode, floorCreate, floorRead)
}

// measureApply writes a file with a number of hosts, and applies it twice to an empty server.
func measureApply(ctx context.Context, binary string, hosts int) (a applied, err error) {
	a.hosts = hosts
	dir, err := os.MkdirTemp("", "craton-bench")
	if err != nil {
		return a, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	file := filepath.Join(dir, "fleet.yml")
	changed := filepath.Join(dir, "changed.yml")
	if err := errors.Join(writeFleet(file, hosts, ""), writeFleet(changed, hosts, "6.12.10-1.el10")); err != nil {
		return a, err
	}
	self, err := os.Executable()
	if err != nil {
		return a, err
	}
	fmt.Fprintf(os.Stderr, "apply: %d hosts\n", hosts)
	if a.decode, err = process(exec.CommandContext(ctx, self, "--floor", floorDecode, "--file", file)); err != nil {
		return a, err
	}
	for _, floor := range []bool{true, false} {
		s, err := serve(ctx, binary, fmt.Sprintf("sqlite:%s/%t.db", dir, floor))
		if err != nil {
			return a, err
		}
		run := func(r *ran, name string, args ...string) {
			if err != nil {
				return
			}
			cmd := exec.CommandContext(ctx, name, args...)
			cmd.Env = s.environment(s.url)
			*r, err = process(cmd)
		}
		if floor {
			run(&a.create, self, "--floor", floorCreate, "--hosts", fmt.Sprint(hosts))
			run(&a.read, self, "--floor", floorRead)
		} else {
			run(&a.createAll, binary, "apply", file)
			run(&a.again, binary, "apply", file)
			run(&a.list, binary, "inventory", "--list")
			run(&a.plan, binary, "plan", changed)
			run(&a.json, binary, "--format", "json", "plan", changed)
			run(&a.keep, binary, "plan", changed, "--out", filepath.Join(dir, "change.plan"))
		}
		s.stop()
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

// changes is the exit status of `craton plan` if there are changes.
const changes = 3

// process runs a program, with its output through a pipe.
func process(cmd *exec.Cmd) (r ran, err error) {
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, err
	}
	r.bytes, err = drain(out)
	ended := cmd.Wait()
	if cmd.ProcessState.ExitCode() == changes {
		ended = nil
	}
	if err := errors.Join(err, ended); err != nil {
		return r, fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss * rssUnit
	}
	return r, nil
}

// writeFleet writes seed's fleet as a typical fleet file, in block style. kernel, if given, replaces the kernel of all
// hosts.
func writeFleet(file string, hosts int, kernel string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	block := func(indent, key string, v any) {
		fmt.Fprintf(w, "%s%s:\n", indent, key)
		var text []byte
		if text, err = yaml.Marshal(v); err != nil {
			return
		}
		for line := range strings.Lines(string(text)) {
			fmt.Fprintf(w, "%s  %s", indent, line)
		}
	}
	_, _ = io.WriteString(w, "project:\n")
	block("  ", "variables", plain(level("project", 0)))
	_, _ = io.WriteString(w, "clouds:\n")
	made := 0
	for i := range clouds {
		fmt.Fprintf(w, "- name: cloud%d\n", i)
		block("  ", "variables", plain(level("cloud", i)))
		_, _ = io.WriteString(w, "  regions:\n")
		for j := range regionsPerCloud {
			fmt.Fprintf(w, "  - name: region%d\n", j)
			block("    ", "variables", plain(level("region", j)))
			_, _ = io.WriteString(w, "    cells:\n")
			for left := hosts / (clouds * regionsPerCloud); left > 0; left -= hostsPerCell {
				k := left / hostsPerCell
				fmt.Fprintf(w, "    - name: cell%d\n", k)
				block("      ", "variables", plain(level("cell", k)))
				_, _ = io.WriteString(w, "      hosts:\n")
				for range min(left, hostsPerCell) {
					h := host(made, &craton.Cell{})
					made++
					if kernel != "" {
						maps.Copy(h.Variables, craton.Vars(map[string]any{"kernel": kernel}))
					}
					fmt.Fprintf(w, "      - name: %s\n        ip_address: %s\n        device_type: %s\n        labels: [%s, %s]\n", h.Name, h.IPAddress, h.DeviceType, h.Labels[0], h.Labels[1])
					block("        ", "variables", plain(h.Variables))
				}
			}
		}
	}
	return errors.Join(err, w.Flush(), f.Close())
}

// plain converts variables to values.
func plain(v craton.Variables) map[string]any {
	values := map[string]any{}
	for key := range v {
		var value any
		_, _ = v.Get(key, &value) // they were written by this program
		values[key] = value
	}
	return values
}
