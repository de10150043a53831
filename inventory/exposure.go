package inventory

import (
	"cmp"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// Exposure counts what an inventory protects Ansible from: strings that it would execute, and dictionaries that are
// written as text.
type Exposure = ansible.Exposure

// Exposure examines everything that the fleet's inventory can contain: the variables of its objects, each object once,
// and the texts in the facts.
func (f *Fleet) Exposure(o Options) Exposure {
	var e Exposure
	exclude := ansible.NewExcluder(o.ExcludeVariables)
	for _, id := range slices.Sorted(maps.Keys(f.Projects)) {
		e.Add(described{"project", id}.String(), f.Projects[id], exclude)
	}
	for i, places := range []map[int]*Place{f.Clouds, f.Regions, f.Cells} {
		for _, id := range slices.Sorted(maps.Keys(places)) {
			e.Add(described{[]string{"cloud", "region", "cell"}[i], places[id]}.String(), places[id].Variables, exclude)
			if o.Facts != "" {
				e.AddText(described{[]string{"cloud", "region", "cell"}[i], places[id]}.String()+", its name", places[id].Name)
			}
		}
	}
	devices := slices.Collect(maps.Values(f.Devices))
	for _, h := range f.Hosts {
		if f.Devices[h.ID] != h {
			devices = append(devices, h)
		}
	}
	slices.SortFunc(devices, func(a, b *Device) int { return cmp.Compare(a.ID, b.ID) })
	for _, d := range devices {
		e.Add(d.String(), d.Variables, exclude)
		if o.Facts == "" {
			continue
		}
		for _, text := range slices.Concat([]string{d.DeviceType, d.IPAddress}, d.Labels, d.Others) {
			e.AddText(d.String()+", its facts", text)
		}
	}
	return e
}
