package snapshot

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/schema"
)

// Found is the result of a search for a text.
type Found struct {
	Text    string  `json:"text"`
	Objects []Match `json:"objects"`
	More    int     `json:"more"` // matching objects beyond the limit
}

// Match is an object that contains the text.
type Match struct {
	Kind  string  `json:"kind"`
	ID    any     `json:"id"` // a number; a UUID for a project
	Path  string  `json:"path"`
	Where []Place `json:"where"`
}

// Place is where the text occurs in an object.
type Place struct {
	What string `json:"what"` // field, label, key or value
	Name string `json:"name"` // of the field, the label, the variable
	Text string `json:"text"` // around the place; empty for a key
}

// found are the kinds that are searched, in the order in which they are shown.
var found = []*schema.Kind{
	schema.Project, schema.Cloud, schema.Region, schema.Cell, schema.Host, schema.NetworkDevice, schema.Network, schema.NetworkInterface,
}

// Find searches all objects of a fleet for a text, case-insensitively, and returns at most limit matches, unless it is
// 0. Of variables for which hashes returns true, whose values are secrets, only the keys are searched: finding parts of
// a value would reveal it letter by letter.
func Find(fleet *Fleet, text string, limit int, hashes func(key string) bool) *Found {
	f := &Found{Text: text, Objects: []Match{}}
	want := strings.ToLower(text)
	for _, k := range found {
		for _, o := range inOrder(fleet, k) {
			places := placesOf(o, want, hashes)
			switch {
			case places == nil:
				continue
			case limit > 0 && len(f.Objects) == limit:
				f.More++
				continue
			}
			m := Match{Kind: k.Name, ID: o.ID, Path: o.Place(), Where: places}
			if n, err := strconv.Atoi(o.ID); err == nil && !k.UUID {
				m.ID = n
			}
			f.Objects = append(f.Objects, m)
		}
	}
	return f
}

// inOrder returns the objects of a kind in the order in which they are shown, that of their creation. Interfaces follow
// their devices, in batches.
func inOrder(fleet *Fleet, k *schema.Kind) []*Object {
	all := fleet.Of(k)
	if k != schema.NetworkInterface {
		return all
	}
	number := func(o *Object) int {
		n, _ := strconv.Atoi(o.ID) // it is one
		return n
	}
	return slices.SortedStableFunc(slices.Values(all), func(a, b *Object) int { return cmp.Compare(number(a), number(b)) })
}

// placesOf returns where a text, in lower case, occurs in an object.
func placesOf(o *Object, want string, hashes func(key string) bool) (all []Place) {
	add := func(what, name, text string, show bool) {
		at := strings.Index(strings.ToLower(text), want)
		if at < 0 {
			return
		}
		p := Place{What: what, Name: name}
		if show {
			p.Text = excerpt(text, at, len(want))
		}
		all = append(all, p)
	}
	for key, text := range o.Texts() {
		add("field", key, text, true)
	}
	for _, label := range o.Labels() {
		add("label", label, label, false)
	}
	for name, raw := range o.Own().All() {
		add("key", name, name, false)
		if hashes(name) {
			continue
		}
		text := raw
		if v := gjson.Parse(raw); v.Type == gjson.String {
			text = v.Str
		}
		add("value", name, text, true)
	}
	return all
}

// Limits of the excerpt around a place.
const (
	before = 30
	after  = 60
)

// excerpt returns the part of a text around a place; approximately, if letters change their length in lower case.
func excerpt(text string, at, length int) string {
	from, to := max(0, at-before), min(len(text), at+length+after)
	for from > 0 && from < len(text) && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	part := text[min(from, len(text)):to]
	if from > 0 {
		part = "…" + part
	}
	if to < len(text) {
		part += "…"
	}
	return part
}

// Sentence describes where the text occurs.
func (p Place) Sentence() string {
	switch p.What {
	case "label":
		return "label " + p.Name
	case "key":
		return "variable " + p.Name
	}
	return p.Name + " = " + p.Text
}
