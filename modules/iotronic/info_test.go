package iotronic

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
)

// reads demands the names that an info module finds, in check mode too.
func (a *world) reads(t tester, k *kind, in args, want ...string) []any {
	t.Helper()
	var got output
	for _, check := range []args{checking, {}} {
		got = a.OK(t, false, k.infoName(), in.With(check))
		have := got.Names(t, k.plural)
		if a.unordered {
			list := got[k.plural].([]any)
			slices.SortFunc(list, func(a, b any) int {
				return strings.Compare(fmt.Sprint(a.(map[string]any)["name"]), fmt.Sprint(b.(map[string]any)["name"]))
			})
			slices.Sort(have)
		}
		if d := cmp.Diff(append([]string{}, want...), have); d != "" {
			t.Fatalf("%s %v: %s", k.infoName(), in, d)
		}
	}
	return got[k.plural].([]any)
}

// keys are the fields of the first object.
func keys(objects []any) string {
	var found []string
	for key := range objects[0].(map[string]any) {
		found = append(found, key)
	}
	return strings.Join(slices.Sorted(slices.Values(found)), " ")
}

// documented demands the fields that the documentation promises of an object.
func (k *kind) documented(t *testing.T, o any, when ...string) {
	t.Helper()
	for _, r := range k.returns {
		if _, there := o.(map[string]any)[r.Name]; !there && slices.Contains(append(when, "always"), r.Returned) {
			t.Errorf("%s: %s is documented and not returned", k.name, r.Name)
		}
	}
}

func TestBoardInfo(t *testing.T) {
	t.Parallel()
	s, a := newIotronic(t, iotronictest.Boards2019, iotronictest.MaxLimit(3))
	roofs := s.Add("fleets", iotronictest.Object{"name": "roofs", "description": "up there"})
	s.Add("fleets", iotronictest.Object{"name": "cellars"})
	s.Add("fleets", iotronictest.Object{"name": "cellars", "project": iotronictest.Stranger.Project})
	var first string
	for i := range 7 {
		o := iotronictest.Object{"name": fmt.Sprintf("pi-%d", i), "code": fmt.Sprintf("c%d", i), "extra": iotronictest.Object{"n": i}}
		if i%2 == 0 {
			o["status"], o["fleet"] = "online", roofs
		}
		if uuid := s.Add("boards", o); i == 0 {
			first = uuid
		}
	}
	twins := []string{s.Add("boards", iotronictest.Object{"name": "twin", "code": "t1"}), s.Add("boards", iotronictest.Object{"name": "twin", "code": "t2"})}
	s.Add("boards", iotronictest.Object{"name": "far", "code": "f1", "project": iotronictest.Stranger.Project})

	all := a.reads(t, board, args{}, "pi-0", "pi-1", "pi-2", "pi-3", "pi-4", "pi-5", "pi-6", "twin", "twin")
	const whole = "code connectivity created_at extra fleet location lr_version mobile name owner project session status type updated_at uuid"
	if got := keys(all); got != whole {
		t.Errorf("all fields are %s", got)
	}
	board.documented(t, all[0], "with details")
	board.documented(t, a.reads(t, board, args{"detail": false, "status": "online"}, "pi-0", "pi-2", "pi-4", "pi-6")[0])
	a.reads(t, board, args{"status": "online"}, "pi-0", "pi-2", "pi-4", "pi-6")
	a.reads(t, board, args{"status": ""}, "pi-0", "pi-1", "pi-2", "pi-3", "pi-4", "pi-5", "pi-6", "twin", "twin")
	a.reads(t, board, args{"status": "offline"})
	a.reads(t, board, args{"fleet": "roofs", "detail": false}, "pi-0", "pi-2", "pi-4", "pi-6")
	a.reads(t, board, args{"fleet": roofs, "status": "registered"})
	a.reads(t, board, args{"fleet": "nowhere"})
	a.Fails(t, board.infoName(), args{"fleet": "cellars"}, `several ... "cellars"`)
	a.reads(t, board, args{"project": iotronictest.Stranger.Project}, "far")
	a.reads(t, board, args{"name": "far"}, "far") // single boards are not bound to a project
	a.reads(t, board, args{"name": []string{"pi-3", "nobody", "pi-1", "pi-3"}}, "pi-3", "pi-1")
	a.reads(t, board, args{"name": "twin"}, "twin", "twin")
	a.reads(t, board, args{"uuid": strings.ToUpper(first)}, "pi-0")
	a.reads(t, board, args{"id": twins[1], "name": "twin"}, "twin")
	a.reads(t, board, args{"uuid": twins[1], "name": "pi-0"})
	a.reads(t, board, args{"uuid": "99999999-0000-4000-8000-999999999999"})
	a.reads(t, board, args{"names": "pi-0,pi-1,pi-2", "status": "online"}, "pi-0", "pi-2")
	a.reads(t, board, args{"name": "pi-2", "fleet": "roofs", "fields": "uuid,name"}, "pi-2")
	a.reads(t, board, args{"name": "pi-1", "fleet": "roofs"})

	// The API adds session, location and links to whatever is asked for.
	if got := keys(a.reads(t, board, args{"fields": []string{"code"}, "status": "online"}, "<nil>", "<nil>", "<nil>", "<nil>")); got != "code location session uuid" {
		t.Errorf("the fields are %s", got)
	}
	if got := keys(a.reads(t, board, args{"fields": []string{"code"}, "name": "pi-2", "fleet": "roofs", "status": "online"}, "<nil>")); got != "code location session uuid" {
		t.Errorf("the fields are %s", got)
	}
	if got := keys(a.reads(t, board, args{"fields": []string{"code"}, "uuid": first, "name": "pi-0"}, "<nil>")); got != "code location session uuid" {
		t.Errorf("the fields are %s", got)
	}

	fleet.documented(t, a.reads(t, fleet, args{}, "roofs", "cellars", "cellars")[0])
	a.Connection["token"] = iotronictest.Member.Token // who may not read single fleets
	if got := keys(a.reads(t, fleet, args{"name": "roofs"}, "roofs")); got != "description extra name project uuid" {
		t.Errorf("the fields are %s", got)
	}
	a.reads(t, fleet, args{"uuid": roofs, "fields": "name"}, "roofs")
	a.reads(t, fleet, args{"name": "cellars", "fields": "name"}, "cellars", "cellars")
	a.reads(t, fleet, args{"name": "nowhere"})
	a.Fails(t, board.infoName(), args{"project": iotronictest.Stranger.Project}, "only by the administrator")
	a.Fails(t, fleet.infoName(), args{"fields": "bogus"}, "400")
	a.Fails(t, node.infoName(), args{}, "iotronic-boards ... no nodes ... craton.fleet.iotronic_board_info")
	a.Fails(t, driver.infoName(), args{}, "no drivers")
	a.Connection["token"] = "a wrong one"
	a.Fails(t, board.infoName(), args{}, "401")
	a.Fails(t, board.infoName(), args{"dialect": "ironic"}, "ironic ... nodes, ports, chassis, allocations and drivers ... no boards ... craton.fleet.iotronic_node")
	a.Fails(t, node.infoName(), args{"dialect": "iotronic-nodes", "token": iotronictest.Admin.Token}, "no such route", "which dialect it speaks")
	if s.Restored() != 0 {
		t.Error("reading has restored services")
	}
}

func TestNodeInfoOfIotronic(t *testing.T) {
	t.Parallel()
	for era, whole := range map[iotronictest.Era]string{
		iotronictest.Nodes2016: "code created_at device extra location mobile name session status updated_at uuid",
		iotronictest.Nodes2017: "code created_at extra location mobile name owner project session status type updated_at uuid",
	} {
		s, a := newIotronic(t, era, iotronictest.MaxLimit(2))
		for i := range 5 {
			s.Add("nodes", iotronictest.Object{"name": fmt.Sprintf("n%d", i), "code": fmt.Sprintf("c%d", i)})
		}
		uuid := s.Add("nodes", iotronictest.Object{"name": "n0", "code": "again"})
		if got := keys(a.reads(t, node, args{}, "n0", "n1", "n2", "n3", "n4", "n0")); got != whole {
			t.Errorf("all fields are %s", got)
		}
		if got := keys(a.reads(t, node, args{"detail": false}, "n0", "n1", "n2", "n3", "n4", "n0")); got == whole {
			t.Error("details that nobody asked for")
		}
		a.reads(t, node, args{"name": "n0,n3"}, "n0", "n0", "n3")
		a.reads(t, node, args{"uuid": uuid}, "n0")
		a.reads(t, node, args{"name": "nobody"})
		a.Fails(t, node.infoName(), args{"driver": "ipmi"}, "driver ... Iotronic of")
		a.Fails(t, node.infoName(), args{"maintenance": false}, "maintenance ... Iotronic of")
		a.Fails(t, driver.infoName(), args{}, "nodes ... no drivers ... craton.fleet.iotronic_node_info")
		if era == iotronictest.Nodes2016 {
			a.Fails(t, node.infoName(), args{"fields": "name"}, "fields ... Iotronic of 2016")
			a.Fails(t, node.infoName(), args{"project": "p"}, "project cannot be given")
			continue
		}
		node.documented(t, a.reads(t, node, args{"name": "n1"}, "n1")[0], "on Iotronic")
		a.reads(t, node, args{"fields": "name", "name": "n1"}, "n1")
		a.reads(t, node, args{"project": iotronictest.Stranger.Project})
	}
}

func TestNodeInfoOfIronic(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	class, names := i.Nodes(t, openstacktest.IronicPageSize+3, "")
	a.unordered = true // they were made side by side
	a.OK(t, true, nodeName, args{"name": names[0], "maintenance": true})
	a.OK(t, true, nodeName, args{"name": names[1], "owner": class})
	mine := args{"resource_class": class}
	all := a.reads(t, node, mine, names...)
	node.documented(t, all[0], "on Ironic")
	if got := keys(all); !strings.Contains(got, "driver_info ") || strings.Contains(got, "links") || strings.Contains(got, "ports") || strings.Contains(got, "states ") {
		t.Errorf("all fields are %s", got)
	}
	for _, tt := range []struct {
		in   args
		want []string
	}{
		{mine.With(args{"detail": false}), names},
		{mine.With(args{"maintenance": true}), names[:1]},
		{mine.With(args{"maintenance": false, "fields": []string{"name"}}), names[1:]},
		{mine.With(args{"associated": true}), nil},
		{mine.With(args{"provision_state": "active"}), nil},
		{mine.With(args{"driver": openstacktest.IronicDriver, "conductor": "localhost", "sharded": "no", "owner": ""}), names},
		{args{"owner": class}, names[1:2]},
		{args{"instance_uuid": "99999999-0000-4000-8000-999999999999"}, nil},
		{args{"name": []string{names[3], class, names[2]}}, names[2:4]},
		{args{"name": names[3], "maintenance": true}, nil},
		{args{"uuid": all[4].(map[string]any)["uuid"], "resource_class": class}, names[4:5]},
	} {
		a.reads(t, node, tt.in, tt.want...)
	}
	if d := cmp.Diff(all[3], a.reads(t, node, args{"name": names[3]}, names[3])[0]); d != "" {
		t.Errorf("a node by its name is another one than in the list:\n%s", d)
	}
	if d := cmp.Diff(all[3], any(a.OK(t, false, nodeName, args{"name": names[3]}).Dict("node"))); d != "" {
		t.Errorf("the module shows another node:\n%s", d)
	}
	a.Fails(t, node.infoName(), args{"fields": "bogus"}, "bogus")
	a.Fails(t, node.infoName(), args{"project": "p"}, "project ... Ironic")
	a.Fails(t, node.infoName(), args{"parent_node": names[0], "api_version": "1.82"}, "parent_node")
	a.Fails(t, node.infoName(), args{"resource_class": class, "api_version": "1.20"}, "API version 1.20 ... resource_class (since 1.21)")
	a.Fails(t, board.infoName(), args{}, "ironic ... nodes, ports, chassis, allocations and drivers ... no boards")

	fake := openstacktest.IronicDriver
	whole := a.reads(t, driver, args{}, fake)[0].(map[string]any)
	if whole["default_power_interface"] != "fake" || whole["type"] != "dynamic" || whole["properties"] != nil || whole["links"] != nil {
		t.Errorf("%v", whole)
	}
	if d := cmp.Diff(any(whole), a.reads(t, driver, args{"name": fake}, fake)[0]); d != "" {
		t.Errorf("a driver by its name is another one than in the list:\n%s", d)
	}
	if p := a.reads(t, driver, args{"name": []string{"ipmi", fake}, "properties": true}, fake)[0].(map[string]any)["properties"]; p.(map[string]any)["B1"] != "B1 description. Required." {
		t.Errorf("properties %v", p)
	}
	driver.documented(t, a.reads(t, driver, args{"properties": true}, fake)[0], "from API version 1.30 on", "with details, from API version 1.30 on", "when O(properties=true)")
	a.reads(t, driver, args{"type": "dynamic", "detail": false}, fake)
	a.reads(t, driver, args{"type": "classic"})
	a.reads(t, driver, args{"name": "ipmi"})
	a.reads(t, driver, args{"api_version": "1.20"}, fake) // which has no details, and nobody asked for them
	a.Fails(t, driver.infoName(), args{"api_version": "1.20", "detail": true}, "API version 1.20")
}
