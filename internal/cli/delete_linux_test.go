package cli

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/clitest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/wording"
)

// small is a fleet with some of everything that a delete takes along.
const small = `
clouds:
  - name: big
    regions:
      - name: dfw
        networks: [{name: mgmt, cidr: 10.0.0.0/24, gateway: 10.0.0.1, netmask: 255.255.255.0}]
        cells:
          - name: c1
            hosts:
              - name: web-01
                ip_address: 10.0.0.1
                device_type: server
                interfaces: [{name: eth0, interface_type: e, ip_address: 10.0.0.1, network: mgmt}, {name: eth1, interface_type: e, ip_address: 10.0.0.2}]
              - {name: web-02, ip_address: 10.0.0.2, device_type: server}
            network_devices: [{name: sw-01, ip_address: 10.0.0.3, device_type: switch}]
  - name: other
    regions: [{name: ord, hosts: [{name: db-01, ip_address: 10.1.0.1, device_type: server, interfaces: [{name: eth0, interface_type: e, ip_address: 10.1.0.1}]}]}]
  - name: empty
`

// user runs command lines on a fleet of their own. With a terminal it is one that what is typed comes from.
func user(t *testing.T, fleet string) func(tty *os.File, args ...string) (status int, out, errs string) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, []byte("url: sqlite:"+filepath.Join(dir, "fleet.db")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(tty *os.File, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		s := output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
		if tty != nil {
			s.In, s.Err = tty, tty
		}
		status := Run(t.Context(), append([]string{"--config", config}, args...), s, argparse.Version{})
		return status, out.String(), errs.String()
	}
	file := filepath.Join(dir, "fleet.yml")
	if err := os.WriteFile(file, []byte(fleet), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := run(nil, "apply", file); status != 0 {
		t.Fatal(errs)
	}
	return run
}

// TestDeleteAsks where other objects go along: it counts them by kind, and does nothing without a yes.
func TestDeleteAsks(t *testing.T) {
	t.Parallel()
	run := user(t, small)
	const holds = "1 region, 1 cell, 2 hosts, 1 network device, 1 network, 2 network interfaces"
	for name, c := range map[string]struct {
		args string
		want string
	}{
		"cloud":  {"cloud-delete big", "cloud big ... not empty ... deleted with it: " + holds + "."},
		"region": {"region-delete big/dfw", "with it: 1 cell, 2 hosts, 1 network device, 1 network, 2 network interfaces."},
		"cell":   {"cell-delete c1", "with it: 2 hosts, 1 network device, 2 network interfaces."},
		"host":   {"host-delete web-01", "with it: 2 network interfaces."},
		"other":  {"cloud-delete other", "with it: 1 region, 1 host, 1 network interface."},
		"json":   {"--format json cloud-delete big", holds},
	} {
		status, out, errs := run(nil, strings.Fields(c.args)...)
		if status != 1 || out != "" || !wording.Has(errs, c.want) || !strings.Contains(errs, "--yes") || !strings.HasPrefix(errs, "ERROR: ") {
			t.Errorf("%s: %d %q %q", name, status, out, errs)
		}
	}
	if status, out, errs := run(nil, "cloud-delete", "big", "--dry-run", "--yes"); status != 0 || errs != "" ||
		!wording.Has(out, "Would delete cloud big ... 1 region, 1 cell, 2 hosts, 1 network device, 1 network and 2 network interfaces") {
		t.Errorf("%d %q %q", status, out, errs)
	}
	if status, out, errs := run(nil, "cloud-delete", "99", "--dry-run"); status != 0 || !wording.Has(out, "no cloud 99 ... nothing") {
		t.Errorf("%d %q %q", status, out, errs)
	}
	for _, format := range []string{"json", "yaml"} {
		status, out, errs := run(nil, "--format", format, "region-delete", "big/dfw", "--dry-run")
		var doc struct {
			Kind, Name, But string
			ID              int
			Deletes         bool
			With            map[string]int
		}
		if err := yaml.Unmarshal([]byte(out), &doc); err != nil || status != 0 || errs != "" {
			t.Errorf("%s: %d %v %q", format, status, err, errs)
		}
		want := map[string]int{"cells": 1, "hosts": 2, "network_devices": 1, "networks": 1, "network_interfaces": 2}
		if doc.Kind != "region" || doc.Name != "dfw" || doc.ID == 0 || !doc.Deletes || doc.But != "" || !maps.Equal(doc.With, want) {
			t.Errorf("%s: %+v", format, doc)
		}
	}
	// What the server would refuse is told.
	if status, out, errs := run(nil, "host-update", "web-02", "--parent", "web-01"); status != 0 {
		t.Fatal(status, out, errs)
	}
	if status, out, errs := run(nil, "host-delete", "web-01", "--dry-run"); status != 0 || errs != "" ||
		!regexp.MustCompile(`^Would delete host web-01 .*2 network interfaces; .*refuses.* parent of host web-02 \(id \d+\)`).MatchString(out) {
		t.Errorf("%d %q %q", status, out, errs)
	}
	if status, _, errs := run(nil, "host-delete", "web-01", "--yes"); status != 1 || !strings.Contains(errs, "parent") {
		t.Errorf("%d %q", status, errs)
	}
	if status, out, errs := run(nil, "host-update", "web-02", "--parent", ""); status != 0 {
		t.Fatal(status, out, errs)
	}
	there := func(want string) {
		t.Helper()
		if _, out, _ := run(nil, "--format", "csv", "host-list", "--fields", "name", "--sort-key", "name"); out != want {
			t.Errorf("%q, want %q", out, want)
		}
	}
	there("name\ndb-01\nweb-01\nweb-02\n")

	// At a terminal.
	tty, other := clitest.Terminal(t, 200)
	answer := func(text string, args ...string) (int, string) {
		t.Helper()
		if _, err := io.WriteString(other, text); err != nil {
			t.Fatal(err)
		}
		status, out, _ := run(tty, args...)
		return status, out
	}
	for _, no := range []string{"\n", "n\n", "no\n", "yikes\n", "\x04"} {
		if status, out := answer(no, "cloud-delete", "big"); status != 1 || out != "" {
			t.Errorf("%q: %d %q", no, status, out)
		}
	}
	if text := clitest.Shown(t, tty, other); !strings.Contains(text, holds) || !strings.Contains(text, "Delete? [y/N]") || !strings.Contains(text, "nothing was deleted") {
		t.Errorf("%q", text)
	}
	there("name\ndb-01\nweb-01\nweb-02\n")
	if status, out := answer("y\n", "cloud-delete", "big"); status != 0 || out != "Cloud big was successfully deleted.\n" {
		t.Errorf("%d %q", status, out)
	}
	there("name\ndb-01\n")

	// Nothing to ask.
	for _, line := range []string{"cloud-delete empty", "cloud-delete 99", "cloud-delete other --yes"} {
		if status, _, errs := run(nil, strings.Fields(line)...); status != 0 || errs != "" {
			t.Errorf("%s: %d %q", line, status, errs)
		}
	}
	there("name\n")
}
