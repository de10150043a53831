package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// places are the ids of the clouds, regions and cells that the filters name. A nil set means no filter.
type places struct {
	clouds, regions, cells map[int]bool
}

// selectPlaces resolves the filters of places. Regions are searched for in the selected clouds, cells in the selected
// regions and clouds. A word is a name, a qualified name or, if there is no such place, an id; a name that several
// places have selects all of them.
func selectPlaces(f *Fleet, o *Options) (places, error) {
	var p places
	var err error
	cloudPath := func(c *Place) []string { return []string{c.Name} }
	if p.clouds, err = named("clouds", o.Clouds, f.Clouds, cloudPath, ""); err != nil {
		return p, err
	}
	scope, within := f.Regions, ""
	if p.clouds != nil {
		scope = only(scope, func(r *Place) bool { return p.clouds[r.CloudID] })
		within = " in these clouds"
	}
	regionPath := func(r *Place) []string { return []string{f.cloudName(r.CloudID), r.Name} }
	if p.regions, err = named("regions", o.Regions, scope, regionPath, within); err != nil {
		return p, err
	}
	cells := f.Cells
	if p.clouds != nil || p.regions != nil {
		cells = only(cells, func(c *Place) bool {
			return scope[c.RegionID] != nil && (p.regions == nil || p.regions[c.RegionID])
		})
		within = " in these clouds and regions"
	}
	cellPath := func(c *Place) []string {
		r := f.Regions[c.RegionID]
		if r == nil {
			return []string{c.Name}
		}
		return append(regionPath(r), c.Name)
	}
	p.cells, err = named("cells", o.Cells, cells, cellPath, within)
	return p, err
}

func (f *Fleet) cloudName(id int) string {
	if c := f.Clouds[id]; c != nil {
		return c.Name
	}
	return strconv.Itoa(id)
}

func only(all map[int]*Place, keep func(*Place) bool) map[int]*Place {
	some := map[int]*Place{}
	for id, p := range all {
		if keep(p) {
			some[id] = p
		}
	}
	return some
}

// named returns the set of places that the words of one filter name; nil without words.
func named(setting string, words []string, all map[int]*Place, pathOf func(*Place) []string, within string) (map[int]bool, error) {
	if len(words) == 0 {
		return nil, nil
	}
	byName := map[string][]int{}
	for id, p := range all {
		for _, n := range reconcile.Mentions(pathOf(p)) {
			byName[n] = append(byName[n], id)
		}
	}
	set := map[int]bool{}
	for _, word := range words {
		ids := byName[word]
		if id, err := strconv.Atoi(word); err == nil && len(ids) == 0 && all[id] != nil {
			ids = []int{id}
		}
		if len(ids) == 0 {
			known := slices.Sorted(maps.Keys(byName))
			return nil, advice.With(fmt.Errorf("no %s is called %q%s (filter %q)", strings.TrimSuffix(setting, "s"), word, within, setting), hintAmong(word, known))
		}
		for _, id := range ids {
			set[id] = true
		}
	}
	return set, nil
}

// hintAmong returns the advice for an error about an unknown word: the most similar known words, or some of them.
func hintAmong(word string, known []string) string {
	if near := nearWords(word, known); len(near) > 0 {
		return "similar names: " + enumerate(near)
	}
	if len(known) == 0 {
		return "there are none"
	}
	return "there are: " + enumerate(known)
}

// nearWords returns the known words that were probably meant. The last part of a qualified name is compared too: c1 for
// east/dfw/c1.
func nearWords(word string, known []string) []string {
	var near []string
	for _, k := range known {
		if last := k[strings.LastIndexByte(k, '/')+1:]; nearest.Word(word, []string{k, last}) != "" {
			near = append(near, k)
		}
	}
	return near
}

// enumerate joins words, up to a maximum.
func enumerate(words []string) string {
	const most = 10
	if len(words) > most {
		return strings.Join(words[:most], ", ") + ", ..."
	}
	return strings.Join(words, ", ")
}

// match reports whether the filters select a device, as far as the device itself shows: labels only if they are known.
func (p *places) match(d *Device, o *Options) bool {
	return p.mismatch(d, o) == ""
}

// mismatch returns the setting whose filter excludes a device, "" if none does.
func (p *places) mismatch(d *Device, o *Options) string {
	switch {
	case p.clouds != nil && !p.clouds[d.CloudID]:
		return "clouds"
	case p.regions != nil && !p.regions[d.RegionID]:
		return "regions"
	case p.cells != nil && !p.cells[d.CellID]:
		return "cells"
	case len(o.DeviceTypes) > 0 && !slices.Contains(o.DeviceTypes, d.DeviceType):
		return "device_types"
	case o.ActiveOnly && !d.Active:
		return "active_only"
	case len(o.Labels) > 0 && d.Labels != nil && !slices.ContainsFunc(o.Labels, d.hasLabel):
		return "labels"
	}
	return ""
}

func (d *Device) hasLabel(label string) bool {
	_, found := slices.BinarySearch(d.Labels, label)
	return found
}
