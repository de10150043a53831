package inventory

import "strconv"

// Level is one of the objects whose variables a device has. Of all levels with a variable the first supplies it,
// whole and whatever its value, null included; the others are shadowed (the v1 contract §5.2, §5.3).
type Level struct {
	Kind      string // host, network-device, cell, region, cloud, project
	Name      string // "" for projects, whose names are not read
	ID        string
	Variables Variables // its own
}

// Chain gives a device's levels, the nearest first: itself, its parents, and then its own cell, region, cloud and
// project. Cells, regions and clouds of its parents count for nothing. The fleet must hold them all, as Load's do.
func (f *Fleet) Chain(d *Device) []Level {
	var chain []Level
	for at := d; at != nil && len(chain) <= len(f.Devices); at = f.Devices[at.ParentID] {
		chain = append(chain, Level{at.Kind.String(), at.Name, strconv.Itoa(at.ID), at.Variables})
	}
	for _, place := range []struct {
		kind string
		*Place
	}{{"cell", f.Cells[d.CellID]}, {"region", f.Regions[d.RegionID]}, {"cloud", f.Clouds[d.CloudID]}} {
		if place.Place != nil {
			chain = append(chain, Level{place.kind, place.Name, strconv.Itoa(place.ID), place.Variables})
		}
	}
	return append(chain, Level{"project", "", d.ProjectID, f.Projects[d.ProjectID]})
}

// over merges two sets: a name that upper has is taken from there.
func over(upper, lower Variables) Variables {
	if len(upper) == 0 {
		return lower
	}
	if len(lower) == 0 {
		return upper
	}
	merged := make(Variables, 0, len(upper)+len(lower))
	for len(upper) > 0 && len(lower) > 0 {
		switch {
		case upper[0].Name > lower[0].Name:
			merged, lower = append(merged, lower[0]), lower[1:]
			continue
		case upper[0].Name == lower[0].Name:
			lower = lower[1:]
		}
		merged, upper = append(merged, upper[0]), upper[1:]
	}
	return append(append(merged, upper...), lower...)
}
