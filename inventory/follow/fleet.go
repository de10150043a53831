package follow

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// reference names an object.
type reference struct{ kind, id string }

// sum is a hash of a value, for comparisons: the values themselves would take most of the memory.
type sum uint64

var seed = maphash.MakeSeed()

// sumOf returns the sum of a JSON text.
func sumOf(text string) sum {
	if strings.ContainsAny(text, " \t\r\n") {
		text = string(jsontext.AppendClean(nil, text))
	}
	return sum(maphash.String(seed, text))
}

// sumOfHash returns the sum of a value of which the log has only a hash. It never equals the sum of a known value.
func sumOfHash(hash string) sum { return sum(maphash.String(seed, "\x00"+hash)) }

// variable is an own variable of an object.
type variable struct {
	key string
	sum sum
}

// object is an object of the fleet that inherits variables, or from which others inherit.
type object struct {
	kind    *schema.Kind
	id      string
	name    string
	address string
	above   [len(references)]string // the ids that it refers to, "" for none; equal texts are shared
	own     []variable              // sorted by key
}

// references are the fields that refer to an object's levels.
var references = [...]string{"parent_id", "cell_id", "region_id", "cloud_id", keyProject}

// keyProject is the reference of each object to its project.
const keyProject = "project_id"

// kinds are hosts and the kinds whose variables they inherit.
var kinds = []*schema.Kind{schema.Project, schema.Cloud, schema.Region, schema.Cell, schema.Host, schema.NetworkDevice}

// names returns the id in a reference, "" if there is none.
func (o *object) names(key string) string { return o.above[slices.Index(references[:], key)] }

// find returns an own variable of the object.
func (o *object) find(key string) (sum, bool) {
	i, ok := slices.BinarySearchFunc(o.own, key, func(v variable, key string) int { return strings.Compare(v.key, key) })
	if !ok {
		return 0, false
	}
	return o.own[i].sum, true
}

// fleet records which objects inherit from which.
type fleet struct {
	objects map[reference]*object
	below   map[reference]map[*object]bool // devices that refer to an object; not their descendants
	texts   map[string]string              // shared copies
	hosts   map[*schema.Kind]bool          // the kinds of devices that are hosts of the inventory
}

func newFleet(networkDevices bool) *fleet {
	return &fleet{
		objects: map[reference]*object{}, below: map[reference]map[*object]bool{}, texts: map[string]string{},
		hosts: map[*schema.Kind]bool{schema.Host: true, schema.NetworkDevice: networkDevices},
	}
}

// read reads a fleet from a stream.
func (f *fleet) read(stream *craton.FleetStream) error {
	for line, err := range stream.All() {
		if err != nil {
			return err
		}
		o := f.put(schema.ByName(string(line.Kind)), gjson.ParseBytes(line.Object))
		if line.Resolved != nil { // callers that may not read the project know what regions show of it
			project := f.getOrCreate(schema.Project, o.names(keyProject))
			f.inherit(project, gjson.ParseBytes(line.Resolved), o, f.up(o, "cloud_id"))
		}
	}
	return nil
}

// inherit gives a project the variables that a region resolves and that neither it nor its cloud has.
func (f *fleet) inherit(project *object, resolved gjson.Result, levels ...*object) {
	resolved.ForEach(func(key, value gjson.Result) bool {
		for _, level := range levels {
			if level == nil {
				continue
			}
			if _, has := level.find(key.String()); has {
				return true
			}
		}
		f.set(project, key.String(), sumOf(value.Raw))
		return true
	})
}

// text returns a shared copy of a text.
func (f *fleet) text(s string) string {
	if kept, ok := f.texts[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	f.texts[s] = s
	return s
}

// getOrCreate returns an object, creating it if necessary.
func (f *fleet) getOrCreate(k *schema.Kind, id string) *object {
	at := reference{k.Name, id}
	o := f.objects[at]
	if o == nil {
		o = &object{kind: k, id: strings.Clone(id)}
		f.objects[reference{k.Name, o.id}] = o
	}
	return o
}

// put adds an object, or changes it as members say.
func (f *fleet) put(k *schema.Kind, members gjson.Result) *object {
	o := f.getOrCreate(k, members.Get("id").String())
	f.update(o, members)
	members.Get("variables").ForEach(func(key, value gjson.Result) bool {
		o.own = append(o.own, variable{f.text(key.String()), sumOf(value.Raw)})
		return true
	})
	slices.SortStableFunc(o.own, func(a, b variable) int { return strings.Compare(a.key, b.key) })
	return o
}

// update changes the fields of an object as members say.
func (f *fleet) update(o *object, members gjson.Result) {
	if v := members.Get(o.kind.Title); v.Exists() {
		o.name = strings.Clone(v.String())
	}
	if v := members.Get("ip_address"); v.Exists() && f.isDevice(o.kind) {
		o.address = strings.Clone(v.String())
	}
	above := o.above
	for i, key := range references {
		if v := members.Get(key); v.Exists() {
			above[i] = f.text(v.String()) // of null ""
		}
	}
	if above == o.above {
		return
	}
	f.unlink(o)
	o.above = above
	f.link(o)
}

func (f *fleet) isDevice(k *schema.Kind) bool { return k == schema.Host || k == schema.NetworkDevice }

// at returns the references that can refer to an object: a parent is a host or a network device.
func (o *object) at(key string) iter.Seq[reference] {
	return func(yield func(reference) bool) {
		id := o.names(key)
		if id == "" {
			return
		}
		if key == keyProject {
			yield(reference{schema.Project.Name, id})
			return
		}
		field := o.kind.Field(key)
		if field == nil {
			return
		}
		for _, kind := range field.To {
			if !yield(reference{kind, id}) {
				return
			}
		}
	}
}

// named returns all of them.
func (o *object) named() iter.Seq[reference] {
	return func(yield func(reference) bool) {
		for _, key := range references {
			for at := range o.at(key) {
				if !yield(at) {
					return
				}
			}
		}
	}
}

func (f *fleet) link(o *object) {
	if !f.isDevice(o.kind) {
		return
	}
	for at := range o.named() {
		if f.below[at] == nil {
			f.below[at] = map[*object]bool{}
		}
		f.below[at][o] = true
	}
}

func (f *fleet) unlink(o *object) {
	for at := range o.named() {
		if all := f.below[at]; all != nil {
			if delete(all, o); len(all) == 0 {
				delete(f.below, at)
			}
		}
	}
}

// up returns the object that a reference refers to, nil if it does not exist.
func (f *fleet) up(o *object, key string) *object {
	for at := range o.at(key) {
		if above := f.objects[at]; above != nil {
			return above
		}
	}
	return nil
}

// maxLevels ends a cycle of parents, which no server allows.
const maxLevels = 1000

// levels returns the object and everything from which it inherits, nearest first.
func (f *fleet) levels(o *object) []*object {
	var all []*object
	for level := range hierarchy.Levels(o.kind, o, func(of *object, key string) (*object, bool) {
		above := f.up(of, key)
		return above, above != nil && len(all) < maxLevels
	}) {
		all = append(all, level)
	}
	return all
}

// set sets a variable of an object.
func (f *fleet) set(o *object, key string, value sum) {
	i, has := slices.BinarySearchFunc(o.own, key, func(v variable, key string) int { return strings.Compare(v.key, key) })
	if has {
		o.own[i].sum = value
		return
	}
	o.own = slices.Insert(o.own, i, variable{f.text(key), value})
}

// unset deletes a variable of an object.
func (o *object) unset(key string) {
	o.own = slices.DeleteFunc(o.own, func(v variable) bool { return v.key == key })
}

// inheriting returns the devices that inherit from an object, including itself if it is one.
func (f *fleet) inheriting(o *object) map[*object]bool {
	found := map[*object]bool{}
	if !f.isDevice(o.kind) {
		return f.below[reference{o.kind.Name, o.id}]
	}
	next := []*object{o}
	for len(next) > 0 {
		one := next[len(next)-1]
		next = next[:len(next)-1]
		if found[one] {
			continue
		}
		found[one] = true
		for child := range f.below[reference{one.kind.Name, one.id}] {
			next = append(next, child)
		}
	}
	return found
}

// resolved returns the resolved variables of an object.
func (f *fleet) resolved(o *object) map[string]sum {
	all := map[string]sum{}
	for _, level := range f.levels(o) {
		for _, v := range level.own {
			if _, nearer := all[v.key]; !nearer {
				all[v.key] = v.sum
			}
		}
	}
	return all
}

// side returns the variables on one side of a change.
func side(s *craton.Side) map[string]sum {
	all := make(map[string]sum, len(s.Variables)+len(s.Hashed))
	for key, value := range s.Variables {
		all[key] = sumOf(string(value))
	}
	for key, hash := range s.Hashed {
		all[key] = sumOfHash(hash)
	}
	return all
}

// apply applies a change, and returns the hosts whose resolved variables it alters, in no particular order.
func (f *fleet) apply(c *craton.Change) []*object {
	k := schema.ByName(c.Kind)
	if !slices.Contains(kinds, k) {
		return nil
	}
	id := idText(c.ID)
	before, after := side(&c.Before), side(&c.After)
	members := gjson.ParseBytes(c.After.Raw)
	switch c.Action {
	case "delete":
		f.remove(reference{k.Name, id})
		return nil
	case "create":
		o := f.getOrCreate(k, id)
		f.update(o, members)
		o.own = nil
		f.change(o, nil, after)
		if !f.hosts[k] {
			return nil
		}
		return []*object{o}
	}
	o := f.objects[reference{k.Name, id}]
	if o == nil { // the caller may only see it since now
		o = f.getOrCreate(k, id)
	}
	if f.isDevice(k) && moves(k, members) {
		return f.moved(o, members, before, after)
	}
	f.update(o, members)
	return f.setVariables(o, before, after)
}

// idText returns the id of a change in the form that objects use.
func idText(id any) string {
	if text, ok := id.(string); ok {
		return text
	}
	text, err := json.Marshal(id)
	if err != nil {
		return ""
	}
	return string(text)
}

// moves reports whether members contain other levels.
func moves(k *schema.Kind, members gjson.Result) bool {
	return slices.ContainsFunc(k.Inherits, func(key string) bool { return members.Get(key).Exists() })
}

// change replaces the variables of one side of a change by those of the other.
func (f *fleet) change(o *object, before, after map[string]sum) {
	for key := range before {
		if _, stays := after[key]; !stays {
			o.unset(key)
		}
	}
	for key, value := range after {
		f.set(o, key, value)
	}
}

// moved changes what a device inherits from.
func (f *fleet) moved(o *object, members gjson.Result, before, after map[string]sum) (hosts []*object) {
	was := map[*object]map[string]sum{}
	for one := range f.inheriting(o) {
		if f.hosts[one.kind] {
			was[one] = f.resolved(one)
		}
	}
	f.update(o, members)
	f.change(o, before, after)
	for one, old := range was {
		if !maps.Equal(old, f.resolved(one)) {
			hosts = append(hosts, one)
		}
	}
	return hosts
}

// setVariables changes variables of an object, and returns the affected hosts.
func (f *fleet) setVariables(o *object, before, after map[string]sum) (hosts []*object) {
	keys := map[string]bool{}
	for key := range before {
		keys[key] = true
	}
	for key := range after {
		keys[key] = true
	}
	f.change(o, before, after)
	if len(keys) == 0 {
		return nil
	}
	for one := range f.inheriting(o) {
		if f.hosts[one.kind] && f.isAffected(one, o, keys, before, after) {
			hosts = append(hosts, one)
		}
	}
	return hosts
}

// isAffected reports whether one of the keys that changed in an object has another resolved value in a host.
func (f *fleet) isAffected(host, o *object, keys map[string]bool, before, after map[string]sum) bool {
	levels := f.levels(host)
	at := slices.Index(levels, o)
	if at < 0 {
		return false
	}
	for key := range keys {
		if _, shadowed := first(levels[:at], key); shadowed {
			continue
		}
		old, had := before[key]
		now, has := after[key]
		if had == has {
			if old != now {
				return true
			}
			continue
		}
		here := now
		if had {
			here = old
		}
		if below, inherits := first(levels[at+1:], key); !inherits || below != here {
			return true
		}
	}
	return false
}

// first returns the value of a key in the first of the levels that has it.
func first(levels []*object, key string) (sum, bool) {
	for _, level := range levels {
		if v, has := level.find(key); has {
			return v, true
		}
	}
	return 0, false
}

// remove removes an object. Its contents are removed by changes of their own.
func (f *fleet) remove(at reference) {
	o := f.objects[at]
	if o == nil {
		return
	}
	f.unlink(o)
	delete(f.objects, at)
}

// count returns the number of hosts.
func (f *fleet) count() (n int) {
	for _, o := range f.objects {
		if f.hosts[o.kind] {
			n++
		}
	}
	return n
}

// load reads the fleet as of a cursor; "" is the present. at is the cursor of what was read.
func load(ctx context.Context, c *craton.Client, cursor string, networkDevices bool) (f *fleet, at string, err error) {
	if cursor != "" {
		mark, err := c.FleetMark(ctx, craton.FleetOptions{})
		if err != nil {
			return nil, "", err
		}
		if mark.Revision != cursor {
			// Values of which the log has only a hash are unknown: hosts that override them may then be reported too,
			// but none is left out.
			if c, err = c.At(ctx, craton.Past{At: cursor, OmitHashed: true}); err != nil {
				return nil, "", err
			}
		}
	}
	stream, err := c.Fleet(ctx, craton.FleetOptions{})
	if err != nil {
		return nil, "", err
	}
	f, at = newFleet(networkDevices), stream.Revision
	if err := f.read(stream); err != nil {
		return nil, "", err
	}
	if cursor != "" && at != cursor && c.Revision() == "" { // written to since
		return load(ctx, c, cursor, networkDevices)
	}
	return f, at, nil
}
