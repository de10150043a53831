package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// side is one side of a change: a JSON object under construction.
type side []byte

// stampLayout is the format of times in the log, in UTC.
const stampLayout = "2006-01-02T15:04:05.000000"

func (s side) member(name string) side {
	if s == nil {
		s = append(s, '{')
	} else {
		s = append(s, ',')
	}
	return append(jsontext.AppendString(s, name), ':')
}

func (s side) text() any {
	if s == nil {
		return "{}"
	}
	return string(append(s, '}'))
}

// shown reports whether the log contains a column. It does not contain type, which follows from the kind, or seq, which
// is internal.
func (c *Column) shown() bool { return c.expr == "" && c.Name != "type" && c.Name != "seq" }

func (s side) column(c Column, v any) side {
	s = s.member(c.Name)
	switch v := v.(type) {
	case nil:
		return append(s, "null"...)
	case string:
		return jsontext.AppendString(s, v)
	case bool:
		return strconv.AppendBool(s, v)
	case Micros:
		return append(time.UnixMicro(int64(v)).UTC().AppendFormat(append(s, '"'), stampLayout), '"')
	default:
		return strconv.AppendInt(s, v.(int64), 10)
	}
}

// row appends all columns that are not null.
func (s side) row(e *Entity, row Row) side {
	for i, c := range e.Columns {
		if row[i] != nil && c.shown() {
			s = s.column(c, row[i])
		}
	}
	return s
}

func (s side) labels(set []string) side {
	s = append(s.member("labels"), '[')
	for i, label := range set {
		if i > 0 {
			s = append(s, ',')
		}
		s = jsontext.AppendString(s, label)
	}
	return append(s, ']')
}

// appendVariables appends variables, with hashes of the values that the log must not contain.
func (q *session) appendVariables(ctx context.Context, s side, kind, object string, set hierarchy.Variables) (side, error) {
	if q.store.concealed != nil {
		var hidden, plain hierarchy.Variables
		for _, v := range set {
			if !q.store.conceals(v.Name) {
				plain = append(plain, v)
				continue
			}
			hash, err := q.hash(ctx, kind, object, v)
			if err != nil {
				return nil, err
			}
			hidden = append(hidden, Variable{Name: v.Name, Value: `"` + hash + `"`})
		}
		s, set = s.set("hashed", hidden), plain
	}
	return s.set("variables", set), nil
}

func (s side) set(name string, set hierarchy.Variables) side {
	for i, v := range set {
		if i == 0 {
			s = append(s.member(name), '{')
		} else {
			s = append(s, ',')
		}
		s = append(append(jsontext.AppendString(s, v.Name), ':'), v.Value...)
	}
	if len(set) > 0 {
		s = append(s, '}')
	}
	return s
}

// ConcealKeys makes the change log store only a salted hash for values of variables whose keys match one of the
// patterns. A
// * in a pattern matches any text, and case is ignored. ConcealKeys must be called before the store is used.
func (s *Store) ConcealKeys(patterns []string) {
	s.concealed = slices.Clone(patterns)
}

// ConcealedKeys returns the patterns of [Store.ConcealKeys].
func (s *Store) ConcealedKeys() []string { return s.concealed }

func (s *Store) conceals(key string) bool { return value.MatchesKey(s.concealed, key) }

// hash returns a hash of a variable's value that only reveals whether two values are equal. It is salted with a secret
// of the database and with the identity of the object.
func (q *session) hash(ctx context.Context, kind, object string, v Variable) (string, error) {
	if q.salt == nil {
		var salt string
		if err := q.row(ctx, "SELECT salt FROM log", nil, &salt); err != nil {
			return "", err
		}
		q.salt = []byte(salt)
	}
	mac := hmac.New(sha256.New, q.salt)
	for _, part := range []string{kind, object, v.Name, v.Value} {
		mac.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(mac.Sum(nil)[:16]), nil
}
