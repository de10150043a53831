package web

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// member is a changed part of a nested value.
type member struct {
	Path          string // from the value: a.b[2]
	Before, After shown
	None, Gone    bool // there was no value before, there is none now
}

// maxMembers is the maximum number of changed members of a value that are shown.
const maxMembers = 8

// membersOf returns the members that differ between two nested values of one kind, the first of them, and the number of
// further ones; none if one of them is not nested, or they have nothing in common.
func membersOf(before, after json.RawMessage, show func(json.RawMessage) shown) (found []member, more int) {
	b, err := jsontext.Parse(before)
	if err != nil || b.Kind != jsontext.Object && b.Kind != jsontext.Array {
		return nil, 0
	}
	a, err := jsontext.Parse(after)
	if err != nil || a.Kind != b.Kind {
		return nil, 0
	}
	d := memberDiff{}
	d.compare("", &b, &a)
	if !d.shared {
		return nil, 0
	}
	for i, c := range d.changes {
		if i == maxMembers {
			return found, len(d.changes) - i
		}
		m := member{Path: c.path, None: c.before == nil, Gone: c.after == nil}
		if c.before != nil {
			m.Before = show(json.RawMessage(c.before.Compact()))
		}
		if c.after != nil {
			m.After = show(json.RawMessage(c.after.Compact()))
		}
		found = append(found, m)
	}
	return found, 0
}

// memberDiff is the differences between two values, in the order of the later one.
type memberDiff struct {
	changes []memberChange
	shared  bool // something is equal in both
}

// memberChange is a member before and after; nil if it does not exist.
type memberChange struct {
	path          string
	before, after *jsontext.Value
}

func (d *memberDiff) compare(path string, before, after *jsontext.Value) {
	switch {
	case before.Compact() == after.Compact():
		d.shared = true
	case before.Kind == jsontext.Object && after.Kind == jsontext.Object:
		for i := range after.Members {
			m := &after.Members[i]
			if old, has := before.Get(m.Key); has {
				d.compare(memberPath(path, m.Key), &old, &m.Value)
			} else {
				d.add(memberPath(path, m.Key), nil, &m.Value)
			}
		}
		for i := range before.Members {
			m := &before.Members[i]
			if _, has := after.Get(m.Key); !has {
				d.add(memberPath(path, m.Key), &m.Value, nil)
			}
		}
	case before.Kind == jsontext.Array && after.Kind == jsontext.Array:
		d.compareLists(path, before.Items, after.Items)
	default:
		d.add(path, before, after)
	}
}

// compareLists skips the common beginning and end of two lists. The rest is compared one by one if it has the same
// length in both; otherwise it was removed from one and added to the other.
func (d *memberDiff) compareLists(path string, before, after []jsontext.Value) {
	same := func(a, b *jsontext.Value) bool { return a.Compact() == b.Compact() }
	from, most := 0, min(len(before), len(after))
	for from < most && same(&before[from], &after[from]) {
		from++
	}
	end := 0
	for end < most-from && same(&before[len(before)-1-end], &after[len(after)-1-end]) {
		end++
	}
	d.shared = d.shared || from+end > 0
	at := func(i int) string { return path + "[" + strconv.Itoa(i) + "]" }
	old, now := before[from:len(before)-end], after[from:len(after)-end]
	if len(old) == len(now) {
		for i := range now {
			d.compare(at(from+i), &old[i], &now[i])
		}
		return
	}
	for i := range old {
		d.add(at(from+i), &old[i], nil)
	}
	for i := range now {
		d.add(at(from+i), nil, &now[i])
	}
}

func (d *memberDiff) add(path string, before, after *jsontext.Value) {
	d.changes = append(d.changes, memberChange{path, before, after})
}

// memberPath returns the path of a member: its key, in quotes if it would be ambiguous.
func memberPath(path, key string) string {
	if key == "" || strings.ContainsAny(key, ` ."[]\`) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
