package inventory

import (
	"fmt"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/value"
)

// parts returns the number of names in a host's name.
func (form Hostname) parts() int {
	if form == Qualified {
		return 3
	}
	return 1
}

// checkNames finds places and devices without a name, and names that no place may have, whatever the form of host
// names: groups and hostvars contain names of places too.
func (f *Fleet) checkNames() error {
	for _, kind := range []struct {
		name string
		all  map[int]*Place
	}{{"cloud", f.Clouds}, {"region", f.Regions}, {"cell", f.Cells}} {
		for _, p := range sortedPlaces(kind.all) {
			if p.Name == "" {
				return advice.With(fmt.Errorf("%s %d has no name", kind.name, p.ID), "give it one, or delete it")
			}
			if err := value.CheckName(p.Name); err != nil {
				predicate, _ := advice.Split(err)
				return advice.With(fmt.Errorf("the name of %s %d (%q) %s", kind.name, p.ID, p.Name, predicate), "rename it")
			}
		}
	}
	var first *Device
	for _, d := range f.Devices {
		if d.Name == "" && (first == nil || d.ID < first.ID) {
			first = d
		}
	}
	if first != nil {
		return advice.With(fmt.Errorf("%s %d has no name", first.Kind, first.ID), "give it one, or delete it")
	}
	return nil
}

// hostName returns the name of a device in the inventory.
func (f *Fleet) hostName(d *Device, form Hostname) string {
	switch form {
	case ByIPAddress:
		return d.IPAddress
	case Qualified:
		return f.cloudName(d.CloudID) + "/" + f.regionName(d.RegionID) + "/" + d.Name
	}
	return d.Name
}

func (f *Fleet) regionName(id int) string {
	if r := f.Regions[id]; r != nil {
		return r.Name
	}
	return fmt.Sprint(id)
}

// place describes the place of a device, for errors.
func (f *Fleet) place(d *Device) string {
	s := "cloud " + f.cloudName(d.CloudID) + ", region " + f.regionName(d.RegionID)
	if c := f.Cells[d.CellID]; c != nil {
		s += ", cell " + c.Name
	}
	return s
}
