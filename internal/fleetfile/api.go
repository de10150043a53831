package fleetfile

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"slices"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/walk"
)

// record is an object as the API has it, in the terms of kindSpec.
type record struct {
	kind      string
	class     class
	id        int
	scope     int // the id of the object whose names its own must be unique among; 0 for clouds
	name      string
	projectID string
	values    map[string]any   // by fieldSpec.key; canonical, null text is ""
	refs      map[string]int   // ids by fieldSpec.key; 0 is none. Devices have "cell" too
	labels    []string         // nil: not known (Q15)
	variables craton.Variables // own; nil: not known
}

// endpoint is how objects of one kind are written and read one by one.
type endpoint struct {
	create    func(ctx context.Context, c *craton.Client, body map[string]any) (int, error)
	update    func(ctx context.Context, c *craton.Client, id int, body map[string]any) error
	variables func(ctx context.Context, c *craton.Client, id int) (craton.Variables, error)
	set       func(ctx context.Context, c *craton.Client, id int, v craton.Variables) error // nil: not after the create
	labels    func(c *craton.Client) labelStore                                             // nil: has none
	// find lists the few objects among which one of that scope and name must be.
	find func(ctx context.Context, c *craton.Client, scope int, name string) ([]*record, error)
}

type labelStore interface {
	Labels(ctx context.Context, id int) ([]string, error)
	AddLabels(ctx context.Context, id int, labels ...string) ([]string, error)
}

var own = new(false) // resolved-values=false: an object's own variables only

// endpoints has one entry a kind that the file can hold below the project.
var endpoints = map[string]endpoint{
	KindCloud: {
		create:    create(func(c *craton.Client) creator[craton.Cloud, craton.CloudCreate] { return c.Clouds }, cloudRecord),
		update:    update(func(c *craton.Client) updater[craton.Cloud, craton.CloudUpdate] { return c.Clouds }),
		variables: variables(func(c *craton.Client) variableStore { return c.Clouds }),
		set:       setVariables(func(c *craton.Client) variableStore { return c.Clouds }),
		// Not ?name=: it gives no variables, and fails when two projects have a cloud of the name (Q14).
		find: func(ctx context.Context, c *craton.Client, _ int, _ string) ([]*record, error) {
			return listClouds(ctx, c)
		},
	},
	KindRegion: {
		create:    create(func(c *craton.Client) creator[craton.Region, craton.RegionCreate] { return c.Regions }, regionRecord),
		update:    update(func(c *craton.Client) updater[craton.Region, craton.RegionUpdate] { return c.Regions }),
		variables: variables(func(c *craton.Client) variableStore { return c.Regions }),
		set:       setVariables(func(c *craton.Client) variableStore { return c.Regions }),
		find: func(ctx context.Context, c *craton.Client, scope int, _ string) ([]*record, error) {
			return listRegions(ctx, c, craton.RegionListOptions{CloudID: scope})
		},
	},
	KindCell: {
		create:    create(func(c *craton.Client) creator[craton.Cell, craton.CellCreate] { return c.Cells }, cellRecord),
		update:    update(func(c *craton.Client) updater[craton.Cell, craton.CellUpdate] { return c.Cells }),
		variables: variables(func(c *craton.Client) variableStore { return c.Cells }),
		set:       setVariables(func(c *craton.Client) variableStore { return c.Cells }),
		find: func(ctx context.Context, c *craton.Client, scope int, name string) ([]*record, error) {
			return listCells(ctx, c, craton.CellListOptions{RegionID: scope, Name: name})
		},
	},
	KindNetwork: {
		create:    create(func(c *craton.Client) creator[craton.Network, craton.NetworkCreate] { return c.Networks }, networkRecord),
		update:    update(func(c *craton.Client) updater[craton.Network, craton.NetworkUpdate] { return c.Networks }),
		variables: variables(func(c *craton.Client) variableStore { return c.Networks }),
		set:       setVariables(func(c *craton.Client) variableStore { return c.Networks }),
		find: func(ctx context.Context, c *craton.Client, scope int, name string) ([]*record, error) {
			return listNetworks(ctx, c, craton.NetworkListOptions{RegionID: scope, Name: name, Details: true})
		},
	},
	KindHost: {
		create:    create(func(c *craton.Client) creator[craton.Host, craton.HostCreate] { return c.Hosts }, hostRecord),
		update:    update(func(c *craton.Client) updater[craton.Host, craton.HostUpdate] { return c.Hosts }),
		variables: variables(func(c *craton.Client) variableStore { return c.Hosts }),
		set:       setVariables(func(c *craton.Client) variableStore { return c.Hosts }),
		labels:    func(c *craton.Client) labelStore { return c.Hosts },
		find:      findDevices,
	},
	KindNetworkDevice: {
		create: create(func(c *craton.Client) creator[craton.NetworkDevice, craton.NetworkDeviceCreate] {
			return c.NetworkDevices
		}, networkDeviceRecord),
		update: update(func(c *craton.Client) updater[craton.NetworkDevice, craton.NetworkDeviceUpdate] {
			return c.NetworkDevices
		}),
		variables: variables(func(c *craton.Client) variableStore { return c.NetworkDevices }),
		set:       setVariables(func(c *craton.Client) variableStore { return c.NetworkDevices }),
		labels:    func(c *craton.Client) labelStore { return c.NetworkDevices },
		find:      findDevices,
	},
	KindNetworkInterface: {
		create: create(func(c *craton.Client) creator[craton.NetworkInterface, craton.NetworkInterfaceCreate] {
			return c.NetworkInterfaces
		}, interfaceRecord),
		update: update(func(c *craton.Client) updater[craton.NetworkInterface, craton.NetworkInterfaceUpdate] {
			return c.NetworkInterfaces
		}),
		// Only the object itself shows them (v1 contract §2.3).
		variables: func(ctx context.Context, c *craton.Client, id int) (craton.Variables, error) {
			i, err := c.NetworkInterfaces.Get(ctx, id)
			if err != nil {
				return nil, err
			}
			return i.Variables, nil
		},
		find: func(ctx context.Context, c *craton.Client, scope int, _ string) ([]*record, error) {
			return listInterfaces(ctx, c, craton.NetworkInterfaceListOptions{DeviceID: scope})
		},
	},
}

type creator[T, C any] interface {
	Create(ctx context.Context, body C) (*T, error)
}

type updater[T, U any] interface {
	Update(ctx context.Context, id int, body U) (*T, error)
}

type variableStore interface {
	Variables(ctx context.Context, id int) (craton.Variables, error)
	SetVariables(ctx context.Context, id int, v craton.Variables) (craton.Variables, error)
}

// create sends a body that is given by the API's keys.
func create[T, C any](service func(*craton.Client) creator[T, C], rec func(*T) *record) func(context.Context, *craton.Client, map[string]any) (int, error) {
	return func(ctx context.Context, c *craton.Client, body map[string]any) (int, error) {
		typed, err := typedBody[C](body)
		if err != nil {
			return 0, err
		}
		made, err := service(c).Create(ctx, typed)
		if err != nil {
			return 0, err
		}
		return rec(made).id, nil
	}
}

func update[T, U any](service func(*craton.Client) updater[T, U]) func(context.Context, *craton.Client, int, map[string]any) error {
	return func(ctx context.Context, c *craton.Client, id int, body map[string]any) error {
		typed, err := typedBody[U](body)
		if err != nil {
			return err
		}
		_, err = service(c).Update(ctx, id, typed)
		return err
	}
}

func variables(store func(*craton.Client) variableStore) func(context.Context, *craton.Client, int) (craton.Variables, error) {
	return func(ctx context.Context, c *craton.Client, id int) (craton.Variables, error) {
		return store(c).Variables(ctx, id)
	}
}

func setVariables(store func(*craton.Client) variableStore) func(context.Context, *craton.Client, int, craton.Variables) error {
	return func(ctx context.Context, c *craton.Client, id int, v craton.Variables) error {
		_, err := store(c).SetVariables(ctx, id, v)
		return err
	}
}

// typedBody makes a request of the client library from the API's keys: its JSON tags are those keys.
// A key that the request does not have is a mistake in kindSpec, not the user's.
func typedBody[B any](body map[string]any) (typed B, err error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return typed, err
	}
	d := json.NewDecoder(&b)
	d.DisallowUnknownFields()
	return typed, d.Decode(&typed)
}

// collect reads a whole listing.
func collect[T any](all func() iter.Seq2[*T, error], rec func(*T) *record) ([]*record, error) {
	found, err := walk.All(craton.IsMarkerGone, all, func(*T) bool { return true })
	records := make([]*record, len(found))
	for i, item := range found {
		records[i] = rec(item)
	}
	return records, err
}

func listClouds(ctx context.Context, c *craton.Client) ([]*record, error) {
	return collect(func() iter.Seq2[*craton.Cloud, error] {
		return c.Clouds.All(ctx, craton.CloudListOptions{Details: true})
	}, cloudRecord)
}

// The lists with details ask for own variables: they are what is compared, and the original answers good requests
// for resolved ones with 500 now and then (Q8).

func listRegions(ctx context.Context, c *craton.Client, o craton.RegionListOptions) ([]*record, error) {
	o.Details, o.Resolved = true, own
	return collect(func() iter.Seq2[*craton.Region, error] { return c.Regions.All(ctx, o) }, regionRecord)
}

func listCells(ctx context.Context, c *craton.Client, o craton.CellListOptions) ([]*record, error) {
	o.Details, o.Resolved = true, own
	return collect(func() iter.Seq2[*craton.Cell, error] { return c.Cells.All(ctx, o) }, cellRecord)
}

func listNetworks(ctx context.Context, c *craton.Client, o craton.NetworkListOptions) ([]*record, error) {
	return collect(func() iter.Seq2[*craton.Network, error] { return c.Networks.All(ctx, o) }, networkRecord)
}

func listDevices(ctx context.Context, c *craton.Client, o craton.DeviceListOptions) ([]*record, error) {
	if o.Details {
		o.Resolved = own
	}
	return collect(func() iter.Seq2[*craton.AnyDevice, error] { return c.Devices.All(ctx, o) }, deviceRecord)
}

func listInterfaces(ctx context.Context, c *craton.Client, o craton.NetworkInterfaceListOptions) ([]*record, error) {
	return collect(func() iter.Seq2[*craton.NetworkInterface, error] { return c.NetworkInterfaces.All(ctx, o) }, interfaceRecord)
}

// findDevices looks a name up among both kinds, which share their names; scope 0 is every region.
// The listing of both kinds has no filter by name.
func findDevices(ctx context.Context, c *craton.Client, scope int, name string) ([]*record, error) {
	hosts, err := collect(func() iter.Seq2[*craton.Host, error] {
		return c.Hosts.All(ctx, craton.HostListOptions{RegionID: scope, Name: name, Details: true, Resolved: own})
	}, hostRecord)
	if err != nil {
		return nil, err
	}
	devices, err := collect(func() iter.Seq2[*craton.NetworkDevice, error] {
		return c.NetworkDevices.All(ctx, craton.NetworkDeviceListOptions{RegionID: scope, Name: name, Details: true, Resolved: own})
	}, networkDeviceRecord)
	return append(hosts, devices...), err
}

func cloudRecord(o *craton.Cloud) *record {
	return &record{kind: KindCloud, class: classCloud, id: o.ID, name: o.Name, projectID: o.ProjectID,
		values: map[string]any{"note": o.Note}, variables: o.Variables}
}

func regionRecord(o *craton.Region) *record {
	return &record{kind: KindRegion, class: classRegion, id: o.ID, scope: o.CloudID, name: o.Name, projectID: o.ProjectID,
		values: map[string]any{"note": o.Note}, variables: o.Variables}
}

func cellRecord(o *craton.Cell) *record {
	return &record{kind: KindCell, class: classCell, id: o.ID, scope: o.RegionID, name: o.Name, projectID: o.ProjectID,
		values: map[string]any{"note": o.Note}, variables: o.Variables}
}

func networkRecord(o *craton.Network) *record {
	return &record{kind: KindNetwork, class: classNetwork, id: o.ID, scope: o.RegionID, name: o.Name, projectID: o.ProjectID,
		values: map[string]any{
			"cidr": o.CIDR, "gateway": o.Gateway, "netmask": o.Netmask, "ip_block_type": o.IPBlockType, "nss": o.NSS,
		},
		refs: map[string]int{"cell": o.CellID}, variables: o.Variables}
}

func hostRecord(o *craton.Host) *record {
	return deviceRecord(&craton.AnyDevice{Kind: craton.KindHost, Device: o.Device, Note: o.Note})
}

func networkDeviceRecord(o *craton.NetworkDevice) *record {
	return deviceRecord(&craton.AnyDevice{Kind: craton.KindNetworkDevice, Device: o.Device,
		ModelName: o.ModelName, OSVersion: o.OSVersion, VLANs: o.VLANs})
}

func deviceRecord(o *craton.AnyDevice) *record {
	r := &record{kind: KindHost, class: classDevice, id: o.ID, scope: o.RegionID, name: o.Name, projectID: o.ProjectID,
		values: map[string]any{"ip_address": o.IPAddress, "device_type": o.DeviceType, "active": o.Active},
		refs:   map[string]int{"parent": o.ParentID, "cell": o.CellID},
		labels: slices.Clone(o.Labels), variables: o.Variables}
	if o.Kind == craton.KindHost {
		r.values["note"] = o.Note
		return r
	}
	r.kind = KindNetworkDevice
	r.values["model_name"], r.values["os_version"], r.values["vlans"] = o.ModelName, o.OSVersion, o.VLANs
	return r
}

func interfaceRecord(o *craton.NetworkInterface) *record {
	return &record{kind: KindNetworkInterface, class: classInterface, id: o.ID, scope: o.DeviceID, name: o.Name, projectID: o.ProjectID,
		values: map[string]any{
			"interface_type": o.InterfaceType, "ip_address": o.IPAddress, "vlan_id": o.VLANID, "vlan": o.VLAN, "duplex": o.Duplex,
			"link": o.Link, "cdp": o.CDP, "security": o.Security, "port": o.Port, "speed": int(o.Speed),
		},
		refs: map[string]int{"network": o.NetworkID}, variables: o.Variables}
}
