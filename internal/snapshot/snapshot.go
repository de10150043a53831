package snapshot

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/walk"
	"github.com/craton-fleet/craton/internal/where"
)

// Options say what is read beside clouds, regions, cells, hosts and network devices.
type Options struct {
	Networks bool // and their interfaces
	// Labels are read where that costs a request for each device: the original server does not list them.
	Labels bool
}

// Fleet is what was read.
type Fleet struct {
	Complete bool // the caller may read the project; else its variables are what regions inherit of it, and what they hide is not known

	objects map[*schema.Kind][]*Object
	byID    map[reference]*Object
	project map[string]hierarchy.Variables // of each project
}

type reference struct{ kind, id string }

// Object is one object of a fleet. It is what terms look at: see [where.Object].
type Object struct {
	Kind      *schema.Kind
	ID        string
	Name      string
	Own       hierarchy.Variables
	Inherited hierarchy.Variables // of a region, where the caller may not read the project: what it resolves to

	fields craton.Object
	labels []string
	fleet  *Fleet
}

// Of are all objects of a kind; of devices hosts and network devices.
func (f *Fleet) Of(k *schema.Kind) []*Object {
	if k == schema.Device {
		return slices.Concat(f.objects[schema.Host], f.objects[schema.NetworkDevice])
	}
	return f.objects[k]
}

// Read reads a fleet.
func Read(ctx context.Context, c *craton.Client, o Options) (*Fleet, error) {
	can, err := c.Capabilities(ctx)
	if err == nil && can.Has("fleet") { // who cannot be asked is asked for listings, whose errors say more
		return stream(ctx, c, o)
	}
	var f *Fleet
	err = walk.Anew(craton.IsMarkerGone, func() (err error) {
		f, err = list(ctx, c, o)
		return err
	})
	return f, err
}

func newFleet() *Fleet {
	return &Fleet{objects: map[*schema.Kind][]*Object{}, byID: map[reference]*Object{}, project: map[string]hierarchy.Variables{}}
}

// Matching are the objects that satisfy terms, found on this side.
func Matching(ctx context.Context, c *craton.Client, terms *where.Where) ([]*Object, error) {
	f, err := Read(ctx, c, Options{Networks: terms.Kind == schema.Network, Labels: terms.AsksLabels()})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(f.Of(terms.Kind)), func(o *Object) bool { return !terms.Match(o) }), nil
}

// kinds are those that are read.
func (o Options) kinds() []*schema.Kind {
	kinds := []*schema.Kind{schema.Project, schema.Cloud, schema.Region, schema.Cell, schema.Host, schema.NetworkDevice}
	if o.Networks {
		kinds = append(kinds, schema.Network, schema.NetworkInterface)
	}
	return kinds
}

func stream(ctx context.Context, c *craton.Client, o Options) (*Fleet, error) {
	lines, err := c.Fleet(ctx, craton.FleetOptions{Networks: o.Networks})
	if err != nil {
		return nil, err
	}
	f := newFleet()
	for line, err := range lines.All() {
		if err != nil {
			return nil, err
		}
		var fields craton.Object
		if err := fields.UnmarshalJSON(line.Object); err != nil {
			return nil, err
		}
		one := f.add(schema.ByName(string(line.Kind)), fields)
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

// readProject reads the projects that objects are of, by those who may read one and not list them.
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

// readHidden reads what regions resolve to, where the project is not read.
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

// labelStreams is how many objects' labels are read at once.
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

func (f *Fleet) add(k *schema.Kind, fields craton.Object) *Object {
	o := &Object{Kind: k, ID: fields.ID(), fields: fields, fleet: f, Own: Variables(fields["variables"])}
	delete(fields, "variables")
	o.Name = o.Field(k.Title)
	if raw := fields["labels"]; raw != nil {
		gjson.ParseBytes(raw).ForEach(func(_, label gjson.Result) bool {
			o.labels = append(o.labels, label.Str)
			return true
		})
	}
	f.objects[k] = append(f.objects[k], o)
	f.byID[reference{k.Name, o.ID}] = o
	return o
}

// finish finds what each project gives, as far as the caller may know.
func (f *Fleet) finish() {
	for _, p := range f.objects[schema.Project] {
		f.project[p.ID] = p.Own
		f.Complete = true
	}
	for _, region := range f.objects[schema.Region] {
		id := region.Field("project_id")
		if region.Inherited == nil || f.byID[reference{schema.Project.Name, id}] != nil {
			continue
		}
		levels := []hierarchy.Variables{region.Own}
		if cloud := region.up("cloud_id"); cloud != nil {
			levels = append(levels, cloud.Own)
		}
		f.project[id] = hierarchy.Over(f.project[id], region.Inherited.Without(levels...))
	}
}

// Variables are those that an object came with, without the space around the parts of values that the original writes.
func Variables(raw json.RawMessage) hierarchy.Variables {
	var all hierarchy.Variables
	gjson.ParseBytes(raw).ForEach(func(key, value gjson.Result) bool {
		text := value.Raw
		if strings.ContainsAny(text, " \t\r\n") {
			text = string(jsontext.AppendClean(nil, text))
		}
		all = append(all, hierarchy.Variable{Name: key.String(), Value: text})
		return true
	})
	return all.Tidy()
}

// Field is the text of a field: of an id its digits, "" for null and what is not there.
func (o *Object) Field(key string) string { return o.fields.Text(key) }

// Labels are those of a device.
func (o *Object) Labels() []string { return o.labels }

// up is what a reference names, nil if that was not read.
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

// Path is what a reference names, behind the names of the cloud and region around it; "" is the object itself.
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

// Place is where an object is, for people: CLOUD/REGION/CELL/NAME.
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

// Variable is the JSON text of a variable.
func (o *Object) Variable(name string, own bool) (string, bool) {
	for level := range o.levels() {
		if v, has := level.Variables.Find(name); has || own {
			return v, has
		}
	}
	return "", false
}

// Levels are the object and all that it inherits from, the nearest first.
func (o *Object) Levels() []hierarchy.Level { return slices.Collect(o.levels()) }

func (o *Object) levels() func(yield func(hierarchy.Level) bool) {
	type rung struct {
		hierarchy.Level
		of *Object
	}
	at := func(o *Object) (rung, bool) {
		if o == nil {
			return rung{}, false
		}
		return rung{hierarchy.Level{Kind: o.Kind.Name, ID: o.ID, Name: o.Name, Variables: o.Own}, o}, true
	}
	self, _ := at(o)
	steps := 0
	return func(yield func(hierarchy.Level) bool) {
		for r := range hierarchy.Levels(o.Kind, self, func(of rung, key string) (rung, bool) {
			if key != "project_id" {
				if steps++; steps > len(o.fleet.byID)+len(o.Kind.Inherits) { // parents in a circle
					return rung{}, false
				}
				return at(of.of.up(key))
			}
			id := o.Field(key)
			level := hierarchy.Level{Kind: schema.Project.Name, ID: id, Variables: o.fleet.project[id]}
			if p := o.fleet.byID[reference{level.Kind, id}]; p != nil {
				level.Name = p.Name
			}
			return rung{Level: level}, true
		}) {
			if !yield(r.Level) {
				return
			}
		}
	}
}

// Find is the object of a kind with an id, nil if it was not read.
func (f *Fleet) Find(kind, id string) *Object { return f.byID[reference{kind, id}] }

// Texts yields the keys and texts of an object's fields that are texts, in the order of its kind.
func (o *Object) Texts() iter.Seq2[string, string] {
	return func(yield func(key, text string) bool) {
		if !yield(o.Kind.Title, o.Name) {
			return
		}
		for _, f := range o.Kind.Fields {
			if f.Type == schema.Reference || f.Type == schema.Flag {
				continue
			}
			if text := o.Field(f.Key); text != "" && !yield(f.Key, text) {
				return
			}
		}
	}
}

// Fields are the object's members as the API has them, without its variables.
func (o *Object) Fields() craton.Object { return o.fields }
