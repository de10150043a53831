package provenance

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
)

// Pair is a variable with different values in two objects.
type Pair struct {
	Key    string           `json:"key"`
	Values [2]*SideDocument `json:"values"` // in the order of the objects; null: not set
}

// SideDocument is a winning value and its source.
type SideDocument struct {
	Value json.RawMessage `json:"value"`
	Kept  bool            `json:"kept"` // false: the change log has only a hash of it
	From  LevelDocument   `json:"from"`
}

// Compare returns the variables that differ between two objects with these levels, sorted by name.
func Compare(a, b []hierarchy.Level) []Pair {
	sides := [2]map[string]*SideDocument{resolve(a), resolve(b)}
	pairs := []Pair{}
	for key, v := range sides[0] {
		if w := sides[1][key]; w == nil || string(v.Value) != string(w.Value) {
			pairs = append(pairs, Pair{key, [2]*SideDocument{v, w}})
		}
	}
	for key, w := range sides[1] {
		if sides[0][key] == nil {
			pairs = append(pairs, Pair{key, [2]*SideDocument{nil, w}})
		}
	}
	slices.SortFunc(pairs, func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
	return pairs
}

// resolve returns the winning values of levels, by name.
func resolve(levels []hierarchy.Level) map[string]*SideDocument {
	own := make([]hierarchy.Variables, len(levels))
	for i := range own {
		own[i] = levels[i].Variables
	}
	all := map[string]*SideDocument{}
	for v, at := range hierarchy.Merge(own...) {
		all[v.Name] = &SideDocument{json.RawMessage(v.Value), true, DocumentOf(levels[at])}
	}
	return all
}
