package object

import (
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/where"
)

// Resource is what distinguishes the commands of one kind of objects: a command such as host-list is the verb list for
// the resource host. A verb that the API lacks for a resource has no options here.
type Resource struct {
	kind *schema.Kind // nil if it is not in a fleet; derive fills in what is known about a kind

	Name string // in commands: network-device
	path string // of the collection: /network-devices
	key  string // of the list in a body: network_devices

	Title  string // the column that names an object; "" is name
	uuid   bool   // ids are UUIDs, otherwise integers
	places []string
	inside string // the key of the container's id within which a name is unique; "" if that is the project

	Create []argparse.Option
	update []argparse.Option
	move   []argparse.Option
	List   []argparse.Option // an option that consists of a key is that of the field
	// order is the order of the members of a create, by key; again for an update if it differs.
	order, again []string
	// offersPlaces: an update has options for the object's place. The API refuses them.
	offersPlaces bool
	// empties: a create sends empty texts.
	empties bool
	// nothing is the error of an update without options; it does not name members without options.
	nothing string
	unsaid  []string
	Fields  []string // columns of a list
	more    []string // columns that --detail adds
	hidden  []string // fields that are not columns
	details bool     // the list accepts details=true, and then contains variables
	// zeroIsNone: the list does not filter by the id 0.
	zeroIsNone bool
	// badSort returns the error for a key by which a list cannot be sorted.
	badSort func(key string, fields []string) error

	variables bool
	labels    bool
	// fixed are the keys of options of an update that the API refuses.
	fixed []string
	// holds are the kinds that are deleted too, contents after their containers; holdKey is the key of the container's
	// id.
	holds   []*Resource
	holdKey string
	// refers maps keys of ids, such as cell_id, to the objects to which they refer.
	refers map[string]referred
	// secret is a member that is shown only when an object is created.
	secret string
}

// collection returns the client's collection for the resource.
func (s *Session) collection(r *Resource) *craton.Collection {
	return s.Client.Collection(craton.Kind(r.Name))
}

// Noun returns the name of the resource for people: network device.
func (r *Resource) Noun() string { return strings.ReplaceAll(r.Name, "-", " ") }

// Capital returns the noun at the start of a sentence.
func (r *Resource) Capital() string { return strings.ToUpper(r.Name[:1]) + r.Noun()[1:] }

// nameKey returns the member that names an object.
func (r *Resource) nameKey() string {
	if r.Title != "" {
		return r.Title
	}
	return "name"
}

// Positional returns the argument that names an object: <host>.
func (r *Resource) Positional() string { return "<" + r.Name + ">" }

// Columns returns all columns that a list can have.
func (r *Resource) Columns() []string {
	if r.kind != nil && (r.kind.Protects() || r.kind.View) {
		return append(r.full(), where.KeyProtected) // v1's objects do not have it, so it is shown only on request
	}
	return r.full()
}

// full returns all columns that v1's objects have, which --detail shows.
func (r *Resource) full() []string { return slices.Concat(r.Fields, r.more) }

// sortedByList returns host-list's error for an invalid sort key, in its own words.
func sortedByList(key string, fields []string) error {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = argparse.Quoted(f)
	}
	return fmt.Errorf("%s is an invalid key for sorting,  valid values for --sort-key are: [%s]", key, strings.Join(all, ", "))
}

// sortedByText returns cell-list's.
func sortedByText(key string, fields []string) error {
	return fmt.Errorf(`"--sort-key" value was "%s" but should be one of: %s`, key, strings.Join(fields, ", "))
}

// Commands returns the commands of a resource, in alphabetical order, as help shows them.
func (r *Resource) Commands() []*Command {
	var all []*Command
	add := func(is bool, c *Command) {
		if is {
			c.resource, c.Of, c.Name = r, r, r.Name+"-"+c.Name
			if r.chosen() {
				c.Terms = r.termStarts()
			}
			c.Paged = c.reads
			if c.reads && r.kind != schema.User {
				c.Options = slices.Concat(c.Options, pastOptions)
			}
			all = append(all, c)
		}
	}
	add(r.Create != nil, createVerb(r))
	add(r.Create != nil, deleteVerb(r))
	for _, c := range keyVerbs(r) {
		add(true, c)
	}
	add(r.labels, labelsVerb(r, "add"))
	add(r.labels, labelsVerb(r, "delete"))
	add(r.labels, labelsVerb(r, "get"))
	add(r.labels, labelsVerb(r, "set"))
	add(r.List != nil, listVerb(r))
	add(r.move != nil, moveVerb(r))
	for _, c := range roleVerbs(r) {
		add(true, c)
	}
	add(r.Create != nil, showVerb(r))
	add(r.update != nil, updateVerb(r))
	add(r.variables, varsDeleteVerb(r))
	add(r.variables, varsGetVerb(r))
	add(r.variables, varsSetVerb(r))
	return all
}

// kindsOf converts resources to kinds for arguments, and resourcesOf converts them back.
func kindsOf(resources []*Resource) []argparse.Kind {
	kinds := make([]argparse.Kind, len(resources))
	for i, r := range resources {
		kinds[i] = r
	}
	return kinds
}

func resourcesOf(kinds []argparse.Kind) []*Resource {
	resources := make([]*Resource, len(kinds))
	for i, k := range kinds {
		resources[i] = k.(*Resource) //nolint:forcetypeassert // nothing else is one here
	}
	return resources
}
