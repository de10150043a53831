package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/clitest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/server"
)

// wide makes a fleet whose names and addresses are as long as real ones, with regions and devices of one name.
const wide = `cloud-create -n east
cloud-create -n west
region-create -n dfw --cloud east
region-create -n dfw --cloud west
cell-create -n c1 --cloud east -r 1
cell-create -n 1 --cloud west -r 2
host-create -n web-01.dfw.example.net -i 2001:db8:1000:2000:3000:4000:5000:11 -t server --cloud east -r 1 -c 1
host-create -n web-02.dfw.example.net -i 2001:db8:1000:2000::12 -t server --cloud east -r 1 -c 1 --note a-note-that-is-much-longer-than-the-terminal-is-wide-as-notes-often-are,-so-it-is-wrapped
network-device-create -n sw-01 -i 10.0.0.3 -t switch --cloud east -r 1 -c 1
host-create -n db-01.west -i 10.1.0.1 -t server --cloud west -r 2 -c 2 -a false
host-create -n sw-01 -i 10.1.0.2 -t hypervisor --cloud west -r 2
host-create -n vm-01 -i 10.1.0.3 -t vm --cloud west -r 2 --parent 5
host-update 1 --parent 3
network-create -n mgmt-dfw --cidr 2001:db8:1000:2000::/64 --gateway 2001:db8:1000:2000::1 --netmask ffff:ffff:ffff:ffff:: --cloud east -r 1
network-interface-create -n eth0 -d 1 -t ethernet -i 2001:db8:1000:2000:3000:4000:5000:12 --network 1`

var ended = regexp.MustCompile(`<status \d+>$`)

// escapes are sequences that colour text, or wipe a line.
var escapes = regexp.MustCompile("\x1b\\[[0-9]*[mK]")

// onTerminal runs command lines with standard output on a terminal, and gives the plain lines of it.
func onTerminal(t *testing.T, width uint16, settings ...string) func(line string) []string {
	t.Helper()
	tty, other := clitest.Terminal(t, width)
	config := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return func(line string) []string {
		t.Helper()
		done := make(chan string)
		go func() { // a terminal holds 4 KiB, then who writes has to wait
			status := Run(t.Context(), slices.Concat([]string{"--config", config}, settings, strings.Fields(line)),
				output.Streams{In: strings.NewReader(""), Out: tty, Err: tty}, argparse.Version{})
			_, _ = fmt.Fprintf(tty, "<status %d>", status)
		}()
		go func() {
			var text strings.Builder
			for piece := make([]byte, 1<<12); !ended.MatchString(text.String()); {
				n, err := other.Read(piece)
				if err != nil {
					break
				}
				text.Write(piece[:n])
			}
			done <- escapes.ReplaceAllString(strings.NewReplacer("\r\n", "\n", "\r", "").Replace(text.String()), "")
		}()
		text, whole := strings.CutSuffix(<-done, "<status 0>")
		if !whole {
			t.Fatalf("%s:\n%s", line, text)
		}
		return strings.Split(text, "\n")
	}
}

// wideFleet returns the setting of the URL of the fleet wide.
func wideFleet(t *testing.T) []string {
	t.Helper()
	settings := []string{"--craton-url", "sqlite:" + filepath.Join(t.TempDir(), "fleet.db")}
	empty := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(empty, []byte("clouds: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := onTerminal(t, 200, settings...)
	run("apply " + empty) // makes the file
	for line := range strings.Lines(wide) {
		run(line)
	}
	return settings
}

// TestListsOnATerminal name what ids refer to, keep what people copy in one piece, and say which columns gave way.
func TestListsOnATerminal(t *testing.T) {
	t.Parallel()
	settings := wideFleet(t)
	for _, c := range []struct {
		width uint16
		line  string
		want  string
	}{
		{80, "host-list --region east/dfw", `
+----+------------------------+--------------------------------------+------+
| Id | Name                   | Ip Address                           | Cell |
+----+------------------------+--------------------------------------+------+
| 1  | web-01.dfw.example.net | 2001:db8:1000:2000:3000:4000:5000:11 | c1   |
| 2  | web-02.dfw.example.net | 2001:db8:1000:2000::12               | c1   |
+----+------------------------+--------------------------------------+------+
no room for created_at, active, device_type, cloud_id, region_id: --detail shows all columns, --fields the ones that you name
`},
		{110, "host-list --region east/dfw --device-type server", ""}, // below
		{80, "host-list --region west/dfw", `
+----+------------+--------+-------------+------------+-------+--------+-------+
| Id | Name       | Active | Device Type | Ip Address | Cloud | Region | Cell  |
+----+------------+--------+-------------+------------+-------+--------+-------+
| 4  | db-01.west | False  | server      | 10.1.0.1   | west  | dfw    | 1 (2) |
| 5  | sw-01      | True   | hypervisor  | 10.1.0.2   | west  | dfw    | None  |
| 6  | vm-01      | True   | vm          | 10.1.0.3   | west  | dfw    | None  |
+----+------------+--------+-------------+------------+-------+--------+-------+
no room for created_at: --detail shows all columns, --fields the ones that you name
`},
		{140, "device-list --sort-key name", `
+----+------------------------+-------------+--------------------------------------+-------+--------+-------+-----------+
| Id | Name                   | Device Type | Ip Address                           | Cloud | Region | Cell  | Parent    |
+----+------------------------+-------------+--------------------------------------+-------+--------+-------+-----------+
| 4  | db-01.west             | server      | 10.1.0.1                             | west  | dfw    | 1 (2) | None      |
| 5  | sw-01                  | hypervisor  | 10.1.0.2                             | west  | dfw    | None  | None      |
| 6  | vm-01                  | vm          | 10.1.0.3                             | west  | dfw    | None  | sw-01 (5) |
| 1  | web-01.dfw.example.net | server      | 2001:db8:1000:2000:3000:4000:5000:11 | east  | dfw    | c1    | sw-01 (3) |
| 2  | web-02.dfw.example.net | server      | 2001:db8:1000:2000::12               | east  | dfw    | c1    | None      |
| 3  | sw-01                  | switch      | 10.0.0.3                             | east  | dfw    | c1    | None      |
+----+------------------------+-------------+--------------------------------------+-------+--------+-------+-----------+
`},
		{80, "region-list", `
+----+------+-------+
| Id | Name | Cloud |
+----+------+-------+
| 1  | dfw  | east  |
| 2  | dfw  | west  |
+----+------+-------+
`},
		{80, "host-list --cell c1 --fields name cell_id region_id", `
+------------------------+---------+-----------+
| Name                   | Cell Id | Region Id |
+------------------------+---------+-----------+
| web-01.dfw.example.net | 1       | 1         |
| web-02.dfw.example.net | 1       | 1         |
+------------------------+---------+-----------+
`},
		{80, "--format csv region-list", "\nid,name,cloud_id\n1,dfw,1\n2,dfw,2\n"},
		{120, "network-list", `
+----+----------+-------------------------+-----------------------+-----------------------+-------+--------+------+
| Id | Name     | Cidr                    | Gateway               | Netmask               | Cloud | Region | Cell |
+----+----------+-------------------------+-----------------------+-----------------------+-------+--------+------+
| 1  | mgmt-dfw | 2001:db8:1000:2000::/64 | 2001:db8:1000:2000::1 | ffff:ffff:ffff:ffff:: | east  | dfw    | None |
+----+----------+-------------------------+-----------------------+-----------------------+-------+--------+------+
`},
		{120, "network-interface-list", `
+----+------+------------------------+----------------+--------------------------------------+----------+
| Id | Name | Device                 | Interface Type | Ip Address                           | Network  |
+----+------+------------------------+----------------+--------------------------------------+----------+
| 1  | eth0 | web-01.dfw.example.net | ethernet       | 2001:db8:1000:2000:3000:4000:5000:12 | mgmt-dfw |
+----+------+------------------------+----------------+--------------------------------------+----------+
`},
		{80, "network-device-list", `
+----+-------+--------+-------------+------------+-------+--------+------+
| Id | Name  | Active | Device Type | Ip Address | Cloud | Region | Cell |
+----+-------+--------+-------------+------------+-------+--------+------+
| 3  | sw-01 | True   | switch      | 10.0.0.3   | east  | dfw    | c1   |
+----+-------+--------+-------------+------------+-------+--------+------+
no room for created_at: --detail shows all columns, --fields the ones that you name
`},
		{80, "host-list --label none", `
+----+------+--------+----------+----------+-------+--------+------+----------+
| Id | Name | Active | Device   | Ip       | Cloud | Region | Cell | Created  |
|    |      |        | Type     | Address  |       |        |      | At       |
+----+------+--------+----------+----------+-------+--------+------+----------+
+----+------+--------+----------+----------+-------+--------+------+----------+
`},
	} {
		got := strings.Join(onTerminal(t, c.width, settings...)(c.line), "\n")
		if c.want != "" && strings.TrimPrefix(c.want, "\n") != got {
			t.Errorf("%s: want%s\ngot\n%s", c.line, c.want, got)
		}
		// Whatever the width: no name and no address is broken, and without --fields nothing but them stands over the
		// edge.
		if !strings.Contains(c.line, "east/dfw") {
			continue
		}
		for width := uint16(30); width <= 200; width += 17 {
			for _, more := range []string{"", " --detail"} {
				lines := onTerminal(t, width, settings...)(c.line + more)
				text := strings.Join(lines, "\n")
				for _, whole := range []string{"web-01.dfw.example.net", "web-02.dfw.example.net", " 2001:db8:1000:2000:3000:4000:5000:11 ", " 2001:db8:1000:2000::12 "} {
					if !strings.Contains(text, whole) {
						t.Errorf("%s at %d: no %s in\n%s", c.line+more, width, whole, text)
					}
				}
				if more == "" && width >= 80 && table.Width(lines[0]) > int(width) {
					t.Errorf("%s at %d:\n%s", c.line, width, text)
				}
			}
		}
	}
}

// TestNamesCost at most a few requests, none for what no row refers to, and no error where they fail: then there are
// ids.
func TestNamesCost(t *testing.T) {
	t.Parallel()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var asked []string
	refuse := "" // paths that begin so
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.Path)
		refused := refuse != "" && strings.HasPrefix(r.URL.Path, refuse)
		mu.Unlock()
		if refused {
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]any{"status": 403, "message": "no"})
			return
		}
		s.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	settings := []string{"--craton-url", h.URL, "--os-username", "bootstrap", "--os-password", b.APIKey, "--os-project-id", b.ProjectID, "--retries", "0"}
	run := onTerminal(t, 200, settings...)
	const cells = 150
	var fleet strings.Builder
	fleet.WriteString("clouds: [{name: east, regions: [{name: dfw, cells: [")
	for i := range cells {
		fmt.Fprintf(&fleet, "{name: cell-%03d, hosts: [{name: host-%03d, ip_address: 10.0.0.%d, device_type: server}]},", i, i, i)
	}
	fleet.WriteString("]}]}]")
	file := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(file, []byte(fleet.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	run("apply " + file)
	requests := func(refused, line string) (text string, n map[string]int) {
		t.Helper()
		mu.Lock()
		asked, refuse = nil, refused
		mu.Unlock()
		text = strings.Join(run(line), "\n")
		mu.Lock()
		defer mu.Unlock()
		n = map[string]int{}
		for _, a := range asked {
			n[a]++
		}
		return text, n
	}

	text, n := requests("", "host-list --limit 10 --cloud 1 --region 1")
	rows := regexp.MustCompile(`\| host-(\d+) .*\| east  \| dfw    \| cell-(\d+) \|`).FindAllStringSubmatch(text, -1)
	if len(rows) != 10 || slices.ContainsFunc(rows, func(row []string) bool { return row[1] != row[2] }) || !strings.Contains(text, "| Cell     |") {
		t.Error(text)
	}
	if n["GET /v1/cells"] == 2 { // the page behind may have been asked for ahead
		n["GET /v1/cells"] = 1
	}
	if diff := cmp.Diff(map[string]int{"GET /v1/hosts": 2, "GET /v1/clouds/1": 1, "GET /v1/regions/1": 1, "GET /v1/cells": 1}, n); diff != "" {
		t.Error(diff)
	}
	text, n = requests("", "host-list --all") // cells on two pages; the one behind may be asked for ahead
	if !strings.Contains(text, "| cell-149 |") || n["GET /v1/cells"] > 3 || len(n) != 4 {
		t.Errorf("%v\n%s", n, text)
	}
	text, n = requests("", "host-list --ip 10.9.9.9")
	if diff := cmp.Diff(map[string]int{"GET /v1/hosts": 1}, n); diff != "" || !strings.Contains(text, "| Id | Name |") {
		t.Errorf("%s\n%s", diff, text)
	}
	text, _ = requests("/v1/cells", "host-list --limit 10")
	if !strings.Contains(text, "| Cell Id |") || !strings.Contains(text, "| Region |") || !strings.Contains(text, "| east  |") || strings.Contains(text, "ERROR") {
		t.Error(text)
	}
	for _, line := range []string{"--format json host-list --limit 10", "--format yaml host-list --limit 10", "--format csv host-list --limit 10", "host-list --limit 10 --fields id cell_id"} {
		if _, n = requests("", line); len(n) != 1 {
			t.Errorf("%s: %v", line, n)
		}
	}
	// Nor is anybody asked where no person looks.
	asked = nil
	if status := Run(context.Background(), append(slices.Clone(settings), "--config", os.DevNull, "region-list"),
		output.Streams{In: strings.NewReader(""), Out: &strings.Builder{}, Err: &strings.Builder{}}, argparse.Version{}); status != 0 || len(asked) != 1 {
		t.Errorf("status %d, %v", status, asked)
	}
}
