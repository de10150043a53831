package iotronic_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/iotronic"
)

// TestDrivers: the drivers of a real Ironic.
func TestDrivers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	_, c := newIronic(t)
	for _, o := range []iotronic.DriverListOptions{{}, {Type: "dynamic"}, {Detail: true}} {
		drivers, err := c.Drivers.List(ctx, o)
		if err != nil || len(drivers) != 1 || drivers[0].Name != openstacktest.IronicDriver || drivers[0].Type != "dynamic" || !slices.Equal(drivers[0].Hosts, []string{"localhost"}) {
			t.Fatalf("%+v: %+v, %v", o, drivers, err)
		}
		if got := drivers[0].DefaultInterfaces()["power"]; got != map[bool]string{true: "fake"}[o.Detail] {
			t.Errorf("default power interface %q", got)
		}
	}
	d, err := c.Drivers.Get(ctx, openstacktest.IronicDriver)
	if err != nil || d.DefaultInterfaces()["network"] != "noop" || !slices.Equal(d.EnabledInterfaces()["network"], []string{"noop"}) || len(d.EnabledInterfaces()) < 10 {
		t.Errorf("%+v, %v", d, err)
	}
	properties, err := c.Drivers.Properties(ctx, openstacktest.IronicDriver)
	if err != nil || properties["B1"] != "B1 description. Required." {
		t.Errorf("%v, %v", properties, err)
	}
}

// TestNodeLife: a node of a real Ironic from enrolment to its end.
func TestNodeLife(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	_, c := newIronic(t)
	nodes := c.Nodes
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const name = "node-life"
	n, err := nodes.Create(ctx, iotronic.NodeCreate{
		Driver: openstacktest.IronicDriver, Name: name, ResourceClass: "life",
		Properties: iotronic.Values(map[string]any{"cpus": 4}), DriverInfo: iotronic.Values(map[string]any{"B1": "x", "ipmi_password": "hush"}),
		Extra: iotronic.Values(map[string]any{"rack": "b7", "slash/key": 1}), More: iotronic.Values(map[string]any{"description": "first"}),
	})
	must(err)
	if n.ProvisionState != "enroll" || n.Description != "first" || n.Driver != openstacktest.IronicDriver || n.DriverInfo.Text("ipmi_password") != "******" ||
		string(n.Properties["cpus"]) != "4" || n.Fields["power_interface"] == nil || n.CreatedAt.IsZero() {
		t.Errorf("created %+v", n)
	}

	n, err = nodes.Update(ctx, name, iotronic.Changes{
		"extra/rack": "c9", "extra/new": map[string]any{"deep": []int{1}}, "properties/cpus": iotronic.Remove, "description": iotronic.Remove, "owner": "me",
	})
	must(err)
	if n.Extra.Text("rack") != "c9" || string(n.Extra["new"]) != `{"deep": [1]}` || len(n.Properties) != 0 || n.Description != "" || n.Owner != "me" {
		t.Errorf("changed %+v", n)
	}
	// Keys that Ironic takes in no path.
	n, err = nodes.Update(ctx, name, iotronic.Changes{"extra/slash~1key": iotronic.Remove, "extra/a.b": 1, "extra/rack": "d1", "owner": "me"})
	must(err)
	if n.Extra["slash/key"] != nil || string(n.Extra["a.b"]) != "1" || n.Extra.Text("rack") != "d1" || n.Extra["new"] == nil {
		t.Errorf("changed %+v", n)
	}
	few, err := nodes.Get(ctx, name, "owner")
	must(err)
	if few.Owner != "me" || few.UUID != n.UUID || few.Driver != "" {
		t.Errorf("fields %+v", few)
	}

	must(nodes.SetPower(ctx, name, iotronic.PowerOn))
	must(nodes.WaitPower(ctx, name, iotronic.PowerOn))
	must(nodes.SetPower(ctx, name, iotronic.Reboot)) // the lock of the one before may still be there
	must(nodes.WaitPower(ctx, name, iotronic.PowerOn))
	must(nodes.SetPower(ctx, name, iotronic.PowerOff))
	must(nodes.WaitPower(ctx, name, iotronic.PowerOff))

	must(nodes.SetMaintenance(ctx, name, "a new fan"))
	n, err = nodes.Get(ctx, name)
	must(err)
	if !n.Maintenance || n.MaintenanceReason != "a new fan" {
		t.Errorf("maintenance %+v", n)
	}
	must(nodes.ClearMaintenance(ctx, name))

	for _, step := range []struct{ target, state string }{
		{iotronic.ProvisionManage, "manageable"}, {iotronic.ProvisionInspect, "manageable"}, {iotronic.ProvisionProvide, "available"},
		{iotronic.ProvisionActive, "active"}, {iotronic.ProvisionDeleted, "available"},
	} {
		must(nodes.SetProvision(ctx, name, iotronic.Provision{Target: step.target}))
		if err := nodes.WaitProvision(ctx, name, step.state); err != nil {
			t.Fatalf("%s: %v", step.target, err)
		}
	}
	states, err := nodes.States(ctx, name)
	must(err)
	if states.ProvisionState != "available" || states.TargetProvisionState != "" || states.ProvisionUpdatedAt.IsZero() || states.Fields["raid_config"] == nil {
		t.Errorf("states %+v", states)
	}
	valid, err := nodes.Validate(ctx, name)
	must(err)
	if !strings.Contains(string(valid["power"]), `"result"`) {
		t.Errorf("validation %s", valid["power"])
	}

	// A state that nothing leads to.
	var failed *iotronic.StateTransitionFailedError
	if err := nodes.WaitProvision(ctx, name, "active"); !errors.As(err, &failed) || failed.Actual != "available" || !strings.Contains(err.Error(), `node node-life is "available"`) {
		t.Errorf("error %v", err)
	}
	short, end := context.WithTimeout(ctx, 2*time.Second) // for one look at least, on a busy machine too, and fewer than end the waiting
	defer end()
	var late *iotronic.StateTransitionTimeoutError
	if err := nodes.WaitPower(short, name, iotronic.PowerOn); !errors.As(err, &late) || late.Actual != iotronic.PowerOff || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}

	// An instance, and ports.
	const instance = "3f5c1f0e-6b1c-4a0b-9a52-0d1f0a6f7d11"
	_, err = nodes.Update(ctx, name, iotronic.Changes{"instance_uuid": instance})
	must(err)
	if n, err := nodes.ByInstance(ctx, instance); err != nil || n.Name != name || n.Driver == "" {
		t.Errorf("%v, %v", n, err)
	}
	_, err = c.Do(ctx, "POST", "/ports", nil, map[string]string{"node_uuid": n.UUID, "address": "52:54:00:cf:2d:31"})
	must(err)
	ports, err := nodes.Ports(ctx, name)
	if err != nil || len(ports) != 1 || ports[0].MAC != "52:54:00:cf:2d:31" || ports[0].Node != n.UUID {
		t.Errorf("%+v, %v", ports, err)
	}
	_, err = nodes.Update(ctx, name, iotronic.Changes{"instance_uuid": nil})
	must(err)

	must(nodes.Delete(ctx, name))
	if _, err := nodes.Get(ctx, n.UUID); !iotronic.IsNotFound(err) {
		t.Errorf("error %v", err)
	}
}

// TestFilters: what a real Ironic filters by.
func TestFilters(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	i, c := newIronic(t)
	class, made := i.Nodes(t, 4, "")
	for j, changes := range []iotronic.Changes{{"owner": "o1"}, {"lessee": "l1"}, {"conductor_group": ""}} {
		if _, err := c.Nodes.Update(ctx, made[j], changes); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Nodes.SetMaintenance(ctx, made[3], ""); err != nil {
		t.Fatal(err)
	}
	sorted := iotronic.Paging{SortKey: "name", SortDir: "asc"}
	for name, tt := range map[string]struct {
		o    iotronic.NodeListOptions
		want []string
	}{
		"owner":           {iotronic.NodeListOptions{Owner: "o1"}, made[:1]},
		"lessee":          {iotronic.NodeListOptions{Lessee: "l1"}, made[1:2]},
		"maintenance":     {iotronic.NodeListOptions{Maintenance: new(true)}, made[3:]},
		"no maintenance":  {iotronic.NodeListOptions{Maintenance: new(false)}, made[:3]},
		"associated":      {iotronic.NodeListOptions{Associated: new(true)}, []string{}},
		"provision state": {iotronic.NodeListOptions{ProvisionState: "enroll", Driver: openstacktest.IronicDriver, Conductor: "localhost"}, made},
		"another driver":  {iotronic.NodeListOptions{ProvisionState: "active"}, []string{}},
		"sharded":         {iotronic.NodeListOptions{Sharded: new(true)}, []string{}},
	} {
		tt.o.ResourceClass, tt.o.Paging = class, sorted
		if got, err := nodeNames(t, c, tt.o); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, tt.want)
		}
	}
	// What a version does not have is named, whether Ironic would name it, refuse it without a word, or ignore it.
	pinned := func(minor int) *iotronic.Client {
		return newClient(t, i.URL, iotronic.WithVersion(iotronic.Version{Major: 1, Minor: minor}))
	}
	for minor, tt := range map[int]struct {
		missing string
		call    func(*iotronic.Client) error
	}{
		82: {"include_children (since 1.83)", func(c *iotronic.Client) error {
			return second(c.Nodes.List(ctx, iotronic.NodeListOptions{IncludeChildren: true}))
		}},
		81: {"sharded (since 1.82)", func(c *iotronic.Client) error {
			return second(c.Nodes.List(ctx, iotronic.NodeListOptions{Sharded: new(true)}))
		}},
		45: {"conductor_group (since 1.46)", func(c *iotronic.Client) error {
			return second(c.Nodes.List(ctx, iotronic.NodeListOptions{ConductorGroup: "g"}))
		}},
		20: {"resource_class (since 1.21)", func(c *iotronic.Client) error {
			return second(c.Nodes.List(ctx, iotronic.NodeListOptions{Paging: iotronic.Paging{SortKey: "resource_class"}}))
		}},
		23: {"portgroup (since 1.24)", func(c *iotronic.Client) error {
			return second(c.Ports.List(ctx, iotronic.PortListOptions{Portgroup: "g"}))
		}},
		59: {"owner (since 1.60)", func(c *iotronic.Client) error {
			return second(c.Allocations.List(ctx, iotronic.AllocationListOptions{Owner: "o"}))
		}},
		78: {"runbooks (since 1.92)", func(c *iotronic.Client) error {
			return second(c.Runbooks.List(ctx, iotronic.PlainListOptions{}))
		}},
		77: {"traits of runbooks (since 1.112)", func(c *iotronic.Client) error { return c.Runbooks.AddTrait(ctx, "r", "CUSTOM_A") }},
		76: {"description (since 1.112)", func(c *iotronic.Client) error {
			return second(c.Runbooks.Create(ctx, iotronic.PlainCreate{Name: "CUSTOM_A", Description: "d"}))
		}},
		75: {"runbook names that are no traits (since 1.112)", func(c *iotronic.Client) error {
			return second(c.Runbooks.Update(ctx, uuid, iotronic.Changes{"name": "nightly"}))
		}},
		74: {"physical_network (since 1.102)", func(c *iotronic.Client) error {
			return second(c.Portgroups.Create(ctx, iotronic.PlainCreate{More: iotronic.Values(map[string]any{"physical_network": "p"})}))
		}},
	} {
		var e *iotronic.UnsupportedVersionError
		if err := tt.call(pinned(minor)); !errors.As(err, &e) || !slices.Contains(e.Missing, tt.missing) || e.Requested.Minor != minor {
			t.Errorf("1.%d: %v, want %s", minor, err, tt.missing)
		}
	}
}

// TestOddKeys: what Ironic takes in no path, or takes for a place in a list, is written with what is beside it, and
// nothing else changes. Secrets that Ironic hides are never overwritten by what it shows.
func TestOddKeys(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	_, c := newIronic(t)
	made, err := c.Nodes.Create(ctx, iotronic.NodeCreate{
		Driver: openstacktest.IronicDriver, DriverInfo: iotronic.Values(map[string]any{"ipmi_password": "hush-hush", "7": "seven"}),
		Extra: iotronic.Values(map[string]any{"disks": []string{"sda", "sdb"}, "0": "zero", "a.b": 1}),
	})
	if err != nil {
		t.Fatal(err)
	}
	change := func(changes iotronic.Changes) (*iotronic.Node, error) { return c.Nodes.Update(ctx, made.UUID, changes) }
	for _, changes := range []iotronic.Changes{{"extra/disks/0": "nvme0"}, {"extra/disks/-": "nvme0"}, {"driver_info/7": 7}, {"driver_info/a.b": 1}, {"driver_info": map[string]any{"x": 1}, "driver_info/ipmi_password/0": iotronic.Hidden}} {
		if _, err := change(changes); !is[*iotronic.ValidationError](err) {
			t.Errorf("%v: %v", changes, err)
		}
	}
	n, err := change(iotronic.Changes{"extra/0": "null", "extra/a.b": iotronic.Remove, "extra/new/1": true, "extra/plain": "p"})
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if raw, err := json.Marshal(n.Extra); err != nil || json.Unmarshal(raw, &got) != nil {
		t.Fatalf("%s, %v", raw, err)
	}
	want := map[string]any{"disks": []any{"sda", "sdb"}, "0": "null", "new": map[string]any{"1": true}, "plain": "p"}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Error(diff)
	}
	if n, err := change(iotronic.Changes{"driver_info": map[string]any{"7": "all", "ipmi_password": "new"}}); err != nil || n.DriverInfo.Text("7") != "all" {
		t.Errorf("%v, %v", n, err)
	}
	if err := c.Nodes.Delete(ctx, made.UUID); err != nil {
		t.Error(err)
	}
}

// TestEchoes: a real Ironic repeats what it cannot do, without its secrets here.
func TestEchoes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	i, c := newIronic(t)
	_, names := i.Nodes(t, 1, "")
	const secret = `it's "5ecret"\`
	for _, err := range []error{
		second(c.Nodes.Update(ctx, names[0], iotronic.Changes{"driver_info/console/ipmi_password": secret, "driver_info/console/port": 7})),
		second(c.Nodes.Create(ctx, iotronic.NodeCreate{Driver: openstacktest.IronicDriver, More: iotronic.Values(map[string]any{"driver_info": []any{map[string]any{"password": secret}}})})),
	} {
		if !iotronic.IsBadRequest(err) || strings.Contains(err.Error(), "5ecret") || !strings.Contains(err.Error(), iotronic.Hidden) {
			t.Errorf("%v", err)
		}
	}
}

// TestBasicAuth: an Ironic that stands alone and has users of its own.
func TestBasicAuth(t *testing.T) {
	t.Parallel()
	i := openstacktest.NewIronic(t, openstacktest.IronicBasic())
	ctx := t.Context()
	c := newClient(t, i.URL, iotronic.WithBasicAuth(openstacktest.IronicUser, openstacktest.IronicPassword))
	if _, err := c.Nodes.Create(ctx, iotronic.NodeCreate{Name: "alone", Driver: openstacktest.IronicDriver}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Nodes.Get(ctx, "alone"); err != nil || n.Name != "alone" {
		t.Errorf("%v, %v", n, err)
	}
	for name, option := range map[string]iotronic.Option{
		"a wrong password": iotronic.WithBasicAuth(openstacktest.IronicUser, "hush-hush"),
		"nobody":           iotronic.WithTimeout(iotronic.DefaultTimeout),
		"a token":          iotronic.WithToken("hush-hush"),
	} {
		_, err := newClient(t, i.URL, option).Nodes.Get(ctx, "alone")
		if !iotronic.IsUnauthenticated(err) || !iotronic.WantsBasicAuth(err) || strings.Contains(err.Error(), "hush-hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(text, openstacktest.IronicPassword) {
		t.Errorf("a client shows its password: %s", text)
	}
	for _, user := range [][2]string{{"", "p"}, {"u", ""}, {"a:b", "p"}} {
		if _, err := iotronic.New(i.URL, iotronic.WithBasicAuth(user[0], user[1])); !is[*iotronic.ValidationError](err) {
			t.Errorf("%v: %v", user, err)
		}
	}
}
