package provenance

import (
	"cmp"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
)

// Place is a cloud, region or cell of a fleet, or the project around it, with what stands below.
type Place struct {
	Type      string    `json:"type"`
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Cells     int       `json:"cells"`
	Hosts     int       `json:"hosts"`     // also those in places below
	Devices   int       `json:"devices"`   // network devices
	Variables int       `json:"variables"` // of its own
	Differs   []Differs `json:"differs"`   // what hosts below have otherwise, by how many
	Places    []*Place  `json:"places"`

	differs map[string]int
}

// Differs is a variable of a place that hosts below have another value of.
type Differs struct {
	Key   string `json:"key"`
	Hosts int    `json:"hosts"`
}

// Tree is a fleet by its places.
type Tree struct {
	Complete bool     `json:"complete"` // false: the caller may not read the project, and what differs from it is not known
	Projects []*Place `json:"projects"`
	Clouds   []*Place `json:"clouds"`
}

// TreeOf counts what is in the places of a fleet, and which of their variables are hidden below.
func TreeOf(fleet *snapshot.Fleet) *Tree {
	t := &Tree{Complete: fleet.Complete, Projects: []*Place{}, Clouds: []*Place{}}
	places := map[string]*Place{} // by kind and id
	at := func(kind, id string) *Place { return places[kind+" "+id] }
	for _, k := range []*schema.Kind{schema.Project, schema.Cloud, schema.Region, schema.Cell} {
		for _, o := range fleet.Of(k) {
			p := &Place{Type: k.Name, ID: o.ID, Name: o.Name, Variables: len(o.Own), Differs: []Differs{}, Places: []*Place{}, differs: map[string]int{}}
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
			p.Differs = append(p.Differs, Differs{key, hosts})
		}
		slices.SortFunc(p.Differs, func(a, b Differs) int { return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), strings.Compare(a.Key, b.Key)) })
		slices.SortFunc(p.Places, byName)
	}
	slices.SortFunc(t.Clouds, byName)
	return t
}

func byName(a, b *Place) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
}

// count counts devices, and the variables of places that hosts have otherwise. What hosts at one place have of the levels above them is
// found once.
func (t *Tree) count(fleet *snapshot.Fleet, at func(kind, id string) *Place) {
	above := map[string][]hierarchy.Level{}
	for _, d := range fleet.Of(schema.Device) {
		var where strings.Builder
		for _, key := range []string{"project_id", "cloud_id", "region_id", "cell_id", "parent_id"} {
			id := d.Field(key)
			where.WriteString(id + " ")
			p := at(strings.TrimSuffix(key, "_id"), id)
			switch {
			case p == nil:
			case d.Kind == schema.Host:
				p.Hosts++
			default:
				p.Devices++
			}
		}
		if d.Kind != schema.Host {
			continue
		}
		levels, known := above[where.String()]
		if !known {
			levels = d.Levels()[1:]
			above[where.String()] = levels
		}
		differ(append([]hierarchy.Level{{Variables: d.Own}}, levels...), at)
	}
}

// differ counts for one host the variables of its levels that a nearer one has another value of.
func differ(levels []hierarchy.Level, at func(kind, id string) *Place) {
	for i, level := range levels[1:] {
		p := at(level.Kind, level.ID)
		if p == nil || len(level.Variables) == 0 {
			continue
		}
		for key, value := range level.Variables.All() {
			for _, nearer := range levels[:i+1] {
				if v, has := nearer.Variables.Find(key); has {
					if v != value {
						p.differs[key]++
					}
					break
				}
			}
		}
	}
}
