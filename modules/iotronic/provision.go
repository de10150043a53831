package iotronic

import (
	"fmt"
	"slices"

	api "github.com/craton-fleet/craton/iotronic"
)

// Provision states that a task can request, and others with a special meaning here.
const (
	enroll     = "enroll"
	manageable = "manageable"
	available  = "available"
	active     = "active"
	inspected  = "inspected" // not a state of Ironic: a node that has been inspected, in whatever state
	rescue     = "rescue"
)

// transition is a verb of Ironic, and the state that it leads to.
type transition struct{ verb, state string }

// deployed are the states of a node with an instance, complete or not. Only api.ProvisionDeleted leads out of them and
// removes the instance.
var deployed = []string{active, "deploy failed", "error", "rescue", "rescue failed", "unrescue failed", "service failed"}

// transitions are the transitions that a task may request, by the state in which they begin (Ironic's state machine),
// without those that tear a deployment down.
var transitions = map[string][]transition{
	enroll:           {{api.ProvisionManage, manageable}},
	"clean failed":   {{api.ProvisionManage, manageable}},
	"inspect failed": {{api.ProvisionManage, manageable}},
	"adopt failed":   {{api.ProvisionManage, manageable}},
	manageable:       {{api.ProvisionProvide, available}},
	available:        {{api.ProvisionActive, active}, {api.ProvisionManage, manageable}},
	"deploy failed":  {{api.ProvisionActive, active}},
	active:           {{api.ProvisionRescue, rescue}},

	"rescue":          {{api.ProvisionUnrescue, active}},
	"rescue failed":   {{api.ProvisionUnrescue, active}},
	"unrescue failed": {{api.ProvisionUnrescue, active}},
	"service failed":  {{api.ProvisionAbort, active}},
}

// route returns the shortest route from one state to another. is describes the state of the node in errors.
func route(from, to, is string, undeploy bool) ([]transition, error) {
	type walk struct {
		at   string
		path []transition
	}
	seen := map[string]bool{from: true}
	for todo := []walk{{at: from}}; len(todo) > 0; todo = todo[1:] {
		now := todo[0]
		if now.at == to {
			return now.path, nil
		}
		next := transitions[now.at]
		next = next[:len(next):len(next)]
		if undeploy && now.at == "error" { // a failed teardown is deployed over
			next = append(next, transition{api.ProvisionRebuild, active})
		}
		if undeploy && slices.Contains(deployed, now.at) {
			next = append(next, transition{api.ProvisionDeleted, available})
		}
		for _, t := range next {
			if !seen[t.state] {
				seen[t.state] = true
				todo = append(todo, walk{t.state, append(now.path[:len(now.path):len(now.path)], t)})
			}
		}
	}
	switch {
	case slices.Contains(deployed, from) && to != active:
		return nil, fmt.Errorf("%s: the node is %s, so what is deployed on it would be torn down; leave it as it is, or set undeploy: true", optProvision, is)
	case slices.Contains(deployed, from):
		return nil, fmt.Errorf("%s: the node is %s, and can only be deployed again; to do that, set undeploy: true", optProvision, is)
	}
	return nil, fmt.Errorf("%s: the node is %s, and this module knows no way from there to %q; move it to %s, %s, %s or %s by hand first", optProvision, is, to, enroll, manageable, available, active)
}

// findRoute returns the route to what a task wants. Some targets have a route of their own.
func (p *plan) findRoute(from string, w *want) ([]transition, error) {
	is := p.describeState(from)
	switch isDeployed := slices.Contains(deployed, from); {
	case w.provision == inspected && (!isNone(p.before["inspection_finished_at"]) || slices.Contains(inspecting, p.before.Text(keyProvision))):
		return nil, nil
	case orders[w.provision].verb != "":
		return p.orderRoute(from, w)
	case w.provision == inspected:
		steps, err := route(from, manageable, is, w.undeploy)
		return append(steps, transition{api.ProvisionInspect, manageable}), err
	case w.provision == rescue && !isDeployed:
		return nil, fmt.Errorf("%s: the node is %s, and only a deployed node can be rescued", optProvision, is)
	case w.adopt && w.provision == active && !isDeployed:
		steps, err := route(from, manageable, is, w.undeploy)
		return append(steps, transition{api.ProvisionAdopt, active}), err
	}
	steps, err := route(from, w.provision, is, w.undeploy)
	if err == nil && w.rescue == "" && slices.Contains(steps, transition{api.ProvisionRescue, rescue}) {
		return nil, fmt.Errorf("%s: %s needs %s", optProvision, rescue, optRescuePassword)
	}
	return steps, err
}

// inspecting are the states of a node that is being inspected.
var inspecting = []string{"inspecting", "inspect wait"}

// settled returns the provision state of a node, or its target if it is in transition; moves reports which.
func settled(o api.Object) (state string, moves bool) {
	state = o.Text(keyProvision)
	if isNone(o[keyProvision]) && o != nil {
		state = available // as versions before 1.2 show it
	}
	if target := o.Text("target_provision_state"); target != "" && target != state && !api.IsFailedState(state) {
		return target, true
	}
	return state, false
}

// describeState describes the state of a node for errors, or its target if that is waited for.
func (p *plan) describeState(state string) string {
	if p.settle != "" {
		return fmt.Sprintf("on its way to %q", state)
	}
	return fmt.Sprintf("%q", state)
}

// changeable are the states in which Ironic allows changes of a node in transition.
var changeable = []string{"verifying", "inspect wait"}

// undeployed are the states in which Ironic allows all changes of a node.
var undeployed = []string{enroll, manageable, available, "inspecting", "inspect wait"}

// powered returns the power state of a node, or its target if it is changing; "" if unknown.
func powered(o api.Object) (state string, moves bool) {
	if target := o.Text("target_power_state"); target != "" {
		switch target {
		case api.Reboot, api.SoftReboot:
			target = api.PowerOn
		case api.SoftPowerOff:
			target = api.PowerOff
		}
		return target, true
	}
	return o.Text(keyPower), false
}
