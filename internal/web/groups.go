package web

import (
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/where"
	"github.com/craton-fleet/craton/inventory"
)

// membership is what the inventory makes of a device.
type membership struct {
	Name    string   `json:"name"`
	Groups  []string `json:"groups"`
	Filter  string   `json:"filter"`  // the setting that excludes it; "" if none does
	Problem string   `json:"problem"` // why no inventory can contain it; ""

	Links   []groupLink `json:"-"` // to the first groups
	More    int         `json:"-"` // number of groups that are not shown
	Default bool        `json:"-"` // the user's settings are unknown
}

// groupLink is a link to the other members of a group.
type groupLink struct{ Name, URL string }

// maxGroups is the maximum number of groups that are shown for a device.
const maxGroups = 40

// membership applies the inventory's own rules to a device; nil for other kinds.
func (p *page) membership(d *objectPage) *membership {
	kind, ok := inventory.KindOf(d.Of)
	if !ok {
		return nil
	}
	names := map[string]string{} // of its places
	for _, l := range d.explained.Levels {
		names[l.Kind] = l.Name
	}
	doc := &membership{Groups: []string{}, Default: p.Inventory == nil}
	device := inventory.DeviceOf(kind, d.Object, d.Labels)
	m, err := inventory.MembershipOf(p.ctx, p.client, p.inventory, device, names[schema.Cloud.Name], names[schema.Region.Name], names[schema.Cell.Name])
	if err != nil {
		doc.Problem = err.Error()
		return doc
	}
	doc.Name, doc.Filter = m.Name, m.Filter
	for _, g := range m.Groups {
		doc.Groups = append(doc.Groups, g.Name)
		if len(doc.Links) == maxGroups {
			doc.More++
			continue
		}
		doc.Links = append(doc.Links, groupLink{g.Name, p.groupURL(d, g)})
	}
	return doc
}

// groupURL returns the URL with the members of a group: its place, or the list that terms select.
func (p *page) groupURL(d *objectPage, g inventory.Member) string {
	switch g.Kind {
	case inventory.CloudGroups, inventory.RegionGroups, inventory.CellGroups:
		k := schema.ByName(string(g.Kind))
		return p.Href(k.Path + "/" + d.Object.Text(k.ContentKey()))
	case inventory.LabelGroups:
		return p.Href(d.Of.Path, "where", literalTerm("label", "labels", where.LabelField, g.Of))
	case inventory.TypeGroups:
		return p.Href(d.Of.Path, "where", literalTerm("type", "device_type", where.TextField, g.Of))
	case inventory.ActiveGroups:
		return p.Href(d.Of.Path, "where", "active="+d.Object.Text("active"))
	case inventory.ParentGroups:
		return p.Href(d.Of.Path, "where", "parent_id="+g.Of)
	}
	return p.Href(d.Of.Path) // all hosts
}
