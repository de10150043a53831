package rest

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

// Query renders list options as query parameters. Each field's `query` tag is the parameter's name;
// zero values are not sent, pointers are sent whenever they are set. Embedded structs count as their fields.
func Query(options any) url.Values {
	q := url.Values{}
	addQuery(q, reflect.ValueOf(options))
	return q
}

func addQuery(q url.Values, v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		f, fv := t.Field(i), v.Field(i)
		if f.Anonymous {
			addQuery(q, fv)
			continue
		}
		name := f.Tag.Get("query")
		if name == "" || fv.IsZero() {
			continue
		}
		if fv.Kind() == reflect.Pointer {
			fv = fv.Elem()
		}
		switch fv.Kind() {
		case reflect.Bool:
			q.Set(name, strconv.FormatBool(fv.Bool()))
		case reflect.Int:
			q.Set(name, strconv.FormatInt(fv.Int(), 10))
		case reflect.String:
			q.Set(name, fv.String())
		case reflect.Slice: // of strings: sort keys
			parts := make([]string, fv.Len())
			for j := range parts {
				parts[j] = fv.Index(j).String()
			}
			q.Set(name, strings.Join(parts, ","))
		default:
			panic(fmt.Sprintf("rest: list option %s.%s has a kind that no parameter has", t, f.Name))
		}
	}
}

// Options makes list options of values by their parameters' names, as [Query] makes parameters of them. Values that are
// nil, and those that the options have no field for, are left out.
func Options[O any](values map[string]any) (options O) {
	v := reflect.ValueOf(&options).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("query")
		value, ok := values[name]
		if name == "" || !ok || value == nil {
			continue
		}
		in := reflect.ValueOf(value)
		if v.Field(i).Kind() == reflect.Pointer {
			p := reflect.New(in.Type())
			p.Elem().Set(in)
			in = p
		}
		v.Field(i).Set(in)
	}
	return options
}
