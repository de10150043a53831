package iotronic_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/craton-fleet/craton/iotronic"
)

// TestWaitPowerOfAReboot: a node that reboots has the power state on for a while, before it goes off.
func TestWaitPowerOfAReboot(t *testing.T) {
	t.Parallel()
	answers := []string{
		`{"power_state": "power on", "target_power_state": "power on", "last_error": "of last week"}`,
		`{"power_state": "power off", "target_power_state": "power on", "last_error": null}`,
		`{"power_state": "power on", "target_power_state": null, "last_error": null}`,
	}
	looks := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/nodes/n/states" {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answers[min(looks, len(answers)-1)])
		looks++
	}))
	t.Cleanup(server.Close)
	c, err := iotronic.New(server.URL, iotronic.WithDialect(iotronic.DialectIronic))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Nodes.WaitPower(t.Context(), "n", iotronic.PowerOn); err != nil {
		t.Fatal(err)
	}
	if looks != len(answers) {
		t.Errorf("it looked %d times, want %d", looks, len(answers))
	}
}
