package web

import (
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/value"
)

// findPage is where in the fleet a text stands.
type findPage struct {
	*snapshot.Found
	Asked string     `json:"-"`
	Rows  []foundRow `json:"-"`
	Left  int        `json:"-"` // objects that match and are not on the page
}

// foundRow is an object that has the text.
type foundRow struct {
	Object link
	Places []foundPlace
	More   int // places that are not told
}

// foundPlace is where in the object the text stands, with a page that shows it.
type foundPlace struct{ Text, URL string }

// maxPlacesFound is how many places of an object are told.
const maxPlacesFound = 4

// find returns the page of a text q=, wherever it stands.
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
			return snapshot.Find(fleet, doc.Asked, maxRows, can.Hashes), largestKept + 1, nil // its texts are the fleet's: it is not kept
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

// fillFound makes rows of what was found, as many as a page has room for.
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

// placeURL returns the page that shows a place; "" where the object's own does.
func (p *page) placeURL(k *schema.Kind, id string, place snapshot.Place) string {
	switch place.What {
	case "key", "value":
		return p.Href(k.Path+"/"+id, "key", place.Name)
	case "label":
		return labels{page: p, collection: k.Path}.URL(place.Name)
	}
	return ""
}
