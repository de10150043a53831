package web

import (
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/value"
)

// findPage shows the objects in the fleet that contain a text.
type findPage struct {
	*snapshot.Found
	Asked string     `json:"-"`
	Rows  []foundRow `json:"-"`
	Left  int        `json:"-"` // matching objects that are not on the page
}

// foundRow is an object that contains the text.
type foundRow struct {
	Object link
	Places []foundPlace
	More   int // occurrences that are not shown
}

// foundPlace is an occurrence of the text in the object, with the URL of the page that shows it.
type foundPlace struct{ Text, URL string }

// maxPlacesFound is the maximum number of occurrences shown for an object.
const maxPlacesFound = 4

// find returns the page of all objects that contain the text of the parameter q.
func (p *page) find() (*view, error) {
	doc := &findPage{Asked: strings.TrimSpace(p.query.Get("q"))}
	v := &view{Title: "Find", Template: "find", Document: doc}
	if doc.Asked == "" {
		doc.Found = &snapshot.Found{Objects: []snapshot.Match{}}
		return v, nil
	}
	can, err := p.can()
	if err != nil {
		return nil, err
	}
	v.Title = "Find " + doc.Asked
	v.Commands = []string{p.command("find", doc.Asked)}
	v.Load = func() error {
		found, err := p.ofFleet("find\x00"+doc.Asked, snapshot.Options{Networks: true, Labels: true, Text: doc.Asked}, func(fleet *snapshot.Fleet) (any, int, error) {
			return snapshot.Find(fleet, doc.Asked, maxRows, can.Hashes), largestKept + 1, nil // larger than the cache accepts: the result refers to the fleet's strings
		})
		if err != nil {
			return err
		}
		doc.Found = found.(*snapshot.Found) //nolint:forcetypeassert // made above
		p.fillFound(doc)
		return nil
	}
	return v, nil
}

// fillFound adds rows to the page up to its size limit.
func (p *page) fillFound(d *findPage) {
	bytes := 0
	for i, m := range d.Objects {
		if bytes > maxRowBytes {
			d.Left = len(d.Objects) - i
			break
		}
		k := schema.ByName(m.Kind)
		row := foundRow{Object: link{k.Noun(), m.Path, k.Path, value.IDText(m.ID)}}
		for n, place := range m.Where {
			if n == maxPlacesFound {
				row.More = len(m.Where) - n
				break
			}
			text := brief(place.Sentence())
			row.Places = append(row.Places, foundPlace{text, p.placeURL(k, row.Object.ID, place)})
			bytes += 200 + 2*len(text)
		}
		bytes += 300 + 2*len(m.Path)
		d.Rows = append(d.Rows, row)
	}
	d.Left += d.More
}

// placeURL returns the URL of the page that shows an occurrence, or "" if the object's own page shows it.
func (p *page) placeURL(k *schema.Kind, id string, place snapshot.Place) string {
	switch place.What {
	case "key", "value":
		return p.Href(k.Path+"/"+id, "key", place.Name)
	case "label":
		return labels{page: p, collection: k.Path}.URL(place.Name)
	}
	return ""
}
