package fleetfile

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value"
)

// Kinds of objects, as Change.Kind has them.
const (
	KindProject          = "project"
	KindCloud            = "cloud"
	KindRegion           = "region"
	KindCell             = "cell"
	KindNetwork          = "network"
	KindHost             = "host"
	KindNetworkDevice    = "network-device"
	KindNetworkInterface = "network-interface"
)

// maxText is the length of the API's text columns, in characters (v1 contract §2.1.4).
const maxText = 255

// kindSpec is what a fleet file can say about one kind of object.
type kindSpec struct {
	kind      string
	noun      string // as an error names it
	list      string // the key of its list
	class     class  // whose names it shares
	fields    []fieldSpec
	variables bool
	// fixedVariables: they are set by the create only (v1 contract §2.2: interfaces have no /variables).
	fixedVariables bool
	labels         bool
	// createLabels: the create takes labels (hosts); otherwise they are added afterwards.
	createLabels bool
	lists        []*kindSpec       // what it holds
	hints        map[string]string // for keys that people look for and that are not there
}

// class is a set of kinds that share one space of names (v1 contract §6.2).
type class int

const (
	classProject class = iota
	classCloud
	classRegion
	classCell
	classNetwork
	classDevice // hosts and network devices
	classInterface
)

// String is the class as an error names it.
func (c class) String() string {
	return [...]string{"project", "cloud", "region", "cell", "network", "host or network device", "interface"}[c]
}

// fieldSpec is a key of an object beside its name, variables, labels and lists. The API has it by the same key.
type fieldSpec struct {
	key      string
	form     form
	required bool
	fixed    bool // the API cannot change it (v1 contract §2.4)
	unbound  bool // longer than maxText is fine
}

// form is how a field is written and compared.
type form int

const (
	formText    form = iota // "" and null are the same
	formAddress             // IPv4 or IPv6
	formPrefix              // such as 10.20.0.0/24
	formInteger
	formFlag
	// References: by name in the file, by the id under api() in the API.
	formParent  // to a host or network device
	formCell    // to a cell of the region
	formNetwork // to a network
)

// reference tells the forms that name another object, and which class it is of.
func (f form) reference() (class, bool) {
	switch f {
	case formParent:
		return classDevice, true
	case formCell:
		return classCell, true
	case formNetwork:
		return classNetwork, true
	}
	return 0, false
}

// api is the key of the field in the API's bodies: references are ids there.
func (f fieldSpec) api() string {
	if _, ok := f.form.reference(); ok {
		return f.key + "_id"
	}
	return f.key
}

// equal compares what the API has with what the file says, both as canonical values.
func (f fieldSpec) equal(have, want any) bool {
	h, okH := have.(string)
	w, okW := want.(string)
	if okH && okW {
		switch f.form {
		case formAddress:
			return value.EqualAddress(h, w)
		case formPrefix:
			return value.EqualPrefix(h, w)
		}
	}
	return have == want
}

// The kinds, from the inside out.
var (
	interfaceSpec = &kindSpec{
		kind: KindNetworkInterface, noun: "interface", list: "interfaces", class: classInterface,
		variables: true, fixedVariables: true,
		fields: []fieldSpec{
			{key: "interface_type", form: formText, required: true},
			{key: "ip_address", form: formAddress, required: true, fixed: true},
			{key: "network", form: formNetwork, fixed: true},
			{key: "vlan_id", form: formInteger, fixed: true},
			{key: "vlan", form: formText},
			{key: "duplex", form: formText},
			{key: "link", form: formText},
			{key: "cdp", form: formText},
			{key: "security", form: formText},
			{key: "port", form: formInteger},
			{key: "speed", form: formInteger},
		},
		hints: map[string]string{
			"note":   "the API keeps no note of an interface; use a variable",
			"labels": "the API keeps no labels of an interface; label its host",
			"active": "the API knows no active of an interface; use a variable",
		},
	}
	hostSpec = &kindSpec{
		kind: KindHost, noun: "host", list: "hosts", class: classDevice,
		variables: true, labels: true, createLabels: true,
		fields: []fieldSpec{
			{key: "ip_address", form: formAddress, required: true},
			{key: "device_type", form: formText, required: true},
			{key: "active", form: formFlag},
			{key: "note", form: formText, unbound: true},
			{key: "parent", form: formParent},
		},
		lists: []*kindSpec{interfaceSpec},
		hints: map[string]string{
			"cell":  "put the host into the list of its cell",
			"vars":  `did you mean "variables"?`,
			"label": `did you mean "labels"?`,
		},
	}
	networkDeviceSpec = &kindSpec{
		kind: KindNetworkDevice, noun: "network device", list: "network_devices", class: classDevice,
		variables: true, labels: true,
		fields: []fieldSpec{
			{key: "ip_address", form: formAddress, required: true},
			{key: "device_type", form: formText, required: true},
			{key: "active", form: formFlag, fixed: true},
			{key: "parent", form: formParent},
			{key: "model_name", form: formText},
			{key: "os_version", form: formText},
			{key: "vlans", form: formText},
		},
		lists: []*kindSpec{interfaceSpec},
		hints: map[string]string{
			"cell":  "put the network device into the list of its cell",
			"note":  "the API keeps no note of a network device; use a variable",
			"vars":  `did you mean "variables"?`,
			"label": `did you mean "labels"?`,
		},
	}
	networkSpec = &kindSpec{
		kind: KindNetwork, noun: "network", list: "networks", class: classNetwork,
		variables: true,
		fields: []fieldSpec{
			{key: "cidr", form: formPrefix, required: true},
			{key: "gateway", form: formAddress, required: true},
			{key: "netmask", form: formText, required: true},
			{key: "cell", form: formCell, fixed: true},
			{key: "ip_block_type", form: formText},
			{key: "nss", form: formText},
		},
		hints: map[string]string{
			"note": "the API keeps no note of a network; use a variable",
			"vars": `did you mean "variables"?`,
		},
	}
	cellSpec = &kindSpec{
		kind: KindCell, noun: "cell", list: "cells", class: classCell,
		variables: true,
		fields:    []fieldSpec{noteField},
		lists:     []*kindSpec{hostSpec, networkDeviceSpec},
		hints: map[string]string{
			"networks": "put the networks into the list of the region, each with its cell",
			"vars":     `did you mean "variables"?`,
		},
	}
	regionSpec = &kindSpec{
		kind: KindRegion, noun: "region", list: "regions", class: classRegion,
		variables: true,
		fields:    []fieldSpec{noteField},
		lists:     []*kindSpec{cellSpec, networkSpec, hostSpec, networkDeviceSpec},
		hints:     map[string]string{"vars": `did you mean "variables"?`},
	}
	cloudSpec = &kindSpec{
		kind: KindCloud, noun: "cloud", list: "clouds", class: classCloud,
		variables: true,
		fields:    []fieldSpec{noteField},
		lists:     []*kindSpec{regionSpec},
		hints: map[string]string{
			"hosts": "put the hosts into the list of their region or cell",
			"cells": "put the cells into the list of their region",
			"vars":  `did you mean "variables"?`,
		},
	}
	projectSpec = &kindSpec{
		kind: KindProject, noun: "project", list: "project", class: classProject,
		variables: true,
		hints: map[string]string{
			"name": "the project is the caller's own; choose it where you set the API's URL and user",
			"vars": `did you mean "variables"?`,
		},
	}

	noteField = fieldSpec{key: "note", form: formText, unbound: true}
)

// keys are all keys of an object, for errors.
func (s *kindSpec) keys() []string {
	var keys []string
	if s != projectSpec {
		keys = append(keys, "name")
	}
	for _, f := range s.fields {
		keys = append(keys, f.key)
	}
	if s.labels {
		keys = append(keys, "labels")
	}
	if s.variables {
		keys = append(keys, "variables")
	}
	for _, l := range s.lists {
		keys = append(keys, l.list)
	}
	return keys
}

func (s *kindSpec) field(key string) *fieldSpec {
	for i := range s.fields {
		if s.fields[i].key == key {
			return &s.fields[i]
		}
	}
	return nil
}

// scalar reads a field that is no reference: its canonical value, or what is wrong with it.
// Canonical are string (normalised addresses; "" for null), int and bool.
func (f fieldSpec) scalar(t *tree) (v any, problem string) {
	switch f.form {
	case formInteger:
		n, err := strconv.Atoi(t.text)
		switch {
		case t.shape == null:
			return nil, "must be a whole number; leave the key out to leave the field as it is, the API cannot take a number away"
		case t.shape != number || err != nil:
			return nil, fmt.Sprintf("must be a whole number such as 100, not %s", describe(t))
		case n < -1<<31 || n > 1<<31-1:
			return nil, "is too large; the API stores 32 bits"
		}
		return n, ""
	case formFlag:
		if t.shape == boolean {
			return t.text == "true", ""
		}
		if t.plain { // text to YAML, a boolean to Ansible's modules
			switch t.text {
			case "y", "Y":
				return true, ""
			case "n", "N":
				return false, ""
			}
		}
		return nil, fmt.Sprintf("must be true or false, not %s", describe(t))
	}
	if t.shape == null && !f.required {
		return "", ""
	}
	if t.shape != text {
		return nil, textProblem(t)
	}
	if f.required && t.text == "" {
		return nil, "is empty; it must be given"
	}
	if n := utf8.RuneCountInString(t.text); n > maxText && !f.unbound {
		return nil, tooLong(n)
	}
	check := value.CheckWord
	if f.unbound {
		check = value.CheckText
	}
	if err := check(t.text); err != nil {
		return nil, err.Error()
	}
	switch f.form {
	case formAddress:
		a, err := netip.ParseAddr(t.text)
		switch {
		case err == nil && a.Zone() != "":
			return nil, fmt.Sprintf("%q has a zone, which the API does not take; leave out %%%s", t.text, a.Zone())
		case err != nil && strings.Contains(t.text, "/"):
			return nil, fmt.Sprintf("%q is not an IP address; leave out the /length", t.text)
		case err != nil:
			return nil, fmt.Sprintf("%q is not an IP address; write one such as 10.20.0.11 or 2001:db8::11", t.text)
		}
		return a.String(), ""
	case formPrefix:
		if _, err := netip.ParsePrefix(t.text); err != nil {
			return nil, fmt.Sprintf("%q is not an address range; write one such as 10.20.0.0/24 or 2001:db8::/64", t.text)
		}
	}
	return t.text, ""
}

// nameProblem is what is wrong with a name, or "".
func nameProblem(t *tree) string {
	switch {
	case t.shape == null:
		return "is empty; it must be given"
	case t.shape != text:
		return textProblem(t)
	}
	if n := utf8.RuneCountInString(t.text); n > maxText {
		return tooLong(n)
	}
	if err := value.CheckName(t.text); err != nil {
		return err.Error()
	}
	return ""
}

func textProblem(t *tree) string {
	switch t.shape {
	case number, boolean:
		return fmt.Sprintf("must be text, not %s; put it in quotes", describe(t))
	}
	return fmt.Sprintf("must be text, not %s", describe(t))
}

func tooLong(n int) string {
	return fmt.Sprintf("is %d characters long; the API stores %d", n, maxText)
}

// describe names a value in an error: its shape, with the text of a short number or boolean.
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
