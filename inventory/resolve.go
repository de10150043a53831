package inventory

import (
	"strconv"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
)

// Level is one of the objects from which a device gets its variables. The first level that has a variable supplies its
// complete value, even null; the others are shadowed (the v1 contract §5.2, §5.3). The names of projects are not read.
type Level = hierarchy.Level

// Chain returns a device's levels, nearest first: itself, its parents, and then its own cell, region, cloud and
// project. Cells, regions and clouds of its parents are irrelevant. The fleet must contain all of them, as Load's
// results do.
func (f *Fleet) Chain(d *Device) (chain []Level) {
	type rung struct {
		Level
		device *Device // nil for a place
	}
	device := func(d *Device) rung {
		return rung{Level{Kind: d.Kind.String(), Name: d.Name, ID: strconv.Itoa(d.ID), Variables: d.Variables}, d}
	}
	place := func(kind string, p *Place) (rung, bool) {
		if p == nil {
			return rung{}, false
		}
		return rung{Level: Level{Kind: kind, Name: p.Name, ID: strconv.Itoa(p.ID), Variables: p.Variables}}, true
	}
	for at := range hierarchy.Levels(schema.Host, device(d), func(of rung, key string) (rung, bool) {
		switch key {
		case "parent_id":
			p := f.Devices[of.device.ParentID]
			if p == nil || len(chain) > len(f.Devices) { // a circle
				return rung{}, false
			}
			return device(p), true
		case "cell_id":
			return place("cell", f.Cells[d.CellID])
		case "region_id":
			return place("region", f.Regions[d.RegionID])
		case "cloud_id":
			return place("cloud", f.Clouds[d.CloudID])
		}
		return rung{Level: Level{Kind: "project", ID: d.ProjectID, Variables: f.Projects[d.ProjectID]}}, true
	}) {
		chain = append(chain, at.Level)
	}
	return chain
}

// Variable returns the resolved value of a device's variable, with the nearest level that has it. The value is JSON.
func (f *Fleet) Variable(d *Device, name string) (json string, ok bool) {
	for _, l := range f.Chain(d) {
		if json, ok = l.Variables.Find(name); ok {
			return json, true
		}
	}
	return "", false
}

// HostName returns the name of a device in the inventory for some options. It does not check whether Ansible accepts
// it.
func (f *Fleet) HostName(d *Device, o *Options) string { return f.hostName(d, o.Hostname) }

// Places returns the names of a device's cloud, region and cell; "" for no cell.
func (f *Fleet) Places(d *Device) (cloud, region, cell string) {
	if c := f.Cells[d.CellID]; c != nil {
		cell = c.Name
	}
	return f.cloudName(d.CloudID), f.regionName(d.RegionID), cell
}
