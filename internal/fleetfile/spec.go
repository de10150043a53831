package fleetfile

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// kindSpec defines what a fleet file can contain for one kind of object.
type kindSpec struct {
	*schema.Kind
	noun     string   // its name in errors
	list     string   // the key of its list
	options  []string // the keys of its fields, in the documented order; those not in a literal come last
	lists    []*kindSpec
	required []string          // the options that each object needs
	hints    map[string]string // for keys that people try and that do not exist
}

// The kinds, from the inside out.
var (
	interfaceSpec = spec(kindSpec{
		Kind: schema.NetworkInterface, noun: "interface", list: "interfaces",
		options: []string{"interface_type", "ip_address", "network", "vlan_id", "vlan", "duplex", "link", "cdp", "security", "port", "speed"},
		hints: map[string]string{
			"note":   "the API has no note for an interface; use a variable",
			"labels": "the API has no labels for an interface; label its host",
			"active": "the API has no field active for an interface; use a variable",
		},
	})
	hostSpec = spec(kindSpec{
		Kind: schema.Host, noun: "host", list: "hosts",
		options: []string{"ip_address", "device_type", "active", "note", "parent"},
		lists:   []*kindSpec{interfaceSpec},
		hints: map[string]string{
			"cell":  "put the host into the list of its cell",
			"vars":  `did you mean "variables"?`,
			"label": `did you mean "labels"?`,
		},
	})
	networkDeviceSpec = spec(kindSpec{
		Kind: schema.NetworkDevice, noun: "network device", list: "network_devices",
		options: []string{"ip_address", "device_type", "active", "parent", "model_name", "os_version", "vlans"},
		lists:   []*kindSpec{interfaceSpec},
		hints: map[string]string{
			"cell":  "put the network device into the list of its cell",
			"note":  "the API has no note for a network device; use a variable",
			"vars":  `did you mean "variables"?`,
			"label": `did you mean "labels"?`,
		},
	})
	networkSpec = spec(kindSpec{
		Kind: schema.Network, noun: "network", list: "networks",
		options: []string{"cidr", "gateway", "netmask", "cell", "ip_block_type", "nss"},
		hints: map[string]string{
			"note": "the API has no note for a network; use a variable",
			"vars": `did you mean "variables"?`,
		},
	})
	cellSpec = spec(kindSpec{
		Kind: schema.Cell, noun: "cell", list: "cells",
		lists: []*kindSpec{hostSpec, networkDeviceSpec},
		hints: map[string]string{
			"networks": "put the networks into the list of the region, each with its cell",
			"vars":     `did you mean "variables"?`,
		},
	})
	regionSpec = spec(kindSpec{
		Kind: schema.Region, noun: "region", list: "regions",
		lists: []*kindSpec{cellSpec, networkSpec, hostSpec, networkDeviceSpec},
		hints: map[string]string{"vars": `did you mean "variables"?`},
	})
	cloudSpec = spec(kindSpec{
		Kind: schema.Cloud, noun: "cloud", list: "clouds",
		lists: []*kindSpec{regionSpec},
		hints: map[string]string{
			"hosts": "put the hosts into the list of their region or cell",
			"cells": "put the cells into the list of their region",
			"vars":  `did you mean "variables"?`,
		},
	})
	projectSpec = spec(kindSpec{
		Kind: schema.Project, noun: "project", list: "project",
		hints: map[string]string{
			"name": "the file applies to your own project, which you select together with the API's URL and your user",
			"vars": `did you mean "variables"?`,
		},
	})
)

// spec adds the fields that a literal does not name. The place of an object follows from the list that contains it.
func spec(s kindSpec) *kindSpec {
	for _, f := range s.Fields {
		if !f.Place() && !slices.Contains(s.options, f.Option()) {
			s.options = append(s.options, f.Option())
		}
	}
	for _, key := range s.options {
		if s.ByOption(key).Required {
			s.required = append(s.required, key)
		}
	}
	return &s
}

// keys returns all keys of an object, for errors.
func (s *kindSpec) keys() []string {
	var keys []string
	if s != projectSpec {
		keys = append(keys, "name")
	}
	keys = append(keys, s.options...)
	if s.Protects() {
		keys = append(keys, reconcile.KeyProtected)
	}
	if s.hasLabels() {
		keys = append(keys, "labels")
	}
	keys = append(keys, "variables")
	for _, l := range s.lists {
		keys = append(keys, l.list)
	}
	return keys
}

func (s *kindSpec) hasLabels() bool { return s.Labels != schema.Unlabelled }

// field returns the field of a key; nil if a file cannot have it.
func (s *kindSpec) field(key string) *schema.Field {
	if !slices.Contains(s.options, key) {
		return nil
	}
	return s.ByOption(key)
}

// scalar reads a field other than a reference: its canonical value, or what is wrong with it.
func scalar(f *schema.Field, t *tree) (v any, problem string) {
	switch f.Type {
	case schema.Integer:
		n, err := strconv.Atoi(t.text)
		switch {
		case t.shape == null:
			return nil, "must be a whole number; omit the key to keep the field unchanged: the API cannot unset a number"
		case t.shape != number || err != nil:
			return nil, fmt.Sprintf("must be a whole number such as 100, not %s", describe(t))
		}
		return checked(reconcile.Check(f, n))
	case schema.Flag:
		if t.shape == boolean {
			return t.text == "true", ""
		}
		if t.plain { // text in YAML, a boolean for Ansible's modules
			switch t.text {
			case "y", "Y":
				return true, ""
			case "n", "N":
				return false, ""
			}
		}
		return nil, fmt.Sprintf("must be true or false, not %s", describe(t))
	}
	switch {
	case t.shape == null && !f.Required:
		return nil, ""
	case t.shape != text:
		return nil, textProblem(t)
	case t.text == "" && f.Required:
		return nil, value.ErrEmpty.Error()
	}
	return checked(reconcile.Check(f, t.text))
}

// checked returns a value, or the text of its error.
func checked(v any, err error) (any, string) {
	if err != nil {
		return nil, err.Error()
	}
	return v, ""
}

// nameProblem returns what is wrong with a name, or "".
func nameProblem(t *tree) string {
	switch t.shape {
	case null:
		return value.ErrEmpty.Error()
	case text:
		_, problem := checked(nil, reconcile.CheckName(t.text))
		return problem
	}
	return textProblem(t)
}

func textProblem(t *tree) string {
	switch t.shape {
	case number, boolean:
		return fmt.Sprintf("must be text, not %s; put it in quotes", describe(t))
	}
	return fmt.Sprintf("must be text, not %s", describe(t))
}

// describe describes a value for an error: its shape, with the text of a short number or boolean.
func describe(t *tree) string {
	switch {
	case (t.shape == number || t.shape == boolean) && t.written != "" && t.written != t.text && len(t.written) <= 32:
		return fmt.Sprintf("%s, which YAML takes for %s", t.written, describe(leaf(t.line, t.shape, t.text)))
	case t.shape == number && len(t.text) <= 32:
		return "the number " + t.text
	case t.shape == boolean:
		return t.text
	case t.shape == text && len(t.text) <= 32:
		return fmt.Sprintf("the text %q", t.text)
	}
	return t.shape.String()
}
