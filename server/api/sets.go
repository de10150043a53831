package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/value/python"
	"github.com/craton-fleet/craton/server/store"
)

// setHeader names the set that the object created by a POST belongs to.
const setHeader = "X-Craton-Set"

// setKinds are the kinds of objects that belong to sets.
var setKinds = func() (names []string) {
	for _, k := range schema.All() {
		if k.InSets() {
			names = append(names, k.Name)
		}
	}
	return names
}()

// joinSet adds a new object to the set that a header names.
func (c *call) joinSet(r *resource, in *input) error {
	name := c.r.Header.Get(setHeader)
	if name == "" || !r.InSets() {
		return nil
	}
	if err := checkSet(name); err != nil {
		return err
	}
	if in.Values == nil {
		in.Values = store.Values{}
	}
	in.Values["set_name"] = name
	return nil
}

// checkSet applies the rules for names to the name of a set.
func checkSet(name string) error {
	k := &checker{}
	k.isText("name of the set", name, schema.MaxText, value.CheckSegment) // it becomes part of a path
	return k.err()
}

// listSets serves GET /v1/sets: the sets of the caller's project.
func listSets(c *call) error {
	if _, err := parseQuery(c.r.URL.RawQuery, nil, false); err != nil {
		return err
	}
	return c.read(func(ctx context.Context, v *store.View) error {
		if known, err := c.unchanged(ctx, v, store.Basis{Kinds: setKinds}); known || err != nil {
			return err
		}
		all, err := v.NamedSets(ctx, c.caller.Project)
		if err != nil {
			return err
		}
		dst := append(c.buf, "{\n  \"sets\": ["...)
		for i, one := range all {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(jsontext.AppendNewline(append(jsontext.AppendNewline(dst, 2), '{'), 3), `"members": `...)
			dst = append(jsontext.AppendNewline(append(strconv.AppendInt(dst, one.Members, 10), ','), 3), `"name": `...)
			dst = append(jsontext.AppendNewline(jsontext.AppendString(dst, one.Name), 2), '}')
		}
		if len(all) > 0 {
			dst = jsontext.AppendNewline(dst, 1)
		}
		c.buf = append(dst, "]\n}\n"...)
		return nil
	})
}

// showSet serves GET /v1/sets/NAME: the ids of its objects, by kind. A set without objects does not exist.
func showSet(c *call) error {
	if _, err := parseQuery(c.r.URL.RawQuery, nil, false); err != nil {
		return err
	}
	if err := checkSet(c.id); err != nil {
		return err
	}
	return c.read(func(ctx context.Context, v *store.View) error {
		if known, err := c.unchanged(ctx, v, store.Basis{Kinds: setKinds}); known || err != nil {
			return err
		}
		all, err := v.Members(ctx, c.caller.Project, c.id)
		if err == nil {
			c.writeSet(all)
		}
		return err
	})
}

// writeSet appends a set.
func (c *call) writeSet(all store.Members) {
	c.writeMembers("members", all)
	c.buf = append(c.buf, "},\n  \"name\": "...)
	c.buf = append(jsontext.AppendString(c.buf, c.id), "\n}\n"...)
}

// writeMembers begins a body with a member that has ids by kind, one kind per line, without the closing brace.
func (c *call) writeMembers(name string, all store.Members) {
	dst := append(jsontext.AppendString(append(c.buf, "{\n  "...), name), ": {"...)
	first := true
	for _, kind := range setKinds {
		ids := all[kind]
		if len(ids) == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jsontext.AppendString(jsontext.AppendNewline(dst, 2), kind), ": ["...)
		for i, id := range ids {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = c.out.room(strconv.AppendInt(dst, id, 10))
		}
		dst = append(dst, ']')
	}
	if !first {
		dst = jsontext.AppendNewline(dst, 1)
	}
	c.buf = dst
}

// putSet serves PUT /v1/sets/NAME: the set then has exactly these objects.
func putSet(c *call) error {
	return c.changeSet(func(in setInput) store.SetChange { return store.SetChange{Add: in["members"], Only: true} }, "members")
}

// changeSet serves POST /v1/sets/NAME, which adds some objects and removes others.
func changeSet(c *call) error {
	return c.changeSet(func(in setInput) store.SetChange {
		return store.SetChange{Add: in["add"], Remove: in["remove"]}
	}, "add", "remove")
}

// deleteSet serves DELETE /v1/sets/NAME: the set is dissolved, and its objects stay.
func deleteSet(c *call) error {
	if err := checkSet(c.id); err != nil {
		return err
	}
	c.status = http.StatusNoContent
	return c.store.ChangeSet(c.r.Context(), c.caller.Project, c.id, store.SetChange{Only: true})
}

// setInput are the objects in a request about a set, by the member of the body.
type setInput map[string]store.Members

// changeSet parses a body with objects of a set, or adopt, and changes the set.
func (c *call) changeSet(change func(setInput) store.SetChange, names ...string) error {
	if err := checkSet(c.id); err != nil {
		return err
	}
	body, err := c.readBody()
	if err != nil {
		return err
	}
	k, in, adopt := &checker{}, setInput{}, false
	known := map[string]func(jsontext.Value){"adopt": func(v jsontext.Value) { adopt = k.flag(v) }}
	for _, name := range names {
		known[name] = func(v jsontext.Value) { in[name] = k.objects(v) }
	}
	k.members(body, known)
	if err := k.err(); err != nil {
		return err
	}
	to := change(in)
	to.Adopt = adopt
	c.trace().addNames("set " + c.id)
	c.status = http.StatusNoContent
	return c.store.ChangeSet(c.r.Context(), c.caller.Project, c.id, to)
}

// objects parses {"host": [1, 2], ...}.
func (k *checker) objects(v jsontext.Value) store.Members {
	all := store.Members{}
	known := map[string]func(jsontext.Value){}
	for _, kind := range setKinds {
		known[kind] = func(v jsontext.Value) {
			if !k.isArray(v) {
				return
			}
			for _, item := range v.Items {
				if !k.isType(item, "integer", jsontext.Integer) {
					return
				}
				id, err := parseInt64(item.Text)
				if err != nil {
					k.add("%s does not fit 64 bits", python.Short(item))
					return
				}
				all[kind] = append(all[kind], id)
			}
		}
	}
	k.members(v, known)
	return all
}
