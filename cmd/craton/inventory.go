package main

import (
	"context"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory"
)

// theInventory is the inventory as the command line asks for it.
type theInventory struct{}

func (theInventory) Levels(ctx context.Context, c *craton.Client, kind craton.Kind, id int) ([]hierarchy.Level, error) {
	k := inventory.HostKind
	if kind == craton.KindNetworkDevice {
		k = inventory.NetworkDeviceKind
	}
	f, err := inventory.LoadDevice(ctx, c, k, id)
	if err != nil {
		return nil, err
	}
	return f.Chain(f.Hosts[0]), nil
}

func (theInventory) Check(v *settings.Values) (excludes func(string) bool, err error) {
	o, err := inventory.FromSettings(v)
	return o.Excludes, err
}

func (theInventory) Try(ctx context.Context, c *craton.Client, v *settings.Values) (*cli.Trial, error) {
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
	t := &cli.Trial{Templates: exposed.Templates, Texts: exposed.Texts, Template: exposed.First, Trusted: o.TrustTemplates}
	t.Hosts, t.Groups = doc.Size()
	at := map[string][]string{}
	for _, d := range f.Hosts {
		at[d.IPAddress] = append(at[d.IPAddress], d.Name)
	}
	for _, address := range slices.Sorted(maps.Keys(at)) {
		if hosts := at[address]; len(hosts) > 1 {
			slices.Sort(hosts)
			t.Shared = append(t.Shared, cli.SharedAddress{Address: address, Hosts: hosts})
		}
	}
	return t, nil
}
