package iotronic

import (
	"fmt"
	"slices"
	"strings"

	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// Options of steps: what Ironic does to the hardware of a node, one after the other.
const (
	optCleanSteps   = "clean_steps"
	optServiceSteps = "service_steps"
	optDeploySteps  = "deploy_steps"
	optRunbook      = "runbook"
	optNoRamdisk    = "disable_ramdisk"
)

// Orders: no provision states of Ironic's, but what is done in each run, and leaves the node in a state that it was in before.
const (
	orderClean   = "cleaned"
	orderService = "serviced"
)

// orders are the verbs of Ironic's behind them, the options that say what is done, and the states that they begin and end in.
var orders = map[string]struct{ verb, steps, state string }{
	orderClean:   {api.ProvisionClean, optCleanSteps, manageable},
	orderService: {api.ProvisionService, optServiceSteps, active},
}

// returning are the verbs that lead back to where the node was.
var returning = []string{api.ProvisionInspect, api.ProvisionClean, api.ProvisionService}

// stepOptions are the options of steps.
func stepOptions() []ansible.Option {
	one := func(first string, later ...ansible.Option) []ansible.Option {
		return append([]ansible.Option{
			{Name: "interface", Required: true, Description: []string{"The interface of the driver that the step is of, such as V(" + first + ")."}},
			{Name: "step", Required: true, Description: []string{"The name of the step, such as V(" + map[string]string{"bios": "apply_configuration", "deploy": "erase_devices"}[first] + ")."}},
			{Name: "args", Type: ansible.Dict, NoLogKeys: api.SecretWords(), Description: []string{"What the step is told. Values of keys such as C(password) are not shown."}},
		}, later...)
	}
	children := []ansible.Option{
		{Name: "execute_on_child_nodes", Type: ansible.Bool, Description: []string{"Whether the step is done to the nodes that are parts of this one, instead. It needs API version 1.83 or a later one."}},
		{Name: "limit_child_node_execution", Type: ansible.List, Elements: ansible.Str, Description: []string{"Only to these of them, by UUID."}},
	}
	return []ansible.Option{
		{Name: optCleanSteps, Type: ansible.List, Elements: ansible.Dict, Options: one("deploy", children...), Description: []string{
			"What is done to a node by O(provision_state=cleaned), in this order. It needs API version 1.15 or a later one."}},
		{Name: optServiceSteps, Type: ansible.List, Elements: ansible.Dict, Options: one("bios", children...), Description: []string{
			"What is done to a node by O(provision_state=serviced), in this order. It needs API version 1.87 or a later one."}},
		{Name: optDeploySteps, Type: ansible.List, Elements: ansible.Dict, Options: one("bios",
			ansible.Option{Name: "priority", Type: ansible.Int, Required: true, Description: []string{"When it is done: those with a higher one come first, and V(0) leaves out a step that Ironic would do."}}),
			Description: []string{"What is done to a node, beside Ironic's own steps, when O(provision_state=active) deploys it. A node that is deployed stays as it is. It needs API version 1.69 or a later one."}},
		{Name: optRunbook, Description: []string{
			"The runbook whose steps to run, by name or UUID, instead of O(clean_steps) or O(service_steps). It needs API version 1.92 or a later one.",
			"The node must have one of the traits of the runbook, which before 1.112 is the name of the runbook."}},
		{Name: optNoRamdisk, Type: ansible.Bool, Default: false, Description: []string{
			"Whether the steps of O(provision_state=cleaned) and O(provision_state=serviced) are done without booting a ramdisk, as those by the management controller alone can be. It needs API version 1.70 or a later one to clean, and 1.108 to service."}},
	}
}

// steps is what a task says of them; nil where it says nothing.
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
			if option == optDeploySteps && one["args"] == nil { // which it needs
				one["args"] = raw(api.Object{})
			}
			s.of[option] = append(s.of[option], one)
		}
	}
	return s, s.fit(p.String(optProvision))
}

// fit refuses steps of something else than what is asked for, and an order without any.
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
			return fmt.Errorf("%s: the steps go with %s: %s", option, optProvision, with)
		case s.runbook != "":
			return fmt.Errorf("%s: there is a %s too; leave one of them out", option, optRunbook)
		case is && len(list) == 0:
			return fmt.Errorf("%s is empty; say what is to be done", option)
		}
	}
	switch {
	case s.runbook != "" && !is:
		return fmt.Errorf("%s: it goes with %s: %s or %s", optRunbook, optProvision, orderClean, orderService)
	case s.noRamdisk && !is:
		return fmt.Errorf("%s: it goes with %s: %s or %s", optNoRamdisk, optProvision, orderClean, orderService)
	case is && s.of[order.steps] == nil && s.runbook == "":
		return fmt.Errorf("%s: %s needs %s, or a %s", optProvision, provision, order.steps, optRunbook)
	}
	return nil
}

// with are the parameters of a verb, by their names in the API.
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

// needs are the versions of what a verb takes along.
func (s *steps) needs(verb string) map[string]api.Version {
	all := map[string]api.Version{}
	for name, value := range s.with(verb) {
		all[name] = api.ProvisionTakes(verb, name)
		if strings.HasSuffix(name, "_steps") && strings.Contains(string(value), "child_node") {
			all[name+" on child nodes"] = api.Since("nodes", "parent_node")
		}
	}
	return all
}

// order is the way to what is ordered: from the state that it begins in. A service that failed may be tried again from there.
func (p *plan) order(from string, w *want) ([]transition, error) {
	o := orders[w.provision]
	last := transition{o.verb, o.state}
	switch serviceable := slices.Contains(deployed, from) && from != "deploy failed" && from != "error"; {
	case w.provision == orderService && !serviceable:
		return nil, fmt.Errorf("%s: the node is %s, and only what is deployed can be serviced; %s does it to what is not", optProvision, p.whereabouts(from), orderClean)
	case w.provision == orderService && from == "service failed":
		return []transition{last}, nil
	}
	way, err := route(from, o.state, p.whereabouts(from), w.undeploy && w.provision != orderService)
	return append(way, last), err
}

// ordered is what a diff says of a state that an order leads back to.
func (p *plan) ordered(w *want) {
	if _, is := orders[w.provision]; !is || len(p.steps) == 0 {
		return
	}
	delete(p.after, "raid_config") // what the steps do to it nobody knows
	p.shown[keyProvision] = raw(p.reached() + " (" + w.provision + " by this task)")
}
