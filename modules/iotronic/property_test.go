package iotronic

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
)

// Whatever the nodes and whatever the task: check mode predicts what the real run does, errors included, and a second
// run changes nothing. On Iotronic.
func TestCheckModePredicts(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		era := rapid.SampledFrom([]iotronictest.Era{iotronictest.Nodes2016, iotronictest.Nodes2017, iotronictest.Nodes2017}).Draw(t, "era")
		_, a := newIotronic(outer, era)
		for range rapid.IntRange(2, 6).Draw(t, "tasks") {
			a.predicts(t, drawIotronic(t))
		}
	})
}

// The same on a real Ironic, with few draws, the same in each run: a request takes its time there.
func TestCheckModePredictsIronic(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	const draws, tasks = 8, 8
	sequence := rapid.SliceOfN(rapid.Custom(drawIronic), tasks, tasks)
	for seed := range draws {
		for _, task := range sequence.Example(seed + 300) {
			task["name"] = fmt.Sprintf("drawn-%d-%s", seed, task["name"])
			a.predicts(t, task)
		}
	}
}

// predicts runs a task in check mode, in earnest and again.
func (a *world) predicts(t tester, task args) {
	t.Helper()
	predicted, got := a.Both(t, nodeName, task)
	if got["failed"] != nil {
		return
	}
	asPredicted(t, predicted, got)
	if task["power"] == rebooted || task["update_password"] == alwaysUpdate {
		return
	}
	again := a.Task(t, nodeName, task)
	if again["changed"] != false || again["failed"] != nil {
		t.Fatalf("%v: the second run changes something: %v", task, again)
	}
	if d := cmp.Diff(timeless(got.Dict("node")), timeless(again.Dict("node"))); d != "" && task["state"] == nil {
		t.Fatalf("%v: the second run returns another node:\n%s", task, d)
	}
}

// drawing draws options from few values, so that tasks meet each other's nodes.
type drawing struct {
	*rapid.T
	task args
}

func draw(t *rapid.T) *drawing {
	d := &drawing{t, args{"name": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name")}}
	if rapid.IntRange(0, 5).Draw(t, "absent") == 0 {
		d.task["state"] = absent
	}
	d.dict("extra", map[string]any{}, map[string]any{"x": 1}, map[string]any{"x": 1.0, "y": nil}, map[string]any{"y": []any{"{{ z }}", 1 << 60}, "a.b/c": map[string]any{"k": true}}, map[string]any{"x": stars})
	return d
}

// maybe gives an option in one of so many tasks.
func (d *drawing) maybe(of int, option string, values ...any) {
	if rapid.IntRange(1, of).Draw(d.T, option+"?") == 1 {
		d.task[option] = rapid.SampledFrom(values).Draw(d.T, option)
	}
}

func (d *drawing) dict(option string, values ...any) {
	d.maybe(2, option, values...)
	d.maybe(2, option+"_mode", merge, replace)
}

func drawIotronic(t *rapid.T) args {
	d := draw(t)
	d.maybe(1, "code", "c1", "c2", "c1", "c1")
	if rapid.IntRange(0, 5).Draw(t, "no code") == 0 {
		delete(d.task, "code")
	}
	d.maybe(1, "location", here, there, here, here)
	d.maybe(2, "type", "yun", "pi", "")
	d.maybe(3, "mobile", true, "no")
	d.maybe(8, "power", on)
	return d.task
}

func drawIronic(t *rapid.T) args {
	d := draw(t)
	d.maybe(1, "driver", openstacktest.IronicDriver)
	if rapid.IntRange(0, 7).Draw(t, "no driver") == 0 {
		delete(d.task, "driver")
	}
	d.maybe(9, "driver", "ipmi")
	d.dict("driver_info", map[string]any{"address": "192.0.2.7"}, map[string]any{"ipmi_password": "hunter2", "ipmi_port": 623}, map[string]any{"ipmi_password": "other"}, map[string]any{"odd.key": 1})
	d.maybe(5, "update_password", alwaysUpdate, onCreate)
	d.dict("properties", map[string]any{"cpus": 4}, map[string]any{"cpus": "4", "capabilities": "boot_mode:uefi"}, map[string]any{})
	d.maybe(3, "lessee", "o1", "", "o2")
	d.maybe(3, "description", "d", "")
	d.maybe(3, "resource_class", "r", "s")
	d.maybe(3, "automated_clean", true, false)
	d.maybe(4, "retired", true, false)
	if d.task["retired"] == true {
		d.maybe(2, "retired_reason", "old", "")
	}
	d.maybe(3, "maintenance", true, false)
	if d.task["maintenance"] == true {
		d.maybe(2, "maintenance_reason", "fan", "")
	}
	d.maybe(3, "power", on, off, true, false, rebooted)
	d.maybe(3, "provision_state", manageable, available, active)
	d.maybe(3, "undeploy", true)
	d.maybe(6, "protected", true, false)
	d.maybe(8, "power_interface", "fake", "ipmitool")
	d.maybe(8, "conductor_group", "", "nobody")
	d.maybe(4, "instance_info", map[string]any{"image_source": "http://x/y", "image_type": "whole-disk"}, map[string]any{"cmd": "x --password hush", "image_type": "whole-disk"})
	d.maybe(6, "instance_uuid", "0c8e1f6a-2b57-4d0e-9d43-8d1b7c5a4e21", "")
	return d.task
}
