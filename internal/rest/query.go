package rest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Query returns list options as query parameters. Each field's `query` tag is the parameter's name; zero values are not
// sent, pointers are sent if they are set. Fields of embedded structs are included.
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

// Options sets list options from values by their parameters' names, the reverse of [Query]. Values that are nil, and
// those without a field, are left out.
func Options[O any](values map[string]any) (options O) {
	Fill(&options, values)
	return options
}

// Fill sets the fields of a struct, and of nested ones, by the names of their query or json tags. unknown are the
// sorted names without a field, and those of values that are JSON already, which do not belong into the struct. nil
// values are left out.
func Fill(into any, values map[string]any) (unknown []string) {
	v := reflect.ValueOf(into).Elem()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		if value == nil {
			continue
		}
		f, ok := FieldOf(v.Type(), name)
		if _, raw := value.(json.RawMessage); raw || !ok {
			unknown = append(unknown, name)
			continue
		}
		field := v.FieldByIndex(f.Index)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		field.Set(reflect.ValueOf(value))
	}
	return unknown
}

// FieldOf returns the field of a struct that has a name in the API, by its query or json tag.
func FieldOf(of reflect.Type, name string) (reflect.StructField, bool) {
	for _, f := range reflect.VisibleFields(of) {
		if tag, _, _ := strings.Cut(f.Tag.Get("query")+f.Tag.Get("json"), ","); tag == name && name != "" {
			return f, true
		}
	}
	return reflect.StructField{}, false
}
