package inventory

import (
	"fmt"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// Kind is one of the two kinds of devices.
type Kind uint8

// The kinds of devices. Their ids share one sequence.
const (
	HostKind Kind = iota
	NetworkDeviceKind
)

var kinds = [...]*schema.Kind{HostKind: schema.Host, NetworkDeviceKind: schema.NetworkDevice}

// String returns the kind in words, as facts.kind shows it.
func (k Kind) String() string { return kinds[k].Name }

// path returns the path of the kind's collection.
func (k Kind) path() string { return "/" + kinds[k].Path }

// key returns the kind's member in the body of a listing (the v1 contract §2.2; Q16).
func (k Kind) key() string { return kinds[k].List }

// others are the fields of a kind that have no member in [Device].
var others = func() (all [len(kinds)][]schema.Field) {
	for kind, k := range kinds {
		for _, f := range k.Fields {
			switch f.Key {
			case "cloud_id", "region_id", "cell_id", "parent_id", "ip_address", "device_type", "active":
			default:
				all[kind] = append(all[kind], f)
			}
		}
	}
	return all
}()

// other returns the index of a field among those of its kind; -1 if it is none of them.
func (k Kind) other(key string) int {
	for i := range others[k] {
		if others[k][i].Key == key {
			return i
		}
	}
	return -1
}

// Variable is one variable.
type Variable = ansible.Variable

// Variables are the own variables of an object, sorted by name, without duplicates.
type Variables = ansible.Variables

// Place is a cloud, a region or a cell.
type Place struct {
	ID        int
	Name      string
	CloudID   int    // of regions and cells
	RegionID  int    // of cells
	ProjectID string // UUID
	Variables Variables
}

// Device is a host or a network device.
type Device struct {
	ID         int
	Kind       Kind
	ParentKind Kind // of ParentID
	Active     bool
	Name       string // unique in the region
	IPAddress  string
	DeviceType string
	CloudID    int
	RegionID   int
	CellID     int      // 0: in no cell
	ParentID   int      // 0: no parent; otherwise a device of either kind
	ProjectID  string   // UUID
	Labels     []string // sorted; nil if they were not requested and the server did not return them
	Variables  Variables
	// Others are the other fields of the kind, in the order of the schema: the note of a host; model_name, os_version
	// and vlans of a network device. Texts are as they are, other values are JSON; "" stands for null.
	Others []string
}

// other returns one of Others, "" if it was not read.
func (d *Device) other(i int) string {
	if i < len(d.Others) {
		return d.Others[i]
	}
	return ""
}

// Fleet is everything that an inventory is made from. Its variables are each object's own.
type Fleet struct {
	Projects map[string]Variables // by id, of the hosts' projects
	Clouds   map[int]*Place
	Regions  map[int]*Place
	Cells    map[int]*Place
	Devices  map[int]*Device // the hosts and all their ancestors, possibly more
	Hosts    []*Device       // the hosts of the inventory, sorted by id

	// Snapshot is the single response from which everything was read; nil if it was read page by page.
	Snapshot *Snapshot

	limited bool // limited to what --limit selects: places are those of hosts
	mixed   bool // hosts belong to several projects, even if Hosts no longer shows that
}

// staleError is the error for an inconsistent fleet: it changed while it was read, or objects refer to some that the
// caller may not see.
type staleError struct{ text string }

func (e *staleError) Error() string { return e.text }

func stalef(format string, args ...any) error { return &staleError{fmt.Sprintf(format, args...)} }

// checkHosts finds references of the hosts to missing objects, and cycles of parents.
func (f *Fleet) checkHosts() error {
	for _, d := range f.Hosts {
		switch {
		case f.Clouds[d.CloudID] == nil:
			return stalef("%s is in cloud %d, which the API does not list", d, d.CloudID)
		case f.Regions[d.RegionID] == nil:
			return stalef("%s is in region %d, which the API does not list", d, d.RegionID)
		case d.CellID != 0 && f.Cells[d.CellID] == nil:
			return stalef("%s is in cell %d, which the API does not list", d, d.CellID)
		}
		if err := f.checkParents(d); err != nil {
			return err
		}
	}
	return nil
}

// checkPlaces finds references of regions and cells to missing objects.
func (f *Fleet) checkPlaces() error {
	for _, r := range f.Regions {
		if f.Clouds[r.CloudID] == nil {
			return stalef("region %s is in cloud %d, which the API does not list", r, r.CloudID)
		}
	}
	for _, c := range f.Cells {
		if f.Regions[c.RegionID] == nil {
			return stalef("cell %s is in region %d, which the API does not list", c, c.RegionID)
		}
	}
	return nil
}

func (f *Fleet) checkParents(d *Device) error {
	steps := 0
	for at := d; at.ParentID != 0; steps++ {
		next := f.Devices[at.ParentID]
		if next == nil {
			return stalef("the parent of %s, the %s %d, cannot be read", at, at.ParentKind, at.ParentID)
		}
		if at = next; at == d || steps > len(f.Devices) {
			return stalef("the parents of %s form a loop through %s; give one of them another parent", d, f.Devices[d.ParentID])
		}
	}
	return nil
}

// String describes the device in errors.
func (d *Device) String() string { return fmt.Sprintf("%s %q (id %d)", d.Kind, d.Name, d.ID) }

// String describes the place in errors, after its kind.
func (p *Place) String() string { return fmt.Sprintf("%q (id %d)", p.Name, p.ID) }
