package jsontext

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
)

// Contains reports whether MySQL's JSON_CONTAINS(v, want) is true, with which the API compares variables (v1 contract
// §5.5): an array contains its elements, and arrays of some of them; an object contains objects with some of its
// members. Everything else contains equal values: types matter, numbers are compared by their value.
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

// maxNumberDigits is the maximum number of digits of a number in signs: a few distinguish most numbers.
const maxNumberDigits = 16

// Signs are texts that occur, in their order, in the canonical text of every value that contains v: a database without
// such a comparison can search for them. For an array or an object they are those of one scalar in it. None means
// unknown.
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
	case Integer, Float: // its digits are adjacent in every spelling
		digits, _, _ := strings.Cut(strings.ToLower(v.Text), "e")
		digits = strings.Trim(strings.ReplaceAll(strings.TrimPrefix(digits, "-"), ".", ""), "0")
		if digits == "" {
			return []string{"0"}
		}
		return strings.Split(digits[:min(len(digits), maxNumberDigits)], "")
	}
	return []string{v.Compact()}
}
