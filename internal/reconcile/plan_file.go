package reconcile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// PlanMark is the first member of a plan.
//
// A plan in a file is one JSON object. Its first member distinguishes it from fleet files, where that key does not
// exist, and from files of other programs; its value is the version of the format, and other versions are refused. The
// changes that write something are in "changes", one per line; they refer to each other by their position. "needs" are
// unchanged objects that the plan relies on.
const (
	PlanMark    = "craton_plan"
	planVersion = 1
)

// planHead is a plan without its changes.
type planHead struct {
	Version  int              `json:"craton_plan"`
	Made     time.Time        `json:"made"`
	Names    []string         `json:"files"`
	URL      string           `json:"url"`
	Project  string           `json:"project"`
	Revision string           `json:"revision"`
	New      bool             `json:"new"`
	Hashed   []string         `json:"hashed_keys"`
	Counts   Counts           `json:"counts"`
	Effects  *Effects         `json:"effects"`
	Set      *PlannedSet      `json:"set,omitempty"`
	Belongs  []craton.SetSize `json:"belongs,omitempty"`
	Needs    []need           `json:"needs"`
}

// planEntry is a change in a file: its description for people, what to send, and the object for which it was planned.
// Objects are read as texts, and written as objects.
type planEntry[V any] struct {
	Action Action       `json:"action"`
	Kind   string       `json:"kind"`
	Name   string       `json:"name"`
	From   string       `json:"from,omitempty"`
	Fields []string     `json:"fields,omitempty"`
	Before map[string]V `json:"before,omitzero"`
	After  map[string]V `json:"after,omitzero"`

	Level int          `json:"level"`
	Found map[string]V `json:"found,omitempty"` // from the API: fields, own variables, labels if known
	// Values of fields are JSON scalars, or the position of the change in the plan that creates the referenced object.
	Create map[string]planValue       `json:"create,omitempty"`
	Move   map[string]planValue       `json:"move,omitempty"`
	Update map[string]planValue       `json:"update,omitempty"`
	Set    map[string]json.RawMessage `json:"set,omitempty"`
	Unset  []string                   `json:"unset,omitempty"`
	Add    []string                   `json:"add_labels,omitempty"`
	Drop   []string                   `json:"drop_labels,omitempty"`
	// Protect is the new state of protection; the previous one is in "found".
	Protect *bool `json:"protect,omitempty"`
}

// planValue is the value of a field.
type planValue struct {
	Value  any  `json:"value,omitempty"`
	Change *int `json:"change,omitempty"` // the object which that change creates
}

// need is an object that a plan relies on: its existence, name and place.
type need struct {
	Kind string `json:"kind"`
	ID   any    `json:"id"`
	Name string `json:"name"` // with its places
	Own  string `json:"own"`  // its own
	In   any    `json:"in"`   // the id of the container of its name; null for a cloud
}

// encode writes a plan that was made from a tree.
func (p *Plan) encode(w io.Writer) error {
	if p.Set != nil && p.Set.Refused != nil {
		return &RefusedError{*p.Set.Refused}
	}
	if p.planner == nil {
		return errors.New("a plan that was read from a file cannot be saved again")
	}
	b := bufio.NewWriterSize(w, 1<<16)
	places := map[*treeStep]int{}
	for _, st := range p.steps {
		if st.change.Action != Unchanged {
			places[st] = len(places)
		}
	}
	e := &planEncoder{Plan: p, places: places, needs: map[needKey]need{}}
	head, err := value.Encode(planHead{planVersion, p.Made.UTC(), append([]string{}, p.Names...), p.URL, p.Project, p.Revision, p.New, append([]string{}, p.Hashed...), p.Counts(), p.Effects, p.Set, p.Belongs, nil})
	if err != nil {
		return err
	}
	head = bytes.TrimSuffix(head, []byte(`,"needs":null}`))
	_, _ = b.Write(append(head, ",\"changes\":["...)) // Flush returns the error
	first := true
	for _, st := range p.steps {
		if st.change.Action == Unchanged {
			continue
		}
		text, err := value.Encode(e.entry(st))
		if err != nil {
			return err
		}
		if !first {
			_ = b.WriteByte(',')
		}
		first = false
		_ = b.WriteByte('\n')
		_, _ = b.Write(text)
	}
	needs := slices.SortedFunc(maps.Values(e.needs), func(a, b need) int { return strings.Compare(a.Kind+" "+a.Name, b.Kind+" "+b.Name) })
	text, err := value.Encode(append([]need{}, needs...))
	if err != nil {
		return err
	}
	_, _ = b.WriteString("\n],\"needs\":" + string(text) + "}\n")
	return b.Flush()
}

type needKey struct {
	space *schema.Kind
	id    any
}

// planEncoder converts steps to entries, and collects what they rely on.
type planEncoder struct {
	*Plan
	places map[*treeStep]int
	needs  map[needKey]need
}

func (e *planEncoder) entry(st *treeStep) planEntry[any] {
	st = e.restore(st, false)
	ch := &st.change
	entry := planEntry[any]{Action: ch.Action, Kind: ch.Kind, Name: ch.Name, From: ch.From, Fields: ch.Fields, Before: ch.Before, After: ch.After,
		Level: st.level, Unset: st.Unset, Add: st.AddLabels, Drop: st.Drop, Protect: st.Protect}
	if st.Create {
		entry.Create = e.values(st, st.body())
		return entry
	}
	entry.Found = make(map[string]any, len(st.Before))
	for key, v := range st.Before {
		// Times change without a write to the object, and the project is always the caller's own.
		if key != KeyCreated && key != KeyUpdated && (key != KeyID || st.Kind != schema.Project) {
			entry.Found[key] = v
		}
	}
	if st.Protect == nil {
		delete(entry.Found, KeyProtected)
	}
	entry.Move, entry.Update, entry.Set = e.values(st, st.Move), e.values(st, st.Update), st.Set
	return entry
}

// values returns fields in the format of the file.
func (e *planEncoder) values(st *treeStep, fields map[string]any) map[string]planValue {
	if len(fields) == 0 {
		return nil
	}
	out := make(map[string]planValue, len(fields))
	for key, v := range fields {
		if made, ok := v.(*treeStep); ok {
			at := e.places[made]
			out[key] = planValue{Change: &at}
			continue
		}
		out[key] = planValue{Value: v}
		if f := st.Kind.Field(key); f != nil && f.Type == schema.Reference && v != nil {
			e.need(f, v)
		}
	}
	return out
}

// need records an object that a change refers to.
func (e *planEncoder) need(f *schema.Field, id any) {
	space := Space(schema.ByName(f.To[0]))
	key := needKey{space, id}
	if _, known := e.needs[key]; known {
		return
	}
	r := e.planner.state.byID[space][id]
	if r == nil {
		return
	}
	e.needs[key] = need{Kind: r.Kind.Name, ID: id, Name: e.planner.state.fullPath(r), Own: r.name(), In: scopeOf(r)}
}

// IsPlan reports whether a file with this beginning is a plan, of whatever version.
func IsPlan(begin []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(begin, " \t\r\n"), []byte("{"))
	return ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(`"`+PlanMark+`"`))
}

// ReadPlan reads a plan that [Fleet.Save] has written. The error says what is wrong with the file.
func ReadPlan(r io.Reader) (*Plan, error) {
	p, err := readPlan(json.NewDecoder(r))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file is incomplete")
	}
	if err != nil {
		return nil, fmt.Errorf("the plan cannot be read: %w; make a new plan", err)
	}
	return p, nil
}

func readPlan(d *json.Decoder) (*Plan, error) {
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, cmpErr(err, errors.New("it is not a JSON object"))
	}
	p, head := &Plan{}, planHead{}
	members := map[string]any{PlanMark: &head.Version, "made": &p.Made, "files": &p.Names, "url": &p.URL, "project": &p.Project, "revision": &p.Revision, "new": &p.New, "hashed_keys": &p.Hashed,
		"counts": &head.Counts, "effects": &p.Effects, "set": &p.Set, "belongs": &p.Belongs, "needs": &p.needs}
	for first := true; d.More(); first = false {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		if key := name.(string); key == "changes" && !first { //nolint:forcetypeassert // a member's name is a text
			err = p.readEntries(d)
		} else if into := members[key]; into != nil {
			err = d.Decode(into)
		} else {
			err = fmt.Errorf("it has the unknown member %q", value.Brief(key))
		}
		if err != nil {
			return nil, err
		}
		if first && head.Version != planVersion {
			return nil, fmt.Errorf("it has version %d, but this program reads version %d", head.Version, planVersion)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text after its end")
	}
	p.counts.Unchanged = head.Counts.Unchanged
	if p.Counts() != head.Counts {
		return nil, errors.New("its counts do not match its changes")
	}
	for i := range p.needs {
		p.needs[i].ID, p.needs[i].In = asStored(p.needs[i].ID), asStored(p.needs[i].In)
		if schema.ByName(p.needs[i].Kind) == nil {
			return nil, fmt.Errorf("it needs an object of the unknown kind %q", value.Brief(p.needs[i].Kind))
		}
	}
	return p, nil
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func (p *Plan) readEntries(d *json.Decoder) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return cmpErr(err, errors.New("its changes are not a list"))
	}
	var all []func() error
	for d.More() {
		var e planEntry[json.RawMessage]
		if err := d.Decode(&e); err != nil {
			return err
		}
		st, links, err := p.step(&e)
		if err != nil {
			return fmt.Errorf("change %d, %s %s: %w", len(p.steps), value.Brief(e.Kind), value.Brief(e.Name), err)
		}
		p.steps = append(p.steps, st)
		all = append(all, links...)
	}
	for _, link := range all {
		if err := link(); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// maxLevels is the maximum number of levels of a plan: parents can be nested.
const maxLevels = 1 << 20

// step converts an entry to a step; links set the references to other steps once all steps exist.
func (p *Plan) step(e *planEntry[json.RawMessage]) (st *treeStep, links []func() error, err error) {
	k := schema.ByName(e.Kind)
	if k == nil || k.View || k == schema.User {
		return nil, nil, errors.New("its kind is unknown")
	}
	if e.Level < 0 || e.Level > maxLevels {
		return nil, nil, errors.New("its level is out of range")
	}
	st = &treeStep{Step: &Step{Kind: k, Unset: e.Unset, AddLabels: e.Add, Drop: e.Drop, Protect: e.Protect}, level: e.Level}
	ch := &st.change
	*ch = Change{Action: e.Action, Kind: e.Kind, Name: e.Name, From: e.From, Fields: e.Fields}
	if ch.Before, err = decoded(e.Before); err != nil {
		return nil, nil, err
	}
	if ch.After, err = decoded(e.After); err != nil {
		return nil, nil, err
	}
	put := func(values map[string]planValue, into ...Object) {
		for key, v := range values {
			for _, o := range into {
				if v.Change == nil {
					o[key] = asStored(v.Value)
					continue
				}
				o[key] = nil // after all changes have been read
				links = append(links, func() error {
					if at := *v.Change; at >= 0 && at < len(p.steps) && p.steps[at].Create {
						o[key] = p.steps[at]
						return nil
					}
					return fmt.Errorf("%s of the %s %s does not refer to a change that creates something", value.Brief(key), value.Brief(e.Kind), value.Brief(e.Name))
				})
			}
		}
	}
	switch e.Action {
	case Created:
		if len(e.Create) == 0 {
			return nil, nil, errors.New("it creates nothing")
		}
		st.Create, st.After, st.given = true, Object{}, Object{}
		put(e.Create, st.After, st.given)
		for _, key := range []string{KeyVariables, KeyLabels} {
			if v, ok := ch.After[key]; ok {
				st.After[key] = v
			}
		}
	case Updated, Moved, Renamed, Deleted:
		if st.Before, err = decodeTimeless(k, e.Found); err != nil {
			return nil, nil, err
		}
		if e.Protect != nil {
			st.Before[KeyProtected] = string(e.Found[KeyProtected]) == "true"
		}
		if k != schema.Project && st.Before[KeyID] == nil {
			return nil, nil, errors.New("the object that it changes is missing")
		}
		st.id, ch.ID = st.Before[KeyID], st.Before[KeyID]
		st.have = &Found{st.Before, k}
		st.Remove = e.Action == Deleted
		st.Set = e.Set
		st.After, st.own = st.Before.Clone(), true
		if len(e.Move) > 0 {
			st.Move = Object{}
			put(e.Move, st.Move, st.After)
		}
		if len(e.Update) > 0 {
			st.Update = Object{}
			put(e.Update, st.Update, st.After)
		}
		if !st.Changes() {
			return nil, nil, errors.New("it changes nothing")
		}
	default:
		return nil, nil, fmt.Errorf("its action %q is unknown", value.Brief(string(e.Action)))
	}
	if what := differs(st, e); what != "" {
		return nil, nil, fmt.Errorf("what it would do to %s differs from what it shows", value.Brief(what))
	}
	return st, links, nil
}

// decoded reads what a change shows.
func decoded(m map[string]json.RawMessage) (map[string]any, error) {
	if m == nil {
		return nil, nil
	}
	out := make(map[string]any, len(m))
	for key, text := range m {
		var err error
		switch key {
		case KeyVariables:
			var v craton.Variables
			err = json.Unmarshal(text, &v)
			out[key] = v
		case KeyLabels:
			var l []string
			err = json.Unmarshal(text, &l)
			out[key] = l
		default:
			d := json.NewDecoder(bytes.NewReader(text))
			d.UseNumber()
			var v any
			err = d.Decode(&v)
			out[key] = asStored(v)
		}
		if err != nil {
			return nil, fmt.Errorf("its %s: %w", value.Brief(key), err)
		}
	}
	return out, nil
}

// asStored converts a JSON number to the type that objects use.
func asStored(v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	if i, err := n.Int64(); err == nil {
		return int(i)
	}
	return n.String()
}
