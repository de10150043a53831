package store

import (
	"fmt"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Limits are the limits for one object, not for a single write, because each response with an object has all of its
// variables and labels.
type Limits struct {
	Variables int // size of an object's own variables as stored, including keys, in bytes
	Written   int // size of the same as formatted in responses, with one line per value, in bytes
	Keys      int // number of an object's own variables
	Labels    int // number of a device's labels
}

// DefaultLimits are the limits of a newly opened store. [Limits.Written] does not restrict real data: even arrays of
// single digits, nested six levels deep, take eight times the stored size.
var DefaultLimits = Limits{Variables: 1 << 20, Written: 8 << 20, Keys: 10_000, Labels: 256}

// SetLimits replaces the limits. It must be called before the store is used.
func (s *Store) SetLimits(l Limits) { s.limits = l }

// weight is the size of an object's variables.
type weight struct{ keys, stored, written int }

// writtenDepth is the indentation level of an object's variables in a listing.
const writtenDepth = 3

func (w *weight) add(v Variable) {
	w.keys++
	w.stored += len(v.Name) + len(v.Value)
	w.written += 2*writtenDepth + len(v.Name) + jsontext.IndentedLen(v.Value, writtenDepth)
}

// check returns an error with the limit that an object's variables exceed.
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

// checkNew checks a new object against the limits.
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

// describeRow returns the noun and name of an object for messages.
func (e *Entity) describeRow(row Row) string {
	if i := e.Index("name"); i >= 0 && row != nil {
		return fmt.Sprintf("%s %q", e.Name, row[i])
	}
	return e.Name
}

// checkLabels checks the number of a device's labels against the limit.
func (l Limits) checkLabels(of string, n int) error {
	if n > l.Labels {
		return refuse(Invalid, "The %s would have %d labels, at most %d are allowed.", of, n, l.Labels)
	}
	return nil
}
