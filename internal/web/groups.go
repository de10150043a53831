package web

import (
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/where"
	"github.com/craton-fleet/craton/inventory"
)

// membership holds what the inventory makes of a device.
type membership struct {
	Name    string   `json:"name"`
	Groups  []string `json:"groups"`
	Filter  string   `json:"filter"`  // the setting that keeps it out; "" if none does
	Problem string   `json:"problem"` // why it can be in no inventory; ""

	Links   []groupLink `json:"-"` // to the first groups
	More    int         `json:"-"` // groups that are not shown
	Default bool        `json:"-"` // the settings of who looks are not known
}

// groupLink leads to what else is in a group.
type groupLink struct{ Name, URL string }

// maxGroups is how many groups are shown of a device.
const maxGroups = 40

// membership asks the inventory's own rules about a device; nil of other kinds.
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

// groupURL leads to what a group has: to its place, or to the list that terms find.
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
