package ironic

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/walk"
	"github.com/craton-fleet/craton/iotronic"
)

func iotronicList(k *kind) *verb {
	return &verb{
		Command: argparse.Command{Name: "list", Paged: true, Short: "List the " + k.plural(), Options: k.List},
		does: func(ctx context.Context, t *session, c *argparse.Call) error {
			t.Title = k.title
			fields, err := k.shown(t.dialect, c)
			if err != nil {
				return err
			}
			p, err := t.parameters(ctx, k.List, c)
			if err != nil {
				return err
			}
			objects, err := t.list(ctx, k, k.chosen(t.dialect, c, fields, p), c)
			if err != nil {
				return err
			}
			if c.Given("detail") {
				fields = present(fields, objects)
			}
			return t.PrintList(objects, fields)
		},
	}
}

// shown returns the columns of a list, or of a single object if some are requested.
func (k *kind) shown(d iotronic.Dialect, c *argparse.Call) ([]string, error) {
	if limit := c.Text("limit"); strings.HasPrefix(limit, "-") {
		return nil, argparse.Misused("Invalid limit specified. Expected non-negative limit, got %s", limit)
	}
	at := k.at(d)
	all := slices.Concat(at.short, at.more)
	switch {
	case c.Given("detail") && c.Given("fields"):
		return nil, argparse.Misused("Cannot specify both --fields and --detail.")
	case c.Given("detail"):
		return all, nil
	case !c.Given("fields"):
		return at.short, nil
	}
	fields := fieldsOf(c)
	for _, f := range fields {
		if !slices.Contains(all, f) {
			return nil, argparse.Misused("%s", object.BadField(f, all))
		}
	}
	if len(fields) == 0 {
		return nil, argparse.Misused("--fields is empty; name at least one field")
	}
	return fields, nil
}

// fieldsOf returns the requested fields, separated by spaces or, as in settings, commas.
func fieldsOf(c *argparse.Call) (fields []string) {
	for _, word := range c.All("fields") {
		fields = append(fields, strings.FieldsFunc(word, func(r rune) bool { return r == ',' })...)
	}
	return fields
}

// chosen adds the fields that objects need to the parameters of a list. If the API does not support a selection, fields
// that lists lack are requested with the details.
func (k *kind) chosen(d iotronic.Dialect, c *argparse.Call, fields []string, p parameters) parameters {
	lacks := func(f string) bool { return !slices.Contains(k.at(d).short, f) }
	details := k.api.takes("detail", d)
	if k.chooses(d) {
		switch {
		case d == iotronic.DialectNodes && p["project"] != nil: // that list has all fields, and no selection (reference §2.4)
		case c.Given("fields"), c.Given("detail") && !details:
			return p.with("fields", fields)
		case c.Given("detail"):
			return p.with("detail", true)
		}
	} else if details && slices.ContainsFunc(fields, lacks) {
		return p.with("detail", true)
	}
	return p
}

// chooses reports whether the API supports a selection of the fields of objects.
func (k *kind) chooses(d iotronic.Dialect) bool {
	return k.api.takes("fields", d) && d != iotronic.DialectNodes2016
}

// parameters returns the API parameters from a command's options.
func (t *session) parameters(ctx context.Context, options []argparse.Option, c *argparse.Call) (parameters, error) {
	p := parameters{}
	for i := range options {
		o := &options[i]
		if o.Key == "" || !c.Given(o.Long) {
			continue
		}
		switch text := c.Text(o.Long); o.Kind {
		case argparse.SwitchOption:
			p[o.Key] = true
		case argparse.TruthOption:
			if text != "" {
				p[o.Key] = text == "true"
			}
		case argparse.RepeatedOption:
			if o.Key == keyTraits || o.Key == keyCandidates {
				p[o.Key] = c.All(o.Long)
				continue
			}
			object, err := pairsOf(c.All(o.Long))
			if err != nil {
				return nil, fmt.Errorf("argument %s: %w", o.Argument(), err)
			}
			p[o.Key] = object
		case argparse.IntegerOption:
			p[o.Key], _ = strconv.Atoi(text) // it is one
		case argparse.ReferenceOption:
			id, err := t.reference(ctx, o, text)
			if err != nil {
				return nil, err
			}
			p[o.Key] = id
		default:
			if p[o.Key] = text; o.Key == keySteps {
				list, err := t.steps(text)
				if err != nil {
					return nil, argparse.Misused("argument --%s: %s", o.Long, err)
				}
				p[o.Key] = list
			}
		}
	}
	return p, nil
}

// list reads the objects of a listing: a page of the server's size, as many as --limit says, or all.
func (t *session) list(ctx context.Context, k *kind, p parameters, c *argparse.Call) ([]gjson.Result, error) {
	if k.api.all == nil {
		objects, _, err := k.api.page(ctx, t.client, p)
		return objects, err
	}
	most, _ := strconv.Atoi(c.Text("limit")) // it is an integer, or not given
	if c.Given("all") || c.Given("limit") && most == 0 {
		return t.everything(ctx, k, p, 0)
	}
	first := p
	if most > 0 {
		first = p.with("limit", most)
	}
	objects, marker, err := k.api.page(ctx, t.client, first)
	if err != nil || marker == "" {
		return objects, err
	}
	for most > len(objects) { // more than the server's largest page
		var more []gjson.Result
		if more, marker, err = k.api.page(ctx, t.client, p.with("marker", marker).with("limit", most-len(objects))); err != nil {
			return nil, err
		}
		if objects = append(objects, more...); marker == "" || len(more) == 0 {
			return objects, nil
		}
	}
	if more, _, err := k.api.page(ctx, t.client, p.with("marker", marker).with("limit", 1)); err != nil {
		t.SayMore(len(objects), "more may follow")
	} else if len(more) > 0 {
		t.SayMore(len(objects), "more follow")
	}
	return objects, nil
}

// everything reads every page, or those with the first most objects. A listing is restarted if the object at its marker
// was deleted meanwhile.
func (t *session) everything(ctx context.Context, k *kind, p parameters, most int) (objects []gjson.Result, err error) {
	progress := output.NewProgress(t.Err)
	defer progress.Done()
	gone := func(err error) bool { return iotronic.IsMarkerGone(err) && p["marker"] == nil }
	err = walk.Retry(gone, func() error {
		objects = objects[:0]
		for o, err := range k.api.all(ctx, t.client, p) {
			if err != nil {
				return err
			}
			objects = append(objects, o)
			progress.Show(len(objects), 0, k.plural())
			if len(objects) == most {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return objects, nil
}

// present returns the fields that some of the objects have: releases differ.
func present(fields []string, objects []gjson.Result) []string {
	if len(objects) == 0 {
		return fields
	}
	return slices.DeleteFunc(slices.Clone(fields), func(f string) bool {
		return !slices.ContainsFunc(objects, func(o gjson.Result) bool { return o.Get(f).Exists() })
	})
}
