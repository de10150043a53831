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

// sum stands for a value, so that equal ones are known: values themselves would be most of the memory.
type sum uint64

var seed = maphash.MakeSeed()

// sumOf returns the sum of a JSON text.
func sumOf(text string) sum {
	if strings.ContainsAny(text, " \t\r\n") {
		text = string(jsontext.AppendClean(nil, text))
	}
	return sum(maphash.String(seed, text))
}

// sumOfHash returns the sum of a value of which the log keeps only a hash. It is never that of a value that is known.
func sumOfHash(hash string) sum { return sum(maphash.String(seed, "\x00"+hash)) }

// variable is one of an object's own.
type variable struct {
	key string
	sum sum
}

// object is one of the fleet that others inherit from, or that inherits.
type object struct {
	kind    *schema.Kind
	id      string
	name    string
	address string
	above   [len(references)]string // the ids that it names, "" for none; each text once in memory
	own     []variable              // sorted by key
}

// references are the fields that lead to an object's levels.
var references = [...]string{"parent_id", "cell_id", "region_id", "cloud_id", keyProject}

// keyProject is the reference of each object to its project.
const keyProject = "project_id"

// kinds are those that give variables to hosts, and hosts.
var kinds = []*schema.Kind{schema.Project, schema.Cloud, schema.Region, schema.Cell, schema.Host, schema.NetworkDevice}

// names returns the id that the object names, "" if it names none.
func (o *object) names(key string) string { return o.above[slices.Index(references[:], key)] }

// find returns the object's own variable.
func (o *object) find(key string) (sum, bool) {
	i, ok := slices.BinarySearchFunc(o.own, key, func(v variable, key string) int { return strings.Compare(v.key, key) })
	if !ok {
		return 0, false
	}
	return o.own[i].sum, true
}

// fleet is who inherits what from whom.
type fleet struct {
	objects map[reference]*object
	below   map[reference]map[*object]bool // devices that name an object; of those below them nothing
	texts   map[string]string              // each once in memory
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
		if line.Resolved != nil { // who may not read the project knows what regions have of it
			project := f.getOrCreate(schema.Project, o.names(keyProject))
			f.inherit(project, gjson.ParseBytes(line.Resolved), o, f.up(o, "cloud_id"))
		}
	}
	return nil
}

// inherit gives a project what a region resolves to and neither it nor its cloud has.
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

// text returns a text that is kept.
func (f *fleet) text(s string) string {
	if kept, ok := f.texts[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	f.texts[s] = s
	return s
}

// getOrCreate returns an object, made if it is not there.
func (f *fleet) getOrCreate(k *schema.Kind, id string) *object {
	at := reference{k.Name, id}
	o := f.objects[at]
	if o == nil {
		o = &object{kind: k, id: strings.Clone(id)}
		f.objects[reference{k.Name, o.id}] = o
	}
	return o
}

// put adds an object, or changes what members say of it.
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

// at returns the references by which an object's key may be meant: a parent is a host or a network device.
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

// up returns what a reference names, nil if that is not there.
func (f *fleet) up(o *object, key string) *object {
	for at := range o.at(key) {
		if above := f.objects[at]; above != nil {
			return above
		}
	}
	return nil
}

// maxLevels ends a circle of parents, which no server allows.
const maxLevels = 1000

// levels returns the object and all that it inherits from, the nearest first.
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

// set gives an object a variable.
func (f *fleet) set(o *object, key string, value sum) {
	i, has := slices.BinarySearchFunc(o.own, key, func(v variable, key string) int { return strings.Compare(v.key, key) })
	if has {
		o.own[i].sum = value
		return
	}
	o.own = slices.Insert(o.own, i, variable{f.text(key), value})
}

// unset takes a variable from an object.
func (o *object) unset(key string) {
	o.own = slices.DeleteFunc(o.own, func(v variable) bool { return v.key == key })
}

// inheriting returns the devices that inherit from an object, with itself if it is one.
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

// resolved returns the variables that an object has, with what it inherits.
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

// apply makes a change, and gives the hosts whose resolved variables are others by it, in no order.
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
	if o == nil { // the caller may see it since now
		o = f.getOrCreate(k, id)
	}
	if f.isDevice(k) && moves(k, members) {
		return f.moved(o, members, before, after)
	}
	f.update(o, members)
	return f.setVariables(o, before, after)
}

// idText returns the id of a change as objects have it.
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

// moves reports whether members name other levels.
func moves(k *schema.Kind, members gjson.Result) bool {
	return slices.ContainsFunc(k.Inherits, func(key string) bool { return members.Get(key).Exists() })
}

// change gives an object the variables of the one side of a change in the place of those of the other.
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

// setVariables changes variables of an object, and finds the hosts that feel it.
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

// isAffected reports whether a host has another value of one of the keys that an object has changed.
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

// first returns the value of a key that counts of levels, the nearest first.
func first(levels []*object, key string) (sum, bool) {
	for _, level := range levels {
		if v, has := level.find(key); has {
			return v, true
		}
	}
	return 0, false
}

// remove takes an object out. What is in it goes with changes of its own.
func (f *fleet) remove(at reference) {
	o := f.objects[at]
	if o == nil {
		return
	}
	f.unlink(o)
	delete(f.objects, at)
}

// count returns how many hosts there are.
func (f *fleet) count() (n int) {
	for _, o := range f.objects {
		if f.hosts[o.kind] {
			n++
		}
	}
	return n
}

// load reads the fleet as it was at a cursor; "" is the present. at is the cursor of what was read.
func load(ctx context.Context, c *craton.Client, cursor string, networkDevices bool) (f *fleet, at string, err error) {
	if cursor != "" {
		mark, err := c.FleetMark(ctx, craton.FleetOptions{})
		if err != nil {
			return nil, "", err
		}
		if mark.Revision != cursor {
			// Of what the log keeps only as a hash nothing is known: then a host may be named that hides it, and none
			// is left out.
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
