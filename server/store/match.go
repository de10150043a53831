package store

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"

	"github.com/craton-fleet/craton/server/internal/varquery"
)

// The vars filter (contract §5.5) runs inside the engine: the SQL function
// craton_match(value, handle) applies one term to one value, where handle
// names a term in activeTerms. A page so costs a walk over the rows up to the
// page's last match, five index look-ups a row and term at most; nothing but
// the page itself comes into Go's memory, and all pages of a listing together
// walk the rows once (the prev link, where there is a marker, walks back).
var (
	activeTerms sync.Map // int64 -> varquery.Term
	lastTerm    atomic.Int64
)

func init() {
	sqlite.MustRegisterScalarFunction("craton_match", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		handle, _ := args[1].(int64)
		term, ok := activeTerms.Load(handle)
		if !ok {
			return nil, fmt.Errorf("craton_match: no term %d", handle)
		}
		value, _ := args[0].(string)
		if term.(varquery.Term).Match(value) {
			return int64(1), nil
		}
		return int64(0), nil
	})
}

// termSet are the terms of one listing while it runs.
type termSet struct {
	terms   []varquery.Term
	handles []int64
}

func registerTerms(terms []varquery.Term) termSet {
	m := termSet{terms: terms}
	for _, t := range terms {
		handle := lastTerm.Add(1)
		activeTerms.Store(handle, t)
		m.handles = append(m.handles, handle)
	}
	return m
}

func (m termSet) release() {
	for _, h := range m.handles {
		activeTerms.Delete(h)
	}
}

// where adds one condition for each term: the value that the nearest level
// gives to the key matches (contract §5.5, 6). A level that does not define
// the key yields NULL, which COALESCE passes over.
func (m termSet) where(e *Entity, resolved bool, c *conditions) {
	for i, term := range m.terms {
		var levels []string
		var args []any
		level := func(owner int, id string) {
			levels = append(levels, fmt.Sprintf("(SELECT craton_match(v.value, ?) FROM variables v WHERE v.owner_kind = %d AND v.owner_id = %s AND v.key = ?)", owner, id))
			args = append(args, m.handles[i], term.Key)
		}
		level(e.owner, "t."+e.ownerID)
		if resolved && e.IsDevice() {
			levels = append(levels, fmt.Sprintf(`(WITH RECURSIVE up (id, parent_id, distance) AS (
				SELECT p.id, p.parent_id, 1 FROM devices p WHERE p.id = t.parent_id
				UNION ALL SELECT p.id, p.parent_id, up.distance + 1 FROM devices p JOIN up ON p.id = up.parent_id)
				SELECT craton_match(v.value, ?) FROM up JOIN variables v ON v.owner_kind = %d AND v.owner_id = up.id AND v.key = ? ORDER BY up.distance LIMIT 1)`, ownDevice))
			args = append(args, m.handles[i], term.Key)
		}
		if resolved {
			for _, from := range e.inherits {
				id := "t." + from.column
				if from.to.ownerID != from.to.key {
					id = fmt.Sprintf("(SELECT o.%s FROM %s o WHERE o.%s = t.%s)", from.to.ownerID, from.to.Table, from.to.key, from.column)
				}
				level(from.to.owner, id)
			}
		}
		if len(levels) == 1 {
			c.add(levels[0]+" = 1", args...)
			continue
		}
		c.add("COALESCE("+strings.Join(levels, ", ")+") = 1", args...)
	}
}
