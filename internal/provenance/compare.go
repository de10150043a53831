package provenance

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
)

// Pair is a variable of which two objects have different values.
type Pair struct {
	Key    string           `json:"key"`
	Values [2]*SideDocument `json:"values"` // in the order of the objects; null: it has none
}

// SideDocument is a value that counts, and where it comes from.
type SideDocument struct {
	Value json.RawMessage `json:"value"`
	Kept  bool            `json:"kept"` // false: the change log has only a hash of it
	From  LevelDocument   `json:"from"`
}

// Compare lists the variables whose values two objects, of which these are the levels, do not share, sorted by name.
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

// resolve returns what counts of levels, by name.
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
