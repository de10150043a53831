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

// Resource is all that the commands of one kind of object differ in: a command such as host-list is the verb list with
// the resource host. A verb that the API lacks for a resource has no options here.
type Resource struct {
	kind *schema.Kind // nil if it is none of a fleet's; what is known of a kind is filled in by derive

	Name string // in commands: network-device
	path string // of the collection: /network-devices
	key  string // of the list in a body: network_devices

	Title  string // the column that names an object; "" is name
	uuid   bool   // ids are UUIDs, else integers
	places []string
	inside string // the key of the id of what a name is unique in; "" if that is the project

	Create []argparse.Option
	update []argparse.Option
	move   []argparse.Option
	List   []argparse.Option // an option that is only a key is that of the field
	// order is that of the members that a create takes, by key; again where an update has another.
	order, again []string
	// offersPlaces: an update has options for where the object stands. The API refuses them.
	offersPlaces bool
	// empties: a create sends texts that are empty.
	empties bool
	// nothing is what an update without options ends with; it does not name the members that are unsaid.
	nothing string
	unsaid  []string
	Fields  []string // columns of a list
	more    []string // columns that --detail adds
	hidden  []string // fields that are no columns
	details bool     // the list takes details=true, and then has variables
	// zeroIsNone: the list does not filter by the id 0.
	zeroIsNone bool
	// badSort returns the error for a key that a list cannot be sorted by.
	badSort func(key string, fields []string) error

	variables bool
	labels    bool
	// fixed are the keys of options of an update that the API refuses.
	fixed []string
	// holds are the kinds that a delete takes along, those within others after them; holdKey is where they have the id
	// of what holds them.
	holds   []*Resource
	holdKey string
	// refers is what the ids are of that objects have under keys such as cell_id.
	refers map[string]referred
	// secret is a member that is shown only when an object is made.
	secret string
}

// collection returns the client's way to the resource's objects.
func (s *Session) collection(r *Resource) *craton.Collection {
	return s.Client.Collection(craton.Kind(r.Name))
}

// Noun returns the resource for people: network device.
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
		return append(r.full(), where.KeyProtected) // v1's objects do not have it, so that it is shown where it is named
	}
	return r.full()
}

// full returns all columns that v1's objects fill, which --detail shows.
func (r *Resource) full() []string { return slices.Concat(r.Fields, r.more) }

// sortedByList returns host-list's error for a bad sort key, in its own words.
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

// Commands returns those of a resource, in alphabetical order, as help shows them.
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

// kindsOf returns resources as arguments name them, and resourcesOf the way back.
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
