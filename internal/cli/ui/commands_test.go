//go:build !collection

package ui_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/cli/explain"
	"github.com/craton-fleet/craton/internal/cli/find"
	"github.com/craton-fleet/craton/internal/cli/history"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/server"
)

// TestPageCommands: the commands that a page shows run as they stand there, and print what it shows.
func TestPageCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	database, config := "sqlite:"+filepath.Join(dir, "fleet.db"), filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), database, server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	api, err := s.Embedded(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := craton.New("http://embedded", craton.WithTransport(connect.InProcess(api)))
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"front", "back"} {
		file, err := fleetfile.Parse("fleet.yml", strings.NewReader(`
clouds:
  - name: east
    variables: {ntp: it's <here>}
    regions:
      - name: dfw
        networks: [{name: mgmt, cidr: 10.20.0.0/24, gateway: 10.20.0.1, netmask: 255.255.255.0}]
        network_devices: [{name: tor, ip_address: 10.20.0.2, device_type: switch}]
        cells:
          - name: c1
            hosts:
              - {name: web-01, ip_address: 10.20.0.11, device_type: server, labels: [web], variables: {role: `+role+`, "odd key": 1}, interfaces: [{name: eth0, interface_type: e, ip_address: 10.20.0.4}]}
              - {name: web-02, ip_address: 10.20.0.12, device_type: server}
`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fleetfile.Apply(t.Context(), c, file, fleetfile.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	var host, tor string
	for o, err := range c.Collection(craton.KindDevice).All(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		switch o.Text("name") {
		case "web-01":
			host = o.ID()
		case "tor":
			tor = o.ID()
		}
	}
	page := web.New(web.Options{Client: func(*http.Request) (*craton.Client, error) { return c, nil }})
	command := regexp.MustCompile(`<div class="command"><code>([^<]*)</code>`)
	for path, wants := range map[string][]string{
		"/ui/":                        {"east", "dfw", "c1"},
		"/ui/hosts":                   {"web-02"},
		"/ui/hosts?where=label%3Dweb": {"web-01"},
		"/ui/hosts?where=ntp%3D%22it's%20%3Chere%3E%22&at=8": {"web-01"},
		"/ui/hosts/" + host:                    {"web-01"},
		"/ui/hosts/" + host + "?at=8":          nil,
		"/ui/hosts/" + host + "?key=odd%20key": {"odd key"},
		"/ui/network-devices/" + tor:           {"tor"},
		"/ui/networks/1":                       {"mgmt"},
		"/ui/network-interfaces/1":             {"eth0"},
		"/ui/cells/1":                          {"c1"},
		"/ui/regions/1?key=ntp":                nil,
		"/ui/clouds/1?key=ntp":                 {"it's <here>"},
		"/ui/projects":                         {"default"},
		"/ui/users":                            nil,
		"/ui/variables":                        {"odd key"},
		"/ui/variables/role":                   {`"back"`},
		"/ui/variables/ntp?where=name%3D*":     {"it's <here>"},
		"/ui/find?q=it's+%3C":                  {"it's <here>"},
		"/ui/compare?a=web-01&b=web-02":        {"role"},
		"/ui/compare?a=web-01&then=8":          {"role"},
		"/ui/changes":                          {"web-02"},
		"/ui/changes?kind=host&id=" + host:     {"back"},
		"/ui/changes?kind=host&id=" + host + "&key=role&since=1d": {"back"},
	} {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		found := command.FindAllStringSubmatch(w.Body.String(), -1)
		if w.Code != http.StatusOK || len(found) == 0 {
			t.Errorf("%s: %d, %d commands\n%s", path, w.Code, len(found), w.Body)
			continue
		}
		printed := ""
		for _, m := range found {
			line := html.UnescapeString(m[1])
			split, err := exec.CommandContext(t.Context(), "sh", "-c", `set -- `+line+`; printf '%s\0' "$@"`).Output()
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			var out, said strings.Builder
			words := append(strings.Split(strings.TrimSuffix(string(split), "\x00"), "\x00"), "--craton-url", database, "--config", config)
			streams := output.Streams{In: strings.NewReader(""), Out: &out, Err: &said}
			if status := cli.Run(t.Context(), words[1:], streams, cli.Version{}, explain.New(streams), find.New(streams), history.New(streams), history.NewDiff(streams)); status != 0 {
				t.Errorf("%s: %s: %d %s", path, line, status, said.String())
			}
			printed += out.String()
		}
		for _, want := range wants {
			if !strings.Contains(printed, want) {
				t.Errorf("%s: %q is not in what the commands print:\n%s", path, want, printed)
			}
		}
	}
}
