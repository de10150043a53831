package modules

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever the fleet and whatever the task: check mode predicts what the real run does, errors included, and a second
// run changes nothing.
func TestCheckModePredicts(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		a, done := openAPI(t, outer.TempDir())
		defer done()
		a.OK(t, true, fleetName, args{"fleet": placesFile})
		for range rapid.IntRange(3, 6).Draw(t, "tasks") {
			kind, task := drawTask(t)
			a.predicts(t, kind, task)
		}
	})
}

// predicts runs a task in check mode, in earnest and again.
func (a *api) predicts(t tester, kind string, task args) {
	name := "craton_" + kind
	predicted, got := a.Both(t, name, task)
	if got["failed"] != nil {
		return
	}
	asPredicted(t, kind, predicted, got)
	if again := a.Task(t, name, task); task["id"] == nil || task["state"] == nil {
		if task["recreate"] != nil && again["failed"] != nil { // its id is another one now
			return
		}
		if again["changed"] != false || again["failed"] != nil {
			t.Fatalf("%s %v: the second run changes something: %v", name, task, again)
		}
		if task["state"] == nil {
			if d := cmp.Diff(timeless(got.Dict(kind)), timeless(again.Dict(kind))); d != "" {
				t.Fatalf("%s %v: the second run returns another object:\n%s", name, task, d)
			}
		}
	}
}

// drawTask draws from few names, so that tasks meet each other's objects.
func drawTask(t *rapid.T) (kind string, task args) {
	kind = rapid.SampledFrom([]string{"host", "host", "network_device", "network", "network_interface", "region", "cell", "cloud"}).Draw(t, "kind")
	task = args{}
	maybe := func(option string, values ...any) {
		if rapid.IntRange(0, 2).Draw(t, option+"?") > 0 {
			task[option] = rapid.SampledFrom(values).Draw(t, option)
		}
	}
	mostly := func(option string, values ...any) { // what a create needs
		if rapid.IntRange(0, 5).Draw(t, option+"?") < 5 {
			task[option] = rapid.SampledFrom(values).Draw(t, option)
		}
	}
	task["name"] = rapid.SampledFrom([]string{"a", "b", "c", "sw1"}).Draw(t, "name")
	if rapid.IntRange(0, 7).Draw(t, "by id") == 0 {
		task["id"] = rapid.IntRange(1, 12).Draw(t, "id")
	}
	if rapid.IntRange(0, 4).Draw(t, "absent") == 0 {
		task["state"] = "absent"
	}
	devices := []any{"a", "b", "c", "sw1", "sw1", "", "3", "1", "2", "5"}
	variables := func() {
		maybe("variables", map[string]any{}, map[string]any{"x": 1}, map[string]any{"x": 1.0, "y": nil}, map[string]any{"y": []any{"{{ z }}", 1 << 60}, "z": map[string]any{"k": true}})
		maybe("variables_mode", "merge", "replace")
	}
	inRegion := func() {
		task["region"] = rapid.SampledFrom([]any{"dfw", "ams", "dfw", "dfw", "ams", 1, "1", "dfw", "nowhere"}).Draw(t, "region")
		cells := map[any][]any{"ams": {"row-c", ""}}[task["region"]]
		if cells == nil {
			cells = []any{"row-a", "row-b", "", "row-a", "row-b", "row-c"}
		}
		maybe("cell", cells...)
	}
	if kind == "host" || kind == "network_device" || kind == "cell" {
		maybe("move", true, false)
	}
	if kind != "region" && kind != "cloud" { // what they hold is to be deleted now and then
		maybe("protected", false, false, false, true)
	}
	switch kind {
	case "host", "network_device":
		inRegion()
		variables()
		mostly("ip_address", "10.0.0.1", "2001:DB8::0:1", "2001:db8::1", "::ffff:1.2.3.4", "10.0.0.2", "10.0.0.3", "bad")
		mostly("device_type", "x", "y")
		if rapid.Bool().Draw(t, "with a parent") {
			maybe("parent", devices...)
		}
		maybe("active", true, false, "yes")
		maybe("labels", []any{}, []any{"l1"}, "l2,l1", []any{"l3", "l3"})
		maybe("labels_mode", "add", "exact")
		if kind == "host" {
			maybe("note", "n", "", "m")
		} else {
			maybe("vlans", "1", "")
		}
	case "network":
		inRegion()
		variables()
		mostly("cidr", "10.0.0.0/8", "2001:DB8::/32", "2001:db8::/32")
		mostly("gateway", "10.0.0.1", "2001:DB8::1")
		mostly("netmask", "255.0.0.0")
		maybe("nss", "", "n")
	case "network_interface":
		task["device"] = rapid.SampledFrom(devices).Draw(t, "device")
		maybe("region", "dfw", "ams")
		variables()
		mostly("interface_type", "e", "f")
		mostly("ip_address", "10.0.0.1", "2001:DB8::1")
		maybe("network", "a", "b", "front", "")
		maybe("speed", 1000, "1000", 0, 10)
		maybe("port", 1, 0)
		maybe("vlan_id", 0, 4)
	case "region":
		task["cloud"] = rapid.SampledFrom([]any{"east", "a", "1"}).Draw(t, "cloud")
		variables()
		maybe("note", "n", "")
	case "cell":
		task["region"] = rapid.SampledFrom([]any{"dfw", "ams", "a"}).Draw(t, "region")
		variables()
		maybe("note", "n", "")
	case "cloud":
		variables()
		maybe("note", "n", "")
	}
	if kind != "cloud" && rapid.IntRange(0, 2).Draw(t, "recreate?") == 0 {
		task["recreate"] = true
	}
	if (kind == "cloud" || kind == "region" || kind == "cell") && task["id"] == nil {
		maybe("force", true, false)
	}
	if task["id"] != nil && (kind == "cloud" || kind == "region" || kind == "cell") {
		delete(task, "id") // the names of the places stay
		if fmt.Sprint(task["name"]) == "sw1" {
			task["name"] = "a"
		}
	}
	return kind, task
}

// placesFile is where the drawn tasks play.
const placesFile = `{"clouds": [{"name": "east", "regions": [
	{"name": "dfw", "cells": [{"name": "row-a"}, {"name": "row-b"}],
		"network_devices": [{"name": "sw1", "ip_address": "10.0.0.2", "device_type": "switch"}],
		"networks": [{"name": "front", "cidr": "10.0.0.0/24", "gateway": "10.0.0.1", "netmask": "255.255.255.0"}]},
	{"name": "ams", "cells": [{"name": "row-c"}]}]}]}`
