package inventory

import "fmt"

// hostName is what a device is called in the inventory.
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

// place describes where a device is, for errors.
func (f *Fleet) place(d *Device) string {
	s := "cloud " + f.cloudName(d.CloudID) + ", region " + f.regionName(d.RegionID)
	if c := f.Cells[d.CellID]; c != nil {
		s += ", cell " + c.Name
	}
	return s
}
