package store

import (
	"fmt"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Limits bound the size of one object, over all writes: all of it is part of every response that shows the object.
type Limits struct {
	Variables int // bytes of an object's own variables as stored, keys included
	Written   int // bytes of the same as responses format them, one line per value
	Keys      int // own variables of an object
	Labels    int // of a device
}

// DefaultLimits are the limits of a newly opened store. [Limits.Written] allows for any real data: eight times the
// stored text is needed for arrays of single digits, six levels deep.
var DefaultLimits = Limits{Variables: 1 << 20, Written: 8 << 20, Keys: 10_000, Labels: 256}

// SetLimits replaces the limits. It is called before the store is used.
func (s *Store) SetLimits(l Limits) { s.limits = l }

// weight is the size of an object's variables.
type weight struct{ keys, stored, written int }

// writtenDepth is the indentation depth of an object's variables in a listing.
const writtenDepth = 3

func (w *weight) add(v Variable) {
	w.keys++
	w.stored += len(v.Name) + len(v.Value)
	w.written += 2*writtenDepth + len(v.Name) + jsontext.IndentedLen(v.Value, writtenDepth)
}

// check returns an error that names the limit exceeded by an object's variables.
func (l Limits) check(of string, w weight) error {
	switch {
	case w.keys > l.Keys:
		return refuse(Invalid, "The %s would have %d variables, at most %d are allowed for one object. Put what belongs together into one variable, or delete some first.", of, w.keys, l.Keys)
	case w.stored > l.Variables:
		return refuse(Invalid, "The variables of the %s would take %d bytes together, at most %d are allowed for one object (the server's setting max_variables). Put less there, or delete some first.", of, w.stored, l.Variables)
	case w.written > l.Written:
		return refuse(Invalid, "The variables of the %s would take %d bytes in a response, with one line per value, at most %d are allowed: they are nested too deeply. Store less, or store it as one string.", of, w.written, l.Written)
	}
	return nil
}

// checkNew checks an object against the limits before it is stored.
func (l Limits) checkNew(e *Entity, n CreateParams) error {
	of := e.Name
	if name, ok := n.Values["name"].(string); ok {
		of = fmt.Sprintf("%s %q", e.Name, name)
	}
	var w weight
	for _, v := range n.Variables {
		w.add(v)
	}
	labels := map[string]bool{}
	for _, label := range n.Labels {
		labels[label] = true
	}
	if err := l.checkLabels(of, len(labels)); err != nil {
		return err
	}
	return l.check(of, w)
}

// describeRow names an object for messages.
func (e *Entity) describeRow(row Row) string {
	if i := e.Index("name"); i >= 0 && row != nil {
		return fmt.Sprintf("%s %q", e.Name, row[i])
	}
	return e.Name
}

// checkLabels checks the limit against all labels of a device.
func (l Limits) checkLabels(of string, n int) error {
	if n > l.Labels {
		return refuse(Invalid, "The %s would have %d labels, at most %d are allowed.", of, n, l.Labels)
	}
	return nil
}
