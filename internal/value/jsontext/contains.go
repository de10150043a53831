package jsontext

import (
	"slices"
	"strings"

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

// maxNumberDigits is how many digits of a number are signs: a few tell most numbers apart.
const maxNumberDigits = 16

// Signs are pieces of text that stand, in their order, in the canonical text of every value that contains v: what a
// database can look for that does not compare JSON so. Of an array or an object they are those of one scalar in it.
// None says nothing.
func (v Value) Signs() (pieces []string) {
	switch v.Kind {
	case Array, Object:
		length := func(pieces []string) (n int) {
			for _, p := range pieces {
				n += len(p)
			}
			return n
		}
		longest := func(of Value) {
			if more := of.Signs(); length(more) > length(pieces) {
				pieces = more
			}
		}
		for _, item := range v.Items {
			longest(item)
		}
		for _, m := range v.Members {
			longest(m.Value)
		}
		return pieces
	case Integer, Float: // however it is written, its digits come one after the other
		digits, _, _ := strings.Cut(strings.ToLower(v.Text), "e")
		digits = strings.Trim(strings.ReplaceAll(strings.TrimPrefix(digits, "-"), ".", ""), "0")
		if digits == "" {
			return []string{"0"}
		}
		return strings.Split(digits[:min(len(digits), maxNumberDigits)], "")
	}
	return []string{v.Compact()}
}
