package iotronictest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// unsortable has the fields that lists cannot be sorted by (§2.2).
var unsortable = words("extra location links connectivity parameters")

// list responds with a page of the objects in a collection for which keep returns true.
func (s *Server) list(c *call, collection string, fields []string, keep func(Object) bool) {
	k := s.era.kinds[collection]
	limit, ok := c.limit(s.maxLimit)
	if !ok {
		return
	}
	found := []Object{}
	for _, o := range s.objects[collection] {
		if keep(o) {
			found = append(found, o)
		}
	}
	sortKey := c.q.Get("sort_key")
	switch key := cmp.Or(sortKey, "id"); {
	case key != "id" && (!slices.Contains(k.all, key) || slices.Contains(unsortable, key)):
		c.fault(http.StatusBadRequest, "The sort_key value %q is an invalid field for sorting", key)
		return
	case key != "id":
		slices.SortStableFunc(found, func(a, b Object) int { return strings.Compare(fmt.Sprint(a[key]), fmt.Sprint(b[key])) })
	}
	switch dir := c.q.Get("sort_dir"); dir {
	case "", "asc":
	case "desc":
		slices.Reverse(found)
	default:
		c.fault(http.StatusBadRequest, "Invalid sort direction: %s. Acceptable values are 'asc' or 'desc'", dir)
		return
	}
	if marker := c.q.Get("marker"); marker != "" {
		if !isUUID(marker) {
			c.fault(http.StatusBadRequest, "Expected a uuid but received %s.", marker)
			return
		}
		at := slices.IndexFunc(found, func(o Object) bool { return o["uuid"] == marker })
		if at < 0 {
			c.fault(http.StatusNotFound, "%s %s could not be found.", k.noun, marker)
			return
		}
		found = found[at+1:]
	}
	found = found[:min(len(found), limit)]
	page := []Object{}
	for _, o := range found {
		page = append(page, c.shown(k, collection, o, fields))
	}
	body := Object{cmp.Or(k.key, collection): page}
	if len(found) == limit { // even if there are no more objects (§2.2)
		body["next"] = s.next(c, collection, found[limit-1], fields, limit)
	}
	c.json(http.StatusOK, body)
}

// next returns the wrong link of §6, 1 and 2: it omits filters, fields, /detail and the fleet, and its marker is Unset
// unless the fields include the uuid. Its host is the address that the server believes it has.
func (s *Server) next(c *call, collection string, last Object, fields []string, limit int) string {
	q := url.Values{"limit": {strconv.Itoa(limit)}, "marker": {"Unset"}}
	if slices.Contains(fields, "uuid") {
		q.Set("marker", last["uuid"].(string))
	}
	for _, name := range []string{"sort_key", "sort_dir"} {
		if v := c.q.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	return "http://iotronic.invalid:1288/v1/" + collection + "?" + q.Encode()
}

// limit returns the page size, or false after it has responded with an error.
func (c *call) limit(most int) (int, bool) {
	text := c.q.Get("limit")
	if text == "" {
		return most, true
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		c.fault(http.StatusBadRequest, "Invalid input for field/attribute limit. Value: '%s'. unable to convert to int", text)
	case n <= 0:
		c.fault(http.StatusBadRequest, "Limit must be positive")
	default:
		return min(n, most), true
	}
	return 0, false
}

// fields returns the requested fields, or otherwise if none are requested. It returns false after it has responded with
// an error.
func (c *call) fields(k kind, otherwise []string) ([]string, bool) {
	text := c.q.Get("fields")
	if text == "" {
		return otherwise, true
	}
	var fields []string
	for name := range strings.SplitSeq(strings.ToLower(text), ",") { // so MAC_add cannot be requested (§2.5)
		switch {
		case slices.Contains(k.all, name):
			fields = append(fields, name)
		case k.strict:
			c.fault(http.StatusBadRequest, "Field(s) \"%s\" are not valid.", name)
			return nil, false
		}
	}
	return fields, true
}

// shown returns an object with the given fields and those that are always sent.
func (c *call) shown(k kind, collection string, o Object, fields []string) Object {
	show := Object{}
	for _, name := range append(slices.Clone(fields), k.always...) {
		show[name] = o[name]
	}
	if k.links {
		uuid := fmt.Sprint(o["uuid"])
		show["links"] = []Object{
			{"href": c.base + "/v1/" + collection + "/" + uuid, "rel": "self"},
			{"href": c.base + "/" + collection + "/" + uuid, "rel": "bookmark"},
		}
	}
	return show
}

// known reports whether all parameters are among names; if not, it has responded with an error.
func (c *call) known(names ...string) bool {
	var unknown []string
	for name := range c.q {
		if !slices.Contains(names, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		c.fault(http.StatusBadRequest, "Unknown argument: \"%s\"", strings.Join(unknown, ", "))
		return false
	}
	return true
}

// collection responds with a page of a collection, or of its /detail if detailed is set.
func (s *Server) collection(c *call, collection string, detailed bool) {
	k := s.era.kinds[collection]
	names := append(words("limit marker sort_key sort_dir"), k.filters...)
	switch {
	case detailed && s.era.main == "nodes":
		names = append(names, "project") // only this list of the release of 2017 accepts it
	case !detailed && !k.noFields:
		names = append(names, "fields")
	}
	if !c.known(names...) {
		return
	}
	fields, ok := c.fields(k, k.short)
	if !ok {
		return
	}
	if detailed {
		fields = k.all
	}
	keep, ok := c.filter(collection, k)
	if ok {
		s.list(c, collection, fields, keep)
	}
}

// filter returns a function that reports whether an object matches the parameters and is visible to the caller. It
// returns false after it has responded with an error.
func (c *call) filter(collection string, k kind) (func(Object) bool, bool) {
	project, status := c.q.Get("project"), c.q.Get("status")
	if project != "" && !c.by.has("admin") {
		c.fault(http.StatusBadRequest, "Project parameter can be used only by the administrator.")
		return nil, false
	}
	project = cmp.Or(project, c.by.Project) // admins too see only their own project (§6, 9)
	all, public := c.q.Get("all_plugins") != "", c.q.Get("with_public") != ""
	if all && !c.by.has("admin") {
		c.fault(http.StatusForbidden, "all_plugins parameter can only be used by the administrator.")
		return nil, false
	}
	return func(o Object) bool {
		switch {
		case collection == "plugins":
			return all || o["owner"] == c.by.ID || public && o["public"] == true
		case k.scoped && o["project"] != project:
			return false
		}
		return status == "" || o["status"] == status
	}, true
}
