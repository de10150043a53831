package rest

import (
	"fmt"

	"github.com/tidwall/gjson"
)

// IsLinks reports whether a list consists of links to other parts of an API: of objects that have only a href, or a
// href and a rel.
func IsLinks(v gjson.Result) bool {
	if !v.IsArray() {
		return false
	}
	links, only := 0, true
	v.ForEach(func(_, link gjson.Result) bool {
		links++
		if link.IsArray() { // the nodes of a chassis of Ironic
			only = IsLinks(link)
			return only
		}
		only = link.IsObject() && link.Get("href").Exists()
		link.ForEach(func(key, _ gjson.Result) bool {
			only = only && (key.Str == "href" || key.Str == "rel")
			return only
		})
		return only
	})
	return only && links > 0
}

// Need returns an error if a response is not an object with a member that is not null; encoding/json would accept null
// for anything.
func Need(body []byte, member string) error {
	object := gjson.ParseBytes(body)
	if !object.IsObject() {
		return fmt.Errorf("it is %s, not an object", KindOf(object))
	}
	switch m := object.Get(member); {
	case !m.Exists():
		return fmt.Errorf("it has no member %q", member)
	case m.Type == gjson.Null:
		return fmt.Errorf("its member %q is null", member)
	}
	return nil
}

// KindOf returns the type of a JSON value, in words.
func KindOf(v gjson.Result) string {
	switch {
	case v.IsBool():
		return "a boolean"
	case v.Type == gjson.Number:
		return "a number"
	case v.Type == gjson.String:
		return "a string"
	case v.IsArray():
		return "a list"
	case v.IsObject():
		return "an object"
	}
	return "null"
}
