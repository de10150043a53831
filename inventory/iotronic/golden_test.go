package iotronic

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
	api "github.com/craton-fleet/craton/iotronic"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	town, metal := boards(t), listingOf(t, api.DialectIronic, bareMetal()...)
	for name, c := range map[string]struct {
		url    string // "": the bare metal
		change func(*Options)
	}{
		"boards":     {town.URL, nil},
		"nodes_2017": {nodes(t, iotronictest.Nodes2017).URL, nil},
		"nodes_2016": {nodes(t, iotronictest.Nodes2016).URL, nil},
		"ironic":     {"", nil},
		"ironic_unique": {"", func(o *Options) {
			o.Hostname, o.Groups, o.ExcludeFields = Unique, []GroupKind{DriverGroups}, []string{"*_info", "*_at", "properties"}
		}},
		"ironic_uuid":      {"", func(o *Options) { o.Hostname, o.GroupNames, o.Facts = ByUUID, Exact, "" }},
		"ironic_extra":     {"", func(o *Options) { o.Groups, o.Facts, o.ExtraVariables = nil, "", []string{"*"} }},
		"ironic_addresses": {"", func(o *Options) { o.Groups, o.AddressFrom = nil, []string{"extra.none", "properties.primary_ip"} }},
		"boards_extra": {town.URL, func(o *Options) {
			o.Groups, o.Facts, o.ExtraVariables, o.ExcludeVariables = []GroupKind{FleetGroups}, "", []string{"[a-r]*", "ansible_u*"}, []string{"mg*"}
			o.AddressFrom = []string{"extra.mgmt.ip", "connectivity.local_ip"}
		}},
		"boards_trusted": {town.URL, func(o *Options) {
			o.Groups, o.TrustTemplates, o.ExcludeFields = []GroupKind{StatusGroups}, true, []string{"[a-df-z]*"}
		}},
		"boards_filtered": {town.URL, func(o *Options) {
			o.Filters, o.Facts = []Filter{{"fleet", []string{"roofs of town"}}, {"status", []string{"online", "registered"}}}, ""
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := DefaultOptions()
			if c.change != nil {
				c.change(&o)
			}
			l := metal
			if c.url != "" {
				l = load(t, c.url, o)
			}
			pretty := render(t, l, o, true)
			ansibletest.Golden(t, name+".json", pretty)
			if !o.TrustTemplates {
				ansibletest.MustRead(t, pretty) // Ansible takes it
			}
			var want bytes.Buffer
			if err := json.Indent(&want, []byte(render(t, l, o, false)), "", "  "); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), pretty); diff != "" {
				t.Errorf("pretty is not the indented compact document (-indented +pretty):\n%s", diff)
			}
		})
	}
}

func TestGoldenGraph(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	doc, err := Build(load(t, boards(t).URL, o), o)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := doc.WriteGraph(&b, Graph{Hosts: true}); err != nil {
		t.Fatal(err)
	}
	ansibletest.Golden(t, "graph.txt", b.String())
}

func TestNothing(t *testing.T) {
	t.Parallel()
	const want = `{"_meta":{"hostvars":{}},
"all":{"children":["ungrouped"]},
"ungrouped":{"hosts":[]}}
`
	for _, era := range []iotronictest.Era{iotronictest.Nodes2016, iotronictest.Nodes2017, iotronictest.Boards2019} {
		o := DefaultOptions()
		o.Filters = []Filter{{"status", []string{"onlain"}}} // of nothing there are no words to compare with
		if got := render(t, load(t, iotronictest.Start(t, era).URL, o), o, false); got != want {
			t.Errorf("%v: %s", era, got)
		}
	}
}

// TestBuildErrors: each names what it is about and what to do.
func TestBuildErrors(t *testing.T) {
	t.Parallel()
	deep := json.RawMessage(strings.Repeat("[", 101) + strings.Repeat("]", 101))
	one := func(more object) []object {
		o := object{"uuid": uuid1, "name": "a"}
		for k, v := range more {
			o[k] = v
		}
		return []object{o}
	}
	for name, c := range map[string]struct {
		objects []object
		change  func(*Options)
		want    string
	}{
		"one name": {[]object{{"uuid": uuid2, "name": "pi"}, {"uuid": uuid1, "name": "pi"}}, nil,
			`two hosts are called "pi" in the inventory: board "pi" (` + uuid1 + `) and board "pi" (` + uuid2 + `); set hostname to unique or uuid`},
		"a name that is another's uuid": {[]object{{"uuid": uuid2, "name": uuid1}, {"uuid": uuid1, "name": nil}}, nil,
			`two hosts are called "` + uuid1 + `" in the inventory: board ` + uuid1 + ` and board "` + uuid1 + `" (` + uuid2 + `); set hostname to unique or uuid`},
		"one name and one beginning": {[]object{{"uuid": uuid1, "name": "pi"}, {"uuid": uuid1[:8] + uuid2[8:], "name": "pi"}}, func(o *Options) { o.Hostname = Unique },
			`two hosts are called "pi_11111111" in the inventory: board "pi" (` + uuid1 + `) and board "pi" (11111111-bbbb-4000-8000-000000000002); set hostname to uuid`},
		"space":      {one(object{"name": "a b"}), nil, `board "a b" (` + uuid1 + `) cannot be in the inventory: its name there is "a b", which contains a space or a control character; rename it, or set hostname to uuid`},
		"a template": {one(object{"name": "{{x}}"}), nil, `looks like a template`},
		"an option":  {one(object{"name": "-oProxyCommand=id"}), nil, `its name there is "-oProxyCommand=id", which begins with -, so that Ansible and ssh would read it as an option; rename it, or set hostname to uuid`},
		"a command":  {one(object{"name": "a;id"}), nil, `Ansible would connect to "a;id", which is neither a host name nor an address`},
		"like a group": {one(object{"name": "status_online", "status": "online"}), nil,
			`board "status_online" (` + uuid1 + `) has the same name in the inventory as the group of status "online" (to omit that group, remove status from groups)`},
		"like all": {one(object{"name": "all"}), nil, `as a group of Ansible's own`},
		"look alike": {[]object{{"uuid": uuid1, "name": "a", "type": "x 1"}, {"uuid": uuid2, "name": "b", "type": "x-1"}}, nil,
			`type "x 1" and type "x-1" would both be the group "type_x_1"; rename one of them, or set group_names to exact`},
		"fleets of one name": {[]object{{"uuid": uuid1, "name": "a", "fleet": "f1"}, {"uuid": uuid2, "name": "b", "fleet": "f2"}}, func(o *Options) { o.GroupNames = Exact },
			`two fleets are called "same": f1 and f2; rename one of them, or leave fleet out of groups`},
		"an address that is an option":  {one(object{"extra": object{"ansible_host": "-oProxyCommand=id"}}), nil, `extra.ansible_host of board "a" (` + uuid1 + `) is "-oProxyCommand=id", which is neither a host name nor an address; correct it, or set address_from to another path`},
		"an address that is a command":  {one(object{"extra": object{"ansible_host": "$(id)"}}), nil, `is "$(id)", which is neither a host name nor an address`},
		"an address that is a number":   {one(object{"extra": object{"ansible_host": 10}}), nil, `is 10, which is neither a host name nor an address`},
		"an address that is an object":  {one(object{"extra": object{"ansible_host": object{"ip": strings.Repeat("é", 50)}}}), nil, `is {"ip":"é`},
		"an address that is a template": {one(object{"extra": object{"ansible_host": "{{ x }}"}}), nil, `is "{{ x }}", which`},
		"a mark of Ansible's": {one(object{"__ansible_vault": "x"}), nil,
			`board "a" (` + uuid1 + `) has a field "__ansible_vault", which Ansible would take for a marker of its own; set exclude_fields to it`},
		"too deep": {one(object{"config": deep}), nil,
			`the field "config" of board "a" (` + uuid1 + `) is nested more than 100 deep, which Ansible cannot load; change it, or set exclude_fields to it`},
		"too deep in extra": {one(object{"extra": object{"deep": deep}}), func(o *Options) { o.Facts, o.ExtraVariables = "", []string{"*"} },
			`the variable "deep" of board "a" (` + uuid1 + `) is nested more than 100 deep, which Ansible cannot load; change it, or add it to exclude_variables`},
		"the facts' name": {one(object{"extra": object{"iotronic": 1}}), func(o *Options) { o.ExtraVariables = []string{"*"} },
			`board "a" (` + uuid1 + `) has a variable "iotronic", which is also the name of the facts; set facts to another name, or add the variable to exclude_variables`},
		"hostname":          {nil, func(o *Options) { o.Hostname = "uid" }, `hostname: "uid" ... did you mean "uuid"?`},
		"groups":            {nil, func(o *Options) { o.Groups = []GroupKind{TypeGroups, "stauts"} }, `groups: "stauts" ... did you mean "status"?`},
		"group_names":       {nil, func(o *Options) { o.GroupNames = "raw" }, `group_names: "raw" ... choose from: readable, exact`},
		"facts":             {nil, func(o *Options) { o.Facts = "a-b" }, `facts must be the name of a variable`},
		"ansible_host":      {nil, func(o *Options) { o.Facts = "ansible_host" }, `facts cannot be called ansible_host`},
		"exclude_fields":    {nil, func(o *Options) { o.ExcludeFields = []string{"["} }, `exclude_fields ... "["`},
		"extra_variables":   {nil, func(o *Options) { o.ExtraVariables = []string{"["} }, `extra_variables ... "["`},
		"exclude_variables": {nil, func(o *Options) { o.ExcludeVariables = []string{"["} }, `exclude_variables ... "["`},
	} {
		o := DefaultOptions()
		if c.change != nil {
			c.change(&o)
		}
		l := listingOf(t, api.DialectBoards, c.objects...)
		l.Fleets = map[string]string{"f1": "same", "f2": "same"}
		if _, err := Build(l, o); err == nil || !wording.Has(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}

// TestLeftOutCannotFail: fields and variables that are excluded are not looked at, nor are addresses nobody wants.
func TestLeftOutCannotFail(t *testing.T) {
	t.Parallel()
	deep := json.RawMessage(strings.Repeat("[", 101) + strings.Repeat("]", 101))
	l := listingOf(t, api.DialectIronic, object{"uuid": uuid1, "name": "a", "__ansible_type": 1, "extra": object{"ansible_host": "a b", "iotronic": 1, "deep": deep, "ok": 1}})
	o := DefaultOptions()
	o.AddressFrom, o.ExcludeFields, o.ExtraVariables, o.ExcludeVariables = nil, []string{"extra", "__*"}, []string{"*"}, []string{"iotronic", "de*"}
	_, v := ansibletest.MustRead(t, render(t, l, o, false))
	want := map[string]map[string]any{"a": {"ok": json.Number("1"), "iotronic": map[string]any{"uuid": uuid1, "name": "a"}}}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
}

// TestKeysThatBecomeVariables: identifiers that a pattern names; those that Ansible itself obeys only on purpose.
func TestKeysThatBecomeVariables(t *testing.T) {
	t.Parallel()
	for key, want := range map[string][]string{
		"rack":               {"*", "r*", "rack"},
		"ansible_connection": {"ansible_*", "ansible_connection"},
		"a-b":                nil, "1x": nil, "é": nil, "true": nil, "not": nil, "": nil,
		"_x": {"*"},
	} {
		for _, pattern := range []string{"*", "r*", "rack", "ansible_*", "ansible_connection", "?nsible_*", "[a]nsible_connection"} {
			o := DefaultOptions()
			o.ExtraVariables = []string{pattern}
			expect := false
			for _, w := range want {
				expect = expect || w == pattern
			}
			if got := o.isVariable(key); got != expect {
				t.Errorf("%q lifts %q: %v", pattern, key, got)
			}
		}
	}
}
