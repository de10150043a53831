package jsontext

import (
	"slices"

	"github.com/craton-fleet/craton/internal/value"
)

// Contains reports whether MySQL's JSON_CONTAINS(v, want) holds, by which the API compares variables (v1 contract
// §5.5): an array has its elements, and an array of some of them, and an object one with some of its members.
// Everything else has what is equal to it: types count, numbers are compared by their value.
func (v Value) Contains(want Value) bool {
	switch v.Kind {
	case Array:
		if want.Kind != Array {
			return v.hasElement(want)
		}
		return !slices.ContainsFunc(want.Items, func(w Value) bool { return !v.hasElement(w) })
	case Object:
		return want.Kind == Object && !slices.ContainsFunc(want.Members, func(m Member) bool {
			has, ok := v.Get(m.Key)
			return !ok || !has.Contains(m.Value)
		})
	case Integer, Float:
		return (want.Kind == Integer || want.Kind == Float) && value.EqualNumber(v.Text, want.Text)
	default:
		return v.Kind == want.Kind && v.Text == want.Text
	}
}

func (v Value) hasElement(want Value) bool {
	return slices.ContainsFunc(v.Items, func(item Value) bool { return item.Contains(want) })
}
