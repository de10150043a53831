package modules

import (
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/modules/ansible"
	"github.com/craton-fleet/craton/modules/internal/options"
)

// moduleName returns the module of the resource.
func (r *resource) moduleName() string { return "craton_" + r.name() }

// fullName returns a module's name in a playbook.
func fullName(name string) string { return "craton.fleet." + name }

// byName is the end of the documentation of options that name objects of a kind.
func byName(kind string) []string {
	doc := []string{"A string of digits is taken as an id only if no object has that name."}
	if paths := reconcile.Paths(schema.ByName(kind)); paths != nil {
		doc = append([]string{fmt.Sprintf("If several have the same name, write C(%s).", strings.Join(paths, ") or C("))}, doc...)
	}
	return doc
}

// optMessage is the option of all modules that write. ansible-core reserves "message".
const optMessage = "change_message"

// messageOption returns the option for the setting of the command line.
func messageOption() ansible.Option {
	o := options.Of(settings.CLI.Only("message"))[0]
	o.Name = optMessage
	o.Description = []string{"Why the task changes something, in one line of at most 1024 bytes. C(craton server) records it with every change; other servers ignore it."}
	return o
}

// spec returns the Spec of craton_RESOURCE.
func (r *resource) spec() *ansible.Spec {
	s := &ansible.Spec{
		Name:  r.moduleName(),
		Short: fmt.Sprintf("Create, change and remove %s of Craton", article(r.Noun())),
		Description: []string{
			r.doc.is,
			fmt.Sprintf("Finds %s by its name (%s) or by its id, creates it if it does not exist, and changes what differs. What the task does not mention stays as it is.", article(r.Noun()), r.doc.key),
			"If nothing differs, it sends no write requests. Check mode reports exactly what the real run would do, errors included.",
		},
		Notes:             r.doc.notes,
		SeeAlso:           []ansible.SeeAlso{{Module: fullName(r.moduleName() + "_info")}, {Module: fullName("craton_fleet")}},
		SupportsCheckMode: true, SupportsDiff: true,
		Fragments: []*ansible.Fragment{connection()},
		Examples:  r.doc.examples,
	}
	if r.rootOnly != "" {
		s.Notes = append([]string{r.rootOnly}, s.Notes...)
	}
	s.Options = append(s.Options, r.nameOption(), r.idOption(), ansible.Option{
		Name: optState, Default: present, Choices: []any{present, absent},
		Description: []string{
			fmt.Sprintf("V(present) creates or updates the %s as the task says, V(absent) deletes it.", r.Noun()),
			fmt.Sprintf("A %s that does not exist counts as V(absent), even if the place that the task names does not exist either.", r.Noun()),
		}})
	s.RequiredOneOf = [][]string{{optName, optID}}
	for i := range r.Fields {
		s.Options = append(s.Options, r.fieldOption(&r.Fields[i]))
	}
	if r.onDevice() {
		s.Options = append(s.Options, whereOptions()...)
	}
	if r.Kind == schema.User {
		s.Options = append(s.Options, accessOptions()...)
		s.MutuallyExclusive = [][]string{{optRole, optIsAdmin}}
	}
	s.Options = append(s.Options, r.contentOptions()...)
	s.Returns = []ansible.Return{{
		Name: r.name(), Type: ansible.Dict, Returned: "success",
		Description: []string{
			fmt.Sprintf("The %s as it is now, even if nothing changed; in check mode as it would be, with null for values that the server would set.", r.Noun()),
			"With O(state=absent), the object as it was, or an empty dict if it did not exist.",
		},
		Contains: r.returns(true),
	}}
	if reconcile.Recreatable(r.Kind) && r.hasLabels() {
		s.Returns = append(s.Returns, ansible.Return{Name: optCarried, Type: ansible.List, Elements: ansible.Str, Sample: []string{`network interface "eth0" (id 4)`, `host "vm1" (id 9)`},
			Returned: "when it is recreated and others go with it", Description: []string{"What O(recreate=true) carries over: interfaces, which get new ids, and children."}})
	}
	return s
}

func (r *resource) nameOption() ansible.Option {
	return ansible.Option{Name: optName, Description: []string{
		fmt.Sprintf("The name of the %s, %s.", r.Noun(), unique(r.doc.key)),
		formerNames(r),
	}}
}

// unique returns the words of docs.key after a name.
func unique(key string) string {
	if strings.HasPrefix(key, "within") || strings.HasPrefix(key, "among") {
		return "unique " + key
	}
	return key
}

func formerNames(r *resource) string {
	if r.FixedTitle {
		return "The API cannot change it."
	}
	return fmt.Sprintf("With O(id), the %s is renamed to this.", r.Noun())
}

func (r *resource) idOption() ansible.Option {
	kind := ansible.Int
	if r.UUID {
		kind = ansible.Str
	}
	return ansible.Option{Name: optID, Type: kind, Description: []string{
		fmt.Sprintf("The id of the %s, instead of its name. It must exist, unless O(state=absent).", r.Noun())}}
}

func (r *resource) fieldOption(f *schema.Field) ansible.Option {
	o := ansible.Option{Name: f.Option(), Description: append([]string{}, r.text(f.Option()).doc...)}
	switch f.Type {
	case schema.Integer:
		o.Type = ansible.Int
	case schema.Flag:
		o.Type = ansible.Bool
	case schema.Reference:
		o.Description = append(o.Description, byName(f.To[0])...)
	}
	switch {
	case reconcile.PlaceField(f.Option()) != nil && f.Required:
		o.Description = append(o.Description, "May be omitted if the other names identify the place.")
	case f.Required && f.Option() != optProject:
		o.Description = append(o.Description, fmt.Sprintf("Required to create the %s.", r.Noun()))
	}
	switch {
	case f.Place() && r.Moves != nil:
		o.Description = append(o.Description, fmt.Sprintf("If the %s exists in another place, the task fails, unless O(move=true) or O(recreate=true).", r.Noun()))
	case f.Fixed:
		o.Description = append(o.Description, fmt.Sprintf("The API cannot change it. If the %s has another value, the task fails, unless O(recreate=true).", r.Noun()))
	}
	return o
}

// onDevice reports whether objects belong to a device, which the places help to find.
func (r *resource) onDevice() bool { return r.ByOption(optDevice) != nil }

// whereOptions determine where a device is searched for.
func whereOptions() []ansible.Option {
	return []ansible.Option{
		{Name: optCloud, Description: append([]string{"The cloud to look for the device in, by name or id."}, byName(optCloud)...)},
		{Name: optRegion, Description: append([]string{"The region to look for the device in, by name or id."}, byName(optRegion)...)},
	}
}

// contentOptions returns the options for labels, variables, and deleting contents.
func (r *resource) contentOptions() (options []ansible.Option) {
	if r.hasLabels() {
		options = append(options, ansible.Option{Name: optLabels, Type: ansible.List, Elements: ansible.Str, Description: []string{"The labels."}},
			ansible.Option{Name: optLabelsMode, Default: add, Choices: []any{add, exact}, Description: []string{
				"V(add) adds O(labels) to the existing ones, V(exact) also removes all others. V(exact) with an empty list removes all."}})
	}
	if r.hasVariables() {
		doc := []string{fmt.Sprintf("The %s's own variables: names and values of any type.", r.Noun()), "Numbers keep all their digits. Null is a value, and overrides an inherited one."}
		if r.Variables == schema.AtCreate {
			doc = append(doc, "The API cannot change them. If the current values differ, the task fails, unless O(recreate=true).")
		}
		options = append(options, ansible.Option{Name: optVariables, Type: ansible.Dict, Description: doc},
			ansible.Option{Name: optVariablesMode, Default: merge, Choices: []any{merge, replace}, Description: []string{
				"V(merge) sets O(variables) and keeps all others, V(replace) removes all others. Each value is replaced as a whole: dicts are not merged."}})
	}
	if r.Protects() {
		options = append(options, ansible.Option{Name: optProtected, Type: ansible.Bool, Description: []string{
			fmt.Sprintf("Whether the %s is protected: no task, command or fleet file can delete it or what contains it. All other changes are allowed.", r.Noun()),
			"To delete it, first set this to V(false) in a separate task.",
			"Works with servers that support it: C(craton server), and C(sqlite:PATH). With others it is an error, and nothing is written."}})
	}
	if reconcile.Holds(r.Kind) {
		options = append(options, ansible.Option{Name: optForce, Type: ansible.Bool, Default: false, Description: []string{
			fmt.Sprintf("With O(state=absent): delete the %s with everything that it contains. Without this option, the task fails if the %[1]s is not empty, and lists its contents.", r.Noun()),
			"The deletion is still refused if an object elsewhere depends on one of the deleted objects, such as a child on its parent.",
		}})
	}
	if r.Moves != nil {
		options = append(options, ansible.Option{Name: optMove, Type: ansible.Bool, Default: false, Description: []string{
			fmt.Sprintf("Move the %s if it is in another place than the task states. It keeps its id and all its values. If the name does not exist in the stated region but in exactly one other region, the %[1]s is moved from there.", r.Noun()),
			"Works with servers that support moves: C(craton server), and C(sqlite:PATH). With others it is an error, unless O(recreate=true)."}})
	}
	if reconcile.Recreatable(r.Kind) {
		options = append(options, ansible.Option{Name: optRecreate, Type: ansible.Bool, Default: false, Description: []string{
			fmt.Sprintf("If a value differs that the API cannot change, delete the %s and create it again, with a new id. What the task does not mention is kept.", r.Noun()),
			r.recreates(),
		}})
	}
	return options
}

// recreates describes what happens to the contents of a recreated object, and to objects that depend on it.
func (r *resource) recreates() string {
	if r.hasLabels() {
		return fmt.Sprintf("Interfaces and children are carried over: the new %s is created next to the old one, which is deleted once everything has moved. If a run fails part way, its error lists what was done, and the next run continues.", r.Noun())
	}
	return "The task fails while other objects depend on it or would be deleted with it. If it cannot be created again, the error contains everything needed to create it."
}

// returns documents an object in a result.
func (r *resource) returns(own bool) []ansible.Return {
	idType, idSample := ansible.Int, any(7)
	if r.UUID {
		idType, idSample = ansible.Str, "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"
	}
	always := func(name string, kind ansible.Type, sample any, doc string) ansible.Return {
		return ansible.Return{Name: name, Type: kind, Sample: sample, Returned: "always", Description: []string{doc}}
	}
	list := []ansible.Return{
		always(reconcile.KeyID, idType, idSample, "The id. Null in check mode if it would be created."),
		always(r.Title, ansible.Str, r.name()+"1", "The name."),
	}
	if r.View {
		list = append(list, always(reconcile.KeyKind, ansible.Str, schema.Host.Ident(), "V(host) or V(network_device). Network devices have C(model_name), C(os_version) and C(vlans) too."))
	}
	for _, f := range r.Fields {
		text := r.text(f.Option())
		kind, doc := ansible.Str, firstSentence(text.doc[0])
		switch f.Type {
		case schema.Integer:
			kind = ansible.Int
		case schema.Flag:
			kind = ansible.Bool
		case schema.Reference:
			kind = ansible.Int
			if f.Option() == optProject {
				kind = ansible.Str
			}
			doc = fmt.Sprintf("The id of the %s.", strings.ReplaceAll(f.Option(), "_", " "))
		}
		if !f.Required && f.Type != schema.Flag {
			doc += " Null if there is none."
		}
		list = append(list, always(f.Key, kind, text.sample, doc))
	}
	if r.ByOption(optProject) == nil && r.Kind != schema.Project {
		list = append(list, always(reconcile.KeyProject, ansible.Str, "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c", "The id of the project."))
	}
	list = append(list,
		always(reconcile.KeyCreated, ansible.Str, "2026-03-30T08:15:42.000000", "When it was created, in UTC."),
		always(reconcile.KeyUpdated, ansible.Str, "2026-04-02T17:01:09.000000", "When one of its values was last changed, in UTC; variables and labels do not count. Null for never."))
	if r.hasLabels() {
		l := always(reconcile.KeyLabels, ansible.List, []string{"canary", "web"}, "All labels, sorted.")
		l.Elements = ansible.Str
		list = append(list, l)
	}
	if r.hasVariables() {
		doc := "Its own variables."
		if !own && r.Inherits != nil {
			doc = "Its resolved variables, or its own variables with O(resolved=false)."
		}
		list = append(list, always(reconcile.KeyVariables, ansible.Dict, map[string]any{"role": "frontend"}, doc))
	}
	if (r.Protects() || r.View) && !own {
		list = append(list, always(reconcile.KeyProtected, ansible.Bool, false, "Whether it is protected from deletion. V(false) on servers that do not support protection."))
	}
	if r.Protects() && own {
		list = append(list, ansible.Return{Name: reconcile.KeyProtected, Type: ansible.Bool, Sample: true,
			Returned: "when the task has O(protected)", Description: []string{fmt.Sprintf("Whether the %s is protected from deletion.", r.Noun())}})
	}
	if r.Kind == schema.User && own {
		list = append(list, ansible.Return{Name: reconcile.KeyAPIKey, Type: ansible.Str, Sample: "d3b07384-d9a0-4c9b-8f0e-2f6f1a2b3c4d",
			Returned: "by the task that created the user, only once", Description: []string{"The user's first API key, a secret."}})
		list = append(list, accessReturns()...)
	}
	return list
}

// firstSentence returns the first sentence of a text; the others are for users who set the option.
func firstSentence(text string) string {
	first, _, more := strings.Cut(text, ". ")
	if more {
		first += "."
	}
	return first
}

// article puts "a" or "an" before a noun.
func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeio") {
		return "an " + noun
	}
	return "a " + noun
}
