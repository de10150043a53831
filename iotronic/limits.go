package iotronic

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
)

// longest is the maximum length of texts in Ironic's objects in characters, by resource. Longer texts are refused or
// truncated by Ironic, or refused by its database.
var longest = map[string]map[string]int{
	"nodes": {
		"name": 255, "driver": 255, "resource_class": 80, "description": 4096, "conductor_group": 255, "owner": 255, "lessee": 255, "shard": 255,
		"instance_name": 255, "maintenance_reason": 4096,
	},
	"ports":             {"name": 255, "physical_network": 64, "description": 255, "vendor": 32, "category": 80},
	"portgroups":        {"name": 255, "mode": 255, "physical_network": 64, "category": 80},
	"allocations":       {"name": 255, "resource_class": 80, "owner": 255},
	"chassis":           {"description": 255},
	"volume/connectors": {"type": 32, "connector_id": 255},
	"volume/targets":    {"volume_type": 64, "volume_id": 36},
	"deploy_templates":  {"name": 255},
	"runbooks":          {"name": 255, "owner": 255, "description": 255},
}

// maxTraits is the maximum number of traits of a node of Ironic.
const maxTraits = 50

// counts are the properties of a node that Ironic requires to be non-negative integers. Newer releases accept any cpus,
// but nothing that reads them can use other values.
var counts = []string{"cpus", "local_gb", "memory_mb"}

// pythonInteger matches the texts that Python converts to integers.
var pythonInteger = value.LazyPattern(`^\+?[0-9]+(_[0-9]+)*$`)

// CheckValue returns why Ironic would refuse a value of an attribute of a resource, such as nodes, or store it
// differently; nil if no reason is known. The attribute can be a path, as in [Changes].
func CheckValue(resource, attribute string, raw json.RawMessage) error {
	name, key, inside := strings.Cut(attribute, "/")
	v := gjson.ParseBytes(raw)
	switch {
	case v.Type == gjson.Null:
		return nil
	case v.Type == gjson.String && !inside:
		if n, most := utf8.RuneCountInString(v.Str), longest[resource][name]; most > 0 && n > most {
			return fmt.Errorf("%s: it has %d characters, and Ironic allows %d", name, n, most)
		}
		return nil
	}
	var check func(key string, raw json.RawMessage) error
	switch {
	case resource == "nodes" && name == "properties":
		check = checkCount
	case resource == "ports" && name == "local_link_connection":
		check = func(key string, raw json.RawMessage) error {
			_, err := LinkValue(key, raw)
			return err
		}
	default:
		return nil
	}
	var err error
	if inside {
		err = check(key, raw)
	} else {
		v.ForEach(func(key, inner gjson.Result) bool {
			err = check(key.String(), json.RawMessage(inner.Raw))
			return err == nil
		})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// checkCount refuses anything but a non-negative integer under a key for one.
func checkCount(key string, raw json.RawMessage) error {
	v := gjson.ParseBytes(raw)
	switch {
	case !slices.Contains(counts, key), v.Type == gjson.Null, v.IsBool(), v.Type == gjson.Number && v.Num > -1,
		v.Type == gjson.String && pythonInteger().MatchString(strings.TrimSpace(v.Str)):
		return nil
	}
	return fmt.Errorf("%s is %s, and Ironic takes only whole numbers from 0 on there", key, raw)
}

// checkAll checks the attributes of a body. Ironic stores a number that Python reads as Infinity, and the object can no
// longer be read, because its JSON is invalid.
func (r *reading) checkAll(d Dialect, values Object) error {
	for name, raw := range values {
		if err := value.In(name, value.CheckJSON(string(raw))); err != nil {
			return &ValidationError{err}
		}
	}
	if d != DialectIronic {
		return nil
	}
	for name, raw := range values {
		if err := CheckValue(r.resource, name, raw); err != nil {
			return &ValidationError{err}
		}
	}
	return nil
}

// CheckTrait returns why a text cannot be a trait; nil if it can.
func CheckTrait(text string) error {
	const most = 255
	if text == "" || len(text) > most || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return fmt.Errorf("%q is not a valid trait; use up to %d capital letters, digits and underscores", text, most)
	}
	return nil
}

// CheckTraits returns why Ironic would refuse the traits of a node; nil if no reason is known.
func CheckTraits(traits []string) error {
	if n := len(traits); n > maxTraits {
		return fmt.Errorf("the node would have %d traits, and Ironic allows %d", n, maxTraits)
	}
	for _, trait := range traits {
		if err := CheckTrait(trait); err != nil {
			return err
		}
	}
	return nil
}
