package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/where"
	"github.com/craton-fleet/craton/server/store"
)

// bulk serves POST /v1/bulk, which the original does not have: the same edit of
// all objects that satisfy terms, in one transaction.
func bulk(c *call) error {
	r, b, err := c.readBulk()
	if err != nil {
		return err
	}
	role := r.itemRole
	if b.Delete {
		role = r.deleteRole
	}
	if err := c.caller.require(role); err != nil {
		return err
	}
	release, err := c.budget.scans.take(c.r.Context(), 1)
	if err != nil {
		return err
	}
	c.hold(release)
	done, err := c.store.Bulk(c.r.Context(), r.entity, c.caller.scope(), *b)
	if err != nil {
		if store.IsCode(err, store.PreconditionFailed) { // as a PUT does that nobody made conditional
			return fail(http.StatusConflict, "%s", err)
		}
		return err
	}
	if !b.Check {
		c.trace().addNames("bulk")
	}
	return c.produce(func(bool) error {
		c.buf = c.out.appendIndented(c.buf, jsontext.Text(appendBulked(nil, r, done, b.Check)), 0)
		c.buf = append(c.buf, '\n')
		return nil
	})
}

// bulkKinds are the kinds that can be edited in bulk.
var bulkKinds = func() (names []string) {
	for _, k := range where.Kinds {
		if !k.View {
			names = append(names, k.Name)
		}
	}
	return names
}()

// readBulk validates a body {"kind": TEXT, "where": TEXT, "variables": {...}, "remove_variables": [...], "update":
// {...}, "move": {...}, "protected": BOOL, "add_labels": [...], "remove_labels": [...], "labels": [...], "delete":
// BOOL, "check": BOOL, "expect": TEXT or INTEGER}.
func (c *call) readBulk() (*resource, *store.BulkParams, error) {
	body, err := c.readBody()
	if err != nil {
		return nil, nil, err
	}
	k := &checker{}
	if !k.isObject(body) {
		return nil, nil, k.err()
	}
	kind, _ := body.Get("kind")
	i := slices.IndexFunc(resources, func(r *resource) bool { return r.Name == kind.Text && slices.Contains(bulkKinds, r.Name) })
	if kind.Kind != jsontext.String || i < 0 {
		return nil, nil, fail(http.StatusBadRequest, "kind: must be one of %s", strings.Join(bulkKinds, ", "))
	}
	r, b := resources[i], &store.BulkParams{}
	edits, asked := 0, false
	var unknown []string
	for _, m := range body.Members {
		switch m.Key {
		case "kind":
		case "where":
			if asked = k.isString(m.Value); asked {
				w, err := where.Parse(r.Kind, m.Value.Text)
				if err != nil {
					k.add("where: %s", err)
				}
				b.Where = w
			}
		case "variables":
			b.Set = k.variables(m.Value)
			edits++
		case "remove_variables":
			if k.isArray(m.Value) && k.isFew(len(m.Value.Items), store.DefaultLimits.Keys, "keys") {
				for _, item := range m.Value.Items {
					if k.isString(item) && storable(item.Text) { // a key that cannot be stored does not exist
						b.Unset = append(b.Unset, item.Text)
					}
				}
			}
			edits++
		case "update":
			b.Update = k.updates(r, m.Value)
			edits++
		case "move":
			if r.Moves == nil {
				k.add("a %s is not moved", r.Noun())
				continue
			}
			to, _ := k.place(r, m.Value)
			b.Move = &to
			edits++
		case "protected":
			b.Protect = new(k.flag(m.Value))
			edits++
		case "add_labels", "labels", "remove_labels":
			if r.Labels == schema.Unlabelled {
				k.add("a %s has no labels", r.Noun())
				continue
			}
			check, into := value.CheckNew, &b.Add
			switch m.Key {
			case "labels":
				b.Exact, into = true, &b.Labels
			case "remove_labels":
				check, into = value.CheckText, &b.Remove
			}
			*into = k.strings(m.Value, m.Key, check)
			edits++
		case "delete", "check":
			if k.isType(m.Value, "boolean", jsontext.True, jsontext.False) {
				*map[string]*bool{"delete": &b.Delete, "check": &b.Check}[m.Key] = m.Value.Kind == jsontext.True
			}
		case "expect":
			if k.isType(m.Value, "string", jsontext.String, jsontext.Integer) {
				b.Expected = m.Value.Text
			}
		default:
			unknown = append(unknown, m.Key)
		}
	}
	if len(unknown) > 0 {
		k.add("%s", unexpected(unknown))
	}
	k.name(r, b.Update)
	if _, renames := b.Update[r.Title]; renames && !b.Where.IsOne() {
		k.add("the name of many objects is not changed at once: each has one of its own")
	}
	switch {
	case !asked && len(k.messages) == 0:
		k.add("'where' is a required property: for all objects it is name=*")
	case b.Delete && edits > 0:
		k.add("what is deleted is not edited: give 'delete' alone")
	case !b.Delete && edits == 0:
		k.add("there is nothing to do: give 'variables', 'remove_variables', 'update', 'move', 'protected', 'add_labels', 'remove_labels', 'labels' or 'delete'")
	case b.Exact && len(b.Add)+len(b.Remove) > 0:
		k.add("'labels' are all that a device has then: give it without 'add_labels' and 'remove_labels'")
	}
	return r, b, k.err()
}

// updates validates the fields that a bulk edit sets.
func (k *checker) updates(r *resource, v jsontext.Value) store.Values {
	in := &input{CreateParams: store.CreateParams{Values: store.Values{}}, given: store.Values{}}
	if !k.isObject(v) {
		return nil
	}
	var unknown []string
	for _, m := range v.Members {
		i := slices.IndexFunc(r.fields, func(f field) bool { return f.name == m.Key && f.use&inUpdate != 0 })
		switch {
		case i < 0:
			unknown = append(unknown, m.Key)
		default:
			in.take(k, r.fields[i], m, inUpdate)
		}
	}
	if len(unknown) > 0 {
		k.add("update: %s", unexpected(unknown))
	}
	return in.Values
}

// appendBulked appends the result of a bulk edit, on one line.
func appendBulked(dst []byte, r *resource, d *store.BulkResult, check bool) []byte {
	s := &shape{}
	number := func(n int) { dst = s.appendValue(dst, int64(n)) }
	dst = append(dst, '{')
	if check {
		dst = append(dst, `"affected":[`...)
		for i, a := range d.Affected {
			dst = append(comma(dst, i), `{"hosts":`...)
			number(a.Hosts)
			dst = append(jsontext.AppendString(append(dst, `,"name":`...), a.Name), `,"network_devices":`...)
			number(a.NetworkDevices)
			dst = append(dst, `,"shadowed":`...)
			number(a.Shadowed)
			dst = append(dst, '}')
		}
		dst = append(dst, "],"...)
	}
	dst = append(dst, `"changed":`...)
	number(d.Changed)
	dst = append(dst, `,"count":`...)
	number(d.Count)
	dst = append(dst, `,"effects":[`...)
	for i, e := range d.Effects {
		dst = append(comma(dst, i), '{')
		for _, side := range []struct{ name, text string }{{"after", e.After}, {"before", e.Before}} {
			if side.text != "" { // absent before or after
				dst = append(append(append(jsontext.AppendString(dst, side.name), ':'), side.text...), ',')
			}
		}
		dst = append(dst, `"count":`...)
		number(e.Count)
		dst = jsontext.AppendString(append(dst, `,"name":`...), e.Name)
		dst = append(jsontext.AppendString(append(dst, `,"what":`...), e.What), '}')
	}
	dst = jsontext.AppendString(append(dst, `],"matched":`...), d.Matched)
	dst = append(dst, `,"more_effects":`...)
	number(d.More)
	dst = append(dst, `,"objects":[`...)
	for i, o := range d.Steps {
		dst = appendID(append(comma(dst, i), `{"id":`...), r.Name, o.Object)
		dst = append(jsontext.AppendString(append(dst, `,"path":`...), o.Path), '}')
	}
	dst = jsontext.AppendString(append(dst, `],"preview":`...), d.Preview)
	dst = append(dst, `,"revision":`...)
	if d.At.Revision == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = jsontext.AppendString(dst, d.At.String())
	}
	dst = append(dst, `,"with":{`...)
	for i, kind := range slices.Sorted(maps.Keys(d.Deletes)) {
		dst = append(jsontext.AppendString(comma(dst, i), kind), ':')
		number(d.Deletes[kind])
	}
	return append(dst, "}}"...)
}
