package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// facts is one side of a change. For a creation or deletion it has everything that is not null, otherwise only what
// changed.
type facts struct {
	columns   Values     // values as in the tables, with times in seconds; nil is null
	variables []Variable // sorted by key
	hashed    []Variable // variables for which the log only has a hash, as JSON; sorted by key
	labels    []string   // sorted
	labelled  bool       // labels is set
}

// known returns a variable of the side. If kept is false, the value is only a hash.
func (f *facts) known(key string) (v Variable, kept, ok bool) {
	if at, ok := find(f.variables, key); ok {
		return f.variables[at], true, true
	}
	if at, ok := find(f.hashed, key); ok {
		return f.hashed[at], false, true
	}
	return Variable{}, false, false
}

// keys returns the sorted keys of the variables, including hashed ones.
func (f *facts) keys() (keys []string) {
	for _, set := range [][]Variable{f.variables, f.hashed} {
		for _, v := range set {
			keys = append(keys, v.Name)
		}
	}
	return sorted(keys)
}

// entityOf returns the entity for the name of a kind in the log, or nil if this program does not know the kind.
func entityOf(kind string) *Entity {
	if k := schema.ByName(kind); k != nil {
		return known[k]
	}
	return nil
}

// sides parses both sides of a change.
func (c *Change) sides(e *Entity) (before, after facts, err error) {
	if before, err = e.facts(c.Before); err == nil {
		after, err = e.facts(c.After)
	}
	if err != nil {
		err = fmt.Errorf("revision %d of the change log: %s %s: %w", c.Revision, c.Kind, c.Object, err)
	}
	return before, after, err
}

// facts parses one side of a change, as written by [side]. It ignores members that are not columns of e, such as the
// one for a new key of a user.
func (e *Entity) facts(text string) (f facts, err error) {
	f.columns = Values{}
	x := jsontext.NewScanner(text)
	x.Members(func(name string) {
		switch column := e.column(name); {
		case name == "variables":
			f.variables = scanSet(x)
		case name == "hashed":
			f.hashed = scanSet(x)
		case name == "labels":
			f.labelled = true
			x.Elements(func() { f.labels = append(f.labels, x.Str()) })
		case column == nil || !column.shown():
			x.Skip()
		default:
			v, bad := scanColumn(x, column)
			if bad != nil && err == nil {
				err = fmt.Errorf("%s: %w", name, bad)
			}
			f.columns[column.Name] = v
		}
	})
	return f, err
}

func scanSet(x *jsontext.Scanner) (set []Variable) {
	x.Members(func(key string) {
		set = append(set, Variable{Name: key, Value: x.Skip()})
	})
	return byKey(set)
}

// scanColumn parses a column's value, and converts it to the value in its table.
func scanColumn(x *jsontext.Scanner, c *Column) (any, error) {
	switch x.Peek() {
	case 'n':
		x.Skip()
		return nil, nil
	case 't', 'f':
		return x.Bool(), nil
	case '"':
		text := x.Str()
		if c.Type != Time {
			return text, nil
		}
		at, err := time.Parse(stampLayout, text)
		return at.Unix(), err
	default:
		return strconv.ParseInt(x.Skip(), 10, 64)
	}
}

// stored converts a column's value in a [Row] to the value in facts.
func stored(v any) any {
	if at, ok := v.(Micros); ok {
		return int64(at) / 1e6
	}
	return v
}

// revert restores the state of an object in the tables from before a change. It does not check whether the object is
// still as the change left it, or whether it conflicts with another object. Changes must be reverted newest first.
//
// Values for which the log only has a hash become [notRetainedValue].
func (q *session) revert(ctx context.Context, e *Entity, c *Change, before, after *facts) error {
	id, ok := e.parseID(c.Object)
	if !ok {
		return fmt.Errorf("revision %d of the change log has a %s with the id %q", c.Revision, c.Kind, c.Object)
	}
	switch c.Action {
	case Created:
		return q.remove(ctx, e, id)
	case Deleted:
		return q.restore(ctx, e, id, before)
	}
	if err := q.setColumns(ctx, e, id, before.columns); err != nil {
		return err
	}
	if before.labelled {
		if err := q.setLabels(ctx, id, before.labels); err != nil {
			return err
		}
	}
	keys := after.keys()
	if len(keys)+len(before.variables)+len(before.hashed) == 0 {
		return nil
	}
	owner, err := q.owner(ctx, e, id)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if _, _, was := before.known(key); was {
			continue
		}
		if err := q.deleteVariable(ctx, e, owner, key); err != nil {
			return err
		}
	}
	return q.setVariables(ctx, e, owner, before.all())
}

// all returns all variables. Those for which the log only has a hash have the value [notRetainedValue].
func (f *facts) all() []Variable {
	if len(f.hashed) == 0 {
		return f.variables
	}
	set := slices.Clone(f.variables)
	for _, v := range f.hashed {
		set = append(set, Variable{Name: v.Name, Value: notRetainedValue})
	}
	return byKey(set)
}

// owner returns the owner_id of an object's variables.
func (q *session) owner(ctx context.Context, e *Entity, id any) (owner any, err error) {
	if e.ownerID == e.key {
		return id, nil
	}
	err = q.row(ctx, "SELECT "+e.ownerID+" FROM "+e.Table+" WHERE "+e.key+" = ?", []any{id}, &owner)
	return owner, err
}

// remove deletes an object with its variables and labels. It must not have any other contents.
func (q *session) remove(ctx context.Context, e *Entity, id any) error {
	if e.IsDevice() {
		if err := q.exec(ctx, "DELETE FROM labels WHERE device_id = ?", []any{id}); err != nil {
			return err
		}
	}
	if e.owner != 0 {
		if err := q.exec(ctx, "DELETE FROM variables WHERE owner_kind = ? AND owner_id IN (SELECT "+e.ownerID+" FROM "+e.Table+" WHERE "+e.key+" = ?)", []any{e.owner, id}); err != nil {
			return err
		}
	}
	return q.exec(ctx, "DELETE FROM "+e.Table+" WHERE "+e.key+" = ?", []any{id})
}

// restore inserts a deleted object again, with its id. It adds the columns that the log does not have to the facts.
func (q *session) restore(ctx context.Context, e *Entity, id any, f *facts) error {
	if e.Kind != "" {
		f.columns["type"] = e.Kind
	}
	text, args := e.insertion(f.columns)
	if err := q.queueExec(ctx, text, args); err != nil {
		return err
	}
	if len(f.labels) > 0 {
		if err := q.addLabels(ctx, id, f.columns["created_at"], f.labels); err != nil {
			return err
		}
	}
	set := f.all()
	if len(set) == 0 {
		return nil
	}
	owner, err := q.owner(ctx, e, id)
	if err != nil {
		return err
	}
	return q.setVariables(ctx, e, owner, set)
}

func (q *session) setColumns(ctx context.Context, e *Entity, id any, columns Values) error {
	var sets []string
	var args []any
	for _, c := range e.Columns {
		if v, ok := columns[c.Name]; ok {
			sets, args = append(sets, c.Name+" = ?"), append(args, v)
		}
	}
	if sets == nil {
		return nil
	}
	return q.exec(ctx, "UPDATE "+e.Table+" SET "+strings.Join(sets, ", ")+" WHERE "+e.key+" = ?", append(args, id))
}

// setLabels replaces the labels of a device.
func (q *session) setLabels(ctx context.Context, id any, labels []string) error {
	if err := q.exec(ctx, "DELETE FROM labels WHERE device_id = ?", []any{id}); err != nil || len(labels) == 0 {
		return err
	}
	var created int64
	if err := q.row(ctx, "SELECT created_at FROM devices WHERE id = ?", []any{id}, &created); err != nil {
		return err
	}
	return q.addLabels(ctx, id, created, labels)
}

// notRetainedValue stands for a value for which the change log only has a hash. It is not JSON, so it differs from all
// values.
const notRetainedValue = "?"
