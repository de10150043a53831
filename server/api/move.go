package api

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/value/python"
	"github.com/craton-fleet/craton/server/store"
)

// move serves POST .../move, which the original server does not have: it moves an object to another place, which its
// PUT refuses (contract §2.1.4). It responds like PUT.
func (r *resource) move(c *call) error {
	to, given, err := c.readPlace(r)
	if err != nil {
		return err
	}
	row, err := c.store.Move(c.r.Context(), r.entity, c.caller.scope(), c.id, to)
	if err != nil {
		return err
	}
	c.trace().addNames(given...)
	c.buf = append(r.shape().appendObject(c.buf, &c.out, c.base(), row, extras{}, 0), '\n')
	return nil
}

// readPlace validates a body {"region_id": N, "cell_id": N or null}.
func (c *call) readPlace(r *resource) (to store.Place, given []string, err error) {
	body, err := c.readBody()
	if err != nil {
		return to, nil, err
	}
	k := &checker{}
	to, given = k.place(r, body)
	return to, given, k.err()
}

// place parses the destination of a move.
func (k *checker) place(r *resource, v jsontext.Value) (to store.Place, given []string) {
	if !k.isObject(v) {
		return to, nil
	}
	var unknown []string
	for _, m := range v.Members {
		switch {
		case !slices.Contains(r.Moves, m.Key):
			unknown = append(unknown, m.Key)
			continue
		case m.Key == "cell_id" && m.Value.Kind == jsontext.Null:
			to.NoCell = true
		case k.isType(m.Value, "integer", jsontext.Integer):
			id, err := parseInt64(m.Value.Text)
			if err != nil {
				k.add("%s: %s does not fit 64 bits", m.Key, python.Short(m.Value))
			}
			if m.Key == "cell_id" {
				to.Cell = &id
			} else {
				to.Region = &id
			}
		}
		given = append(given, m.Key)
	}
	if len(unknown) > 0 {
		k.add("%s", unexpected(unknown))
	}
	if len(given) == 0 {
		k.add("the new place is missing: give '%s'", strings.Join(r.Moves, "' or '"))
	}
	return to, given
}
