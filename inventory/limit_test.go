package inventory

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
)

// limited reads what a pattern selects.
func (f *fake) limited(t ansibletest.Failer, o Options, pattern string) (text, why string) {
	o.Limit, o.Subset = LimitOnly, pattern
	doc, why, err := Read(context.Background(), f.client(), o)
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	var b strings.Builder
	if err := doc.Write(&b, false); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String(), why
}

// TestLimitReads: hosts, places, and labels and types whose groups have one name only are asked for; nothing else is
// read then. What names cannot decide, or select nothing, is the whole inventory.
func TestLimitReads(t *testing.T) {
	t.Parallel()
	fleet := func() *fake {
		f := fleetOf(250) // of four regions, or so
		f.tells = true
		region := f.lists["regions"][0]
		f.host(region, "a.b", nil, object{"labels": []string{"solo", "two words"}, "device_type": "odd"})
		f.host(region, "a-b", nil, object{"parent_id": 1})
		f.netdev(region, "tor", nil, nil)
		return f
	}
	some := fleet()
	full, _ := ansibletest.MustRead(t, some.document(t, DefaultOptions()))
	cell := ""
	for name := range full.Groups {
		if strings.HasPrefix(name, "cell_") {
			cell = max(cell, name)
		}
	}
	first := slices.Min(slices.Collect(maps.Keys(full.Hostvars)))
	for pattern, c := range map[string]struct {
		most   int    // requests; 0: all is read
		hosts  int    // of the document; -1: whatever
		why    string // the beginning
		change func(*Options)
	}{
		"a.b":                       {12, 1, "", nil},
		"a-b,a.b":                   {16, 2, "", nil},
		"a-b:a.b":                   {16, 2, "", nil},
		"a.b:!a.b":                  {0, 252, "it selects no host", nil},
		"!a.b":                      {0, 251, "", nil},
		"&a.b":                      {12, 1, "", nil},
		"a*:&label_solo":            {12, 1, "", nil},
		"label_solo":                {12, 1, "", nil},
		"label_solo,a-b":            {16, 2, "", nil},
		"label_two_words":           {0, 252, `no host or group of Craton is called "label_two_words"`, func(o *Options) { o.GroupNames = Exact }},
		"label_two_words,a-b":       {0, 2, "", nil},
		"label_two_20words":         {14, 1, "", func(o *Options) { o.GroupNames = Exact }},
		"type_odd":                  {12, 1, "", nil},
		cell:                        {30, len(full.Groups[cell].Hosts), "", nil},
		cell + ",a.b":               {30, 1 + len(full.Groups[cell].Hosts), "", nil},
		"a?b":                       {0, 2, "", nil},
		"*":                         {0, 252, "", nil},
		"craton":                    {0, 252, "", nil},
		"all":                       {0, 252, "", nil},
		"ungrouped":                 {0, 252, "it selects no host", nil},
		"localhost":                 {0, 0, "", nil},
		"a.b,localhost":             {12, 1, "", nil},
		"a.c":                       {0, 252, `no host or group of Craton is called "a.c"`, nil},
		"a.b,a.c":                   {0, 252, `no host or group of Craton is called "a.c"`, nil},
		"a.b,zz*":                   {0, 252, `no host or group of Craton is called "zz*"`, nil},
		"~a":                        {0, 252, `"~a" is a regular expression`, nil},
		"@file":                     {0, 252, `"@file" is a file`, nil},
		"a.b[0]":                    {0, 252, `"a.b[0]" has brackets`, nil},
		"tor":                       {14, 1, "", func(o *Options) { o.NetworkDevices = true }},
		"kind_network_device":       {0, 1, "", func(o *Options) { o.NetworkDevices, o.Groups = true, []GroupKind{KindGroups} }},
		"inactive":                  {0, 252, `no host or group of Craton is called "inactive"`, func(o *Options) { o.Groups = []GroupKind{ActiveGroups} }},
		"10.0.0.1":                  {12, 1, "", func(o *Options) { o.Hostname = ByIPAddress }},
		"label_solo:&a.b":           {0, 252, `no host or group of Craton is called "label_solo"`, func(o *Options) { o.Groups = nil }},
		"a.b:&label_x":              {0, 252, "it selects no host", nil},
		"type_odd,":                 {12, 1, "", func(o *Options) { o.DeviceTypes = []string{"odd"} }},
		"label_solo:!nobody":        {12, 1, "", func(o *Options) { o.VarsFilter, o.Vars = "", Lazy }},
		first + ",":                 {14, 1, "", nil},
		"a.b:&label_solo:&type_odd": {12, 1, "", nil},
	} {
		f := fleet()
		o := DefaultOptions()
		if c.change != nil {
			c.change(&o)
		}
		text, why := f.limited(t, o, pattern)
		doc, _ := ansibletest.MustRead(t, text)
		whole := f.count(`/hosts\?details=true&limit=\d+&region_id=\d+&resolved-values=false`) > 0
		if len(doc.Hostvars) != c.hosts || !strings.HasPrefix(why, c.why) || c.why == "" && why != "" || whole != (c.most == 0 && pattern != "localhost") || c.most > 0 && len(f.asked()) > c.most {
			t.Errorf("%s: %d hosts, want %d; why %q, want %q; %d requests, at most %d:\n%s", pattern, len(doc.Hostvars), c.hosts, why, c.why, len(f.asked()), c.most, strings.Join(f.asked(), "\n"))
		}
	}
}

// TestLimitWithAddresses: where there are other inventories only names of hosts count, and what is intersected and
// excluded is left to Ansible.
func TestLimitWithAddresses(t *testing.T) {
	t.Parallel()
	for pattern, c := range map[string]struct {
		hosts int
		why   string
	}{
		"web-01.example.net":                     {1, ""},
		"web-01.example.net:!web-01.example.net": {1, ""},
		"web-01.example.net:&label_canary":       {1, ""},
		"label_canary":                           {4, `no host or group of Craton is called "label_canary"`},
		"web*":                                   {4, `"web*" may match groups from other inventories or plays`},
		"localhost":                              {4, `"localhost" may come from other inventories or plays`},
		"!web-01.example.net":                    {4, `"all" may`},
	} {
		o := DefaultOptions()
		o.SubsetWithAddresses = true
		f := believable()
		text, why := f.limited(t, o, pattern)
		doc, _ := ansibletest.MustRead(t, text)
		if c.why != "" {
			c.hosts = len(f.load(t, DefaultOptions()).Hosts)
		}
		if len(doc.Hostvars) != c.hosts || !strings.HasPrefix(why, c.why) || c.why == "" && why != "" {
			t.Errorf("%s: %d hosts, want %d; why %q, want %q", pattern, len(doc.Hostvars), c.hosts, why, c.why)
		}
	}
}

// TestLimitOff: what --limit says does not matter unless it is to be only the selected hosts.
func TestLimitOff(t *testing.T) {
	t.Parallel()
	for _, limit := range []Limit{LimitOff, LimitAuto, ""} {
		o := DefaultOptions()
		f := believable()
		want := f.document(t, o)
		o.Limit, o.Subset = limit, "web-01"
		doc, why, err := Read(t.Context(), f.client(), o)
		if err != nil || why != "" {
			t.Fatalf("%s: %q, %v", limit, why, err)
		}
		var b strings.Builder
		if err := doc.Write(&b, false); err != nil || b.String() != want {
			t.Errorf("%q: %v, and the document is another", limit, err)
		}
	}
}

// TestLimitIsPart: whatever is selected, and however it is read, the document has the hosts that Ansible selects of the
// whole, each with the variables and in the groups that it has there, and no others.
func TestLimitIsPart(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]bool{"consistent": false, "as broken as the original allows": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				f := drawFleet(t, broken)
				o := drawOptions(t)
				o.Vars = rapid.SampledFrom([]Form{Lazy, Lazy, Layered}).Draw(t, "form")
				if !broken && rapid.Bool().Draw(t, "readable") {
					o.GroupNames = Readable
				}
				if rapid.IntRange(0, 4).Draw(t, "filter") == 0 {
					o.ActiveOnly, o.Clouds = true, []string{"c0"}
				}
				full, want := ansibletest.MustRead(t, f.document(t, o))
				names := slices.Sorted(maps.Keys(full.Hostvars))
				names = append(append(names, names...), slices.Sorted(maps.Keys(full.Groups))...)
				words := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
					word := rapid.SampledFrom(append(names, "nobody", "localhost", "a*", "*0")).Draw(t, "name")
					if at := rapid.IntRange(-3, len(word)-1).Draw(t, "wild"); at >= 0 {
						word = word[:at] + rapid.SampledFrom([]string{"*", "?"}).Draw(t, "with") + word[at+1:]
					}
					return rapid.SampledFrom([]string{"", "", "", "&", "!"}).Draw(t, "mode") + word
				}), 1, 4).Draw(t, "words")
				f.member = rapid.Bool().Draw(t, "may not read projects")
				o.SubsetWithAddresses = rapid.IntRange(0, 5).Draw(t, "beside") == 0
				text, why := f.limited(t, o, strings.Join(words, ",")+",")
				got, variables := ansibletest.MustRead(t, text)
				selected := slices.Sorted(maps.Keys(full.Hostvars))
				if why == "" {
					selected = ansibleSelects(full, words, o.SubsetWithAddresses)
				}
				if diff := cmp.Diff(selected, slices.Sorted(maps.Keys(got.Hostvars))); diff != "" {
					t.Fatalf("%q (%s) (-Ansible selects +document):\n%s", words, why, diff)
				}
				in := func(d *ansibletest.Document, host string) (groups []string) {
					for group := range d.Groups {
						if below(d, group)[host] {
							groups = append(groups, group)
						}
					}
					slices.Sort(groups)
					return groups
				}
				used := map[string]bool{"all": true, "ungrouped": true, o.ProjectGroup: true}
				for _, host := range selected {
					if diff := cmp.Diff(want[host], variables[host]); diff != "" {
						t.Fatalf("%q: variables of %s (-whole +limited):\n%s", words, host, diff)
					}
					groups := in(full, host)
					if diff := cmp.Diff(groups, in(got, host)); diff != "" {
						t.Fatalf("%q: groups of %s (-whole +limited):\n%s", words, host, diff)
					}
					for _, group := range groups {
						used[group] = true
						if diff := cmp.Diff(full.Groups[group].Vars, got.Groups[group].Vars); diff != "" && !f.member {
							t.Fatalf("%q: variables of group %s (-whole +limited):\n%s", words, group, diff)
						}
					}
				}
				for group := range got.Groups {
					if !used[group] && why == "" {
						t.Fatalf("%q: the group %s has none of the hosts", words, group)
					}
				}
			})
		})
	}
}

// below returns the hosts in a group and its children.
func below(d *ansibletest.Document, group string) map[string]bool {
	hosts := map[string]bool{}
	for _, host := range d.Groups[group].Hosts {
		hosts[host] = true
	}
	for _, child := range d.Groups[group].Children {
		maps.Copy(hosts, below(d, child))
	}
	return hosts
}

// ansibleSelects returns what Ansible makes of the words of --limit, by its documentation.
func ansibleSelects(d *ansibletest.Document, words []string, onlyUnion bool) []string {
	match := func(word string) map[string]bool {
		expression := regexp.MustCompile(`^(?s:` + strings.ReplaceAll(strings.ReplaceAll(regexp.QuoteMeta(word), `\*`, `.*`), `\?`, `.`) + `)$`)
		matched := map[string]bool{}
		for group := range d.Groups {
			if expression.MatchString(group) {
				maps.Copy(matched, below(d, group))
			}
		}
		for host := range d.Hostvars {
			if expression.MatchString(host) || word == "all" {
				matched[host] = true
			}
		}
		return matched
	}
	selected := map[string]bool{}
	regular := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w[0] == '&' || w[0] == '!' })
	if len(regular) == 0 {
		regular = []string{"all"}
	}
	for _, word := range regular {
		maps.Copy(selected, match(word))
	}
	for _, word := range words {
		if word[0] != '&' && word[0] != '!' || onlyUnion {
			continue
		}
		matched := match(word[1:])
		maps.DeleteFunc(selected, func(host string, _ bool) bool { return matched[host] == (word[0] == '!') })
	}
	return slices.Sorted(maps.Keys(selected))
}

// TestBoth: queries for both are at least what both ask for.
func TestBoth(t *testing.T) {
	t.Parallel()
	q := func(pairs ...string) url.Values {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return values
	}
	var many []url.Values
	for i := range maxCover {
		many = append(many, q("name", fmt.Sprint(i)))
	}
	for name, c := range map[string]struct{ some, others, want []url.Values }{
		"a region's of a label": {[]url.Values{q("region_id", "1")}, []url.Values{q("label", "web"), q("name", "label_web")},
			[]url.Values{q("region_id", "1", "label", "web"), q("region_id", "1", "name", "label_web")}},
		"two names":  {[]url.Values{q("name", "a"), q("name", "b")}, []url.Values{q("name", "b")}, []url.Values{q("name", "b")}},
		"two labels": {[]url.Values{q("label", "a")}, []url.Values{q("label", "b")}, []url.Values{q("label", "a")}},
		"too many":   {many, []url.Values{q("label", "b"), q("label", "c")}, many},
	} {
		if diff := cmp.Diff(c.want, intersect(c.some, c.others)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
