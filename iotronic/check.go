package iotronic

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// check refuses options and attributes of a new object that the dialect does not have: a field's `dialect` tag names
// those that have it, no tag means all. The servers' own errors would be about "unknown arguments".
func (d Dialect) check(of any) error {
	v := reflect.ValueOf(of)
	for i := range v.NumField() {
		f, fv := v.Type().Field(i), v.Field(i)
		if f.Anonymous {
			if err := d.check(fv.Interface()); err != nil {
				return err
			}
			continue
		}
		in := f.Tag.Get("dialect")
		if in == "" || fv.IsZero() || slices.Contains(strings.Split(in, ","), d.String()) {
			continue
		}
		name, _, _ := strings.Cut(cmp.Or(f.Tag.Get("query"), f.Tag.Get("json")), ",")
		return &InvalidAttributeError{Attribute: name, Reason: d.traits().title + " does not have it"}
	}
	return nil
}
