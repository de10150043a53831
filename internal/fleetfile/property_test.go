package fleetfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleettest"
)

// TestRules checks the promises of the package with random fleets on top of random fleets.
func TestRules(t *testing.T) {
	t.Parallel()
	t.Run("original", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			s := &original{}
			c, err := craton.New("http://embedded", craton.WithTransport(inProcess{s}), craton.WithRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			checkRules(t, api{Client: c, writes: s.writes})
		})
	})
}

func checkRules(t *rapid.T, s api) {
	ctx := t.Context()
	for range 3 {
		renameSome(t, s)
		data := fleettest.Small().Draw(t, "fleet")
		file, err := FromValue(data)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || !isRefusal(err) {
				t.Fatalf("a file that should be valid: %v", err)
			}
			continue
		}
		before := snapshot(t, s)
		s.writes()
		check, checkErr := s.apply(ctx, file, Options{Check: true, AllowDuplicates: true})
		if w := s.writes(); len(w) > 0 {
			t.Fatalf("check mode wrote %v", w)
		}
		got, err := s.apply(ctx, file, Options{AllowDuplicates: true, Parallel: rapid.IntRange(1, 4).Draw(t, "parallel")})
		if fmt.Sprint(checkErr) != fmt.Sprint(err) {
			t.Fatalf("check mode said %v, the run %v", checkErr, err)
		}
		if diff := cmp.Diff(check, got); diff != "" {
			t.Fatalf("check mode and the run differ:\n%s", diff)
		}
		writes, after := s.writes(), snapshot(t, s)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("%v", err)
			}
			if diff := cmp.Diff(before, after); diff != "" || len(writes) > 0 {
				t.Fatalf("an error in the plan, and yet something was written: %v %s", writes, diff)
			}
			continue
		}
		if most := got.Created*2 + got.Updated*3; len(writes) > most || len(writes) < got.Created+got.Updated {
			t.Fatalf("%d writing requests for %d created and %d updated objects", len(writes), got.Created, got.Updated)
		}
		want := overlay(before, data)
		if diff := cmp.Diff(want, after); diff != "" {
			t.Fatalf("the fleet (-want +got):\n%s", diff)
		}
		s.writes()
		again, err := s.apply(ctx, file, Options{AllowDuplicates: true})
		if err != nil || again.Changed() || again.Unchanged != file.Len() {
			t.Fatalf("applied again: %v %+v", err, again)
		}
		if w := s.writes(); len(w) > 0 {
			t.Fatalf("applied again, it wrote %v", w)
		}
	}
}

// model is a fleet as the test sees it: objects by kind and path, each by key; labels and variables are
// keys of their own.
type model map[string]map[string]any

// overlay returns the slow and simple way to say what a fleet becomes.
func overlay(before model, data map[string]any) model {
	after := model{}
	for path, fields := range before {
		after[path] = maps.Clone(fields)
	}
	set := func(path string, o map[string]any, initial map[string]any, lists ...string) {
		if after[path] == nil {
			after[path] = initial
		}
		for key, value := range o {
			switch {
			case key == "name" || slices.Contains(lists, key):
			case key == "variables":
				for k, v := range value.(map[string]any) {
					raw, _ := json.Marshal(v)
					after[path]["variable "+k] = normal(raw)
				}
			case key == "labels":
				for _, l := range value.([]any) {
					after[path]["label "+l.(string)] = true
				}
			case key == "protected":
				if delete(after[path], key); value == true {
					after[path][key] = true
				}
			case key == "ip_address":
				after[path][key] = strings.Replace(value.(string), "2001:DB8::0:1", "2001:db8::1", 1)
			case value == nil:
				after[path][key] = ""
			default:
				after[path][key] = value
			}
		}
	}
	each := func(v any) iter.Seq2[string, map[string]any] {
		return func(yield func(string, map[string]any) bool) {
			list, _ := v.([]any)
			for _, item := range list {
				if o := item.(map[string]any); !yield(o["name"].(string), o) {
					return
				}
			}
		}
	}
	if p, ok := data["project"].(map[string]any); ok && len(p["variables"].(map[string]any)) > 0 {
		set("project", p, map[string]any{})
	}
	devices := func(in string, cell string, o map[string]any) {
		for name, d := range each(o["hosts"]) {
			set("device "+in+"/"+name, d, map[string]any{"kind": "host", "active": true, "note": "", "parent": "", "cell": cell}, "interfaces")
			for i, o := range each(d["interfaces"]) {
				set("interface "+in+"/"+name+"/"+i, o, map[string]any{"vlan": "", "speed": 0})
			}
		}
		for name, d := range each(o["network_devices"]) {
			set("device "+in+"/"+name, d, map[string]any{"kind": "network-device", "active": true, "model_name": "", "parent": "", "cell": cell})
		}
	}
	for cloud, c := range each(data["clouds"]) {
		set("cloud "+cloud, c, map[string]any{"note": ""}, "regions")
		for region, r := range each(c["regions"]) {
			in := cloud + "/" + region
			set("region "+in, r, map[string]any{"note": ""}, "cells", "networks", "hosts", "network_devices")
			for name, n := range each(r["networks"]) {
				set("network "+in+"/"+name, n, map[string]any{"nss": ""})
			}
			for name, cell := range each(r["cells"]) {
				set("cell "+in+"/"+name, cell, map[string]any{"note": ""}, "hosts", "network_devices")
				devices(in, name, cell)
			}
			devices(in, "", r)
		}
	}
	return after
}

// normal returns one spelling of a JSON value; the numbers of the test are told apart by it.
func normal(raw json.RawMessage) string {
	var v any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	_ = d.Decode(&v)
	out, _ := json.Marshal(v)
	switch string(out) {
	case "1.0":
		return "1"
	case "1e3", "1.0e+3":
		return "1000"
	}
	return string(out)
}

// snapshot reads the whole fleet, every object by itself, with nothing of the package.
func snapshot(t *rapid.T, s api) model {
	ctx := t.Context()
	m := model{}
	fail := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	guarded := craton.Members{}
	if s.moves { // it is our own server
		var err error
		guarded, err = s.Protected(ctx, craton.ProtectedOptions{})
		fail(err)
	}
	mark := func(kind craton.Kind, id int, path string) {
		if slices.Contains(guarded[kind], id) {
			m[path]["protected"] = true
		}
	}
	variables := func(o map[string]any, v craton.Variables) map[string]any {
		for k, raw := range v {
			o["variable "+k] = normal(raw)
		}
		return o
	}
	cloudNames, regionNames, cellNames, deviceNames := map[int]string{}, map[int]string{}, map[int]string{0: ""}, map[int]string{0: ""}
	ids := []string{s.project}
	if s.project == "" {
		ids = nil
		for p, err := range s.Projects.All(ctx, craton.ProjectListOptions{}) {
			fail(err)
			ids = append(ids, p.ID)
		}
	}
	for _, id := range ids {
		v, err := s.Projects.Variables(ctx, id)
		fail(err)
		if len(v) > 0 {
			m["project"] = variables(map[string]any{}, v)
		}
	}
	for o, err := range s.Clouds.All(ctx, craton.CloudListOptions{}) {
		fail(err)
		cloudNames[o.ID] = o.Name
		v, err := s.Clouds.Variables(ctx, o.ID)
		fail(err)
		m["cloud "+o.Name] = variables(map[string]any{"note": o.Note}, v)
		mark(craton.KindCloud, o.ID, "cloud "+o.Name)
	}
	for o, err := range s.Regions.All(ctx, craton.RegionListOptions{}) {
		fail(err)
		regionNames[o.ID] = cloudNames[o.CloudID] + "/" + o.Name
		v, err := s.Regions.Variables(ctx, o.ID)
		fail(err)
		m["region "+regionNames[o.ID]] = variables(map[string]any{"note": o.Note}, v)
		mark(craton.KindRegion, o.ID, "region "+regionNames[o.ID])
	}
	for o, err := range s.Cells.All(ctx, craton.CellListOptions{}) {
		fail(err)
		cellNames[o.ID] = o.Name
		v, err := s.Cells.Variables(ctx, o.ID)
		fail(err)
		m["cell "+regionNames[o.RegionID]+"/"+o.Name] = variables(map[string]any{"note": o.Note}, v)
		mark(craton.KindCell, o.ID, "cell "+regionNames[o.RegionID]+"/"+o.Name)
	}
	for o, err := range s.Networks.All(ctx, craton.NetworkListOptions{}) {
		fail(err)
		v, err := s.Networks.Variables(ctx, o.ID)
		fail(err)
		m["network "+regionNames[o.RegionID]+"/"+o.Name] = variables(map[string]any{"cidr": o.CIDR, "gateway": o.Gateway, "netmask": o.Netmask, "nss": o.NSS}, v)
		mark(craton.KindNetwork, o.ID, "network "+regionNames[o.RegionID]+"/"+o.Name)
	}
	parents := map[string]int{}
	device := func(kind string, d craton.Device, more map[string]any, v craton.Variables, labels []string) {
		path := "device " + regionNames[d.RegionID] + "/" + d.Name
		deviceNames[d.ID] = regionNames[d.RegionID] + "/" + d.Name
		parents[path] = d.ParentID
		maps.Copy(more, map[string]any{"kind": kind, "ip_address": d.IPAddress, "device_type": d.DeviceType, "active": d.Active, "cell": cellNames[d.CellID]})
		for _, l := range labels {
			more["label "+l] = true
		}
		m[path] = variables(more, v)
		mark(craton.Kind(kind), d.ID, path)
	}
	for o, err := range s.Hosts.All(ctx, craton.HostListOptions{}) {
		fail(err)
		v, err := s.Hosts.Variables(ctx, o.ID)
		fail(err)
		labels, err := s.Hosts.Labels(ctx, o.ID)
		fail(err)
		device("host", o.Device, map[string]any{"note": o.Note}, v, labels)
	}
	for o, err := range s.NetworkDevices.All(ctx, craton.NetworkDeviceListOptions{}) {
		fail(err)
		v, err := s.NetworkDevices.Variables(ctx, o.ID)
		fail(err)
		labels, err := s.NetworkDevices.Labels(ctx, o.ID)
		fail(err)
		device("network-device", o.Device, map[string]any{"model_name": o.ModelName}, v, labels)
	}
	for path, id := range parents {
		m[path]["parent"] = deviceNames[id]
	}
	for o, err := range s.NetworkInterfaces.All(ctx, craton.NetworkInterfaceListOptions{}) {
		fail(err)
		m["interface "+deviceNames[o.DeviceID]+"/"+o.Name] = map[string]any{"interface_type": o.InterfaceType, "ip_address": o.IPAddress, "vlan": o.VLAN, "speed": int(o.Speed)}
		mark(craton.KindNetworkInterface, o.ID, "interface "+deviceNames[o.DeviceID]+"/"+o.Name)
	}
	return m
}
