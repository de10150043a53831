package ansible

import (
	"slices"
	"sort"
	"strings"

	"github.com/craton-fleet/craton/internal/value/python"
)

// count returns how many of the named options have a value.
func count(names []string, d *dict) int {
	n := 0
	for i, name := range names {
		if d.has(name) && !slices.Contains(names[:i], name) {
			n++
		}
	}
	return n
}

// missing returns the named options that have no value.
func missing(names []string, d *dict) []string {
	return slices.DeleteFunc(slices.Clone(names), d.has)
}

func (v *validation) mutuallyExclusive(rules *Rules, d *dict, context []string) {
	var broken []string
	for _, group := range rules.MutuallyExclusive {
		if count(group, d) > 1 {
			broken = append(broken, strings.Join(group, "|"))
		}
	}
	if len(broken) > 0 {
		v.errorf(context, "parameters are mutually exclusive: %s", strings.Join(broken, ", "))
	}
}

func (v *validation) requiredTogether(rules *Rules, d *dict, context []string) {
	for _, group := range rules.RequiredTogether {
		if n := len(missing(group, d)); n > 0 && n < len(group) {
			v.errorf(context, "parameters are required together: %s", strings.Join(group, ", "))
			return
		}
	}
}

func (v *validation) requiredOneOf(rules *Rules, d *dict, context []string) {
	for _, group := range rules.RequiredOneOf {
		if count(group, d) == 0 {
			v.errorf(context, "one of the following is required: %s", strings.Join(group, ", "))
			return
		}
	}
}

func (v *validation) requiredIf(rules *Rules, d *dict, context []string) {
	for _, rule := range rules.RequiredIf {
		want, err := fromGo(rule.Value)
		if err != nil {
			v.errorf(nil, "internal error: required_if of %s: %v", rule.Option, err)
			return
		}
		if !d.has(rule.Option) || !equal(d.values[rule.Option], want) {
			continue
		}
		lack, quantity := missing(rule.Requires, d), "all"
		if rule.Any {
			quantity = "any"
			if len(lack) < len(rule.Requires) {
				continue
			}
		}
		if len(lack) > 0 {
			v.errorf(context, "%s is %s but %s of the following are missing: %s", rule.Option, python.Str(want), quantity, strings.Join(lack, ", "))
			return
		}
	}
}

func (v *validation) requiredBy(rules *Rules, d *dict, context []string) {
	names := make([]string, 0, len(rules.RequiredBy))
	for name := range rules.RequiredBy {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if lack := missing(rules.RequiredBy[name], d); d.has(name) && len(lack) > 0 {
			v.errorf(context, "missing parameter(s) required by '%s': %s", name, strings.Join(lack, ", "))
			return
		}
	}
}
