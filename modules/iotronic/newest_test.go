package iotronic

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/skip"
	api "github.com/craton-fleet/craton/iotronic"
)

// TestNewestSteps: what Debian's Ironic does not have yet: services of nodes that are deployed, runbooks, parts of
// nodes, and nodes whose power is never switched off.
func TestNewestSteps(t *testing.T) {
	t.Parallel()
	if !openstacktest.NewestIronic() {
		skip.Target(t, "newest-ironic", "an Ironic that has all of this")
	}
	i, a := newIronic(t)
	a.Connection["api_version"] = "1.95"
	c := clientOf(t, i, 20)
	step := []any{map[string]any{"interface": "bios", "step": "factory_reset"}}
	n := args{"name": "newest-steps", "driver": openstacktest.IronicDriver}
	sent := a.bodies("/states/provision")
	a.OK(t, true, nodeName, n.With(args{"provision_state": "active", "traits": []any{"CUSTOM_RESET"}}))
	service := n.With(args{"provision_state": "serviced", "service_steps": step})
	for range 2 { // an order is carried out in every run
		free(t, c, "newest-steps")
		predicted := a.OK(t, true, nodeName, service.With(checking))
		real := a.OK(t, true, nodeName, service.With(diffing))
		predictedAs(t, "node", predicted, real)
		if got := real.Dict("diff")["after"].(map[string]any)["provision_state"]; got != "active (serviced by this task)" || real.Dict("node")["provision_state"] != "active" {
			t.Errorf("%v", real)
		}
	}
	body := `{"service_steps":[{"interface":"bios","step":"factory_reset"}],"target":"service"}`
	if d := cmp.Diff([]string{body, body}, (*sent)[len(*sent)-2:]); d != "" {
		t.Error(d)
	}
	failing := service.With(args{"service_steps": []any{map[string]any{"interface": "bios", "step": "nonsense"}}})
	if out := a.Task(t, nodeName, failing); out["failed"] != true || out["changed"] != true {
		t.Errorf("%v", out)
	}
	free(t, c, "newest-steps")
	a.OK(t, true, nodeName, service.With(args{"maintenance": false})) // and is served again

	// A runbook in the place of steps, for nodes that have the trait of its name.
	newest, err := api.New(i.URL, api.WithRetries(20), api.WithVersion(api.Version{Major: 1, Minor: 115}))
	if err != nil {
		t.Fatal(err)
	}
	made, err := newest.Runbooks.Create(t.Context(), api.PlainCreate{Name: "CUSTOM_RESET", More: api.Values(map[string]any{"steps": []any{
		map[string]any{"interface": "bios", "step": "factory_reset", "args": map[string]any{}, "order": 1}}})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newest.Do(t.Context(), http.MethodPut, "/runbooks/"+made.UUID+"/traits", nil, map[string]any{"traits": []string{"CUSTOM_RESET"}}); err != nil {
		t.Fatal(err)
	}
	free(t, c, "newest-steps")
	a.OK(t, true, nodeName, n.With(args{"provision_state": "serviced", "runbook": "CUSTOM_RESET", "api_version": openstacktest.NewestIronicVersion}))
	if got := (*sent)[len(*sent)-1]; got != `{"runbook":"CUSTOM_RESET","target":"service"}` {
		t.Error(got)
	}
	a.OK(t, true, nodeName, n.With(args{"provision_state": "cleaned", "runbook": made.UUID, "undeploy": true}))
	if err := newest.Runbooks.Delete(t.Context(), made.UUID); err != nil {
		t.Error(err)
	}

	// Parts of a node, and what it may not do.
	a.doesTo(t, nodes, args{"name": "newest-part", "driver": openstacktest.IronicDriver, "parent_node": "newest-steps", "firmware_interface": "fake", "disable_power_off": true})
	a.doesTo(t, nodes, args{"name": "newest-part", "parent_node": "", "disable_power_off": false})
	a.OK(t, true, nodeName, args{"name": "newest-part", "state": "absent"})
	a.OK(t, true, nodeName, n.With(args{"state": "absent"}))
}
