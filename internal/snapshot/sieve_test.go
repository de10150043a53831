package snapshot_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/server"
)

// TestTextOfFleet: a text is found at the same places in a fleet that was read for it, which has less.
func TestTextOfFleet(t *testing.T) {
	t.Parallel()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a test's
	root, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(s.Handler())
	defer front.Close()
	c, err := craton.New(front.URL, craton.WithLocalAuth(root.Username, root.APIKey, root.ProjectID))
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	cloud, err := c.Clouds.Create(t.Context(), craton.CloudCreate{Name: "east", Variables: craton.Vars(map[string]any{"ntp": "time.example"})})
	must(err)
	region, err := c.Regions.Create(t.Context(), craton.RegionCreate{Name: "dfw", CloudID: cloud.ID})
	must(err)
	network, err := c.Networks.Create(t.Context(), craton.NetworkCreate{Name: "lan Kiel", CIDR: "10.0.0.0/24", Gateway: "10.0.0.1", Netmask: "255.255.255.0", CloudID: cloud.ID, RegionID: region.ID})
	must(err)
	values := []any{"plain", "a\"quote\\", "über", "\u212aelvin", 15, map[string]any{"k": []any{1, "x"}}, "line\nother", true}
	for i, v := range values {
		h, err := c.Hosts.Create(t.Context(), craton.HostCreate{Name: fmt.Sprintf("Web-%02d", i), IPAddress: fmt.Sprintf("10.0.0.%d", i+10), DeviceType: "server",
			CloudID: cloud.ID, RegionID: region.ID, Labels: []string{fmt.Sprintf("rack%d", i%3)}, Variables: craton.Vars(map[string]any{"value": v})})
		must(err)
		_, err = c.NetworkInterfaces.Create(t.Context(), craton.NetworkInterfaceCreate{Name: fmt.Sprintf("eth%d", i), DeviceID: h.ID, NetworkID: network.ID, InterfaceType: "ether", IPAddress: fmt.Sprintf("10.0.9.%d", i+10)})
		must(err)
	}
	whole, err := snapshot.Read(t.Context(), c, snapshot.Options{Networks: true})
	must(err)
	for text, hosts := range map[string]int{
		"web-03": 1, "WEB-": 8, "10.0.9.12": 1, "eth7": 1, "eth": 8, "rack1": 3, "plain": 1, `"quote`: -1, `\`: -1, "über": -1, "ü": -1, "kelvin": -1, "\u212a": -1, "15": -1, `{"k":[1`: -1, "[1,": -1,
		"time": 0, "dfw": 0, "lan kiel": 0, "nothing at all": 0, "value": 8, "true": -1, "other": -1, "": 8,
	} {
		less, err := snapshot.Read(t.Context(), c, snapshot.Options{Networks: true, Text: text})
		must(err)
		never := func(string) bool { return false }
		if diff := cmp.Diff(snapshot.Find(whole, text, 0, never), snapshot.Find(less, text, 0, never)); diff != "" {
			t.Errorf("%q (-in all +in less):\n%s", text, diff)
		}
		// What is escaped may be anything, and is there: four of the hosts.
		if got := len(less.Of(schema.Host)); hosts >= 0 && (got < hosts || got > hosts+4) {
			t.Errorf("%q: %d hosts are held, want about %d", text, got, hosts)
		}
	}
}
