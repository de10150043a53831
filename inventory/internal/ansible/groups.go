package ansible

import (
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
)

// Group is a group of an inventory.
type Group struct {
	Name     string
	What     string    // the object that it represents, for errors
	Setting  string    // the kind of group, which the setting groups can leave out
	Of       string    // what a plain group represents, such as a label
	Help     string    // what to do if another group has its name; "" means renaming one of the two objects
	Children []string  // sorted after Grouper.Groups was called
	Hosts    []int32   // indexes of the document's hosts, ascending, so that names are sorted
	Vars     Variables // variables of the group

	total int  // number of hosts in it and its descendants
	child bool // it is the child of another group
}

// IsChild reports whether a group is the child of another.
func (g *Group) IsChild() bool { return g.child }

// noKinds is the word for no kind at all, where an empty value is impossible, as in the environment.
const noKinds = "none"

// IsAlways reports whether a name is that of a group that Ansible always has.
func IsAlways(name string) bool { return name == all || name == ungrouped }

// Kinds returns the kinds of groups in the setting groups; none for the word none.
func Kinds[K ~string](words []string) ([]K, error) {
	if !slices.Contains(words, noKinds) {
		kinds := make([]K, len(words))
		for i, word := range words {
			kinds[i] = K(word)
		}
		return kinds, nil
	}
	if len(words) > 1 {
		return nil, advice.With(fmt.Errorf("groups is %s and also something else", noKinds), fmt.Sprintf("remove %s, or everything else", noKinds))
	}
	return nil, nil
}

// Grouper creates the groups of an inventory, and prevents two groups with the same name.
type Grouper struct {
	names  GroupNames
	byName map[string]*Group
	plain  map[member]*Group
}

// member identifies the object that a plain group represents.
type member struct{ kind, of string }

// NewGrouper returns a Grouper without groups.
func NewGrouper(names GroupNames) *Grouper {
	return &Grouper{names: names, byName: map[string]*Group{}, plain: map[member]*Group{}}
}

// Add adds a group under a name that no other may have.
func (g *Grouper) Add(one *Group) error {
	if other := g.byName[one.Name]; other != nil {
		help := "rename one of them"
		switch {
		case one.Help != "":
			help = one.Help
		case other.Help != "":
			help = other.Help
		case g.names != Exact:
			help += ", or set group_names to exact"
		}
		return advice.With(fmt.Errorf("%s and %s would both be the group %q", other.What, one.What, one.Name), help)
	}
	g.byName[one.Name] = one
	return nil
}

// Nest makes a group the child of another; both must have been added.
func (g *Grouper) Nest(parent, child *Group) {
	parent.Children = append(parent.Children, child.Name)
	child.child = true
}

// Join adds a host to the plain group of a kind that represents an object. describe returns the name of a new group and
// what it represents. Hosts must join in order.
func (g *Grouper) Join(host int32, kind, object string, describe func() (name, what string)) error {
	key := member{kind, object}
	one := g.plain[key]
	if one == nil {
		one = &Group{Setting: kind, Of: object}
		one.Name, one.What = describe()
		if err := g.Add(one); err != nil {
			return err
		}
		g.plain[key] = one
	}
	one.Hosts = append(one.Hosts, host)
	return nil
}

// Groups returns all groups, sorted by name. A host must not have the name of one of them, or of a group that Ansible
// always has: Ansible would confuse them. describe describes a host in that error.
func (g *Grouper) Groups(hosts Hosts, describe func(i int) string) ([]*Group, error) {
	all := make([]*Group, 0, len(g.byName))
	for _, one := range g.byName {
		slices.Sort(one.Children)
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *Group) int { return strings.Compare(a.Name, b.Name) })
	g.count(all)
	for i := range hosts.Len() {
		name, what := hosts.Name(i), ""
		if one := g.byName[name]; one != nil && one.Help != "" && one.Setting == "" {
			return nil, advice.With(fmt.Errorf("%s has the same name in the inventory as %s", describe(i), one.What), fmt.Sprintf("rename it, or %s", one.Help))
		} else if one != nil {
			what = fmt.Sprintf("the group of %s (to omit that group, remove %s from groups)", one.What, one.Setting)
		} else if IsAlways(name) {
			what = "a group of Ansible's own"
		} else {
			continue
		}
		return nil, advice.With(fmt.Errorf("%s has the same name in the inventory as %s", describe(i), what), "rename it, or set hostname to another form")
	}
	return all, nil
}

// count determines the number of hosts in each group, including its descendants. Groups with children form trees in
// which every host occurs once.
func (g *Grouper) count(all []*Group) {
	var total func(*Group) int
	total = func(one *Group) int {
		one.total = len(one.Hosts)
		for _, child := range one.Children {
			one.total += total(g.byName[child])
		}
		return one.total
	}
	for _, one := range all {
		if !one.child {
			total(one)
		}
	}
}
