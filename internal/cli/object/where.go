package object

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/where"
)

// WhereOption selects hosts by terms.
var WhereOption = argparse.Option{Long: "where", Meta: "<terms>", Kind: argparse.TermsOption, Help: "only those that match all terms, such as 'label=web region=dfw ntp=10.*'"}

// exampleTerms returns terms for the help of the resource's commands: not every kind has a label, or is in a region.
func (r *Resource) exampleTerms() string {
	switch r.kind {
	case schema.Cloud:
		return "name=east* ntp=10.*"
	case schema.Region:
		return "cloud=east ntp=10.*"
	case schema.Cell:
		return "region=dfw ntp=10.*"
	case schema.Network: // inherits no variables
		return "region=dfw name=mgmt*"
	default: // devices
		return "label=web region=dfw ntp=10.*"
	}
}

// whereOption returns the option of the resource's commands that selects objects; which begins its help.
func (r *Resource) whereOption(which string) argparse.Option {
	o := WhereOption
	o.Help = which + ", such as '" + r.exampleTerms() + "'"
	return o
}

// chosen reports whether terms can select objects of the resource.
func (r *Resource) chosen() bool { return slices.Contains(where.Kinds, r.kind) }

// terms returns the terms of a command, nil if there are none. They were checked together with its arguments.
func (r *Resource) terms(c *argparse.Call) (*where.Where, error) {
	if !c.Given(WhereOption.Long) {
		return &where.Where{Kind: r.kind}, nil
	}
	return where.Parse(r.kind, c.Text(WhereOption.Long))
}

// termStarts returns the beginnings of terms about objects of the resource, for completion.
func (r *Resource) termStarts() (all []string) {
	for _, f := range where.Fields(r.kind) {
		all = append(all, f.Word+"=")
	}
	return all
}

// Knows reports whether the server has a feature that is not in v1.
func (s *Session) Knows(ctx context.Context, feature string) (bool, error) {
	can, err := s.Client.Capabilities(ctx)
	return err == nil && can.Has(feature), err
}

// listWhere is list for objects that match terms: from the server, or evaluated here if it does not support terms.
func (s *Session) listWhere(ctx context.Context, r *Resource, q url.Values, all bool, terms *where.Where) (objects []gjson.Result, next url.Values, err error) {
	if terms.IsAll() {
		return s.list(ctx, r, q, all)
	}
	known, err := s.Knows(ctx, where.Feature)
	if err != nil {
		return nil, nil, err
	}
	if known {
		return s.list(ctx, r, withParameter(q, where.Feature, terms.String()), all)
	}
	matching, err := s.Matching(ctx, terms)
	if err != nil {
		return nil, nil, err
	}
	ids := map[string]bool{}
	for _, o := range matching {
		ids[o.ID] = true
	}
	most := askedLimit(q)
	if q = withParameter(q, "limit", strconv.Itoa(craton.MaxLimit)); most == 0 {
		most = defaultLimit
	}
	objects, _, err = s.list(ctx, r, q, true)
	objects = slices.DeleteFunc(objects, func(o gjson.Result) bool { return !ids[o.Get(keyID).String()] })
	if !all && len(objects) > most { // the next page begins after the last object of this one
		return objects[:most], withParameter(q, "marker", objects[most-1].Get(keyID).String()), err
	}
	return objects, nil, err
}

// Matching returns the objects that match terms, evaluated by the client.
func (s *Session) Matching(ctx context.Context, terms *where.Where) ([]*snapshot.Object, error) {
	return snapshot.Matching(ctx, s.Client, terms)
}
