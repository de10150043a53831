package web

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/value"
)

// keysPage is the index of the variables of a fleet.
type keysPage struct {
	*provenance.Keys
	Search string `json:"search"`

	Rows  []keyUse `json:"-"`
	After string   `json:"-"` // the variable after which this page begins; ""
	Next  string   `json:"-"` // the last of this page, if there are more; ""
}

// keyUse is a variable in the index.
type keyUse struct {
	provenance.KeyUse
	At []levelCount
}

// levelCount is the number of objects of a kind that set a variable.
type levelCount struct {
	Of    *schema.Kind
	Count int
}

// keys returns the page of all variables of the fleet, or of those whose names contain the text q=, or match it.
func (p *page) keys() (*view, error) {
	doc := &keysPage{Search: strings.TrimSpace(p.query.Get("q")), After: p.query.Get("after")}
	if _, err := p.can(); err != nil {
		return nil, err
	}
	var commands []string
	if doc.Search == "" && doc.After == "" { // the command prints all
		commands = []string{p.command("explain", "--keys")}
	}
	return &view{
		Title: "Variables", Template: "keys", Document: doc, Commands: commands,
		Load: func() error {
			all, err := p.ofFleet("keys", snapshot.Options{Networks: true}, func(fleet *snapshot.Fleet) (any, int, error) {
				keys := provenance.KeysOf(fleet)
				return keys, keys.Size(), nil
			})
			if err != nil {
				return err
			}
			own := *all.(*provenance.Keys) //nolint:forcetypeassert // made above
			own.Keys = slices.Clone(own.Keys)
			doc.Keys = &own
			doc.fill()
			return nil
		},
	}, nil
}

// isCalled reports whether a variable's name contains a text or, if the text has a *, matches it.
func isCalled(text, name string) bool {
	if !strings.Contains(text, "*") {
		text = "*" + text + "*"
	}
	return value.MatchesKey([]string{text}, name)
}

// fill selects the variables, and creates the rows of this page.
func (d *keysPage) fill() {
	d.Keys.Keys = slices.DeleteFunc(d.Keys.Keys, func(u provenance.KeyUse) bool { return !isCalled(d.Search, u.Key) })
	for _, u := range d.Keys.Keys {
		if u.Key <= d.After && d.After != "" {
			continue
		}
		if len(d.Rows) == maxRows {
			d.Next = d.Rows[maxRows-1].Key
			return
		}
		row := keyUse{KeyUse: u}
		for _, k := range schema.All() {
			if n := u.Levels[k.Name]; n > 0 {
				row.At = append(row.At, levelCount{k, n})
			}
		}
		d.Rows = append(d.Rows, row)
	}
}
