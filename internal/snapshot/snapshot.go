package snapshot

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/walk"
	"github.com/craton-fleet/craton/internal/where"
)

// Options determine what is read besides clouds, regions, cells, hosts and network devices.
type Options struct {
	Networks bool // and their interfaces
	// Labels are read even if that costs a request for each device: the original server does not list them.
	Labels bool

	// Text is the text to search for, case-insensitively: if the fleet is read as one response, objects that cannot
	// contain it, and contain no such object, are left out and take no memory. Places of matching objects are kept,
	// others possibly.
	Text string
}

// Fleet is a complete fleet in memory.
type Fleet struct {
	Tag      string // identifies its state, like [craton.FleetMark]; "" if it was read in listings
	Complete bool   // the caller may read the project; otherwise its variables are those that regions inherit from it, and those that they override are unknown

	objects map[*schema.Kind][]*Object
	byID    map[reference]*Object
	project map[string]hierarchy.Variables // of each project
}

type reference struct{ kind, id string }

// Object is one object of a fleet, and implements [where.Object].
//
// If the fleet is read as one response, the text of each object is kept as received, and parsed when needed: a large
// fleet takes hardly more memory than its text.
type Object struct {
	Kind      *schema.Kind
	ID        string
	Name      string
	Inherited hierarchy.Variables // for a region, if the caller may not read the project: its resolved variables
	Protected bool                // if the server can protect objects

	text   string              // JSON, including its variables; "" if read in listings, which set ...
	fields craton.Object       // ... members, without the variables, ...
	own    hierarchy.Variables // ... and these; also set for places, which are used repeatedly
	labels []string            // of listings
	fleet  *Fleet
}

// Of returns all objects of a kind; for devices, both hosts and network devices.
func (f *Fleet) Of(k *schema.Kind) []*Object {
	if k == schema.Device {
		return slices.Concat(f.objects[schema.Host], f.objects[schema.NetworkDevice])
	}
	return f.objects[k]
}

// Read reads a fleet.
func Read(ctx context.Context, c *craton.Client, o Options) (*Fleet, error) {
	can, err := c.Capabilities(ctx)
	if err == nil && can.Has("fleet") { // if the server does not respond, the listings return a better error
		ask := craton.FleetOptions{Networks: o.Networks}
		if can.Has("fleet-text") && utf8.ValidString(o.Text) && len(o.Text) <= longestAsked {
			ask.Text = o.Text
		}
		return stream(ctx, c, ask, o.Text)
	}
	var f *Fleet
	err = walk.Retry(craton.IsMarkerGone, func() (err error) {
		f, err = list(ctx, c, o)
		return err
	})
	return f, err
}

func newFleet() *Fleet {
	return &Fleet{objects: map[*schema.Kind][]*Object{}, byID: map[reference]*Object{}, project: map[string]hierarchy.Variables{}}
}

// Matching returns the objects that match terms, evaluated by the client.
func Matching(ctx context.Context, c *craton.Client, terms *where.Where) ([]*Object, error) {
	f, err := Read(ctx, c, Options{Networks: terms.Kind == schema.Network, Labels: terms.AsksLabels()})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(f.Of(terms.Kind)), func(o *Object) bool { return !terms.Match(o) }), nil
}

// kinds returns the kinds that are read.
func (o Options) kinds() []*schema.Kind {
	kinds := []*schema.Kind{schema.Project, schema.Cloud, schema.Region, schema.Cell, schema.Host, schema.NetworkDevice}
	if o.Networks {
		kinds = append(kinds, schema.Network, schema.NetworkInterface)
	}
	return kinds
}

// longestAsked is the maximum length in bytes of a text for which the server searches: the length of a URL is limited.
const longestAsked = 2000

// stream reads a fleet as one response, and leaves out objects that cannot contain a text.
func stream(ctx context.Context, c *craton.Client, ask craton.FleetOptions, text string) (*Fleet, error) {
	lines, err := c.Fleet(ctx, ask)
	if err != nil {
		return nil, err
	}
	f := newFleet()
	f.Tag = lines.Tag
	kinds := map[craton.Kind]*schema.Kind{}
	sift := newMatcher(text)
	for line, err := range lines.All() {
		if err != nil {
			return nil, err
		}
		k := kinds[line.Kind]
		if k == nil {
			k = schema.ByName(string(line.Kind))
			kinds[line.Kind] = k
		}
		if !sift.keep(f, k, line) {
			continue
		}
		if sift.lost {
			return stream(ctx, c, ask, "")
		}
		one := f.addText(k, string(line.Object))
		one.Protected = line.Protected
		if line.Resolved != nil {
			one.Inherited = Variables(line.Resolved)
		}
	}
	f.finish()
	return f, nil
}

// list reads collection by collection.
func list(ctx context.Context, c *craton.Client, o Options) (*Fleet, error) {
	f := newFleet()
	for _, k := range o.kinds() {
		q := url.Values{}
		if k.Details {
			q.Set("details", "true")
		}
		if k.Inherits != nil {
			q.Set("resolved-values", "false")
		}
		for one, err := range c.Collection(craton.Kind(k.Name)).All(ctx, q) {
			if err != nil {
				if k == schema.Project && craton.IsForbidden(err) {
					break
				}
				return nil, err
			}
			f.add(k, *one)
		}
	}
	if f.objects[schema.Project] == nil {
		if err := f.readProject(ctx, c); err != nil {
			return nil, err
		}
	}
	if err := f.readHidden(ctx, c); err != nil {
		return nil, err
	}
	f.finish()
	if o.Labels {
		return f, f.readLabels(ctx, c)
	}
	return f, nil
}

// readProject reads the projects of the objects, for callers that may read one but not list them.
func (f *Fleet) readProject(ctx context.Context, c *craton.Client) error {
	seen := map[string]bool{}
	for _, cloud := range f.objects[schema.Cloud] {
		id := cloud.Field("project_id")
		if seen[id] {
			continue
		}
		seen[id] = true
		one, err := c.Collection(craton.KindProject).Get(ctx, id)
		switch {
		case craton.IsForbidden(err) || craton.IsNotFound(err):
		case err != nil:
			return err
		default:
			f.add(schema.Project, *one)
		}
	}
	return nil
}

// readHidden reads the resolved variables of regions, if the project is not read.
func (f *Fleet) readHidden(ctx context.Context, c *craton.Client) error {
	if f.objects[schema.Project] != nil {
		return nil
	}
	for _, region := range f.objects[schema.Region] {
		one, err := c.Collection(craton.KindRegion).Get(ctx, region.ID)
		if craton.IsNotFound(err) { // deleted meanwhile
			continue
		}
		if err != nil {
			return err
		}
		region.Inherited = Variables((*one)["variables"])
	}
	return nil
}

// labelStreams is the number of concurrent requests for labels.
const labelStreams = 8

func (f *Fleet) readLabels(ctx context.Context, c *craton.Client) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(labelStreams)
	for _, o := range f.Of(schema.Device) {
		if _, told := o.fields["labels"]; told {
			continue
		}
		g.Go(func() (err error) {
			o.labels, err = c.Collection(craton.Kind(o.Kind.Name)).Labels(gctx, o.ID)
			if craton.IsNotFound(err) {
				err = nil
			}
			return err
		})
	}
	return g.Wait()
}

// add adds an object that was read in a listing.
func (f *Fleet) add(k *schema.Kind, fields craton.Object) *Object {
	o := &Object{Kind: k, ID: fields.ID(), fields: fields, fleet: f, own: Variables(fields["variables"])}
	delete(fields, "variables")
	o.Name = o.Field(k.Title)
	o.labels = labelsIn(gjson.ParseBytes(fields["labels"]))
	return f.put(o)
}

// addText adds an object that was read as a text.
func (f *Fleet) addText(k *schema.Kind, text string) *Object {
	o := &Object{Kind: k, text: text, fleet: f}
	o.ID, o.Name = o.Field("id"), o.Field(k.Title)
	if !isDevice(k) {
		o.own = variablesIn(gjson.Get(text, memberVariables))
	}
	return f.put(o)
}

func (f *Fleet) put(o *Object) *Object {
	f.objects[o.Kind] = append(f.objects[o.Kind], o)
	f.byID[reference{o.Kind.Name, o.ID}] = o
	return o
}

func isDevice(k *schema.Kind) bool { return k == schema.Host || k == schema.NetworkDevice }

// labelsIn returns the labels of a JSON array.
func labelsIn(array gjson.Result) (labels []string) {
	array.ForEach(func(_, label gjson.Result) bool {
		labels = append(labels, label.Str)
		return true
	})
	return labels
}

// finish determines the variables of each project, as far as the caller may know them.
func (f *Fleet) finish() {
	for _, p := range f.objects[schema.Project] {
		f.project[p.ID] = p.own
		f.Complete = true
	}
	for _, region := range f.objects[schema.Region] {
		id := region.Field("project_id")
		if region.Inherited == nil || f.byID[reference{schema.Project.Name, id}] != nil {
			continue
		}
		levels := []hierarchy.Variables{region.own}
		if cloud := region.up("cloud_id"); cloud != nil {
			levels = append(levels, cloud.own)
		}
		f.project[id] = hierarchy.Over(f.project[id], region.Inherited.Without(levels...))
	}
}

// memberVariables is the member of an object with its own variables.
const memberVariables = "variables"

// Variables returns own variables, without the whitespace that the original server writes between parts of values.
func Variables(raw json.RawMessage) hierarchy.Variables { return variablesIn(gjson.ParseBytes(raw)) }

func variablesIn(object gjson.Result) (all hierarchy.Variables) {
	object.ForEach(func(key, value gjson.Result) bool {
		all = append(all, hierarchy.Variable{Name: key.String(), Value: tidy(value.Raw)})
		return true
	})
	return all.Tidy()
}

// tidy returns the text of a value without whitespace between its parts.
func tidy(text string) string {
	if strings.ContainsAny(text, " \t\r\n") {
		return string(jsontext.AppendClean(nil, text))
	}
	return text
}

// Own returns the object's own variables.
func (o *Object) Own() hierarchy.Variables {
	if o.own == nil && o.text != "" && isDevice(o.Kind) {
		return variablesIn(gjson.Get(o.text, memberVariables))
	}
	return o.own
}

// ownVariable returns one of the object's own variables.
func (o *Object) ownVariable(name string) (text string, has bool) {
	if o.own != nil || o.text == "" || !isDevice(o.Kind) {
		return o.own.Find(name)
	}
	gjson.Get(o.text, memberVariables).ForEach(func(key, value gjson.Result) bool {
		if key.String() == name { // of duplicates, the last counts
			text, has = value.Raw, true
		}
		return true
	})
	if has {
		text = tidy(text)
	}
	return text, has
}

// Field returns the text of a field: the digits of an id, "" for null and missing fields.
func (o *Object) Field(key string) string {
	if key == where.KeyProtected {
		return strconv.FormatBool(o.Protected)
	}
	if o.fields != nil {
		return o.fields.Text(key)
	}
	v := gjson.Get(o.text, key)
	switch v.Type {
	case gjson.Null:
		return ""
	case gjson.String:
		return v.Str
	}
	return v.Raw
}

// Labels returns the labels of a device.
func (o *Object) Labels() []string {
	if o.fields == nil {
		return labelsIn(gjson.Get(o.text, "labels"))
	}
	return o.labels
}

// up returns the object to which a reference refers, nil if it was not read.
func (o *Object) up(key string) *Object {
	id := o.Field(key)
	field := o.Kind.Field(key)
	if id == "" || field == nil {
		return nil
	}
	for _, kind := range field.To {
		if above := o.fleet.byID[reference{kind, id}]; above != nil {
			return above
		}
	}
	return nil
}

// Path returns the names of the object to which a reference refers, after those of its cloud and region; "" is the
// object itself.
func (o *Object) Path(key string) []string {
	of := o
	if key != "" {
		if of = o.up(key); of == nil {
			return nil
		}
	}
	path := []string{of.Name}
	for _, around := range []string{"region_id", "cloud_id"} {
		if above := of.up(around); above != nil {
			path = append([]string{above.Name}, path...)
		}
	}
	return path
}

// Place returns where an object is, for people: CLOUD/REGION/CELL/NAME.
func (o *Object) Place() string {
	if device := o.up("device_id"); device != nil {
		return device.Place() + "/" + o.Name
	}
	path := o.Path("")
	if cell := o.up("cell_id"); cell != nil {
		path = slices.Insert(path, len(path)-1, cell.Name)
	}
	return strings.Join(path, "/")
}

// Variable returns the JSON text of a variable.
func (o *Object) Variable(name string, own bool) (string, bool) {
	for r := range o.rungs() {
		if v, has := r.variable(name); has || own {
			return v, has
		}
	}
	return "", false
}

// Levels returns the object and everything from which it inherits, nearest first.
func (o *Object) Levels() (all []hierarchy.Level) {
	for r := range o.rungs() {
		all = append(all, r.level())
	}
	return all
}

// rung is a level: an object, or a project that was not read.
type rung struct {
	of      *Object
	project string // the id of a project
	fleet   *Fleet
}

func (r rung) level() hierarchy.Level {
	switch {
	case r.project == "":
		return hierarchy.Level{Kind: r.of.Kind.Name, ID: r.of.ID, Name: r.of.Name, Variables: r.of.Own()}
	case r.of == nil:
		return hierarchy.Level{Kind: schema.Project.Name, ID: r.project, Variables: r.fleet.project[r.project]}
	}
	return hierarchy.Level{Kind: schema.Project.Name, ID: r.project, Name: r.of.Name, Variables: r.fleet.project[r.project]}
}

func (r rung) variable(name string) (string, bool) {
	if r.project != "" {
		return r.fleet.project[r.project].Find(name)
	}
	return r.of.ownVariable(name)
}

func (o *Object) rungs() iter.Seq[rung] {
	steps := 0
	return hierarchy.Levels(o.Kind, rung{of: o, fleet: o.fleet}, func(r rung, key string) (rung, bool) {
		if key == "project_id" {
			id := o.Field(key)
			return rung{of: o.fleet.byID[reference{schema.Project.Name, id}], project: id, fleet: o.fleet}, true
		}
		if steps++; steps > len(o.fleet.byID)+len(o.Kind.Inherits) { // parents form a cycle
			return rung{}, false
		}
		above := r.of.up(key)
		return rung{of: above, fleet: o.fleet}, above != nil
	})
}

// Find returns the object of a kind with an id, nil if it was not read.
func (f *Fleet) Find(kind, id string) *Object { return f.byID[reference{kind, id}] }

// Texts yields the keys and texts of an object's text fields, in the order of its kind.
func (o *Object) Texts() iter.Seq2[string, string] {
	return func(yield func(key, text string) bool) {
		if !yield(o.Kind.Title, o.Name) {
			return
		}
		for _, f := range o.Kind.Fields {
			if !f.IsText() {
				continue
			}
			if text := o.Field(f.Key); text != "" && !yield(f.Key, text) {
				return
			}
		}
	}
}

// Fields returns the object's members as in the API, without its variables.
func (o *Object) Fields() craton.Object {
	if o.fields != nil {
		return o.fields
	}
	var fields craton.Object
	_ = fields.UnmarshalJSON([]byte(o.text)) // it is an object
	delete(fields, memberVariables)
	return fields
}
