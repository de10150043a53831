package provenance

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
)

// Keys are the variables of a fleet.
type Keys struct {
	Hosts    int      `json:"hosts"`    // of the fleet
	Complete bool     `json:"complete"` // false: the caller may not read the project; only those of its variables are known that something inherits
	Keys     []KeyUse `json:"keys"`     // by name
}

// KeyUse is how a variable is used.
type KeyUse struct {
	Key     string         `json:"key"`
	Hosts   int            `json:"hosts"`   // that have it, own or inherited
	Objects int            `json:"objects"` // where it is set
	Levels  map[string]int `json:"levels"`  // these by kind
}

// Size returns the approximate size of the index in memory, in bytes. It has no references to the fleet.
func (d *Keys) Size() (n int) {
	for i := range d.Keys {
		n += 200 + len(d.Keys[i].Key) + 60*len(d.Keys[i].Levels)
	}
	return n
}

// levelsOf are the kinds of objects with variables, outermost first.
var levelsOf = []*schema.Kind{schema.Project, schema.Cloud, schema.Region, schema.Cell, schema.Host, schema.NetworkDevice, schema.Network, schema.NetworkInterface}

// KeysOf lists the variables of a fleet, and counts where they are set and which hosts have them. What hosts at one
// place inherit is determined once.
func KeysOf(fleet *snapshot.Fleet) *Keys {
	all := map[string]*KeyUse{}
	use := func(key string) *KeyUse {
		u := all[key]
		if u == nil {
			u = &KeyUse{Key: strings.Clone(key), Levels: map[string]int{}}
			all[u.Key] = u
		}
		return u
	}
	for _, k := range levelsOf {
		for _, o := range fleet.Of(k) {
			for key := range o.Own().All() {
				u := use(key)
				u.Objects++
				u.Levels[k.Name]++
			}
		}
	}
	d := &Keys{Complete: fleet.Complete, Keys: []KeyUse{}}
	places := sharing{}
	for _, host := range fleet.Of(schema.Host) {
		d.Hosts++
		at := places.above(host)
		at.hosts++
		for key := range host.Own().All() {
			if !at.has(key) {
				use(key).Hosts++
			}
		}
	}
	for _, at := range places {
		for key := range at.keys() {
			use(key).Hosts += at.hosts
		}
	}
	for _, u := range all {
		d.Keys = append(d.Keys, *u)
	}
	slices.SortFunc(d.Keys, func(a, b KeyUse) int { return strings.Compare(a.Key, b.Key) })
	return d
}

// sharing has what hosts with the same place and parent inherit, by place and parent.
type sharing map[standingKey]*shared

// shared are the levels above some hosts.
type shared struct {
	levels []hierarchy.Level
	hosts  int
	names  map[string]bool // computed once
}

// above returns the levels above a host.
func (s sharing) above(host *snapshot.Object) *shared {
	at := standingOf(host)
	found := s[at]
	if found == nil {
		found = &shared{levels: host.Levels()[1:]}
		s[at] = found
	}
	return found
}

// keys returns the variables of the levels, each once.
func (i *shared) keys() map[string]bool {
	if i.names == nil {
		i.names = map[string]bool{}
		for _, level := range i.levels {
			for key := range level.Variables.All() {
				i.names[key] = true
			}
		}
	}
	return i.names
}

func (i *shared) has(key string) bool { return i.keys()[key] }
