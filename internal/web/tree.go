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

// treePage shows the places of the fleet as a tree.
type treePage struct {
	*provenance.Tree
	Where string `json:"where"` // location of the fleet
	// Cut reports whether places are missing on the page.
	Cut bool `json:"-"`
	// Listed are the kinds that have no place in the tree and that the user may list.
	Listed []*schema.Kind `json:"-"`

	max int // maximum number of rows; 0 for the default
}

// Limits of the tree on one page.
const (
	maxPlaces  = 160
	maxDiffers = 4 // named variables for each place
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

// listed returns the kinds among projects, users and interfaces that the user may list. Only a request shows whether a
// user may; a user who may list all projects may list the others.
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

// treeRow is a place in the table, with its depth in the tree.
type treeRow struct {
	*provenance.Place
	Depth int
	First []provenance.Differs // the variables that are named
	More  int                  // number of variables that are not named
}

// Rows returns the places on the page. If there are too many, it returns clouds and regions up to the limit.
func (d *treePage) Rows() (rows []treeRow) {
	most := cmp.Or(d.max, maxPlaces)
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

// Collection returns the collection of the row's kind.
func (r treeRow) Collection() string { return schema.ByName(r.Type).Path }

// Term returns the term that matches the objects at the place.
func (r treeRow) Term() string {
	if r.Type == "project" {
		return ""
	}
	return r.Type + "_id=" + r.ID
}
