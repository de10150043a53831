package iotronic

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// plan is everything to be done for one node. Check mode, diff and the real run use only the plan, so they cannot
// disagree.
type plan struct {
	of            *resource
	before, after api.Object // nil: it does not exist
	// shown is after, as the diff shows it: with placeholders for what the API hides, and for what leaves no trace.
	shown api.Object

	settle   string // the target provision state of a transition in progress, which must be reached first
	create   api.Object
	remove   bool
	undeploy bool // a deployment may be torn down
	update   api.Changes
	late     api.Changes // changes after the provisioning steps

	maintenance, resume bool // start maintenance, or change its reason; end it
	suspendLater        bool // maintenance starts after the steps
	reason              string
	steps               []transition
	power               string // the requested power state
	powering            string // the target of a power change in progress that is waited for, if none is requested

	managing    []change        // things that are not fields
	configDrive json.RawMessage // of a deployment
	doing       *steps          // operations on the hardware
	extraDiffs  []extraDiff     // of the diff

	ports      []*plan // of a node
	portsLater bool    // they are written after the steps
}

func (p *plan) changed() bool {
	return slices.ContainsFunc(p.ports, (*plan).changed) || p.maintenance || p.resume || p.changesMore()
}

// changesMore reports whether anything other than maintenance is changed, which can start and end at any time.
func (p *plan) changesMore() bool {
	return p.create != nil || p.remove || len(p.managing) > 0 || len(p.update)+len(p.late) > 0 || len(p.steps) > 0 || p.power != ""
}

// makePlan compares what a task wants with the current state; have is nil if the node does not exist. It sends nothing.
func makePlan(w *want, have api.Object, d api.Dialect) (*plan, error) {
	p := newPlan(w, have)
	if !w.present {
		return p, p.planRemove(w, d)
	}
	if have == nil {
		if err := p.planCreate(w, d); err != nil {
			return nil, err
		}
	} else {
		if err := p.planChange(w, d); err != nil {
			return nil, err
		}
		p.dropReasons()
		if d != api.DialectIronic {
			return p, p.replaceDicts(d)
		}
	}
	if d == api.DialectIronic {
		if have == nil {
			for _, key := range []string{keyPower, keyProvision, keyReason} {
				p.set(key, null)
			}
			p.set(keyMaintenance, raw(false))
		}
		if err := p.planStates(w); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// newPlan returns an empty plan.
func newPlan(w *want, have api.Object) *plan {
	return &plan{of: w.of, before: have, configDrive: w.configDrive, doing: &w.steps, update: api.Changes{}, late: api.Changes{}}
}

func (p *plan) planRemove(w *want, d api.Dialect) error {
	if p.before == nil {
		return nil
	}
	p.remove = true
	if d != api.DialectIronic {
		return nil
	}
	p.undeploy = w.undeploy
	if isTrue(p.before[keyMaintenance]) {
		return nil // Ironic ignores it, so it may never change; it is deleted as it is
	}
	state := p.startState(w)
	if w.undeploy && slices.Contains(deployed, state) {
		p.steps = []transition{{api.ProvisionDeleted, available}}
		if !w.wait {
			return fmt.Errorf("%s: the node cannot be removed before it is torn down; set wait: true", optUndeploy)
		}
	}
	return nil
}

func (p *plan) planCreate(w *want, d api.Dialect) error {
	p.create, p.after = api.Object{}, api.Object{keyUUID: null}
	if p.of == nodes {
		p.after[keyName] = null
	}
	set := func(key string, value any) { p.create[key], p.after[key] = raw(value), raw(value) }
	if w.uuid != "" {
		if d != api.DialectIronic {
			return fmt.Errorf("there is no node with the UUID %s; leave uuid out to create one: Iotronic chooses UUIDs itself", w.uuid)
		}
		set(keyUUID, w.uuid)
	}
	if w.name != "" {
		set(keyName, w.name)
	}
	p.shown = maps.Clone(p.after)
	var lack []string
	if w.name == "" && d != api.DialectIronic {
		lack = append(lack, keyName)
	}
	for i := range p.of.fields {
		f := &p.of.fields[i]
		if !f.isIn(d) || !w.has(f) && d == api.DialectIronic && w.spoken.Compare(p.of.since(f)) < 0 {
			continue
		}
		key := f.key(d)
		if f.form == formDict {
			if err := p.planDict(f, w, nil); err != nil {
				return err
			}
			continue
		}
		value, given := w.values[f.option]
		if given = given && !isNone(value); given && f.later {
			p.update[f.sent()] = value
		} else if given {
			p.create[f.sent()] = value
		} else if f.needed {
			lack = append(lack, f.option)
		}
		p.set(key, f.predicted(value, given))
	}
	if len(lack) > 0 {
		return fmt.Errorf("there is no %s %s; to create it, set %s", p.of.kind.name, w.missing(), strings.Join(lack, ", "))
	}
	return nil
}

// set sets what the node will have.
func (p *plan) set(key string, value json.RawMessage) { p.after[key], p.shown[key] = value, value }

// predicted returns what the API will show for a field.
func (f *field) predicted(value json.RawMessage, given bool) json.RawMessage {
	switch {
	case given && f.form == formPlace: // the API adds the time of the change
		var places []map[string]json.RawMessage
		if json.Unmarshal(value, &places) == nil && len(places) == 1 {
			places[0]["updated_at"] = null
			return raw(places)
		}
		return value
	case given && !isNone(value):
		return value
	case f.form == formFlag:
		return raw(false)
	case f.lower:
		return raw("")
	}
	return null
}

// missing describes, for errors, a missing object by what it was searched for.
func (w *want) missing() string {
	if w.uuid != "" {
		return "with the UUID " + w.uuid
	}
	return strconv.Quote(w.called())
}

// called describes a node for errors.
func called(name, uuid string) string {
	if name == "" {
		return uuid
	}
	return fmt.Sprintf("%q", name)
}

// planChange finds differences.
func (p *plan) planChange(w *want, d api.Dialect) error {
	p.after = maps.Clone(p.before)
	p.shown = maps.Clone(p.before)
	if w.uuid != "" && w.name != "" && w.name != p.before.Text(keyName) {
		p.update[keyName] = w.name
		p.set(keyName, raw(w.name))
	}
	for i := range p.of.fields {
		f := &p.of.fields[i]
		if !f.isIn(d) {
			continue
		}
		if f.form == formDict {
			if err := p.planDict(f, w, f.value(p.before)); err != nil {
				return err
			}
			continue
		}
		if value, given := w.values[f.option]; given && !f.equal(f.value(p.before), value) {
			if f.fixed {
				return fmt.Errorf("%s: the %s %s has %s, which Ironic cannot change; remove it and create it again",
					f.option, p.of.kind.name, called(p.before.Text(p.of.by), p.before.Text(keyUUID)), excerpt(f.value(p.before)))
			}
			p.update[f.sent()] = value
			if isNone(value) {
				p.update[f.sent()] = api.Remove
			}
			p.set(f.key(d), f.predicted(value, true))
		}
	}
	return nil
}

// equal compares a field with what a task wants.
func (f *field) equal(have, want json.RawMessage) bool {
	switch f.form {
	case formFlag:
		return isTrue(have) == isTrue(want)
	case formPlace:
		return samePlace(have, want)
	case formList:
		return sameWords(have, want)
	}
	if f.lower {
		have = json.RawMessage(strings.ToLower(string(have)))
	}
	return isNone(have) && isNone(want) || value.EqualJSON(have, want)
}

// excerpt returns a value for an error message; a missing value is "nothing".
func excerpt(value json.RawMessage) string {
	if isNone(value) || string(value) == "[]" {
		return "none"
	}
	return string(value)
}

// sameWords compares lists of texts in any order; no list equals an empty one.
func sameWords(have, want json.RawMessage) bool {
	var a, b []string
	if json.Unmarshal(have, &a) != nil && !isNone(have) || json.Unmarshal(want, &b) != nil {
		return false
	}
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// samePlace compares the first location, the only one that matters, ignoring what the API adds.
func samePlace(have, want json.RawMessage) bool {
	var a, b []api.Location
	if json.Unmarshal(have, &a) != nil || json.Unmarshal(want, &b) != nil || len(a) == 0 || len(b) == 0 {
		return false
	}
	a[0].UpdatedAt = b[0].UpdatedAt
	return a[0] == b[0]
}

// dropReasons predicts which reasons Ironic drops together with what they explain.
func (p *plan) dropReasons() {
	for _, flag := range []string{"protected", "retired"} {
		if _, changes := p.update[flag]; changes && !isTrue(p.after[flag]) {
			if _, own := p.update[flag+"_reason"]; !own {
				p.set(flag+"_reason", null)
			}
		}
	}
}

// imageKeys are the keys that Ironic adds to instance_info during a deployment; they stay until it is torn down.
var imageKeys = []string{
	"image_checksum", "image_container_format", "image_disk_format", "image_os_hash_algo", "image_os_hash_value", "image_properties",
	"image_tags", "image_type", "image_url",
}

// planDict finds the keys of a dict that differ. have is nil if there is no node yet.
func (p *plan) planDict(f *field, w *want, have json.RawMessage) error {
	wanted, given := w.dicts[f.option]
	now := dictOf(have)
	if !given {
		if p.create != nil {
			p.set(f.option, raw(now))
		}
		return nil
	}
	after, shown, sent := api.Object{}, api.Object{}, api.Object{}
	changes := api.Changes{}
	odd := isNone(have) // there are no keys to compare with then
	state, _ := settled(p.before)
	inUse := f.option == "instance_info" && !slices.Contains(undeployed, state) && state != "deploy failed" // it is rewritten in that case
	for key, text := range now {
		if _, ok := wanted.values[key]; !ok && wanted.replace && !(inUse && slices.Contains(imageKeys, key)) {
			changes[api.Path(f.option, key)] = api.Remove
			odd = odd || !api.PlainKey(key)
			continue
		}
		after[key], shown[key], sent[key] = text, text, text
	}
	hides := api.HidesSecrets(f.option)
	for key, text := range wanted.values {
		sent[key] = text
		if old, ok := now[key]; ok && same(f.shown(key, old), text, hidingOf(hides, w.updateSecrets)) {
			continue
		}
		if hides && masked(text) {
			return fmt.Errorf("%s: %s is %s, which Ironic shows in place of a secret; set the secret, or leave the key out", f.option, key, stars)
		}
		changes[api.Path(f.option, key)] = text
		odd = odd || !api.PlainKey(key)
		after[key], shown[key] = text, text
		if hides {
			after[key], shown[key] = concealValue(f.option, key, text, stars), concealValue(f.option, key, text, stars+" (written by this task)")
		}
	}
	if len(changes) == 0 && p.create == nil {
		return nil
	}
	p.after[f.option], p.shown[f.option] = raw(after), raw(shown)
	switch {
	case p.create != nil:
		if len(sent) > 0 {
			p.create[f.option] = raw(sent)
		}
	case !odd:
		maps.Copy(p.update, changes)
	case hides && masked(raw(sent)):
		help := fmt.Sprintf("set all keys, with %s: %s", f.mode(), replace)
		if wanted.replace {
			help = "change it while nothing is deployed, since Ironic has added keys itself"
		}
		return fmt.Errorf("%s: Ironic can change keys that are numbers, or contain anything but letters, digits, - and _, only together with all other keys, and some of those are secrets that it does not show; %s", f.option, help)
	default:
		p.update[f.option] = sent
	}
	return nil
}

// shown returns the value of a key of a dict for comparison: as the API would store it now, whatever an earlier release
// has stored.
func (f *field) shown(key string, have json.RawMessage) json.RawMessage {
	if f.kept != nil {
		if kept, err := f.kept(key, have); err == nil {
			return kept
		}
	}
	return have
}

// replaceDicts converts changes of keys to changes of complete attributes: Iotronic supports no others.
func (p *plan) replaceDicts(d api.Dialect) error {
	if len(p.update) == 0 {
		return nil
	}
	whole := api.Changes{}
	for path, value := range p.update {
		name, _, inside := strings.Cut(path, "/")
		if inside {
			value = p.after[name]
		}
		whole[name] = value
	}
	p.update = whole
	if d == api.DialectNodes2016 {
		return fmt.Errorf("%s cannot change nodes, and %s would change; remove the node and create it again", d, strings.Join(slices.Sorted(maps.Keys(whole)), ", "))
	}
	return nil
}

// result returns what the plan predicts.
func (p *plan) result() *ansible.Result {
	o := p.after
	if o == nil { // absent
		o = p.before
	}
	name := ""
	for _, o := range []api.Object{p.before, p.after} {
		if o != nil {
			name = p.of.kind.name + " " + called(o.Text(p.of.by), o.Text(keyUUID))
		}
	}
	result := &ansible.Result{
		Changed: p.changed(),
		Fields:  ansible.Fields{p.of.kind.name: cleaned(o)},
		Diff:    []ansible.Diff{{Before: p.comparable(p.before), After: p.comparable(p.shown), BeforeHeader: name, AfterHeader: name}},
	}
	for _, b := range p.extraDiffs {
		result.Diff[0].Before.(api.Object)[b.key], result.Diff[0].After.(api.Object)[b.key] = b.before, b.after //nolint:forcetypeassert // made above
	}
	for _, sub := range p.ports {
		if sub.changed() {
			result.Diff = append(result.Diff, sub.result().Diff...)
		}
	}
	return result
}

// notes are fields that the servers maintain themselves.
var notes = []string{"created_at", "updated_at", "provision_updated_at", "driver_internal_info", "reservation", "internal_info"}

// comparable returns a node for a diff: without fields that the servers maintain, or will choose.
func (p *plan) comparable(o api.Object) api.Object {
	c := cleaned(o)
	for key, value := range c {
		if slices.Contains(notes, key) || p.create != nil && string(value) == "null" {
			delete(c, key)
		}
	}
	return c
}
