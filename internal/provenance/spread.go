package provenance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/where"
)

// Spread is the values to which a variable resolves on all selected hosts.
type Spread struct {
	Key      string        `json:"key"`
	Hosts    int           `json:"hosts"`    // selected hosts
	Complete bool          `json:"complete"` // false: the caller may not read the project, and what overrides its value is unknown
	Values   []SpreadValue `json:"values"`   // by the number of hosts that have them, then by the number of hosts that override them
	Without  NamedHosts    `json:"without"`  // those without the variable
}

// SpreadValue is a value and its source.
type SpreadValue struct {
	Value    json.RawMessage `json:"value"`
	From     LevelDocument   `json:"from"` // for a host's own value, only its type: see Own
	Path     string          `json:"path"` // of the object, CLOUD/REGION/...; "" for hosts' own values
	Own      *NamedHosts     `json:"own"`  // the hosts that have it as their own
	Hosts    int             `json:"hosts"`
	Shadowed int             `json:"shadowed_on"` // hosts that would have it, but for a nearer object
}

// NamedHosts is a number of hosts, with the names of the first.
type NamedHosts struct {
	Count int      `json:"count"`
	First []string `json:"first"`
}

// shownHosts is the maximum number of hosts that are named.
const shownHosts = 5

func (n *NamedHosts) add(host *snapshot.Object) {
	if n.Count++; len(n.First) < shownHosts {
		n.First = append(n.First, host.Place())
	}
}

// String returns the hosts in words.
func (n *NamedHosts) String() string {
	if n.Count == 1 {
		return n.First[0]
	}
	return fmt.Sprintf("%s and %d more", n.First[0], n.Count-1)
}

// NoVariableError is the error for a variable that no host has.
type NoVariableError struct {
	Key   string
	Hosts int    // that were examined
	Near  string // a variable that was probably meant; ""
}

func (e *NoVariableError) Error() string {
	text := fmt.Sprintf("none of the %d hosts has a variable %q", e.Hosts, e.Key)
	if e.Near != "" {
		text += fmt.Sprintf("; did you mean %q?", e.Near)
	}
	return text
}

// SpreadOf determines the values of a variable on the hosts of a fleet that match terms. If none has it, it returns a
// *NoVariableError.
func SpreadOf(fleet *snapshot.Fleet, key string, terms *where.Where) (*Spread, error) {
	d := &Spread{Key: key, Complete: fleet.Complete, Values: []SpreadValue{}, Without: NamedHosts{First: []string{}}}
	type source struct{ value, kind, id string }
	values := map[source]*SpreadValue{}
	above := map[standingKey][]*SpreadValue{} // what hosts at one place inherit, nearest first
	inherits := func(host *snapshot.Object) (all []*SpreadValue) {
		for _, level := range host.Levels()[1:] {
			value, has := level.Variables.Find(key)
			if !has {
				continue
			}
			from := source{value, level.Kind, level.ID}
			v := values[from]
			if v == nil {
				level.ID, level.Name = strings.Clone(level.ID), strings.Clone(level.Name)
				v = &SpreadValue{Value: json.RawMessage(value), From: DocumentOf(level)}
				if o := fleet.Find(level.Kind, level.ID); o != nil {
					v.Path = o.Place()
				}
				values[from] = v
			}
			all = append(all, v)
		}
		return all
	}
	for _, host := range fleet.Of(schema.Host) {
		if !terms.Match(host) {
			continue
		}
		d.Hosts++
		at := standingOf(host)
		others, known := above[at]
		if !known {
			others = inherits(host)
			above[at] = others
		}
		value, has := host.Variable(key, true)
		switch {
		case has:
			from := source{value, host.Kind.Name, ""}
			v := values[from]
			if v == nil {
				v = &SpreadValue{Value: json.RawMessage(value), From: LevelDocument{Type: host.Kind.Name}, Own: &NamedHosts{}}
				values[from] = v
			}
			v.Own.add(host)
			v.Hosts++
		case len(others) > 0:
			others[0].Hosts++
			others = others[1:]
		default:
			d.Without.add(host)
		}
		for _, v := range others {
			v.Shadowed++
		}
	}
	for _, v := range values {
		d.Values = append(d.Values, *v)
	}
	slices.SortFunc(d.Values, func(a, b SpreadValue) int {
		if n := cmp.Or(cmp.Compare(b.Hosts, a.Hosts), cmp.Compare(b.Shadowed, a.Shadowed)); n != 0 {
			return n
		}
		if n := bytes.Compare(a.Value, b.Value); n != 0 { // each of many hosts has its own
			return n
		}
		return cmp.Or(cmp.Compare(a.From.Type, b.From.Type), cmp.Compare(a.Path, b.Path))
	})
	if d.Hosts > 0 && len(values) == 0 {
		return nil, &NoVariableError{Key: key, Hosts: d.Hosts, Near: nearest.Word(key, namesOf(fleet, terms))}
	}
	return d, nil
}

// Size returns the approximate size of a spread in memory, in bytes. It has no references to the fleet.
func (d *Spread) Size() int {
	n := 200 + len(d.Key) + d.Without.size()
	for i := range d.Values {
		v := &d.Values[i]
		if n += 200 + len(v.Value) + len(v.Path) + 100; v.Own != nil {
			n += v.Own.size()
		}
	}
	return n
}

func (n *NamedHosts) size() (bytes int) {
	for _, path := range n.First {
		bytes += 16 + len(path)
	}
	return bytes
}

// namesOf returns the names of all variables of the hosts that match terms, sorted.
func namesOf(fleet *snapshot.Fleet, terms *where.Where) []string {
	known, above := map[string]bool{}, map[standingKey]bool{}
	for _, host := range fleet.Of(schema.Host) {
		if !terms.Match(host) {
			continue
		}
		for name := range host.Own().All() {
			known[name] = true
		}
		if at := standingOf(host); !above[at] {
			above[at] = true
			for _, level := range host.Levels()[1:] {
				for name := range level.Variables.All() {
					known[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(known))
}
