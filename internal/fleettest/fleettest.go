// Package fleettest draws random fleets, as a fleet file says them: with hostile names and values, or with few names,
// so that a second fleet meets the first one. Only tests import it.
package fleettest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// Names are names of hosts that the API takes, and that other programs take for something else.
var Names = []string{
	"*", "web*", "!web", "-oProxyCommand=touch x", "a b", "Host *", "a#b", "#a", "{{ x }}", "%h", "${HOME}", "$(touch x)", "`touch x`", "a;b", "a|b", "a,b", "\"a\"", "'a'", "a\\b", "a/b", "../x", "~a", "é", "localhost", "LOCALHOST", "127.0.0.1",
	"10.1", "0x7f.1", "1", "::1", "=1+1", "@SUM(A1)", "+1", "-1", "\uff1d1", "a=b", "web:22", "[::1]", "all", "ungrouped", "none", "a.", ".a", "a..b", "a-", "-a", "a_b", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a", "<script>", "yes", "null", "~",
}

// Texts are values of variables.
var Texts = append(slices.Clone(Names), "a\nb", "a\n  ProxyCommand touch x", "x\nHost *\n  ProxyCommand touch x", "\tx", "\rx", "a\r\nb", " a ", "a\x1b[31mb", "a\u202eb", "'=1", "'", "", "a,\"b\"\n", "10.0.0.1 evil\n", "none", "NONE", "%d/x", "a\u2028b")

// values are of every kind that gets lost, changed or executed somewhere.
var values = []any{
	nil, true, false, json.Number("0"), json.Number("-1"), json.Number("1.0"), json.Number("1e3"), json.Number("12345678901234567890123"), json.Number("0.1000000000000000055"), "0644", "1e3", "2024-01-02", "012", "yes", "null",
	[]any{}, map[string]any{}, []any{json.Number("1"), "{{ x }}", nil, []any{map[string]any{"a": "{% x %}"}}}, map[string]any{"{{ k }}": json.Number("1"), "b": map[string]any{"é ☃": []any{nil}}},
	map[string]any{"__ansible_unsafe": "x"}, "#jinja2:variable_start_string:'[['\n[[ x ]]", "{# c #}", "{", "line\nline\n", "\n", " \n x", "---\n", "ü 𝄞", strings.Repeat("long ", 2000),
}

// special are the variables that other programs read, with values that they may like.
var special = map[string][]any{
	"ansible_host":                 {"host.example.net", "HOST", "192.0.2.7", "2001:DB8::0:7", "10.1", "::ffff:192.0.2.7", json.Number("10"), "a_b", "x.", "127.0.0.1"},
	"ansible_ssh_host":             {"old.example.net", "192.0.2.8"},
	"ansible_user":                 {"deploy", "root", "a.b@c", "DOM\\user", "-x", json.Number("1000")},
	"ansible_ssh_user":             {"old"},
	"ansible_port":                 {json.Number("22"), json.Number("2222"), "2222", json.Number("70000"), json.Number("0"), "022", json.Number("22.0"), true, "ssh"},
	"ansible_ssh_port":             {json.Number("2200")},
	"ansible_private_key_file":     {"~/.ssh/fleet", "/k/a b", "none", "keys/%h"},
	"ansible_ssh_private_key_file": {"/k/old"},
	"ansible_ssh_common_args":      {"-J bastion", "-o ProxyJump=j@bastion:2222", "-o ProxyJump=none", "-J a,b", "-J bastion -v", "-o ProxyCommand='touch x'", "-F /dev/null"},
	"ansible_ssh_extra_args":       {"-v"},
	"metrics_port":                 {json.Number("9100"), "9200", "09300", json.Number("0"), json.Number("65536"), json.Number("9100.0"), "22; x"},
	"metrics_path":                 {"/metrics", "/a b", "metrics", "/x?y=z", "/é"},
	"metrics_scheme":               {"http", "https", "ftp", "HTTPS"},
}

// Special returns the names of the variables that other programs read.
func Special() []string {
	names := make([]string, 0, len(special))
	for name := range special {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Plain are names of variables that no program reads.
var Plain = []string{"a", "b", "text", "ntp", "é", "a-b", "z z", `q"uote`, "=x", "ansible_group_priority"}

func drawVariables(t *rapid.T) map[string]any {
	vars := map[string]any{}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(Special()), 0, 4, rapid.ID).Draw(t, "special variables") {
		text := rapid.SampledFrom(special[name])
		if rapid.IntRange(0, 3).Draw(t, "is hostile") == 0 {
			text = rapid.OneOf(rapid.Map(rapid.SampledFrom(Texts), func(s string) any { return s }), rapid.SampledFrom(values))
		}
		vars[name] = text.Draw(t, name)
	}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(Plain), 0, 4, rapid.ID).Draw(t, "plain variables") {
		vars[name] = rapid.OneOf(rapid.Map(rapid.SampledFrom(Texts), func(s string) any { return s }), rapid.SampledFrom(values)).Draw(t, name)
	}
	return vars
}

// Fleet draws a fleet in which no two hosts have the same name, and no two places: good says which names hosts may
// have. It has what an inventory and its other formats are made of.
func Fleet(good func(name string) bool) *rapid.Generator[map[string]any] {
	var names []string
	for _, name := range append(slices.Clone(Names), "web-01", "web-02", "db.example.net", "kvm", "x1", "x2", "10.0.0.3", "2001:db8::1", "UPPER", "host_1", "1st") {
		if good(name) && name != "all" && name != "ungrouped" { // which are groups
			names = append(names, name)
		}
	}
	word := rapid.SampledFrom([]string{"e", "w w", "{{ c }}", "a-b", "é", "#", "$(id)", "yes", "=", "x,y", "'", `"`, "a/b"})
	return rapid.Custom(func(t *rapid.T) map[string]any {
		left := rapid.Permutation(names).Draw(t, "names")
		var parents []any
		places, address := 0, 0
		s := shape{
			places: func(kind string) (names []string) {
				least, most := 1, 2
				if kind == "cell" {
					least, most = 0, 1
				}
				for range rapid.IntRange(least, most).Draw(t, kind+"s") {
					places++ // the number keeps groups apart whose names look alike
					names = append(names, fmt.Sprintf("%s%d", word.Draw(t, kind), places))
				}
				return names
			},
			devices: func() (names []string) {
				n := min(rapid.IntRange(0, 8).Draw(t, "hosts"), len(left))
				names, left = left[:n], left[n:]
				return names
			},
			inCell:    func(string) bool { return rapid.Bool().Draw(t, "is in the cell") },
			variables: func(string) map[string]any { return drawVariables(t) },
			address: func() string {
				address++
				return rapid.SampledFrom([]string{fmt.Sprintf("10.0.0.%d", address), fmt.Sprintf("2001:db8::%x", address)}).Draw(t, "address")
			},
			types:  []string{"server", "vm"},
			labels: func() []any { return some(t, "web", "db", "{{ l }}", "a b", "x,y", "[1") },
			parent: func(_, _, name string) (parent any, has bool) {
				if has = len(parents) > 0 && rapid.IntRange(0, 3).Draw(t, "has a parent") == 0; has {
					parent = rapid.SampledFrom(parents).Draw(t, "parent")
				}
				if !strings.Contains(name, "/") {
					parents = append(parents, name)
				}
				return parent, has
			},
		}
		return s.draw(t)
	})
}
