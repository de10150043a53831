package iotronic

import (
	"fmt"
	"slices"
	"strings"

	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// Options of steps, which Ironic runs on the hardware of a node one after the other.
const (
	optCleanSteps   = "clean_steps"
	optServiceSteps = "service_steps"
	optDeploySteps  = "deploy_steps"
	optRunbook      = "runbook"
	optNoRamdisk    = "disable_ramdisk"
)

// Orders are not provision states of Ironic: they run every time, and return the node to its previous state.
const (
	orderClean   = "cleaned"
	orderService = "serviced"
)

// orders maps orders to Ironic's verbs, the options with their steps, and the states in which they begin and end.
var orders = map[string]struct{ verb, steps, state string }{
	orderClean:   {api.ProvisionClean, optCleanSteps, manageable},
	orderService: {api.ProvisionService, optServiceSteps, active},
}

// returning are the verbs that return the node to its previous state.
var returning = []string{api.ProvisionInspect, api.ProvisionClean, api.ProvisionService}

// stepOptions returns the options of steps.
func stepOptions() []ansible.Option {
	one := func(first string, later ...ansible.Option) []ansible.Option {
		return append([]ansible.Option{
			{Name: "interface", Required: true, Description: []string{"The interface that the step belongs to, such as V(" + first + ")."}},
			{Name: "step", Required: true, Description: []string{"The name of the step, such as V(" + map[string]string{"bios": "apply_configuration", "deploy": "erase_devices"}[first] + ")."}},
			{Name: "args", Type: ansible.Dict, NoLogKeys: api.SecretWords(), Description: []string{"The arguments of the step. Values of keys such as C(password) are not shown."}},
		}, later...)
	}
	children := []ansible.Option{
		{Name: "execute_on_child_nodes", Type: ansible.Bool, Description: []string{"Whether the step runs on the child nodes instead of the node itself. Requires API version 1.83 or later."}},
		{Name: "limit_child_node_execution", Type: ansible.List, Elements: ansible.Str, Description: []string{"Only run it on these child nodes, by UUID."}},
	}
	return []ansible.Option{
		{Name: optCleanSteps, Type: ansible.List, Elements: ansible.Dict, Options: one("deploy", children...), Description: []string{
			"The steps that O(provision_state=cleaned) runs, in this order. Requires API version 1.15 or later."}},
		{Name: optServiceSteps, Type: ansible.List, Elements: ansible.Dict, Options: one("bios", children...), Description: []string{
			"The steps that O(provision_state=serviced) runs, in this order. Requires API version 1.87 or later."}},
		{Name: optDeploySteps, Type: ansible.List, Elements: ansible.Dict, Options: one("bios",
			ansible.Option{Name: "priority", Type: ansible.Int, Required: true, Description: []string{"The order: steps with a higher priority run first. V(0) disables a step that Ironic would run by default."}}),
			Description: []string{"Steps to run in addition to Ironic's own when O(provision_state=active) deploys the node. A node that is already deployed stays as it is. Requires API version 1.69 or later."}},
		{Name: optRunbook, Description: []string{
			"The runbook whose steps to run, by name or UUID, instead of O(clean_steps) or O(service_steps). Requires API version 1.92 or later.",
			"The node must have one of the traits of the runbook. Before API version 1.112, the only trait of a runbook is its name."}},
		{Name: optNoRamdisk, Type: ansible.Bool, Default: false, Description: []string{
			"Whether to run the steps without booting a ramdisk, which works for steps that only need the BMC. Requires API version 1.70 or later for O(provision_state=cleaned), and 1.108 or later for O(provision_state=serviced)."}},
	}
}

// steps is what a task sets of them; nil if nothing.
type steps struct {
	of        map[string][]api.Object // by option
	runbook   string
	noRamdisk bool
}

// wantSteps reads the options.
func wantSteps(p ansible.Params) (steps, error) {
	s := steps{of: map[string][]api.Object{}, runbook: p.String(optRunbook), noRamdisk: p.Bool(optNoRamdisk)}
	for _, option := range []string{optCleanSteps, optServiceSteps, optDeploySteps} {
		if !p.Has(option) {
			continue
		}
		s.of[option] = []api.Object{}
		for _, sub := range p.Subs(option) {
			one := api.Object{}
			for _, key := range sub.Names() {
				if sub.Has(key) {
					one[key] = sub.JSON(key)
				}
			}
			if option == optDeploySteps && one["args"] == nil { // which it requires
				one["args"] = raw(api.Object{})
			}
			s.of[option] = append(s.of[option], one)
		}
	}
	return s, s.fit(p.String(optProvision))
}

// fit refuses steps that do not belong to the requested state, and an order without steps.
func (s *steps) fit(provision string) error {
	order, is := orders[provision]
	for option, list := range s.of {
		with := active
		for name, o := range orders {
			if o.steps == option {
				with = name
			}
		}
		switch {
		case with != provision:
			return fmt.Errorf("%s: they require %s: %s", option, optProvision, with)
		case s.runbook != "":
			return fmt.Errorf("%s: %s is set too; leave one of them out", option, optRunbook)
		case is && len(list) == 0:
			return fmt.Errorf("%s is empty; set at least one step", option)
		}
	}
	switch {
	case s.runbook != "" && !is:
		return fmt.Errorf("%s: it requires %s: %s or %s", optRunbook, optProvision, orderClean, orderService)
	case s.noRamdisk && !is:
		return fmt.Errorf("%s: it requires %s: %s or %s", optNoRamdisk, optProvision, orderClean, orderService)
	case is && s.of[order.steps] == nil && s.runbook == "":
		return fmt.Errorf("%s: %s needs %s, or a %s", optProvision, provision, order.steps, optRunbook)
	}
	return nil
}

// with returns the parameters of a verb, under their names in the API.
func (s *steps) with(verb string) api.Object {
	more := api.Object{}
	add := func(option string) {
		if list, ok := s.of[option]; ok {
			more[option] = raw(list)
		}
		if s.runbook != "" && option != optDeploySteps {
			more[optRunbook] = raw(s.runbook)
		}
	}
	switch verb {
	case api.ProvisionClean:
		add(optCleanSteps)
	case api.ProvisionService:
		add(optServiceSteps)
	case api.ProvisionActive, api.ProvisionRebuild:
		add(optDeploySteps)
	}
	if s.noRamdisk && (verb == api.ProvisionClean || verb == api.ProvisionService) {
		more[optNoRamdisk] = raw(true)
	}
	return more
}

// needs returns the API versions that the parameters of a verb need.
func (s *steps) needs(verb string) map[string]api.Version {
	all := map[string]api.Version{}
	for name, value := range s.with(verb) {
		all[name] = api.ProvisionParameterSince(verb, name)
		if strings.HasSuffix(name, "_steps") && strings.Contains(string(value), "child_node") {
			all[name+" on child nodes"] = api.Since("nodes", "parent_node")
		}
	}
	return all
}

// orderRoute returns the route for an order, from the state in which it begins. A failed service can be repeated from
// there.
func (p *plan) orderRoute(from string, w *want) ([]transition, error) {
	o := orders[w.provision]
	last := transition{o.verb, o.state}
	switch serviceable := slices.Contains(deployed, from) && from != "deploy failed" && from != "error"; {
	case w.provision == orderService && !serviceable:
		return nil, fmt.Errorf("%s: the node is %s, and only a deployed node can be serviced; for other nodes, use %s", optProvision, p.describeState(from), orderClean)
	case w.provision == orderService && from == "service failed":
		return []transition{last}, nil
	}
	way, err := route(from, o.state, p.describeState(from), w.undeploy && w.provision != orderService)
	return append(way, last), err
}

// diffOrder adds to the diff that an order runs, although the state is the same afterwards.
func (p *plan) diffOrder(w *want) {
	if _, is := orders[w.provision]; !is || len(p.steps) == 0 {
		return
	}
	delete(p.after, "raid_config") // the effect of the steps cannot be predicted
	p.shown[keyProvision] = raw(p.reached() + " (" + w.provision + " by this task)")
}
