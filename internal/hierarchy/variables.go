package hierarchy

import (
	"iter"
	"slices"
	"strings"
)

// Variable is one variable.
type Variable struct {
	Name  string
	Value string // JSON, exactly as stored
}

// Variables are the variables of one level, sorted by name, without duplicates.
type Variables []Variable

// All yields names and values.
func (v Variables) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, one := range v {
			if !yield(one.Name, one.Value) {
				return
			}
		}
	}
}

// Find returns the value of a name.
func (v Variables) Find(name string) (value string, ok bool) {
	i, ok := slices.BinarySearchFunc(v, name, func(one Variable, name string) int { return strings.Compare(one.Name, name) })
	if !ok {
		return "", false
	}
	return v[i].Value, true
}

// Tidy sorts by name; of duplicates the last stays, as for JSON readers.
func (v Variables) Tidy() Variables {
	tidied := true
	for i := 1; i < len(v) && tidied; i++ {
		tidied = v[i-1].Name < v[i].Name
	}
	if tidied {
		return v
	}
	slices.SortStableFunc(v, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	kept := v[:0]
	for i := range v {
		if i+1 == len(v) || v[i+1].Name != v[i].Name {
			kept = append(kept, v[i])
		}
	}
	return kept
}

// Of converts a map of JSON texts to Variables.
func Of[M ~map[string]V, V ~[]byte | ~string](m M) Variables {
	all := make(Variables, 0, len(m))
	for name, value := range m {
		all = append(all, Variable{Name: name, Value: string(value)})
	}
	return all.Tidy()
}

// Without returns v without the names in others. The resolved variables of an object, without those of all its levels
// except the last, are those of the last: so a caller who may not read the project learns its variables, except for
// those that every level overrides.
func (v Variables) Without(others ...Variables) Variables {
	var left Variables
	for _, one := range v {
		if !slices.ContainsFunc(others, func(o Variables) bool { _, has := o.Find(one.Name); return has }) {
			left = append(left, one)
		}
	}
	return left
}

// Over merges two levels: names in upper have precedence. It may return one of its arguments.
func Over(upper, lower Variables) Variables {
	if len(upper) == 0 {
		return lower
	}
	if len(lower) == 0 {
		return upper
	}
	merged := make(Variables, 0, len(upper)+len(lower))
	for len(upper) > 0 && len(lower) > 0 {
		switch {
		case upper[0].Name > lower[0].Name:
			merged, lower = append(merged, lower[0]), lower[1:]
			continue
		case upper[0].Name == lower[0].Name:
			lower = lower[1:]
		}
		merged, upper = append(merged, upper[0]), upper[1:]
	}
	return append(append(merged, upper...), lower...)
}

// fewLevels is the number of levels that are merged without an allocation.
const fewLevels = 24

// Merge yields the resolved variables of levels, nearest first, in the order of names, each with the level that
// supplies it.
func Merge(levels ...Variables) iter.Seq2[Variable, int] {
	return func(yield func(Variable, int) bool) {
		if len(levels) == 1 {
			for _, v := range levels[0] {
				if !yield(v, 0) {
					break
				}
			}
			return
		}
		var few [fewLevels]Variables
		heads := append(few[:0], levels...)
		for {
			least := -1
			for i, level := range heads {
				if len(level) > 0 && (least < 0 || level[0].Name < heads[least][0].Name) {
					least = i
				}
			}
			if least < 0 {
				return
			}
			v := heads[least][0]
			for i := least; i < len(heads); i++ {
				if len(heads[i]) > 0 && heads[i][0].Name == v.Name {
					heads[i] = heads[i][1:]
				}
			}
			if !yield(v, least) {
				return
			}
		}
	}
}

// At is the value of a variable at one level.
type At struct {
	Level int
	Value string
}

// Explain yields the names of all variables of levels, nearest first, in order, with the value of each level that has
// one: the first wins, the others are overridden.
func Explain(levels ...Variables) iter.Seq2[string, []At] {
	return func(yield func(string, []At) bool) {
		for v, first := range Merge(levels...) {
			all := []At{{first, v.Value}}
			for i := first + 1; i < len(levels); i++ {
				if value, has := levels[i].Find(v.Name); has {
					all = append(all, At{i, value})
				}
			}
			if !yield(v.Name, all) {
				return
			}
		}
	}
}
