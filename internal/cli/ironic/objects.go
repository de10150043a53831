package ironic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/iotronic"
)

func iotronicShow(k *kind) *verb {
	options := []argparse.Option{object.FieldsOption}
	if k.Name == "node" {
		options = append(options, argparse.Option{Long: "instance", Kind: argparse.SwitchOption, Help: "<node> is the UUID of the instance that runs on it; for Ironic"})
	}
	return &verb{
		Command: argparse.Command{Name: "show", Paged: true, Short: "Show details of " + k.article() + " " + k.Noun(), Options: options, Target: true},
		does: func(ctx context.Context, t *session, c *argparse.Call) error {
			fields, err := k.shown(t.dialect, c)
			if err != nil {
				return err
			}
			o, err := t.one(ctx, k, c, fields)
			if err != nil {
				return t.near(ctx, k, c.Target, err)
			}
			if c.Given("fields") {
				o = part(o, fields)
			}
			return t.printObject(o)
		},
	}
}

// one reads a single object, with all fields if the API does not support a selection.
func (t *session) one(ctx context.Context, k *kind, c *argparse.Call, fields []string) (gjson.Result, error) {
	switch {
	case c.Given("instance"):
		n, err := t.client.Nodes.ByInstance(ctx, c.Target)
		if err != nil {
			return gjson.Result{}, err
		}
		return result(n.Fields), nil
	case !c.Given("fields") || !k.chooses(t.dialect):
		fields = nil
	}
	o, err := k.api.get(ctx, t.client, c.Target, fields...)
	if iotronic.IsForbidden(err) && k.listed {
		if o, found := t.listed(ctx, k, c.Target); found {
			return o, nil
		}
	}
	return o, err
}

// listed finds the one object with a UUID or name in the list of all.
func (t *session) listed(ctx context.Context, k *kind, word string) (gjson.Result, bool) {
	at := k.at(t.dialect)
	objects, err := t.everything(ctx, k, parameters{"fields": slices.Concat(at.short, at.more)}, 0)
	objects = slices.DeleteFunc(objects, func(o gjson.Result) bool { return o.Get(keyUUID).Str != word && o.Get("name").Str != word })
	if err != nil || len(objects) != 1 {
		return gjson.Result{}, false
	}
	return objects[0], true
}

// part returns an object with some of its members. Missing ones are null, as in a list.
func part(o gjson.Result, fields []string) gjson.Result {
	var b strings.Builder
	for _, f := range fields {
		raw := o.Get(f).Raw
		if raw == "" {
			raw = "null"
		}
		b.WriteString("," + string(object.JSONText(f)) + ":" + raw)
	}
	return gjson.Parse("{" + b.String()[1:] + "}")
}

// printObject prints one object. A table leaves out URLs of other parts of the API.
func (t *session) printObject(o gjson.Result) error {
	if t.Format == show.FormatTable {
		var fields []string
		for _, m := range show.Members(o) {
			if !rest.IsLinks(m.Value) {
				fields = append(fields, m.Key)
			}
		}
		o = part(o, fields)
	}
	return t.PrintObject(o)
}

// attributesOption sets attributes of a new object without showing them in a list of processes.
var attributesOption = argparse.Option{Long: "json", Meta: "<file>",
	Help: "attributes as a JSON object, in a file or - for standard input, which hides them from other users; options override them"}

func iotronicCreate(k *kind) *verb {
	options := append(slices.Clone(k.Create), attributesOption)
	if k.awaits != nil {
		options = append(options, waitOption)
	}
	return &verb{
		Command: argparse.Command{Name: "create", Short: "Register a new " + k.Noun(), Options: options, Instead: attributesOption.Long},
		does: func(ctx context.Context, t *session, c *argparse.Call) error {
			p, err := t.attributes(c)
			if err != nil {
				return fmt.Errorf("argument %s: %w", attributesOption.Argument(), err)
			}
			options, err := t.parameters(ctx, k.Create, c)
			if err != nil {
				return err
			}
			if location, ok := locationOf(c); ok {
				options["location"] = []iotronic.Location{location}
			}
			if err := t.checkRequired(k, c, p); err != nil {
				return err
			}
			if err := named(k, c, p); err != nil {
				return err
			}
			seconds, err := patience(c)
			if err != nil {
				return err
			}
			p.overlay(options)
			if err := t.resolveFleet(ctx, k, p); err != nil {
				return err
			}
			if k.awaits == nil || !c.Given("wait") {
				made, err := k.api.create(ctx, t.client, p)
				if err != nil {
					return err
				}
				return t.printObject(made)
			}
			ctx, stop := run.Interruptible(ctx)
			defer stop()
			made, err := k.api.create(ctx, t.client, p)
			if err != nil {
				return cmp.Or(run.Interrupted(ctx, fmt.Sprintf("the %s may have been created: `craton iotronic %[1]s-list` shows whether it was", k.Name)), err)
			}
			id := made.Get(keyUUID).Str
			limited, cancel := within(ctx, seconds)
			defer cancel()
			if made, err = k.awaits(limited, t.client, id); err != nil {
				return cmp.Or(run.Interrupted(ctx, fmt.Sprintf("%s %s was created, and Ironic continues to work on it: `craton iotronic %[1]s-show %[2]s` shows its state", k.Name, id)), err)
			}
			return t.printObject(made)
		},
	}
}

// attributes returns the attributes of a new object that are not options.
func (t *session) attributes(c *argparse.Call) (parameters, error) {
	p := parameters{}
	if !c.Given(attributesOption.Long) {
		return p, nil
	}
	text, err := t.content(c.Text(attributesOption.Long), true)
	if err != nil {
		return nil, err
	}
	object := objectIn([]byte(text))
	switch word := c.Text(attributesOption.Long); {
	case object != nil:
	case text == word:
		return nil, argparse.Misused("%q is neither a file nor a JSON object", word)
	default:
		return nil, argparse.Misused("the input is not a JSON object")
	}
	for key, value := range object {
		p[key] = value
	}
	return p, nil
}

// objectIn returns a JSON object; nil if the text is not one.
func objectIn(text []byte) iotronic.Object {
	var o iotronic.Object
	if json.Unmarshal(text, &o) != nil {
		return nil
	}
	return o
}

// overlay overrides parameters by others; within objects, key by key.
func (p parameters) overlay(more parameters) {
	for key, value := range more {
		below, _ := p[key].(json.RawMessage)
		if object, ok := value.(iotronic.Object); ok {
			if whole := objectIn(below); whole != nil {
				maps.Copy(whole, object)
				value = whole
			}
		}
		p[key] = value
	}
}

// places are the options for a location.
var places = []string{"latitude", "longitude", "altitude"}

// locationOf returns the location of a new object; false if none is given.
func locationOf(c *argparse.Call) (iotronic.Location, bool) {
	return iotronic.Location{Latitude: c.Text("latitude"), Longitude: c.Text("longitude"), Altitude: c.Text("altitude")},
		slices.ContainsFunc(places, c.Given)
}

// checkRequired checks that a new node or board has what its dialect requires, from options or attributes: argparse
// cannot check that.
func (t *session) checkRequired(k *kind, c *argparse.Call, attributes parameters) error {
	required := append([]string{"code", "name"}, places...)
	switch {
	case k.required != nil:
		required = k.required
	case t.dialect == iotronic.DialectIronic:
		required = []string{"driver"}
		if slices.ContainsFunc(places, c.Given) {
			return argparse.Misused("%s does not store locations of nodes: omit --%s", titles[t.dialect], strings.Join(places, ", --"))
		}
	}
	var missing []string
	for _, name := range required {
		_, there := attributes[k.keyOf(name)]
		if slices.Contains(places, name) {
			_, there = attributes["location"]
		}
		if !c.Given(name) && !there {
			missing = append(missing, "--"+name)
		}
	}
	if missing != nil {
		return argparse.Misused("a %s in %s requires %s", k.Noun(), titles[t.dialect], strings.Join(missing, ", "))
	}
	return nil
}

// named refuses an empty name, with which Ironic would create an object without a name.
func named(k *kind, c *argparse.Call, attributes parameters) error {
	for i := range k.Create {
		if o := &k.Create[i]; o.Key == "name" && c.Given(o.Long) && c.Text(o.Long) == "" {
			return argparse.Misused("argument %s: the name is empty; set a name, or omit the option", o.Argument())
		}
	}
	if raw, ok := attributes["name"].(json.RawMessage); ok && !c.Given("name") && string(raw) == `""` {
		return argparse.Misused("argument --%s: the name is empty; set a name, or omit it", attributesOption.Long)
	}
	return nil
}

// keyOf returns the attribute for an option of a new object.
func (k *kind) keyOf(option string) string {
	for i := range k.Create {
		if o := &k.Create[i]; o.Long == option && o.Key != "" {
			return o.Key
		}
	}
	return option
}

// hasPorts reports whether Ironic deletes ports along with objects of the kind.
func (k *kind) hasPorts() bool { return k.Name == "node" }

func iotronicDelete(k *kind) *verb {
	var options []argparse.Option
	long := "Delete one or more " + k.plural() + ", by " + k.known() + ". If one cannot be deleted, the others are still deleted."
	if k.hasPorts() {
		options = []argparse.Option{object.YesOption, object.DryRunOption}
		long += "\n\nIronic deletes the ports of a " + k.Noun() + " too. If a " + k.Noun() + " has ports, or something is deployed on it, the command asks for\nconfirmation on a terminal; elsewhere it requires --yes."
	}
	return &verb{
		Command: argparse.Command{Name: "delete", Short: "Delete " + k.plural(), Target: true, Rest: true, Options: options, Long: long},
		does: func(ctx context.Context, t *session, c *argparse.Call) error {
			var failures []error
			if k.hasPorts() {
				if err := t.mayDelete(ctx, k, c); err != nil || c.Given("dry-run") {
					return err
				}
			}
			for _, id := range append([]string{c.Target}, c.Words...) {
				if err := k.api.remove(ctx, t.client, id); err != nil {
					why := plainly(t.near(ctx, k, id, err))
					failures = append(failures, run.NewWordedError("", fmt.Sprintf("Failed to delete %s %s: %s", k.Noun(), show.Clean(id), why), "", err))
					continue
				}
				t.Say("%s %s was successfully deleted.", k.Capital(), id)
			}
			return errors.Join(failures...)
		},
	}
}

// known returns how objects of the kind are identified, for people.
func (k *kind) known() string {
	if k.Name == "chassis" || strings.HasPrefix(k.Name, "volume-") {
		return "UUID"
	}
	return k.knownBy(iotronic.DialectIronic) + " or UUID"
}

// plural returns the noun of several objects.
func (k *kind) plural() string {
	if strings.HasSuffix(k.Noun(), "s") {
		return k.Noun()
	}
	return k.Noun() + "s"
}

// knownBy returns the field that identifies objects of the kind, besides their UUID.
func (k *kind) knownBy(d iotronic.Dialect) string {
	if k.Name == "port" && d == iotronic.DialectIronic {
		return "address"
	}
	return "name"
}

// mayDelete asks for confirmation if Ironic deletes ports along with nodes, or if something is deployed on one.
func (t *session) mayDelete(ctx context.Context, k *kind, c *argparse.Call) error {
	dry := c.Given("dry-run")
	if c.Given("yes") && !dry {
		return nil
	}
	var full, used []string
	for _, id := range append([]string{c.Target}, c.Words...) {
		ports := object.Amount{Kind: &object.Resource{Name: "port"}}
		deployed := ""
		if t.dialect == iotronic.DialectIronic {
			n, err := t.client.Nodes.Get(ctx, id, "provision_state")
			switch {
			case iotronic.IsNotFound(err) && !dry: // the deletion will report it
				continue
			case err != nil:
				return t.near(ctx, k, id, err)
			case slices.Contains(inUse, n.ProvisionState):
				deployed = n.ProvisionState
				used = append(used, id+" ("+deployed+")")
			}
			found, err := t.everything(ctx, portKind(k), parameters{"node": id}, object.MaxCounted)
			switch {
			case iotronic.IsNotFound(err) && !dry: // the deletion will report it
				continue
			case err != nil:
				return t.near(ctx, k, id, err)
			}
			ports.N, ports.More = len(found), len(found) >= object.MaxCounted
		}
		if dry {
			with := ports.String()
			if deployed != "" {
				with += ", while it is " + deployed
			}
			t.Say("Would delete %s %s with %s.", k.Noun(), id, with)
		}
		if ports.N > 0 {
			full = append(full, id+" ("+ports.String()+")")
		}
	}
	if full == nil && used == nil || dry {
		return nil
	}
	var why []string
	if full != nil {
		why = append(why, fmt.Sprintf("Ironic would also delete the ports of %s.", strings.Join(full, ", ")))
	}
	if used != nil {
		why = append(why, fmt.Sprintf("Something is deployed on %s, and Ironic would neither tear it down nor power it off.", strings.Join(used, ", ")))
	}
	return object.Consent(t.Streams, strings.Join(why, " "))
}

// inUse are the states of nodes with a deployment. Ironic deletes such a node only in maintenance.
var inUse = strings.Split("active,deploy failed,error,rescue,rescue failed,unrescue failed,service failed,service hold", ",")

// partVerb returns a command that lists parts of an object: name is their noun, fields their columns.
func partVerb[T any](k *kind, name string, fields, aliases []string, list func(context.Context, *iotronic.Client, string) ([]*T, error),
	whole func(*T) iotronic.Object,
) *verb {
	return &verb{
		Command: argparse.Command{Name: name + "-list", Paged: true, Short: "List the " + name + "s of a " + k.Noun(), Target: true}, aliases: aliases,
		does: func(ctx context.Context, t *session, c *argparse.Call) error {
			parts, err := list(ctx, t.client, c.Target)
			if err != nil {
				return t.near(ctx, k, c.Target, err)
			}
			return t.PrintList(results(parts, whole), fields)
		},
	}
}

// boardCommands returns the commands that only boards have.
func boardCommands(k *kind) []*verb {
	at := []string{"created_at", "updated_at"}
	return []*verb{
		partVerb(k, "plugin", append([]string{"plugin", "status", "onboot"}, at...), []string{"plugins-on-board"},
			func(ctx context.Context, c *iotronic.Client, id string) ([]*iotronic.Injection, error) {
				return c.Boards.Plugins(ctx, id)
			},
			func(i *iotronic.Injection) iotronic.Object { return i.Fields }),
		partVerb(k, "service", append([]string{"service", "public_port"}, at...), []string{"services-on-board"},
			func(ctx context.Context, c *iotronic.Client, id string) ([]*iotronic.ExposedService, error) {
				return c.Boards.Services(ctx, id)
			},
			func(s *iotronic.ExposedService) iotronic.Object { return s.Fields }),
		partVerb(k, "port", strings.Fields("uuid MAC_add VIF_name network ip"), nil,
			func(ctx context.Context, c *iotronic.Client, id string) ([]*iotronic.Port, error) {
				return c.Boards.Ports(ctx, id)
			}, portFields),
		partVerb(k, "webservice", strings.Fields("uuid name port secure"), []string{"webservices-on-board"},
			func(ctx context.Context, c *iotronic.Client, id string) ([]*iotronic.Webservice, error) {
				return c.Boards.Webservices(ctx, id)
			},
			func(w *iotronic.Webservice) iotronic.Object { return w.Fields }),
	}
}

// driverCommands returns the commands that only drivers have.
func driverCommands(k *kind) []*verb {
	return []*verb{{
		Command: argparse.Command{Name: "properties", Paged: true, Short: "Show the driver_info properties of a driver", Target: true},
		does: func(ctx context.Context, t *session, c *argparse.Call) error {
			properties, err := t.client.Drivers.Properties(ctx, c.Target)
			if err != nil {
				return t.near(ctx, k, c.Target, err)
			}
			texts := map[string]any{}
			for name, text := range properties {
				texts[name] = text
			}
			return t.PrintMembers("Name", result(iotronic.Values(texts)))
		},
	}}
}

// article returns the indefinite article of the noun.
func (k *kind) article() string {
	if strings.ContainsRune("aeiou", rune(k.Name[0])) {
		return "an"
	}
	return "a"
}
