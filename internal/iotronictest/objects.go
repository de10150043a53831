package iotronictest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// one responds to a request for one object.
func (s *Server) one(c *call, collection string, k kind, id string) {
	verbs := map[string]func(){
		http.MethodGet: func() {
			if slices.Contains(words("fleets services webservices"), collection) && !c.by.has("admin") {
				c.forbid(collection, "get_one") // the policy compares an owner that is never set (§3)
				return
			}
			var names []string
			if !k.noFields {
				names = []string{"fields"}
			}
			if o := s.find(c, collection, k, id); o != nil && c.known(names...) {
				if fields, ok := c.fields(k, k.all); ok {
					c.json(http.StatusOK, c.shown(k, collection, o, fields))
				}
			}
		},
		http.MethodDelete: func() {
			if !c.by.has("admin", "admin_iot_project", "manager_iot_project") {
				c.forbid(collection, "delete")
				return
			}
			if o := s.find(c, collection, k, id); o != nil {
				s.objects[collection] = slices.DeleteFunc(s.objects[collection], func(other Object) bool { return other["uuid"] == o["uuid"] })
				c.none()
			}
		},
	}
	if s.era.patch && k.create != nil {
		verbs[http.MethodPatch] = func() { s.change(c, collection, k, id) }
	}
	c.verbs(verbs)
}

// find returns the object with a UUID or name, or nil after it has responded with an error. Objects of other projects
// are found too (§6, 9).
func (s *Server) find(c *call, collection string, k kind, id string) Object {
	by := "uuid"
	if !isUUID(id) {
		by = "name"
	}
	var found []Object
	for _, o := range s.objects[collection] {
		if o[by] == id && (by == "uuid" || s.era.byName) {
			found = append(found, o)
		}
	}
	switch {
	case len(found) > 1: // §6, 8
		c.fault(http.StatusInternalServerError, "Multiple rows were found when exactly one was required")
	case len(found) == 1:
		return found[0]
	case collection == "fleets": // the server never fills in the template (§2.7)
		c.fault(http.StatusNotFound, "Fleet %%(Fleet)s could not be found.")
	default:
		c.fault(http.StatusNotFound, "%s %s could not be found.", k.noun, id)
	}
	return nil
}

func (c *call) forbid(collection, what string) {
	c.fault(http.StatusForbidden, "Policy doesn't allow iot:%s:%s to be performed.", strings.TrimSuffix(collection, "s"), what)
}

// create responds to POST.
func (s *Server) create(c *call, collection string, k kind) {
	if k.create == nil {
		c.router(http.StatusMethodNotAllowed, "")
		return
	}
	if collection == "boards" && !c.by.has("admin_iot_project") { // the role admin does not include it (§3)
		c.forbid(collection, "create")
		return
	}
	var o Object
	if err := c.decode(&o); err != nil {
		c.fault(http.StatusBadRequest, "Invalid input for field/attribute %s. Value: '%s'. unable to parse", strings.TrimSuffix(collection, "s"), c.body)
		return
	}
	if !c.attributes(k, o) {
		return
	}
	for _, name := range k.needs {
		if places, isList := o[name].([]any); o[name] == nil || o[name] == "" || isList && len(places) == 0 {
			c.fault(http.StatusBadRequest, "Missing mandatory parameter: %s", name)
			return
		}
	}
	if name := fmt.Sprint(o["name"]); s.era.main == "boards" && !goodName(name) {
		c.fault(http.StatusBadRequest, "Cannot create board with invalid name %s", name)
		return
	}
	if s.taken(collection, o["code"], "") {
		c.fault(http.StatusConflict, "A %s with code %v already exists.", strings.ToLower(k.noun), o["code"])
		return
	}
	if places := o["location"].([]any); len(places) > 0 { // the others are ignored
		o["location"] = []any{place(places[0])}
	}
	c.json(http.StatusCreated, c.shown(k, collection, s.add(collection, o, c.by), k.all))
}

// decode decodes the body; numbers keep their text.
func (c *call) decode(into any) error {
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.UseNumber()
	return d.Decode(into)
}

// place returns a location in the form in which it is stored.
func place(v any) Object {
	o := Object{"updated_at": nil}
	if given, ok := v.(Object); ok {
		maps.Copy(o, given)
	}
	return o
}

// attributes reports whether all attributes can be set; if not, it has responded with an error. Some attributes of a
// fetched object cannot be set (§6, 14).
func (c *call) attributes(k kind, o Object) bool {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(k.create, name) {
			c.fault(http.StatusBadRequest, "Unknown attribute for argument %s: %s", strings.ToLower(k.noun), name)
			return false
		}
	}
	return true
}

func (s *Server) taken(collection string, code any, but any) bool {
	return slices.ContainsFunc(s.objects[collection], func(o Object) bool { return o["code"] == code && o["uuid"] != but })
}

// change responds to PATCH, whose body is a plain object with the changed attributes (§6, 3).
func (s *Server) change(c *call, collection string, k kind, id string) {
	if !c.by.has("admin", "admin_iot_project", "manager_iot_project") {
		c.forbid(collection, "update")
		return
	}
	o := s.find(c, collection, k, id)
	if o == nil {
		return
	}
	var v any
	if err := c.decode(&v); err != nil {
		c.fault(http.StatusBadRequest, "Invalid JSON")
		return
	}
	changes, ok := v.(Object)
	if !ok { // a JSON patch
		c.fault(http.StatusInternalServerError, "'list' object has no attribute 'keys'")
		return
	}
	if _, ok := changes["uuid"]; ok {
		c.fault(http.StatusBadRequest, "Cannot change the uuid of an existing %s.", k.noun)
		return
	}
	if !c.attributes(k, changes) {
		return
	}
	if code, ok := changes["code"]; ok && s.taken(collection, code, o["uuid"]) {
		c.fault(http.StatusConflict, "A %s with code %v already exists.", strings.ToLower(k.noun), code)
		return
	}
	before := o["updated_at"]
	maps.Copy(o, changes)
	show := c.shown(k, collection, o, k.all)
	show["updated_at"] = before // the response has the previous time
	o["updated_at"] = s.now()
	c.json(http.StatusOK, show)
}
