package collection_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
)

// payload runs a command on the controller where Ansible executes it. The file that it makes tells which value of the
// fleet ran, and in which task: each has a variable called way.
func payload(marks, value string) string {
	return fmt.Sprintf("lookup('pipe', 'touch %s/%s@' ~ (way | default(inventory_hostname)))", marks, value)
}

// planted are variables with payloads in every place of a value: whole, in halves that a play joins, with delimiters of
// their own, in keys, in halves of keys, deep down.
func planted(marks string) map[string]any {
	p := func(value string) string { return payload(marks, value) }
	return map[string]any{
		"p_whole":     "{{ " + p("whole") + " }}",
		"p_statement": "a{% set x = " + p("statement") + " %}b",
		"p_delimiter": "#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ " + p("delimiter") + " ]] {# #}",
		"p_spaced":    " #Jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ " + p("spaced") + " ]]",
		"p_head":      "#jin",
		"p_tail":      "ja2:variable_start_string:'[[',variable_end_string:']]'\n[[ " + p("header_halves") + " ]]",
		"p_headless":  "jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ " + p("headless") + " ]]",
		"p_heads":     []any{"#", "jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ " + p("heads") + " ]]"},
		"p_open":      "{",
		"p_rest":      "{ " + p("halves") + " }}",
		"p_open_more": "x{",
		"p_rest_more": "% set x = " + p("statement_halves") + " %}",
		"p_parts":     []any{"{", "{ " + p("parts") + " }}"},
		"p_dict":      map[string]any{"open": "{", "rest": "{ " + p("dict_halves") + " }}", "whole": "{{ " + p("dict_value") + " }}"},
		"p_key":       map[string]any{"{{ " + p("key") + " }}": 1},
		"p_key_delimiter": map[string]any{
			"#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ " + p("key_delimiter") + " ]] {# #}": 1},
		"p_key_halves": map[string]any{"{": 1, "{ " + p("key_halves") + " }}": 2},
		"p_key_value":  map[string]any{"x{": "% set x = " + p("key_value") + " %}"},
		"p_list":       []any{map[string]any{"name": "{{ " + p("list") + " }}", "{{ " + p("list_key") + " }}": 2}},
		"p_deep":       map[string]any{"a": map[string]any{"b": []any{map[string]any{"{{ " + p("deep_key") + " }}": map[string]any{"c": "{{ " + p("deep") + " }}"}}}}},
		"p_json":       `{"{{ ` + p("json_key") + ` }}": "{{ ` + p("json") + ` }}"}`,
	}
}

// strings_, mappings and lists are the planted variables by what a play does with them.
var (
	plantedStrings  = []string{"p_whole", "p_statement", "p_delimiter", "p_open", "p_rest", "p_open_more", "p_rest_more", "p_json"}
	plantedMappings = []string{"p_dict", "p_key", "p_key_delimiter", "p_key_halves", "p_key_value", "p_deep"}
	plantedLists    = []string{"p_parts", "p_list"}
)

// accessors are how a play names a variable.
var accessors = []struct {
	name string
	of   func(variable string) string
}{
	{"direct", func(v string) string { return v }},
	{"vars", func(v string) string { return "lookup('vars', '" + v + "')" }},
	{"hostvars", func(v string) string { return "hostvars[inventory_hostname]." + v }},
	{"other", func(v string) string { return "hostvars[groups.all | sort | last]." + v }},
	// What a node of Ironic has.
	{"extra", func(v string) string { return "iotronic.extra." + v }},
	{"properties", func(v string) string { return "iotronic.properties." + v }},
	{"instance_info", func(v string) string { return "iotronic.instance_info." + v }},
	{"driver_info", func(v string) string { return "iotronic.driver_info." + v }},
}

// way is one way in which a play touches data: tasks, to which playOf gives the name of the way and of the accessor in
// the variable way. <S:...> stands for the text once for each of the planted strings, parted by commas, <M:...> and
// <L:...> for mappings and lists; in it, and elsewhere, A(v) is the expression of the variable v, $ its name, and @ the
// accessor's.
type way struct{ name, tasks string }

var ways = []way{
	{"debug_msg", `- debug: {msg: [<S:"{{ A($) }}">, <S:"before {{ A($) }} after">, <M:"{{ A($) }}">, <L:"{{ A($) }}">]}`},
	{"debug_var", `- debug: {var: "[<S:A($)>, <M:A($)>, <L:A($)>]"}`},
	{"debug_key", `- debug: {msg: [<M:"{{ MAP(A($)).keys() | list }}">, <M:"{{ MAP(A($)) | list | first | default('') }}">]}`},
	{"set_fact", `
- set_fact: {<S:f_@_$: "{{ A($) }}">, <M:f_@_$: "{{ A($) }}">, <L:f_@_$: "{{ A($) }}">}
- debug: {msg: [<S:"{{ f_@_$ }}">, <M:"{{ f_@_$ }}">, <L:"{{ f_@_$ }}">]}
- debug: {msg: [<M:"{{ MAP(f_@_$).keys() | list }} {{ MAP(f_@_$).values() | list }}">, <L:"{{ f_@_$ | first }} {{ f_@_$ | join }}">]}
- set_fact: {<M:f2_@_$: "{{ MAP(f_@_$).keys() | list + MAP(f_@_$).values() | list }}">, <L:f2_@_$: "{{ f_@_$ | first }}">, <M:f3_@_$: "{{ MAP(f_@_$).keys() | join }}">}
- debug: {msg: [<M:"{{ f2_@_$ }} {{ f3_@_$ }}">, <L:"{{ f2_@_$ }}">]}`},
	{"set_fact_text", `
- set_fact: {<S:g_@_$: "before {{ A($) }}">, <M:g_@_$: "before {{ A($) }}">, <L:g_@_$: "before {{ A($) }}">}
- debug: {msg: [<S:"{{ g_@_$ }}">, <M:"{{ g_@_$ }}">, <L:"{{ g_@_$ }}">]}`},
	{"set_fact_key", `
- set_fact: {<M:k_@_$: "{{ MAP(A($)) | list | first | default('') }}">}
- debug: {msg: [<M:"{{ k_@_$ }}">]}`},
	{"set_fact_cacheable", `
- set_fact: {<S:c_@_$: "{{ A($) }}">, cacheable: true}
- debug: {msg: [<S:"{{ c_@_$ }} {{ ansible_facts.c_@_$ | default('') }}">]}`},
	{"joined_templates", `
- set_fact: {j_@_1: "{{ A(p_open) }}{{ A(p_rest) }}", j_@_2: "{{ A(p_open_more) }}{{ A(p_rest_more) }}", j_@_3: "{{ A(p_dict).open }}{{ A(p_dict).rest }}"}
- debug: {msg: "{{ j_@_1 }} {{ j_@_2 }} {{ j_@_3 }}"}`},
	{"joined_header", `
- set_fact: {jh_@_1: "{{ A(p_head) }}{{ A(p_tail) }}", jh_@_2: "{{ A(p_heads) | join }}", jh_@_3: "#{{ A(p_headless) }}", jh_@_4: "{{ A(p_head) ~ A(p_tail) }}", jh_@_5: "{{ A(p_spaced) | trim | lower }}", jh_@_6: "{{ A(p_spaced)[1:] | lower }}"}
- debug: {msg: "{{ jh_@_1 }}"}
- debug: {msg: "{{ jh_@_2 }} {{ jh_@_3 }} {{ jh_@_4 }}"}
- debug: {msg: "{{ jh_@_5 }} {{ jh_@_6 }}"}`},
	{"joined_text", `
- set_fact: {t_@_1: "{{ A(p_open) ~ A(p_rest) }}", t_@_2: "{{ A(p_open_more) + A(p_rest_more) }}", t_@_3: "{{ '%s%s' | format(A(p_open), A(p_rest)) }}"}
- debug: {msg: "{{ t_@_1 }} {{ t_@_2 }} {{ t_@_3 }}"}`},
	{"joined_list", `
- set_fact: {l_@_1: "{{ A(p_parts) | join }}", l_@_2: "{{ [A(p_open), A(p_rest)] | join }}", l_@_3: "{{ ''.join([A(p_open_more), A(p_rest_more)]) }}"}
- debug: {msg: "{{ l_@_1 }} {{ l_@_2 }} {{ l_@_3 }}"}`},
	{"joined_by_vars", `
- debug: {msg: "{{ full }} {{ more }} {{ last }}"}
  vars: {full: "{{ A(p_open) }}{{ A(p_rest) }}", more: "{{ A(p_parts) | join }}", last: "{{ A(p_open_more) ~ A(p_rest_more) }}"}`},
	{"joined_by_loop", `
- set_fact: {n_@_1: "{{ item.0 }}{{ item.1 }}"}
  loop: "{{ [A(p_open), A(p_open_more)] | zip([A(p_rest), A(p_rest_more)]) | list }}"
- debug: {msg: "{{ n_@_1 }}"}`},
	{"joined_keys", `
- set_fact: {<M:y_@_$: "{{ MAP(A($)).keys() | join }}">, <M:y2_@_$: "{{ MAP(A($)).items() | map('join') | join }}">}
- debug: {msg: [<M:"{{ y_@_$ }} {{ y2_@_$ }}">]}`},
	{"joined_values", `
- set_fact: {<M:w_@_$: "{{ MAP(A($)).values() | join }}">}
- debug: {msg: [<M:"{{ w_@_$ }}">]}`},
	{"dict2items", `
- debug: {msg: "{{ item.key }} {{ item.value }} {{ item }}"}
  loop: "{{ [<M:MAP(A($)) | dict2items>] | flatten }}"
- set_fact: {"d_@_{{ item.0 }}": "{{ item.1.key }}{{ item.1.value }}", "dk_@_{{ item.0 }}": "{{ item.1.key }}"}
  loop: "{{ range(99) | zip([<M:MAP(A($)) | dict2items>] | flatten) | list }}"
- debug: {msg: "{{ lookup('vars', item) }}"}
  loop: "{{ q('varnames', '^dk?_@_') }}"`},
	{"keys", `
- debug: {msg: "{{ item }}"}
  loop: "{{ [<M:MAP(A($)).keys() | list>] | flatten }}"`},
	{"values", `
- debug: {msg: "{{ item }}"}
  loop: "{{ [<M:MAP(A($)).values() | list>] | flatten }}"`},
	{"loop", `
- debug: {msg: "{{ item }} {{ MAP(item).keys() | list }}"}
  loop: "{{ [<S:A($)>, <L:A($)>] | flatten }}"`},
	{"with_dict", `
- debug: {msg: "{{ item.key }} {{ item.value }}"}
  with_dict: [<M:"{{ MAP(A($)) }}">]`},
	{"with_items", `
- debug: {msg: "{{ item }}"}
  with_items: [<S:"{{ A($) }}">, <L:"{{ A($) }}">]`},
	{"with_together", `
- set_fact: {wt_@: "{{ item.0 }}{{ item.1 }}"}
  with_together: [["{{ A(p_open) }}"], ["{{ A(p_rest) }}"]]
- debug: {msg: "{{ wt_@ }}"}`},
	{"lookup_dict", `- debug: {msg: [<M:"{{ query('dict', MAP(A($))) }}">]}`},
	{"loop_label", `
- debug: {msg: x}
  loop: "{{ [<S:A($)>, <M:A($)>] }}"
  loop_control: {label: "{{ item }}"}`},
	{"loop_extended", `
- debug: {msg: "{{ one }} {{ ansible_loop.allitems }}"}
  loop: "{{ [<S:A($)>, <M:A($)>] }}"
  loop_control: {loop_var: one, extended: true}`},
	{"register", `
- debug: {msg: [<S:"{{ A($) }}">, <M:"{{ A($) }}">]}
  register: r_@
- debug: {msg: "{{ r_@.msg }} {{ r_@ }}"}
- set_fact: {rf_@: "{{ r_@.msg }}", rg_@: "{{ r_@.msg[0] }}", rh_@: "{{ r_@.msg[3] }}{{ r_@.msg[4] }}"}
- debug: {msg: "{{ rf_@ }} {{ rg_@ }} {{ rh_@ }}"}`},
	{"register_loop", `
- debug: {msg: "{{ item }}"}
  loop: "{{ [<S:A($)>] + A(p_parts) }}"
  register: rl_@
- debug: {msg: "{{ item.msg }} {{ item.item }}"}
  loop: "{{ rl_@.results }}"
- set_fact: {rj_@: "{{ rl_@.results | map(attribute='item') | join }}", rk_@: "{{ rl_@.results | map(attribute='item') | list }}"}
- debug: {msg: "{{ rj_@ }} {{ rk_@ }}"}`},
	{"task_name", `
- name: "a task of <S:{{ A($) }}> <M:{{ A($) }}>"
  debug: {msg: x}`},
	{"task_vars", `
- debug: {msg: [<S:"{{ a_$ }} {{ b_$.a }} {{ b_$ }}">]}
  vars: {<S:a_$: "{{ A($) }}">, <S:b_$: {a: "{{ A($) }}"}>}`},
	{"when", `
- debug: {msg: x}
  when: [<S:"A($) is defined and A($) != 'y' and A($) | length != 0">]`},
	{"changed_when", `
- debug: {msg: x}
  changed_when: [<S:"'x' in A($)">]
  failed_when: [<S:"A($) == 'y'">]`},
	{"until", `
- debug: {msg: "{{ A(p_whole) }}{{ A(p_open) }}{{ A(p_rest) }}"}
  register: u_@
  until: "u_@.msg != '' and A(p_whole) != ''"
  retries: 1
  delay: 0`},
	{"assert", `
- assert: {that: [<S:"A($) is string">, <S:"A($) != ''">], success_msg: "<S:{{ A($) }}>", fail_msg: "<S:{{ A($) }}>"}`},
	{"combine", `
- set_fact: {<M:cb_@_$: "{{ {'a': 1} | combine(MAP(A($)), recursive=true) }}">}
- debug: {msg: [<M:"{{ cb_@_$ }} {{ cb_@_$.keys() | list }}">]}
- set_fact: {<M:cb2_@_$: "{{ cb_@_$.keys() | list + cb_@_$.values() | list }}">}
- debug: {msg: [<M:"{{ cb2_@_$ }}">]}`},
	{"dict", `
- set_fact: {<S:di_@_$: "{{ dict([[A($), A($)]]) }}">, <S:di2_@_$: "{{ [{'key': A($), 'value': A($)}] | items2dict }}">}
- debug: {msg: [<S:"{{ di_@_$ }} {{ di2_@_$ }} {{ di_@_$.keys() | list }}">]}
- set_fact: {<S:di3_@_$: "{{ di_@_$.keys() | list + di2_@_$.values() | list }}">}
- debug: {msg: [<S:"{{ di3_@_$ }}">]}`},
	{"map", `
- set_fact: {mp_@_1: "{{ A(p_list) | select('mapping') | map(attribute='name') | list }}", mp_@_2: "{{ A(p_parts) | map('upper') | map('lower') | list }}", mp_@_3: "{{ [A(p_dict)] | map(attribute='whole') | first }}"}
- debug: {msg: "{{ mp_@_1 }} {{ mp_@_2 }} {{ mp_@_3 }}"}`},
	{"selectattr", `
- set_fact: {sl_@: "{{ ([A(p_dict)] + A(p_list)) | select('mapping') | selectattr('whole', 'defined') | map(attribute='whole') | first }}"}
- debug: {msg: "{{ sl_@ }}"}`},
	{"filters", `
- set_fact: {<S:fi_@_$: "{{ A($) | regex_replace('nothing', 'x') }}">, <S:fi2_@_$: "{{ (A($) | to_json | from_json) }}">, <S:fi3_@_$: "{{ A($) | b64encode | b64decode }}">, <S:fi4_@_$: "{{ A($) | trim | string }}">}
- debug: {msg: [<S:"{{ fi_@_$ }} {{ fi2_@_$ }} {{ fi3_@_$ }} {{ fi4_@_$ }}">]}`},
	{"filters_mapping", `
- set_fact: {<M:fm_@_$: "{{ A($) | to_json | from_json }}">, <M:fm2_@_$: "{{ MAP(A($)) | to_nice_yaml | from_yaml }}">}
- debug: {msg: [<M:"{{ fm_@_$ }} {{ fm2_@_$ }} {{ fm2_@_$ | list }}">]}
- set_fact: {<M:fm3_@_$: "{{ MAP(fm2_@_$) | list }}">}
- debug: {msg: [<M:"{{ fm3_@_$ }}">]}`},
	{"from_json", `
- set_fact: {<M:fj_@_$: "{{ TEXT(A($)) | from_json }}">, fj_@_p_json: "{{ A(p_json) | from_json }}"}
- debug: {msg: [<M:"{{ fj_@_$ }} {{ fj_@_$.keys() | list }}">, "{{ fj_@_p_json.keys() | list + fj_@_p_json.values() | list }}"]}
- set_fact: {<M:fk_@_$: "{{ fj_@_$.keys() | list + fj_@_$.values() | list }}">, fk_@_p_json: "{{ fj_@_p_json.keys() | list + fj_@_p_json.values() | list }}"}
- debug: {msg: [<M:"{{ fk_@_$ }}">, "{{ fk_@_p_json }}"]}
- debug: {msg: "{{ item.key }} {{ item.value }}"}
  loop: "{{ [<M:fj_@_$ | dict2items>] | flatten }}"`},
	{"jinja_for", `
- set_fact: {<M:jf_@_$: "{% for k, v in MAP(A($)).items() %}{{ k }}{{ v }}{% endfor %}">}
- debug: {msg: [<M:"{{ jf_@_$ }}">]}`},
	{"jinja_set", `
- set_fact: {<S:js_@_$: "{% set x = A($) %}{{ x }}">, js_@_1: "{% set x, y = A(p_open), A(p_rest) %}{{ x }}{{ y }}"}
- debug: {msg: [<S:"{{ js_@_$ }}">, "{{ js_@_1 }}"]}`},
	{"ternary", `
- set_fact: {<S:te_@_$: "{{ true | ternary(A($), '') }}">, <S:te2_@_$: "{{ A($) | default('x') }}">, <S:te3_@_$: "{{ A($) if true else '' }}">}
- debug: {msg: [<S:"{{ te_@_$ }} {{ te2_@_$ }} {{ te3_@_$ }}">]}`},
	{"include_tasks", `
- include_tasks: {file: touch.yml}
  vars: {given: "{{ A(p_whole) }}", mapping: "{{ A(p_key) }}", parts: "{{ A(p_parts) }}"}`},
	{"include_role", `
- include_role: {name: touch}
  vars: {given: "{{ A(p_whole) }}", mapping: "{{ A(p_key) }}", parts: "{{ A(p_parts) }}"}`},
	{"delegate_facts", `
- set_fact: {<S:df_@_$: "{{ A($) }}">}
  delegate_to: "{{ groups.all | sort | last }}"
  delegate_facts: true
- debug: {msg: [<S:"{{ hostvars[groups.all | sort | last].df_@_$ | default('') }}">]}`},
	{"add_host", `
- add_host: {name: new_@, <S:ah_$: "{{ A($) }}">, <M:ah_$: "{{ A($) }}">, groups: new}
- debug: {msg: [<S:"{{ hostvars.new_@.ah_$ }}">, <M:"{{ hostvars.new_@.ah_$ }}">]}`},
	{"group_by", `
- group_by: {key: "{{ A(p_whole) }}{{ A(p_open) }}{{ A(p_rest) }}"}
- debug: {msg: "{{ groups }} {{ group_names }}"}`},
}

// slowWays start Python.
var slowWays = []way{
	{"module", `
- command: {argv: [printenv, X, Y]}
  environment: {X: "{{ A(p_whole) }}", Y: "{{ A(p_open) }}{{ A(p_rest) }}"}
  register: cm_@
- set_fact: {cmf_@: "{{ cm_@.stdout }}", cml_@: "{{ cm_@.stdout_lines }}"}
- debug: {msg: "{{ cmf_@ }} {{ cml_@ }}"}`},
	{"copy_content", `
- copy: {content: "{{ A(p_whole) }}{{ A(p_open) }}{{ A(p_rest) }}{{ A(p_key) }}", dest: "{{ playbook_dir }}/copied_@"}
- set_fact: {cc_@: "{{ lookup('file', playbook_dir ~ '/copied_@') }}"}
- debug: {msg: "{{ cc_@ }}"}`},
	{"template_file", `
- template: {src: touch.j2, dest: "{{ playbook_dir }}/templated_@"}
  vars: {given: "{{ A(p_whole) }}", mapping: "{{ A(p_key) }}", parts: "{{ A(p_parts) }}"}
- set_fact: {tf_@: "{{ lookup('template', 'touch.j2') }}"}
  vars: {given: "{{ A(p_whole) }}", mapping: "{{ A(p_key) }}", parts: "{{ A(p_parts) }}"}
- debug: {msg: "{{ tf_@ }}"}`},
}

// sweeps touch all variables of a host at once.
var sweeps = []way{
	{"hostvars_items", `
- debug: {msg: "{{ item.key }} {{ item.value }}"}
  loop: "{{ hostvars[inventory_hostname] | dict2items | selectattr('key', 'match', '(p_|craton|iotronic)') | list }}"`},
	{"hostvars_keys", `
- debug: {msg: "{{ item }}"}
  loop: "{{ hostvars[inventory_hostname].keys() | list }}"`},
	{"hostvars_text", `
- set_fact: {hv_text: "{{ hostvars[inventory_hostname] | to_json }}"}
- debug: {msg: "{{ hv_text }}"}`},
	{"hostvars_extract", `
- set_fact: {hv_all: "{{ groups.all | map('extract', hostvars, 'p_whole') | list }}"}
- debug: {msg: "{{ hv_all }}"}`},
	{"vars_items", `
- debug: {msg: "{{ item.key }} {{ item.value }}"}
  loop: "{{ vars | dict2items | selectattr('key', 'match', 'p_') | list }}"`},
	{"varnames", `
- debug: {msg: "{{ lookup('vars', item) }}"}
  loop: "{{ q('varnames', '^p_') }}"`},
	{"varnames_fact", `
- set_fact: {"{{ 'vn_' ~ item }}": "{{ lookup('vars', item) }}"}
  loop: "{{ q('varnames', '^p_') }}"
- debug: {msg: "{{ lookup('vars', item) }}"}
  loop: "{{ q('varnames', '^vn_p_') }}"`},
	{"facts", `
- debug: {msg: "{{ item.key }} {{ item.value }}"}
  loop: "{{ (craton | default(iotronic)) | dict2items }}"
- set_fact: {fd: "{{ craton | default(iotronic) }}", fl: "{{ (craton | default({'labels': []})).labels }}"}
- debug: {msg: "{{ fd }} {{ fl }}"}
- set_fact: {fdj: "{{ fd.values() | select('string') | join }}"}
- debug: {msg: "{{ fdj }}"}`},
	{"composed", `- debug: {msg: "{{ composed | default('') }} {{ composed_keys | default('') }}"}`},
	{"groups", `
- set_fact: {gr: "{{ groups.keys() | list + (groups.values() | flatten) }}"}
- debug: {msg: "{{ gr }} {{ item }}"}
  loop: "{{ group_names }}"`},
}

// touchTasks and touchTemplate are what tasks that are included, a role, and a file do with what they are given.
const (
	touchTasks = `
- debug: {msg: "{{ given }} {{ mapping }} {{ parts }}"}
- set_fact: {touched: "{{ given }}", keys: "{{ (mapping if mapping is mapping else {}).keys() | list }}", joined: "{{ parts | join }}"}
- debug: {msg: "{{ touched }} {{ keys }} {{ joined }}"}
`
	touchTemplate = "{{ given }} {{ mapping }} {{ parts | join }}{% for k in mapping %}{{ k }}{% endfor %}\n"
)

// playOf writes ways as a playbook, each for some of the accessors, after the sweeps.
func playOf(tried []way, names ...string) string {
	var b strings.Builder
	const play = "  gather_facts: false\n  ignore_errors: \"{{ loose | default(false) | bool }}\"\n  tasks:\n"
	b.WriteString("- hosts: all\n" + play)
	b.WriteString(`    - debug: {msg: "seen {{ inventory_hostname }} {{ dict(names | zip(names | map('extract', hostvars[inventory_hostname]))) | to_json }}"}
      vars: {names: "{{ q('varnames', '^p_') }}"}
`)
	add := func(name, tasks string) {
		for _, task := range strings.Split("\n"+strings.TrimPrefix(tasks, "\n"), "\n- ")[1:] {
			if strings.Contains(task, "\n  vars: {") {
				task = strings.Replace(task, "\n  vars: {", "\n  vars: {way: "+name+", ", 1)
			} else {
				task += "\n  vars: {way: " + name + "}"
			}
			for line := range strings.Lines("- " + task + "\n") {
				b.WriteString("    " + line)
			}
		}
	}
	for _, w := range sweeps {
		add("all."+w.name, aMapping.ReplaceAllString(w.tasks, "($1 if $1 is mapping else {})"))
	}
	for _, w := range tried {
		for _, a := range accessors {
			if !slices.Contains(names, a.name) {
				continue
			}
			text := repeated.ReplaceAllStringFunc(w.tasks, func(found string) string {
				var each []string
				for _, variable := range map[byte][]string{'S': plantedStrings, 'M': plantedMappings, 'L': plantedLists}[found[1]] {
					each = append(each, strings.ReplaceAll(found[3:len(found)-1], "$", variable))
				}
				return strings.Join(each, ", ")
			})
			text = accessed.ReplaceAllStringFunc(text, func(found string) string { return a.of(found[2 : len(found)-1]) })
			text = aMapping.ReplaceAllString(text, "($1 if $1 is mapping else {})")
			text = aText.ReplaceAllString(text, "($1 if $1 is string else '{}')")
			add(a.name+"."+w.name, strings.ReplaceAll(text, "@", a.name))
		}
	}
	b.WriteString("- hosts: new\n" + play)
	add("new.added", `
- debug: {msg: "{{ item }} {{ lookup('vars', item) }}"}
  loop: "{{ q('varnames', '^ah_') }}"
- debug: {msg: "{{ ah_p_whole }} {{ ah_p_open ~ ah_p_rest }} {{ ah_p_dict }}"}`)
	return b.String()
}

var (
	repeated = regexp.MustCompile(`<[SML]:[^<>]*>`)
	accessed = regexp.MustCompile(`\bA\([a-z_]+\)`)
	aMapping = regexp.MustCompile(`\bMAP\(((?:[^()]|\([^()]*\))*)\)`)
	aText    = regexp.MustCompile(`\bTEXT\(((?:[^()]|\([^()]*\))*)\)`)
)

// sources are the inventories of a fleet of Craton and of one of Iotronic, by script and plugin, in every form, that
// hold the planted variables. Each has one host of its own name, so that one run of Ansible has all of them.
func sources(t *testing.T, h *home, marks, iotronicURL string, trust bool) (inventory string) {
	t.Helper()
	craton, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(h.dir, fmt.Sprintf("inventory-%v", trust))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"merged", "layered"} {
		for _, by := range []string{"script", "plugin"} {
			name := form + "-" + by
			url := "sqlite:" + filepath.Join(h.dir, fmt.Sprintf("%s-%v.db", name, trust))
			host := map[string]any{"name": name, "ip_address": "192.0.2.1", "device_type": "server", "note": "{{ " + payload(marks, "note") + " }}",
				"variables": map[string]any{"own": "x"}}
			region := map[string]any{"name": "dfw", "variables": planted(marks), "hosts": []any{host}}
			fleet, err := json.Marshal(map[string]any{"clouds": []any{map[string]any{"name": name, "regions": []any{region}}}})
			if err != nil {
				t.Fatal(err)
			}
			h.runWith(t, []string{"CRATON_URL=" + url}, craton, "apply", h.write(t, name+".json", string(fleet)))
			if by == "plugin" {
				h.write(t, filepath.Join(filepath.Base(dir), name+".craton.yml"), fmt.Sprintf(
					"plugin: craton.fleet.craton\nurl: %s\nvars: %s\ntrust_templates: %v\ncompose: {composed: p_open ~ p_rest, composed_keys: 'p_key | list'}\n", url, form, trust))
				continue
			}
			file := h.write(t, filepath.Join(filepath.Base(dir), name), fmt.Sprintf(
				"#!/bin/sh\nCRATON_URL=%s CRATON_INVENTORY_VARS=%s CRATON_INVENTORY_TRUST_TEMPLATES=%v exec %s inventory \"$@\"\n", url, form, trust, craton))
			if err := os.Chmod(file, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.write(t, filepath.Join(filepath.Base(dir), "roofs.iotronic.yml"), fmt.Sprintf(
		"plugin: craton.fleet.iotronic\nurl: %s\ntoken: %s\nextra_variables: ['*']\nfilters: [name=plugin]\ntrust_templates: %v\n", iotronicURL, iotronictest.Admin.Token, trust))
	file := h.write(t, filepath.Join(filepath.Base(dir), "roofs"), fmt.Sprintf(
		"#!/bin/sh\nIOTRONIC_URL=%s OS_TOKEN='%s' CRATON_IOTRONIC_INVENTORY_EXTRA_VARIABLES='*' CRATON_IOTRONIC_INVENTORY_FILTERS=name=script CRATON_IOTRONIC_INVENTORY_TRUST_TEMPLATES=%v exec %s \"$@\"\n",
		iotronicURL, iotronictest.Admin.Token, trust, filepath.Join(filepath.Dir(craton), "iotronic-inventory")))
	if err := os.Chmod(file, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// executed returns the files that payloads created: value@way.
func executed(t *testing.T, marks string) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(marks)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, e := range entries {
		found[e.Name()] = true
	}
	return found
}

// TestNothingIsExecuted: whatever a play does with what the fleet holds, nothing of it is executed, by no release, by
// script and plugin, in every form, of both inventories. The exceptions are the ones that docs/inventory.md tells of:
// ansible-core before 2.19 loses marks on the way through hostvars. And what a play reads is what the fleet holds.
func TestNothingIsExecuted(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		_ = os.Symlink("craton", filepath.Join(filepath.Dir(craton), "iotronic-inventory")) // it may be there already
		marks := filepath.Join(h.dir, "marks")
		if err := os.Mkdir(marks, 0o755); err != nil {
			t.Fatal(err)
		}
		api := iotronictest.Start(t, iotronictest.Boards2019)
		for _, name := range []string{"script", "plugin"} {
			api.Add("boards", iotronictest.Object{"name": name, "code": name, "extra": planted(marks)})
		}
		h.write(t, "touch.yml", touchTasks)
		h.write(t, "roles/touch/tasks/main.yml", touchTasks)
		h.write(t, "touch.j2", touchTemplate)
		dir := sources(t, h, marks, api.URL, false)
		play := func(hosts, text string) string {
			return h.run(t, "ansible-playbook", "-i", dir, "-l", hosts, "-e", "ansible_connection=local", h.write(t, "ways.yml", text))
		}
		few := slices.DeleteFunc(slices.Clone(ways), func(w way) bool {
			return !slices.Contains([]string{"debug_msg", "set_fact", "joined_templates", "joined_header", "joined_list", "joined_keys", "dict2items", "keys", "loop", "register", "add_host"}, w.name)
		})
		hosts := []string{"merged-script", "merged-plugin", "layered-script", "layered-plugin", "script", "plugin"}
		out := play("all", playOf(few, "direct"))
		if os.Getenv("CRATON_TEST_PROOF") == "" {
			play(hosts[0], playOf(ways, "direct", "hostvars"))
		} else {
			for _, host := range hosts {
				play(host, playOf(slices.Concat(ways, slowWays), "direct", "vars", "hostvars", "other"))
			}
		}
		for name := range executed(t, marks) {
			if why := tolerated(h.release, name); why == "" {
				t.Errorf("executed: %s", name)
			}
		}
		for _, host := range hosts {
			var got map[string]any
			seen(t, out, host, &got)
			want := planted(marks)
			for name, value := range got {
				if text, ok := value.(string); ok && strings.HasPrefix(text, " {") {
					var object any
					if err := json.Unmarshal([]byte(text), &object); err != nil {
						t.Errorf("%s, %s: %v", host, name, err)
					}
					got[name] = object
					if old(h.release) || strings.HasSuffix(host, "script") {
						continue
					}
					t.Errorf("%s, %s is text, where no keys are executed", host, name)
				}
			}
			flat := func(v any) string { // what is text inside of a value, too
				text, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				return string(text)
			}
			for name := range want {
				if name == "p_list" || name == "p_deep" { // their inner dictionaries are text
					continue
				}
				if w, g := flat(want[name]), flat(got[name]); w != g {
					t.Errorf("%s, %s:\nwant %s\n got %s", host, name, w, g)
				}
			}
		}
	})
}

// TestNothingOfIronicIsExecuted: the same of what a real Ironic keeps of nodes: extra, properties, instance_info and
// driver_info.
func TestNothingOfIronicIsExecuted(t *testing.T) {
	metal := openstacktest.NewIronic(t)
	withAnsible(t, func(t *testing.T, h *home) {
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		_ = os.Symlink("craton", filepath.Join(filepath.Dir(craton), "iotronic-inventory")) // it may be there already
		marks := filepath.Join(h.dir, "marks")
		if err := os.Mkdir(marks, 0o755); err != nil {
			t.Fatal(err)
		}
		release := strings.ReplaceAll(h.release, ".", "-")
		script, plugin := "script-"+release, "plugin-"+release
		addNode(t, metal, script, planted(marks))
		addNode(t, metal, plugin, planted(marks))
		h.write(t, "touch.yml", touchTasks)
		h.write(t, "roles/touch/tasks/main.yml", touchTasks)
		h.write(t, "touch.j2", touchTemplate)
		h.write(t, "metal/metal.iotronic.yml", fmt.Sprintf("plugin: craton.fleet.iotronic\nurl: %s\nextra_variables: ['*']\nfilters: [name=%s]\n", metal.URL, plugin))
		file := h.write(t, "metal/metal", fmt.Sprintf(
			"#!/bin/sh\nIOTRONIC_URL=%s CRATON_IOTRONIC_INVENTORY_EXTRA_VARIABLES='*' CRATON_IOTRONIC_INVENTORY_FILTERS=name=%s exec %s \"$@\"\n",
			metal.URL, script, filepath.Join(filepath.Dir(craton), "iotronic-inventory")))
		if err := os.Chmod(file, 0o755); err != nil {
			t.Fatal(err)
		}
		few := slices.DeleteFunc(slices.Clone(ways), func(w way) bool {
			return !slices.Contains([]string{"debug_msg", "set_fact", "joined_templates", "joined_list", "joined_keys", "dict2items", "keys", "loop"}, w.name)
		})
		out := h.run(t, "ansible-playbook", "-i", filepath.Dir(file), "-e", "ansible_connection=local",
			h.write(t, "ways.yml", playOf(few, "extra", "properties", "instance_info", "driver_info")))
		for name := range executed(t, marks) {
			if tolerated(h.release, name) == "" {
				t.Errorf("executed: %s", name)
			}
		}
		for _, host := range []string{script, plugin} {
			var got map[string]any
			if seen(t, out, host, &got); len(got) < len(planted(marks)) {
				t.Errorf("%s: extra came in part: %v", host, got)
			}
		}
	})
}

// addNode makes a node of a real Ironic that has what is planted in all that it keeps for people.
func addNode(t *testing.T, metal *openstacktest.Ironic, name string, plants map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "driver": openstacktest.IronicDriver, "extra": plants, "properties": plants, "instance_info": plants, "driver_info": plants})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, metal.URL+"/v1/nodes", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-OpenStack-Ironic-API-Version", "1.50")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if said, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", resp.Status, said)
	}
}

// old reports whether a release executes strings that it does not mark as unsafe.
func old(release string) bool { return regexp.MustCompile(`^2\.1[4-8]\.`).MatchString(release) }

// tolerated returns the reason why a value was executed, if docs/inventory.md says that a release does so.
func tolerated(release, name string) string {
	value, way, _ := strings.Cut(name, "@")
	switch {
	case !old(release):
		return ""
	case regexp.MustCompile(`^(hostvars|other)\.|^all\.hostvars_|^[a-z]+(-[a-z]+)?$|^new_(hostvars|other)$`).MatchString(way):
		// The last are facts that were set from hostvars, read by way of hostvars.
		if regexp.MustCompile(`^2\.1[45]\.`).MatchString(release) {
			return "hostvars lose marks"
		}
		if regexp.MustCompile(`\.(joined_|filters|from_json|hostvars_text)|^[a-z]+(-[a-z]+)?$|^new_(hostvars|other)$`).MatchString(way) {
			return "filters of hostvars lose marks"
		}
	case strings.HasSuffix(way, ".from_json") && strings.HasPrefix(value, "key") && regexp.MustCompile(`^2\.1[45]\.`).MatchString(release):
		return "keys of what from_json reads lose marks"
	}
	return ""
}

// TestEveryWayExecutes checks that the ways prove something: with trusted templates each executes a payload.
func TestEveryWayExecutes(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		if !h.oldest {
			t.Skip("later releases do not execute what a play joins, even if it is trusted")
		}
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		_ = os.Symlink("craton", filepath.Join(filepath.Dir(craton), "iotronic-inventory")) // it may be there already
		marks := filepath.Join(h.dir, "marks")
		if err := os.Mkdir(marks, 0o755); err != nil {
			t.Fatal(err)
		}
		api := iotronictest.Start(t, iotronictest.Boards2019)
		api.Add("boards", iotronictest.Object{"name": "script", "code": "c", "extra": planted(marks)})
		h.write(t, "touch.yml", touchTasks)
		h.write(t, "roles/touch/tasks/main.yml", touchTasks)
		h.write(t, "touch.j2", touchTemplate)
		text := playOf(ways, "direct")
		_, _, _ = h.try(t, nil, "ansible-playbook", "-i", filepath.Join(sources(t, h, marks, api.URL, true), "merged-script"),
			"-e", "ansible_connection=local", "-e", "loose=true", h.write(t, "ways.yml", text))
		ran := map[string]bool{}
		for name := range executed(t, marks) {
			_, way, _ := strings.Cut(name, "@")
			ran[way] = true
		}
		for _, m := range regexp.MustCompile(`way: (direct\.[a-z0-9_]+)`).FindAllStringSubmatch(text, -1) {
			// Two need a set_fact between: their halves are joined by the task that would have to execute them. And
			// 2.14 wants braces beside a header.
			if !ran[m[1]] && m[1] != "direct.joined_by_vars" && m[1] != "direct.with_together" && m[1] != "direct.joined_header" {
				ran[m[1]] = true // once
				t.Errorf("%s executes nothing", m[1])
			}
		}
	})
}
