package doctor

import (
	"context"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/inventory"
)

// trial is the result of building an inventory.
type trial struct {
	hosts, groups int
	of            string // the state of the fleet: "" for the present
	// templates is the number of strings that Ansible would execute if they were not marked, and template is the
	// position of the first. texts is the number of dictionaries that are written as text, because Ansible would
	// execute their keys. trusted means that it may execute them.
	templates, texts int
	template         string
	trusted          bool
	// shared are addresses of several hosts, with the names of these hosts, both sorted.
	shared []sharedAddress
}

// sharedAddress is an address of several hosts.
type sharedAddress struct {
	address string
	hosts   []string
}

// tryInventory builds the inventory for the settings, and discards it.
func tryInventory(ctx context.Context, c *craton.Client, v *settings.Values) (*trial, error) {
	o, err := inventory.FromSettings(v)
	if err != nil {
		return nil, err
	}
	f, err := inventory.Load(ctx, c, o)
	if err != nil {
		return nil, err
	}
	doc, err := inventory.Build(f, o)
	if err != nil {
		return nil, err
	}
	exposed := f.Exposure(o)
	t := &trial{templates: exposed.Templates, texts: exposed.Texts, template: exposed.First, trusted: o.TrustTemplates}
	t.hosts, t.groups = doc.Size()
	if o.At != (when.At{}) {
		t.of = ", as of " + o.At.Words()
	}
	at := map[string][]string{}
	for _, d := range f.Hosts {
		at[d.IPAddress] = append(at[d.IPAddress], d.Name)
	}
	for _, address := range slices.Sorted(maps.Keys(at)) {
		if hosts := at[address]; len(hosts) > 1 {
			slices.Sort(hosts)
			t.shared = append(t.shared, sharedAddress{address, hosts})
		}
	}
	return t, nil
}
