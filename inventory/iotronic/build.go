package iotronic

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
	api "github.com/craton-fleet/craton/iotronic"
)

// Document is an inventory that is ready to be written: all names are decided, and only writing can fail.
type Document = ansible.Document

// Graph determines how a tree of groups is written.
type Graph = ansible.Graph

// host is a host of the document.
type host struct {
	name      string
	machine   *Machine
	variables ansible.Variables // all except the facts
}

// builder makes the document of a listing. It then implements [ansible.Hosts] for the document.
type builder struct {
	o             Options
	l             *Listing
	excludeFields *ansible.Excluder
	exclude       *ansible.Excluder
	hosts         []host // sorted by name
}

// Build decides everything about the inventory of a listing. It is a pure function: the same listing and options give
// the same document, byte for byte. It returns errors for names that collide or that Ansible does not accept, invalid
// addresses, and values that Ansible could not load; they name the node or board and the setting that helps.
func Build(l *Listing, o Options) (*Document, error) {
	b, err := build(l, o)
	if err != nil {
		return nil, err
	}
	groups, err := b.groups()
	if err != nil {
		return nil, err
	}
	return ansible.NewDocument(b, groups, o.trust()), nil
}

// build makes the hosts.
func build(l *Listing, o Options) (*builder, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	b := &builder{o: o, l: l, excludeFields: ansible.NewExcluder(o.ExcludeFields), exclude: ansible.NewExcluder(o.ExcludeVariables)}
	b.hosts = make([]host, len(l.Machines))
	for i, m := range l.Machines {
		b.hosts[i] = host{name: o.hostName(m), machine: m}
	}
	slices.SortFunc(b.hosts, func(x, y host) int {
		return cmp.Or(strings.Compare(x.name, y.name), strings.Compare(x.machine.UUID, y.machine.UUID))
	})
	for i := range b.hosts {
		if err := b.host(i); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Host returns the variables of one host as a compact JSON object, the same that the inventory has for it. It reads as
// much as the inventory does.
func Host(ctx context.Context, c *api.Client, o Options, name string) ([]byte, error) {
	l, err := Load(ctx, c, o)
	if err != nil {
		return nil, err
	}
	b, err := build(l, o)
	if err != nil {
		return nil, err
	}
	i, found := slices.BinarySearchFunc(b.hosts, name, func(h host, name string) int { return strings.Compare(h.name, name) })
	if !found {
		hint := ""
		if len(o.Filters) > 0 {
			hint = "; perhaps filters keep it out"
		}
		return nil, fmt.Errorf("the inventory has no host %q%s", name, hint)
	}
	return b.AppendVariables(nil, i), nil
}

// Len, Name and AppendVariables make the builder [ansible.Hosts].

func (b *builder) Len() int { return len(b.hosts) }

func (b *builder) Name(i int) string { return b.hosts[i].name }

// uniqueDigits is the number of digits of a UUID that make a name unique.
const uniqueDigits = 8

// hostName returns the name of a machine in the inventory.
func (o *Options) hostName(m *Machine) string {
	switch {
	case m.Name == "" || o.Hostname == ByUUID:
		return m.UUID
	case o.Hostname == Unique:
		return m.Name + "_" + m.UUID[:min(uniqueDigits, len(m.UUID))]
	}
	return m.Name
}

// host checks a host's name and makes its variables.
func (b *builder) host(i int) error {
	h := &b.hosts[i]
	if err := ansible.CheckHostName(h.name, 1); err != nil {
		return advice.With(fmt.Errorf("%s cannot be in the inventory: its name there is %q, which %w", h.machine, h.name, err), b.otherName(h.machine))
	}
	if i > 0 && b.hosts[i-1].name == h.name {
		help := map[Hostname]string{ByName: "set hostname to unique or uuid", Unique: "set hostname to uuid"}
		return advice.With(fmt.Errorf("two hosts are called %q in the inventory: %s and %s", h.name, b.hosts[i-1].machine, h.machine), cmp.Or(help[b.o.Hostname], "rename one of them"))
	}
	if err := b.checkFields(h.machine); err != nil {
		return err
	}
	h.variables = b.extraVariables(h.machine)
	if err := ansible.CheckVariables(h.variables, h.machine, b.o.Facts, b.exclude, b.o.trust()); err != nil {
		return err
	}
	address, err := b.address(h.machine)
	switch {
	case err != nil:
		return err
	case address != "":
		h.variables = append(h.variables, ansible.Variable{Name: ansible.HostAddress, Value: string(jsontext.AppendUTF8(nil, address))}).Tidy()
	case !ansible.IsAddress(h.name):
		return advice.With(fmt.Errorf("%s cannot be in the inventory: Ansible would connect to %q, which is neither a host name nor an address", h.machine, h.name), "rename it, or set hostname to uuid, or address_from to where its address is")
	}
	return nil
}

// otherName says what to do about a machine that cannot be named in the configured form.
func (b *builder) otherName(m *Machine) string {
	for _, form := range []Hostname{ByName, Unique, ByUUID} {
		o := Options{Hostname: form}
		if name := o.hostName(m); name != b.o.hostName(m) && ansible.CheckHostName(name, 1) == nil {
			return "rename it, or set hostname to " + string(form)
		}
	}
	return "rename it"
}

// checkFields finds fields that Ansible could not load.
func (b *builder) checkFields(m *Machine) error {
	if b.o.Facts == "" {
		return nil
	}
	for name, value := range m.Fields.All() {
		if b.excludeFields.Excludes(name) {
			continue
		}
		if ansible.IsMark(name) {
			return advice.With(fmt.Errorf("%s has a field %q, which Ansible would take for a marker of its own", m, name), "set exclude_fields to it")
		}
		if b.o.trust() == ansible.Untrusted && !ansible.IsInert(name) {
			return advice.With(fmt.Errorf("%s has a field %q, and ansible-core before 2.19 may execute a name that contains { or a part of #jinja2", m, name), "set exclude_fields to it")
		}
		if err := ansible.Loadable(value); err != nil {
			return advice.With(fmt.Errorf("the field %q of %s %w, which Ansible cannot load", name, m, err), "change it, or set exclude_fields to it")
		}
		if path, err := ansible.CheckMember(name, value); err != nil {
			return fmt.Errorf("the field %s of %s %w, or set exclude_fields to %q", path, m, err, name)
		}
	}
	return nil
}

// address returns the address to which Ansible connects, "" if none is set. It is never derived from anything else. An
// address that could be an option of ssh or a command is refused: permission to write to the API must not be enough to
// run commands where Ansible runs.
func (b *builder) address(m *Machine) (string, error) {
	for _, path := range b.o.AddressFrom {
		switch v := m.lookup(path); {
		case !v.Exists() || v.Type == gjson.Null || v.Type == gjson.String && v.Str == "":
			continue
		case v.Type != gjson.String || !ansible.IsAddress(v.Str):
			return "", advice.With(fmt.Errorf("%s of %s is %s, which is neither a host name nor an address", path, m, shown(v)), "correct it, or set address_from to another path")
		default:
			return v.Str, nil
		}
	}
	return "", nil
}

// shown returns a value for an error.
func shown(v gjson.Result) string {
	const most = 60
	text := v.Raw
	if v.Type == gjson.String {
		text = strconv.Quote(v.Str)
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// extraVariables returns the keys of extra that become variables.
func (b *builder) extraVariables(m *Machine) ansible.Variables {
	if len(b.o.ExtraVariables) == 0 {
		return nil
	}
	var found ansible.Variables
	extra, _ := m.Fields.Find("extra")
	gjson.Parse(extra).ForEach(func(key, value gjson.Result) bool {
		if b.o.isVariable(key.Str) && !b.exclude.Excludes(key.Str) {
			found = append(found, ansible.Variable{Name: key.Str, Value: value.Raw})
		}
		return true
	})
	return found.Tidy()
}
