package web

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestMembers: of nested values only the members are told that were changed.
func TestMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after, want string }{
		{`{"a": 1, "b": {"c": [1, 2], "d": null}}`, `{"b": {"c": [1, 3], "d": null}, "a": 1}`, `b.c[1]: 2 > 3`},
		{`{"a": 1, "x": 5}`, `{"a": 1, "y": {"z": []}}`, `y: none > {"z": []}; x: 5 > gone`},
		{`["a", "b", "c"]`, `["a", "c"]`, `[1]: "b" > gone`},
		{`["a", "c"]`, `["a", "b", "c"]`, `[1]: none > "b"`},
		{`[{"n": "x", "v": 1}, {"n": "y", "v": 1}]`, `[{"n": "x", "v": 2}, {"n": "y", "v": 1}]`, `[0].v: 1 > 2`},
		{`{"": 1, "a.b": 1, "k": 0}`, `{"": 2, "a.b": 2, "k": 0}`, `"": 1 > 2; "a.b": 1 > 2`},
		{`{"a": null, "b": 1}`, `{"b": 1}`, `a: null > gone`},
		{`{"a": 1.0, "b": 1}`, `{"a": 1, "b": 1}`, `a: 1.0 > 1`},
		{`{"a": 1}`, `{"b": 1}`, ``}, // nothing is shared: whole
		{`[1]`, `[2]`, ``},
		{`{"a": 1}`, `[1]`, ``},
		{`1`, `2`, ``},
		{`{"a": 1}`, ``, ``},
		{`null`, `{"a": 1}`, ``},
	} {
		left := room(allValues)
		members, more := membersOf(json.RawMessage(c.before), json.RawMessage(c.after), func(raw json.RawMessage) shown { return left.show(string(raw)) })
		var got []string
		for _, m := range members {
			before, after := m.Before.Short, m.After.Short
			if m.None {
				before = "none"
			}
			if m.Gone {
				after = "gone"
			}
			got = append(got, m.Path+": "+before+" > "+after)
		}
		if text := strings.Join(got, "; "); text != c.want || more != 0 {
			t.Errorf("%s to %s: %s, and %d\nwant %s", c.before, c.after, text, more, c.want)
		}
	}
	many := func(n string) json.RawMessage {
		return json.RawMessage(`{"same": 1, "list": [` + strings.TrimSuffix(strings.Repeat(n+",", 20), ",") + `]}`)
	}
	left := room(allValues)
	if members, more := membersOf(many("1"), many("2"), func(raw json.RawMessage) shown { return left.show(string(raw)) }); len(members) != maxMembers || more != 20-maxMembers {
		t.Errorf("%d, and %d", len(members), more)
	}
}
