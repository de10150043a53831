package api

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store"
)

// prop is one possible member of a resource's representations.
type prop struct {
	text   string // `"name": `
	name   string
	source source
	column int            // in the row
	raw    jsontext.Value // of an echoed member
}

type source uint8

const (
	fromColumn source = iota
	fromVariables
	fromLabels
	fromLinks
	fromKey // a user's API key
	fromRequest
)

// shape is the layout of a resource's representation, with members sorted by name.
type shape struct {
	props              []prop
	parent, parentType int // columns of a device
	cell, region       int
	seconds            int64 // the last timestamp rendered, ...
	stamp              [19]byte
}

// shape returns the layout of r's representations.
func (r *resource) shape() *shape {
	e := r.entity
	s := &shape{parent: e.Index("parent_id"), parentType: e.Index("parent_type"), cell: e.Index("cell_id"), region: e.Index("region_id"), seconds: -1}
	for _, f := range r.fields {
		p := prop{name: f.name, text: string(jsontext.AppendString(nil, f.name)) + ": ", column: e.Index(f.name)}
		switch {
		case f.kind == object:
			p.source = fromVariables
		case f.name == "labels":
			p.source = fromLabels
		case f.kind == linkList:
			p.source = fromLinks
		case f.name == "api_key":
			p.source = fromKey
		case f.use&echo != 0:
			continue
		}
		s.props = append(s.props, p)
	}
	return s
}

// echoing returns a shape with additional members for one representation.
func (s *shape) echoing(values []jsontext.Member) *shape {
	for _, m := range values {
		s.props = append(s.props, prop{name: m.Key, text: string(jsontext.AppendString(nil, m.Key)) + ": ", source: fromRequest, raw: m.Value})
	}
	slices.SortFunc(s.props, func(a, b prop) int { return strings.Compare(a.name, b.name) })
	return s
}

// extras are the parts of a representation that are not in the row.
type extras struct {
	withVariables bool
	variables     store.Set
	withLabels    bool
	labels        []string
	links         []jsontext.Value // echoed, before the generated one
	key           string           // a new user's API key
}

// appendObject appends one representation; its brace is at the given depth.
func (s *shape) appendObject(dst []byte, out *answer, base string, row store.Row, x extras, depth int) []byte {
	dst = append(dst, '{')
	first := true
	for i := range s.props {
		p := &s.props[i]
		if p.source == fromVariables && !x.withVariables || p.source == fromLabels && !x.withLabels {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jsontext.AppendNewline(dst, depth+1), p.text...)
		switch p.source {
		case fromColumn:
			dst = s.appendValue(dst, row[p.column])
		case fromVariables:
			dst = out.appendVariables(dst, x.variables, depth+1)
		case fromLabels:
			dst = appendStrings(dst, x.labels, depth+1)
		case fromLinks:
			dst = append(dst, '[')
			for _, l := range x.links {
				dst = out.appendIndented(jsontext.AppendNewline(dst, depth+2), l.Compact(), depth+2)
				dst = append(dst, ',')
			}
			dst = s.appendUp(dst, base, row, depth+2)
			dst = append(jsontext.AppendNewline(dst, depth+1), ']')
		case fromKey:
			if x.key == "" {
				dst = append(dst, "null"...)
			} else {
				dst = jsontext.AppendString(dst, x.key)
			}
		case fromRequest:
			dst = out.appendIndented(dst, p.raw.Compact(), depth+1)
		}
	}
	return out.room(append(jsontext.AppendNewline(dst, depth), '}'))
}

// appendUp appends a device's link to its parent, cell or region, the first of these that it has (contract §2.4.4).
func (s *shape) appendUp(dst []byte, base string, row store.Row, depth int) []byte {
	path, id := schema.Region.Path, row[s.region]
	switch {
	case row[s.parent] != nil:
		path, id = devicePath(row[s.parentType]), row[s.parent]
	case row[s.cell] != nil:
		path, id = schema.Cell.Path, row[s.cell]
	}
	return appendLink(dst, base+"/v1/"+path+"/"+strconv.FormatInt(id.(int64), 10), "up", depth)
}

func (s *shape) appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return jsontext.AppendString(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	case store.Micros:
		return s.appendTime(dst, int64(v))
	default:
		return strconv.AppendInt(dst, v.(int64), 10)
	}
}

// appendTime appends a timestamp: UTC, always six digits, no zone. The rows of a page often share their second.
func (s *shape) appendTime(dst []byte, micros int64) []byte {
	seconds := micros / 1e6
	if seconds != s.seconds {
		s.seconds = seconds
		time.Unix(seconds, 0).UTC().AppendFormat(s.stamp[:0], "2006-01-02T15:04:05")
	}
	dst = append(append(dst, '"'), s.stamp[:]...)
	dst = append(dst, '.')
	for unit, rest := int64(100000), micros%1e6; unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+rest/unit))
		rest %= unit
	}
	return append(dst, '"')
}

// appendIndented appends canonical JSON, indented, which may make it much longer.
func (a *answer) appendIndented(dst []byte, src string, depth int) []byte {
	if src == "" || src[0] != '{' && src[0] != '[' { // most are scalars, which need no room
		return append(dst, src...)
	}
	return jsontext.AppendIndented(dst, src, depth, a.limit(), a.room)
}

// appendVariables appends an object of variables.
func (a *answer) appendVariables(dst []byte, set store.Set, depth int) []byte {
	first := true
	for v, err := range set.All() {
		if err != nil && a.err == nil {
			a.err = err
		}
		if a.err != nil {
			return dst
		}
		if first {
			dst = append(dst, '{')
		} else {
			dst = append(dst, ',')
		}
		first = false
		dst = jsontext.AppendString(jsontext.AppendNewline(dst, depth+1), v.Name)
		dst = a.room(a.appendIndented(append(dst, ':', ' '), v.Value, depth+1))
	}
	if first {
		return append(dst, "{}"...)
	}
	return append(jsontext.AppendNewline(dst, depth), '}')
}

// appendStrings appends an array of strings.
func appendStrings(dst []byte, set []string, depth int) []byte {
	if len(set) == 0 {
		return append(dst, "[]"...)
	}
	dst = append(dst, '[')
	for i, s := range set {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendString(jsontext.AppendNewline(dst, depth+1), s)
	}
	return append(jsontext.AppendNewline(dst, depth), ']')
}

// appendRows appends rows of a page as an array of r's representations.
func (c *call) appendRows(ctx context.Context, v *store.View, dst []byte, r *resource, rows []store.Row, labels [][]string, which store.Variables, depth int) ([]byte, error) {
	if len(rows) == 0 {
		return append(dst, "[]"...), nil
	}
	base, s := c.base(), r.shape()
	dst = append(dst, '[')
	err := v.Sets(ctx, r.entity, rows, which, func(i int, set store.Set) error {
		if i > 0 {
			dst = append(dst, ',')
		}
		x := extras{withVariables: which != store.NoVariables, variables: set, withLabels: labels != nil}
		if labels != nil {
			x.labels = labels[i]
		}
		dst = s.appendObject(jsontext.AppendNewline(dst, depth+1), &c.out, base, rows[i], x, depth+1)
		return c.out.err
	})
	return append(jsontext.AppendNewline(dst, depth), ']'), err
}
