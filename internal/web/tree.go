package web

import (
	"cmp"
	"net/url"
	"strconv"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
)

// treePage is the fleet by its places.
type treePage struct {
	*provenance.Tree
	Where string `json:"where"` // the fleet lives
	// Cut: not all places are on the page.
	Cut bool `json:"-"`
	// Listed are the lists that no place leads to, as far as who looks may read them.
	Listed []*schema.Kind `json:"-"`

	most int // rows; 0: as many as are possible
}

// Bounds of the tree on one page.
const (
	maxPlaces  = 160
	maxDiffers = 4 // variables that are named of a place
)

// tree returns the first page.
func (p *page) tree() (*view, error) {
	doc := &treePage{Where: p.Where}
	if _, err := p.can(); err != nil {
		return nil, err
	}
	return &view{
		Title: "Fleet", Template: "tree", Document: doc,
		Commands: []string{p.command("cloud-list"), p.command("region-list"), p.command("cell-list", "--all")},
		Load: func() error {
			tree, err := p.ofFleet("tree", snapshot.Options{}, func(fleet *snapshot.Fleet) (any, int, error) {
				tree := provenance.TreeOf(fleet)
				return tree, tree.Size(), nil
			})
			if err != nil {
				return err
			}
			doc.Tree = tree.(*provenance.Tree) //nolint:forcetypeassert // made above
			doc.Cut = doc.places() > maxPlaces
			doc.Listed, err = p.listed()
			return err
		},
	}, nil
}

// listed returns those of the lists of projects, users and interfaces that who looks may read. The API says so only
// when it is asked; who may read all projects may read the rest.
func (p *page) listed() (may []*schema.Kind, err error) {
	all := []*schema.Kind{schema.Project, schema.User, schema.NetworkInterface}
	for i, k := range all[:2] {
		_, err := p.of(k).Collection(craton.Kind(k.Name)).List(p.ctx, url.Values{"limit": {strconv.Itoa(craton.MinLimit)}})
		if err == nil {
			return all[i:], nil
		}
		if !craton.IsForbidden(err) {
			return nil, err
		}
	}
	return all[2:], nil
}

func (d *treePage) places() (n int) {
	for _, cloud := range d.Clouds {
		n += 1 + len(cloud.Places) + cloud.Cells
	}
	return n
}

// treeRow is a place in the table, as deep as it is in the tree.
type treeRow struct {
	*provenance.Place
	Depth int
	First []provenance.Differs // those that are named
	More  int                  // and how many are not
}

// Rows returns the places of the page: all, or if they are too many, clouds and regions, as many as fit.
func (d *treePage) Rows() (rows []treeRow) {
	most := cmp.Or(d.most, maxPlaces)
	var add func(places []*provenance.Place, depth int)
	add = func(places []*provenance.Place, depth int) {
		for _, place := range places {
			if len(rows) >= most {
				return
			}
			first := place.Differs[:min(len(place.Differs), maxDiffers)]
			rows = append(rows, treeRow{place, depth, first, len(place.Differs) - len(first)})
			if !d.Cut || depth == 0 {
				add(place.Places, depth+1)
			}
		}
	}
	for _, project := range d.Projects {
		if len(d.Projects) == 1 {
			add([]*provenance.Place{project}, 0)
		}
	}
	add(d.Clouds, 0)
	return rows
}

// Collection returns where the pages of the row's kind are.
func (r treeRow) Collection() string { return schema.ByName(r.Type).Path }

// Term returns the term that finds what is at the place.
func (r treeRow) Term() string {
	if r.Type == "project" {
		return ""
	}
	return r.Type + "_id=" + r.ID
}
