package provenance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/where"
)

// Spread is what a variable comes to on all hosts that are meant.
type Spread struct {
	Key      string        `json:"key"`
	Hosts    int           `json:"hosts"`    // that are meant
	Complete bool          `json:"complete"` // false: the caller may not read the project, and what hides of it is not known
	Values   []SpreadValue `json:"values"`   // by how many hosts have them, then by how many do not because of others
	Without  NamedHosts    `json:"without"`  // those that do not have the variable
}

// SpreadValue is a value, and the object that gives it.
type SpreadValue struct {
	Value    json.RawMessage `json:"value"`
	From     LevelDocument   `json:"from"` // of a host's own value its type only: see Own
	Path     string          `json:"path"` // of the object, CLOUD/REGION/...; "" of hosts' own values
	Own      *NamedHosts     `json:"own"`  // the hosts that have it as their own
	Hosts    int             `json:"hosts"`
	Shadowed int             `json:"shadowed_on"` // hosts that would have it, but for a nearer object
}

// NamedHosts are hosts, with the names of the first.
type NamedHosts struct {
	Count int      `json:"count"`
	First []string `json:"first"`
}

// shownHosts is how many hosts are named.
const shownHosts = 5

func (n *NamedHosts) add(path string) {
	if n.Count++; len(n.First) < shownHosts {
		n.First = append(n.First, path)
	}
}

// String is the hosts in words.
func (n *NamedHosts) String() string {
	if n.Count == 1 {
		return n.First[0]
	}
	return fmt.Sprintf("%s and %d more", n.First[0], n.Count-1)
}

// NoVariable is the error of a variable that no host has.
type NoVariable struct {
	Key   string
	Hosts int    // that were looked at
	Near  string // a variable that was perhaps meant; ""
}

func (e *NoVariable) Error() string {
	text := fmt.Sprintf("none of the %d hosts has a variable %q", e.Hosts, e.Key)
	if e.Near != "" {
		text += fmt.Sprintf("; did you mean %q?", e.Near)
	}
	return text
}

// SpreadOf finds what a variable comes to on the hosts of a fleet that satisfy terms. That none has it is a *NoVariable.
func SpreadOf(fleet *snapshot.Fleet, key string, terms *where.Where) (*Spread, error) {
	d := &Spread{Key: key, Complete: fleet.Complete, Values: []SpreadValue{}, Without: NamedHosts{First: []string{}}}
	type source struct{ value, kind, id string }
	values, known := map[source]*SpreadValue{}, map[string]bool{}
	for _, host := range fleet.Of(schema.Host) {
		if !terms.Match(host) {
			continue
		}
		d.Hosts++
		counts := true // the next level that has it
		for i, level := range host.Levels() {
			for name := range level.Variables.All() {
				known[name] = true
			}
			value, has := level.Variables.Find(key)
			if !has {
				continue
			}
			from := source{value, level.Kind, level.ID}
			if i == 0 {
				from.id = ""
			}
			v := values[from]
			if v == nil {
				v = &SpreadValue{Value: json.RawMessage(value), From: LevelDocument{Type: level.Kind}}
				if i > 0 {
					v.From = DocumentOf(level)
					if o := fleet.Find(level.Kind, level.ID); o != nil {
						v.Path = o.Place()
					}
				} else {
					v.Own = &NamedHosts{}
				}
				values[from] = v
			}
			if i == 0 {
				v.Own.add(host.Place())
			}
			if counts {
				v.Hosts++
			} else {
				v.Shadowed++
			}
			counts = false
		}
		if counts {
			d.Without.add(host.Place())
		}
	}
	for _, v := range values {
		d.Values = append(d.Values, *v)
	}
	slices.SortFunc(d.Values, func(a, b SpreadValue) int {
		return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), cmp.Compare(b.Shadowed, a.Shadowed), cmp.Compare(string(a.Value), string(b.Value)),
			cmp.Compare(a.From.Type, b.From.Type), cmp.Compare(a.Path, b.Path))
	})
	if d.Hosts > 0 && len(values) == 0 {
		return nil, &NoVariable{Key: key, Hosts: d.Hosts, Near: nearest.Word(key, slices.Sorted(maps.Keys(known)))}
	}
	return d, nil
}
