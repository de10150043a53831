package ansible

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value/python"
)

// Decode stores the arguments into a struct. Each exported field with a tag `arg:"NAME"` receives the option NAME;
// fields of embedded structs count as the struct's own; fields without a tag are not changed. The types of fields for
// each type of option:
//
//	str, path, jsonarg   string, an encoding.TextUnmarshaler
//	int, bytes, bits     int..int64, uint..uint64, big.Int, json.Number
//	bool                 bool
//	float                float32, float64, json.Number
//	list                 slice of what its elements can be stored into
//	dict with Options    struct with arg tags
//	dict                 map[string]any
//	raw                  any
//	every type           pointer to the above, any, json.RawMessage
//
// An option without a value leaves a nil pointer, slice, map or any, and the zero value in everything else. A tag for
// an unknown option, or a field of a wrong type, is a mistake in the module and is found whatever the arguments are:
// Decode panics. A value that does not fit, such as 300 for a uint8, is an error that names the option.
func (p Params) Decode(into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("ansible: Decode wants a pointer to a struct, not %T", into))
	}
	if err := checkStruct(p.options, v.Type().Elem()); err != nil {
		panic("ansible: " + err.Error())
	}
	return decodeStruct(p, v.Elem(), "")
}

// fields calls f with each tagged field of a struct.
func fields(t reflect.Type, f func(reflect.StructField, string) error) error {
	for _, field := range reflect.VisibleFields(t) {
		name, ok := field.Tag.Lookup("arg")
		if !ok {
			continue
		}
		if !field.IsExported() {
			return fmt.Errorf("field %s of %s has an arg tag but is not exported", field.Name, t)
		}
		if err := f(field, name); err != nil {
			return err
		}
	}
	return nil
}

// checkStruct checks every field's tag and type against the options.
func checkStruct(options []Option, t reflect.Type) error {
	seen := make(map[string]bool)
	return fields(t, func(field reflect.StructField, name string) error {
		if seen[name] {
			return fmt.Errorf("two fields of %s have the tag arg:%q", t, name)
		}
		seen[name] = true
		for i := range options {
			if o := &options[i]; o.Name == name {
				if err := checkType(o, o.kind(), field.Type); err != nil {
					return fmt.Errorf("field %s of %s: %w", field.Name, t, err)
				}
				return nil
			}
		}
		return fmt.Errorf("field %s of %s: there is no option %q", field.Name, t, name)
	})
}

var (
	textType   = reflect.TypeFor[encoding.TextUnmarshaler]()
	rawType    = reflect.TypeFor[json.RawMessage]()
	numberType = reflect.TypeFor[json.Number]()
	bigType    = reflect.TypeFor[big.Int]()
)

func checkType(o *Option, kind Type, t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	fits := false
	switch {
	case t == rawType, t.Kind() == reflect.Interface && t.NumMethod() == 0:
		fits = true
	case kind == Str || kind == Path || kind == JSONArg:
		fits = t != numberType && (t.Kind() == reflect.String || t != bigType && reflect.PointerTo(t).Implements(textType))
	case kind == Bool:
		fits = t.Kind() == reflect.Bool
	case kind == Int || kind == Bytes || kind == Bits:
		fits = t == bigType || t == numberType || isIntKind(t.Kind()) || isUintKind(t.Kind())
	case kind == Float:
		fits = t == numberType || t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	case kind == List && t.Kind() == reflect.Slice:
		elements := o.Elements
		if elements == "" {
			elements = Raw
		}
		return checkType(o, elements, t.Elem())
	case kind == Dict && len(o.Options) > 0 && t.Kind() == reflect.Struct:
		return checkStruct(o.Options, t)
	case kind == Dict:
		fits = t == reflect.TypeFor[map[string]any]()
	}
	if !fits {
		return fmt.Errorf("option %q of type %s cannot be stored into %s", o.Name, kind, t)
	}
	return nil
}

func isIntKind(k reflect.Kind) bool  { return k >= reflect.Int && k <= reflect.Int64 }
func isUintKind(k reflect.Kind) bool { return k >= reflect.Uint && k <= reflect.Uint64 }

func decodeStruct(p Params, v reflect.Value, at string) error {
	return fields(v.Type(), func(field reflect.StructField, name string) error {
		value := p.values.values[name]
		if value == nil {
			return nil
		}
		target, err := v.FieldByIndexErr(field.Index)
		if err != nil { // inside an embedded nil pointer
			return fmt.Errorf("internal error: %w", err)
		}
		return decodeInto(p.option(name), value, target, at+name)
	})
}

// decodeInto stores a value whose type checkType has checked.
func decodeInto(o *Option, value any, v reflect.Value, at string) error {
	if v.Type() == rawType {
		v.SetBytes(appendJSON(nil, value))
		return nil
	}
	if v.Kind() == reflect.Interface {
		if value != nil {
			v.Set(reflect.ValueOf(plain(value)))
		}
		return nil
	}
	if value == nil { // an element that is null
		return nil
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return decodeInto(o, value, v.Elem(), at)
	}
	if n, ok := value.(json.Number); ok && v.Kind() != reflect.String || ok && v.Type() == numberType {
		return decodeNumber(string(n), v, at)
	}
	switch value := value.(type) {
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(value)
			return nil
		}
		return decodeText(python.Str(value), v, at)
	case string, json.Number:
		return decodeText(python.Str(value), v, at)
	case []any:
		list := reflect.MakeSlice(v.Type(), len(value), len(value))
		for i, e := range value {
			if err := decodeInto(o, e, list.Index(i), fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		v.Set(list)
	case *dict:
		if v.Kind() == reflect.Struct {
			return decodeStruct(Params{options: o.Options, values: value}, v, at+".")
		}
		v.Set(reflect.ValueOf(plain(value)))
	}
	return nil
}

func decodeText(s string, v reflect.Value, at string) error {
	if v.CanAddr() {
		if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			if err := u.UnmarshalText([]byte(s)); err != nil {
				return fmt.Errorf("argument '%s': %w", at, err)
			}
			return nil
		}
	}
	v.SetString(s)
	return nil
}

func decodeNumber(n string, v reflect.Value, at string) error {
	bits := 64
	if v.CanInt() || v.CanUint() || v.CanFloat() {
		bits = v.Type().Bits()
	}
	var err error
	switch {
	case v.Type() == numberType:
		v.SetString(n)
	case v.Type() == bigType:
		v.Addr().Interface().(*big.Int).SetString(n, 10)
	case v.CanInt():
		var i int64
		i, err = strconv.ParseInt(n, 10, bits)
		v.SetInt(i)
	case v.CanUint():
		var u uint64
		u, err = strconv.ParseUint(n, 10, bits)
		v.SetUint(u)
	case v.CanFloat():
		var f float64
		f, err = strconv.ParseFloat(n, bits)
		v.SetFloat(f)
	default:
		return decodeText(n, v, at)
	}
	if err == nil {
		return nil
	}
	target := "number of " + strconv.Itoa(bits) + " bits"
	if errors.Is(err, strconv.ErrSyntax) || strings.HasPrefix(n, "-") && v.CanUint() {
		target = "number without a sign"
	}
	return outOfRange(at, n, target)
}
