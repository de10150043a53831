package provenance

import (
	"cmp"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
)

// Place is a cloud, region or cell of a fleet, or its project, with its contents.
type Place struct {
	Type      string    `json:"type"`
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Cells     int       `json:"cells"`
	Hosts     int       `json:"hosts"`     // including those in inner places
	Devices   int       `json:"devices"`   // network devices
	Variables int       `json:"variables"` // of its own
	Differs   []Differs `json:"differs"`   // variables that hosts in it override, with the number of hosts
	Places    []*Place  `json:"places"`

	differs map[string]int
}

// Differs is a variable of a place that hosts in it override.
type Differs struct {
	Key   string `json:"key"`
	Hosts int    `json:"hosts"`
}

// Tree is a fleet by its places.
type Tree struct {
	Complete bool     `json:"complete"` // false: the caller may not read the project, and what overrides its variables is unknown
	Projects []*Place `json:"projects"`
	Clouds   []*Place `json:"clouds"`
}

// TreeOf counts the contents of places of a fleet, and their variables that are overridden.
func TreeOf(fleet *snapshot.Fleet) *Tree {
	t := &Tree{Complete: fleet.Complete, Projects: []*Place{}, Clouds: []*Place{}}
	places := map[string]*Place{} // by kind and id
	at := func(kind, id string) *Place { return places[kind+" "+id] }
	for _, k := range []*schema.Kind{schema.Project, schema.Cloud, schema.Region, schema.Cell} {
		for _, o := range fleet.Of(k) {
			p := &Place{Type: k.Name, ID: strings.Clone(o.ID), Name: strings.Clone(o.Name), Variables: len(o.Own()), Differs: []Differs{}, Places: []*Place{}, differs: map[string]int{}}
			places[k.Name+" "+o.ID] = p
			switch above := at(schema.Region.Name, o.Field("region_id")); {
			case k == schema.Project:
				t.Projects = append(t.Projects, p)
			case k == schema.Cloud:
				t.Clouds = append(t.Clouds, p)
			case k == schema.Region:
				if cloud := at(schema.Cloud.Name, o.Field("cloud_id")); cloud != nil {
					cloud.Places = append(cloud.Places, p)
				}
			case above != nil:
				above.Places = append(above.Places, p)
				above.Cells++
				if cloud := at(schema.Cloud.Name, o.Field("cloud_id")); cloud != nil {
					cloud.Cells++
				}
			}
		}
	}
	t.count(fleet, at)
	for _, p := range places {
		for key, hosts := range p.differs {
			if hosts > 0 {
				p.Differs = append(p.Differs, Differs{strings.Clone(key), hosts})
			}
		}
		p.differs = nil
		slices.SortFunc(p.Differs, func(a, b Differs) int { return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), strings.Compare(a.Key, b.Key)) })
		slices.SortFunc(p.Places, byName)
	}
	slices.SortFunc(t.Clouds, byName)
	return t
}

// Size returns the approximate size of a tree in memory, in bytes. It has no references to the fleet.
func (t *Tree) Size() (n int) {
	var add func(places []*Place)
	add = func(places []*Place) {
		for _, p := range places {
			n += 200 + len(p.ID) + len(p.Name)
			for _, d := range p.Differs {
				n += 40 + len(d.Key)
			}
			add(p.Places)
		}
	}
	add(t.Projects)
	add(t.Clouds)
	return n
}

func byName(a, b *Place) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
}

// standing is what devices at one place with the same parent inherit.
type standing struct {
	places         []*Place
	hosts, devices int
	above          map[string][]inherited // by key
}

// inherited is a variable of a place above a host.
type inherited struct {
	of      *Place
	value   string
	differs bool // for hosts without a value of their own: a nearer level overrides it
}

// placeKeys are the references that determine what a device inherits.
var placeKeys = [...]string{"project_id", "cloud_id", "region_id", "cell_id", "parent_id"}

// standingKey is their values.
type standingKey [len(placeKeys)]string

func standingOf(d *snapshot.Object) (key standingKey) {
	for i, name := range placeKeys {
		key[i] = d.Field(name)
	}
	return key
}

// count counts devices, and the variables of places that hosts override. What hosts at one place inherit is determined
// once; for each host, only its own variables are examined.
func (t *Tree) count(fleet *snapshot.Fleet, at func(kind, id string) *Place) {
	all := map[standingKey]*standing{}
	for _, d := range fleet.Of(schema.Device) {
		key := standingOf(d)
		s := all[key]
		if s == nil {
			s = &standing{}
			for i, name := range placeKeys {
				if p := at(strings.TrimSuffix(name, "_id"), key[i]); p != nil {
					s.places = append(s.places, p)
				}
			}
			all[key] = s
		}
		if d.Kind != schema.Host {
			s.devices++
			continue
		}
		s.hosts++
		if s.above == nil {
			s.inherit(d.Levels()[1:], at)
		}
		for name, value := range d.Own().All() {
			for _, v := range s.above[name] {
				switch otherwise := value != v.value; {
				case otherwise && !v.differs:
					v.of.differs[name]++
				case !otherwise && v.differs:
					v.of.differs[name]--
				}
			}
		}
	}
	for _, s := range all {
		for _, p := range s.places {
			p.Hosts += s.hosts
			p.Devices += s.devices
		}
		for name, values := range s.above {
			for _, v := range values {
				if v.differs {
					v.of.differs[name] += s.hosts
				}
			}
		}
	}
}

// inherit determines what hosts inherit, nearest level first.
func (s *standing) inherit(levels []hierarchy.Level, at func(kind, id string) *Place) {
	s.above = map[string][]inherited{}
	for i, level := range levels {
		p := at(level.Kind, level.ID)
		if p == nil {
			continue
		}
		for name, value := range level.Variables.All() {
			v := inherited{of: p, value: value}
			for _, nearer := range levels[:i] {
				if counts, has := nearer.Variables.Find(name); has {
					v.differs = counts != value
					break
				}
			}
			s.above[name] = append(s.above[name], v)
		}
	}
}
