package iotronic

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	api "github.com/craton-fleet/craton/iotronic"
)

// agreed fails unless an object of ours and one of openstacksdk have the same values in the fields that both have.
func agreed(t *testing.T, after string, ours api.Object, theirs map[string]any, fields int) {
	t.Helper()
	a, b := map[string]any{}, map[string]any{}
	for key, value := range ours {
		if other, both := theirs[key]; both && !slices.Contains(leads, key) {
			var v any
			if err := json.Unmarshal(value, &v); err != nil {
				t.Fatal(err)
			}
			a[key], b[key] = v, other
		}
	}
	if d := cmp.Diff(a, b); d != "" || len(a) < fields {
		t.Errorf("after %s, %d fields are in both (-ours +theirs):\n%s", after, len(a), d)
	}
}

// TestPartsWithSDK: what a node has beside ports is written by either client, and read by both after each step.
func TestPartsWithSDK(t *testing.T) {
	t.Parallel()
	i, _ := newIronic(t)
	c, sdk, ctx := clientOf(t, i, 20), i.SDK(t), t.Context()
	n, err := c.Nodes.Create(ctx, api.NodeCreate{Name: "sdk-parts", Driver: openstacktest.IronicDriver})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Nodes.SetPower(ctx, n.UUID, api.PowerOff); err != nil { // volumes change only then
		t.Fatal(err)
	}
	if err := c.Nodes.WaitPower(ctx, n.UUID, api.PowerOff); err != nil {
		t.Fatal(err)
	}
	free(t, c, "sdk-parts")
	steps := []any{map[string]any{"interface": "bios", "step": "factory_reset", "args": map[string]any{}, "priority": 50.0}}
	for _, kind := range []struct {
		name   string // in the calls of openstacksdk
		of     *api.PlainService
		ours   map[string]any
		theirs opt
		fields int
	}{
		{"port_group", c.Portgroups, map[string]any{"node_uuid": n.UUID, "name": "sdk-ours", "mode": "802.3ad", "properties": map[string]any{"miimon": 100}},
			opt{"node_id": n.UUID, "name": "sdk-theirs", "mode": "active-backup", "address": "52:54:00:51:00:01"}, 11},
		{"volume_connector", c.VolumeConnectors, map[string]any{"node_uuid": n.UUID, "type": "iqn", "connector_id": "iqn.2017-07.org.example:ours"},
			opt{"node_id": n.UUID, "type": "ip", "connector_id": "192.0.2.9"}, 7},
		{"volume_target", c.VolumeTargets, map[string]any{"node_uuid": n.UUID, "volume_type": "iscsi", "volume_id": "ours", "boot_index": 0, "properties": map[string]any{"target_lun": 1}},
			opt{"node_id": n.UUID, "volume_type": "iscsi", "volume_id": "theirs", "boot_index": 1}, 9},
		{"deploy_template", c.DeployTemplates, map[string]any{"name": "CUSTOM_SDK_OURS", "steps": steps}, opt{"name": "CUSTOM_SDK_THEIRS", "steps": steps}, 6},
	} {
		t.Run(kind.name, func(t *testing.T) {
			both := func(after, uuid string) api.Object {
				t.Helper()
				o, err := kind.of.Get(ctx, uuid)
				if err != nil {
					t.Fatal(err)
				}
				var theirs map[string]any
				if err := sdk.Call(&theirs, "get_"+kind.name, nil, uuid); err != nil {
					t.Fatal(err)
				}
				agreed(t, after, o.Fields, theirs, kind.fields)
				return o.Fields
			}
			made, err := kind.of.Create(ctx, api.PlainCreate{More: api.Values(kind.ours)})
			if err != nil {
				t.Fatal(err)
			}
			both("our create", made.UUID)
			if err := sdk.Call(nil, "update_"+kind.name, opt{"extra": opt{"by": "theirs"}}, made.UUID); err != nil {
				t.Fatal(err)
			}
			if o := both("their update", made.UUID); string(o["extra"]) != `{"by": "theirs"}` && string(o["extra"]) != `{"by":"theirs"}` {
				t.Errorf("%s", o["extra"])
			}
			if _, err := kind.of.Update(ctx, made.UUID, api.Changes{"extra/by": "ours", "extra/rack": 7}); err != nil {
				t.Fatal(err)
			}
			both("our update", made.UUID)
			if err := kind.of.Delete(ctx, made.UUID); err != nil {
				t.Fatal(err)
			}
			if err := sdk.Call(nil, "get_"+kind.name, nil, made.UUID); err == nil || !strings.Contains(err.Error(), "NotFound") {
				t.Errorf("after our delete: %v", err)
			}
			var other map[string]any
			if err := sdk.Call(&other, "create_"+kind.name, kind.theirs); err != nil {
				t.Fatal(err)
			}
			uuid, _ := other["uuid"].(string)
			both("their create", uuid)
			found := 0
			for o, err := range kind.of.All(ctx, api.PlainListOptions{Detail: true}) {
				if err != nil {
					t.Fatal(err)
				}
				if o.UUID == uuid {
					found++
					agreed(t, "their create, in our list", o.Fields, other, kind.fields)
				}
			}
			if found != 1 {
				t.Errorf("it is %d times in our list", found)
			}
			if err := sdk.Call(nil, "delete_"+kind.name, nil, uuid); err != nil {
				t.Fatal(err)
			}
			if _, err := kind.of.Get(ctx, uuid); !api.IsNotFound(err) {
				t.Errorf("after their delete: %v", err)
			}
		})
	}

	// Virtual interfaces, which the network of fake hardware forgets at once, as both see.
	if err := c.Nodes.AttachVIF(ctx, n.UUID, "vif-ours", nil); err != nil {
		t.Error(err)
	}
	if err := sdk.Call(nil, "attach_vif_to_node", nil, n.UUID, "vif-theirs"); err != nil {
		t.Error(err)
	}
	var vifs []string
	if err := sdk.Call(&vifs, "list_node_vifs", nil, n.UUID); err != nil {
		t.Error(err)
	}
	if ours, err := c.Nodes.VIFs(ctx, n.UUID); err != nil || !slices.Equal(ours, vifs) {
		t.Errorf("virtual interfaces: ours %v (%v), theirs %v", ours, err, vifs)
	}
	if err := sdk.Call(nil, "detach_vif_from_node", nil, n.UUID, "vif-ours"); err != nil {
		t.Error(err)
	}
	if err := c.Nodes.DetachVIF(ctx, n.UUID, "vif-theirs"); err != nil {
		t.Error(err)
	}

	// BIOS settings and history: openstacksdk has requests of its session for them.
	settings := []any{map[string]any{"name": "boot", "value": "uefi"}, map[string]any{"name": "sriov", "value": "on"}}
	clean := func(step string) []any {
		return []any{map[string]any{"interface": "bios", "step": step, "args": map[string]any{"settings": settings}}}
	}
	if err := sdk.Call(nil, "set_node_provision_state", opt{"wait": true}, n.UUID, "manage"); err != nil {
		t.Fatal(err)
	}
	free(t, c, "sdk-parts")
	if err := sdk.Call(nil, "set_node_provision_state", opt{"wait": true, "clean_steps": clean("apply_configuration")}, n.UUID, "clean"); err != nil {
		t.Fatal(err)
	}
	free(t, c, "sdk-parts")
	below := func(path, version, key string, ours []api.Object, fields int) {
		t.Helper()
		var answer map[string]any
		if err := sdk.Call(&answer, "get", opt{"microversion": version}, "/nodes/"+n.UUID+path); err != nil {
			t.Fatal(err)
		}
		theirs, _ := answer[key].([]any)
		if len(theirs) == 0 || len(ours) != len(theirs) {
			t.Fatalf("%s: ours %d, theirs %d", path, len(ours), len(theirs))
		}
		for i, o := range ours {
			other, _ := theirs[i].(map[string]any)
			agreed(t, path, o, other, fields)
		}
	}
	bios, err := c.Nodes.BIOSSettings(ctx, n.UUID, true)
	if err != nil || len(bios) != len(settings) {
		t.Fatal(bios, err)
	}
	below("/bios?detail=True", "1.74", "bios", bios, 10)
	if err := c.Nodes.SetProvision(ctx, n.UUID, api.Provision{Target: api.ProvisionClean, CleanSteps: clean("nonsense")}); err != nil {
		t.Fatal(err)
	}
	if err := c.Nodes.WaitProvision(ctx, n.UUID, "manageable"); err == nil {
		t.Fatal("a step that is not there was done")
	}
	free(t, c, "sdk-parts")
	history, err := c.Nodes.History(ctx, n.UUID, true)
	if err != nil {
		t.Fatal(err)
	}
	below("/history?detail=True", "1.78", "history", history, 6)
	at := slices.IndexFunc(history, func(o api.Object) bool { return strings.Contains(o.Text("event"), "nonsense") })
	if at < 0 {
		t.Fatalf("the failure is not in the history: %s", history)
	}
	event, err := c.Nodes.HistoryEvent(ctx, n.UUID, history[at].Text("uuid"))
	if err != nil || event.Text("event") != history[at].Text("event") {
		t.Error(event, err)
	}
}
