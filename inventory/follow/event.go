package follow

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// Event is a change as Event-Driven Ansible receives it: rules examine it, and playbooks get it as a variable.
//
// Its texts come from the fleet, and permission to write to a fleet must not be enough to execute anything where a
// rulebook runs: Ansible treats what it receives this way as trusted templates. So no text, name or key of an event
// contains an opening brace, or a choice of delimiters: it has the full-width form of the character instead.
type Event struct {
	Action    string           `json:"action"` // create, update, move, delete; reset for the log
	Kind      string           `json:"kind"`
	ID        any              `json:"id"`
	Path      string           `json:"path"`
	Name      string           `json:"name"` // the last part of the path
	Revision  int64            `json:"revision"`
	Change    string           `json:"change"`
	Time      craton.Timestamp `json:"time"`
	User      string           `json:"user"`
	RequestID string           `json:"request_id"`
	Message   string           `json:"message"`
	Variables []string         `json:"variables"` // the keys that changed, sorted
	Fields    []string         `json:"fields"`    // the fields that changed, sorted
	Before    json.RawMessage  `json:"before"`    // as in the log, with variables only if values are requested
	After     json.RawMessage  `json:"after"`
	Affected  int              `json:"affected"` // hosts whose resolved variables changed
	Nameless  int              `json:"nameless"` // of these, the number of hosts that no inventory can name
	Part      int              `json:"part"`     // for a change with more hosts than an event may have, from 1
	Parts     int              `json:"parts"`    //
	Meta      Meta             `json:"meta"`
}

// Meta contains the hosts to which ansible-rulebook limits its actions.
type Meta struct {
	Hosts []string `json:"hosts"`
}

// An empty list would be no limit: ansible-rulebook would run a playbook on all hosts.
var (
	noHosts  = []string{"!all"}
	allHosts = []string{"all"}
)

// maxBytes limits the total length of the names of an event's hosts: they become one argument of a command, which can
// have 128 KiB.
const maxBytes = 100000

// parts returns the events of a change, each with a part of its hosts.
func (f *follower) parts(c *craton.Change, names []string, omitted int) (events []*Event) {
	e := f.event(c)
	e.Affected, e.Nameless = len(names)+omitted, omitted
	for first := true; first || len(names) > 0; first = false {
		n, size := 0, 0
		for n < len(names) && (n == 0 || f.MaxHosts <= 0 || n < f.MaxHosts) && size+len(names[n]) < maxBytes {
			size += len(names[n]) + 1
			n++
		}
		one := *e
		one.Part, one.Meta.Hosts = len(events)+1, names[:n]
		if n == 0 {
			one.Meta.Hosts = noHosts
		}
		names = names[n:]
		events = append(events, &one)
	}
	for _, one := range events {
		one.Parts = len(events)
	}
	return events
}

// event returns a change without its hosts.
func (f *follower) event(c *craton.Change) *Event {
	name := c.Path[strings.LastIndexByte(c.Path, '/')+1:]
	for _, s := range []*craton.Side{&c.After, &c.Before} {
		if v := gjson.GetBytes(s.Raw, "name"); v.Exists() { // which may contain a slash
			name = v.String()
			break
		}
	}
	return &Event{
		Action: c.Action, Kind: c.Kind, ID: c.ID, Path: inert(c.Path), Name: inert(name), Revision: c.Revision, Change: c.Change, Time: c.Time,
		User: inert(c.User), RequestID: inert(c.RequestID), Message: inert(c.Message), Variables: keysOf(c), Fields: fieldsOf(c),
		Before: f.side(&c.Before), After: f.side(&c.After),
	}
}

// resetEvent reports that changes are missing, so that the variables of any host may differ.
func resetEvent(cursor string, hosts int) *Event {
	return &Event{
		Action: "reset", Kind: "log", ID: cursor, Variables: []string{}, Fields: []string{}, Before: json.RawMessage("null"), After: json.RawMessage("null"),
		Affected: hosts, Part: 1, Parts: 1, Meta: Meta{Hosts: allHosts},
	}
}

// keysOf returns the variables that a change alters.
func keysOf(c *craton.Change) []string {
	keys := map[string]bool{}
	for _, s := range []*craton.Side{&c.Before, &c.After} {
		for key := range s.Variables {
			keys[inert(key)] = true
		}
		for key := range s.Hashed {
			keys[inert(key)] = true
		}
	}
	return append([]string{}, slices.Sorted(maps.Keys(keys))...)
}

// extraFields are the members of a side that are not fields.
var extraFields = []string{"variables", "hashed", "updated_at", "created_at"}

// fieldsOf returns the fields that a change alters, including labels.
func fieldsOf(c *craton.Change) []string {
	keys := map[string]bool{}
	for _, s := range []*craton.Side{&c.Before, &c.After} {
		gjson.ParseBytes(s.Raw).ForEach(func(key, _ gjson.Result) bool {
			if !slices.Contains(extraFields, key.String()) {
				keys[inert(key.String())] = true
			}
			return true
		})
	}
	return append([]string{}, slices.Sorted(maps.Keys(keys))...)
}

// side returns one side of a change, made inert.
func (f *follower) side(s *craton.Side) json.RawMessage {
	if len(s.Raw) == 0 || s.Raw[0] != '{' {
		return json.RawMessage("null")
	}
	dst, first := []byte("{"), true
	gjson.ParseBytes(s.Raw).ForEach(func(key, v gjson.Result) bool {
		if name := key.String(); name == "hashed" || name == "variables" && !f.Values {
			return true
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendInert(dst, key), ':')
		dst = appendInert(dst, v)
		return true
	})
	return append(dst, '}')
}

// appendInert appends a value with all texts and keys made inert.
func appendInert(dst []byte, v gjson.Result) []byte {
	switch {
	case v.Type == gjson.String:
		return jsontext.AppendString(dst, inert(v.Str))
	case v.IsArray(), v.IsObject():
		object := v.IsObject()
		begin, end := byte('['), byte(']')
		if object {
			begin, end = '{', '}'
		}
		dst = append(dst, begin)
		first := true
		v.ForEach(func(key, value gjson.Result) bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			if object {
				dst = append(appendInert(dst, key), ':')
			}
			dst = appendInert(dst, value)
			return true
		})
		return append(dst, end)
	}
	return append(dst, v.Raw...)
}

// inertReplacer replaces characters with which templates begin by similar ones.
var inertReplacer = strings.NewReplacer("{", "\uff5b", "#", "\uff03")

// inert returns a text that no release of Ansible treats as a template, even if a play joins it with others.
func inert(s string) string {
	if ansible.IsInert(s) {
		return s
	}
	s = inertReplacer.Replace(s)
	if !ansible.IsInert(s) { // jinja2:, to which a play could add the #
		s = strings.ReplaceAll(s, ":", "\uff1a")
	}
	return s
}
