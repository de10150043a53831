package iotronic

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	api "github.com/craton-fleet/craton/iotronic"
)

// planStates plans maintenance, provisioning and power.
func (p *plan) planStates(w *want) error {
	p.planMaintenance(w)
	from := enroll
	if p.before != nil {
		from = p.startState(w)
	}
	if state, moves := settled(p.before); w.provision != "" && (w.wait || !moves || state != w.provision) { // otherwise it has been requested already
		if moves && !w.wait {
			return fmt.Errorf("%s: the node is %q, on its way to %q; set wait: true, or run the task again when it has arrived", optProvision, from, state)
		}
		steps, err := p.findRoute(from, w)
		if err != nil {
			return err
		}
		p.steps = steps
	}
	if len(p.steps) > 0 && p.steps[0].verb == api.ProvisionDeleted && w.deploys() {
		return fmt.Errorf("%s: tearing down clears instance_info and instance_uuid; leave them out, and set them in the task that deploys again", optProvision)
	}
	p.suspendLater = p.maintenance && !isTrue(p.before[keyMaintenance]) && len(p.steps) > 0 && w.wait
	p.postpone()
	if len(p.late) > 0 && len(p.steps) > 0 && !w.wait {
		return fmt.Errorf("%s: Ironic accepts it only once the node is %q; set wait: true", slices.Min(slices.Collect(maps.Keys(p.late))), w.provision)
	}
	p.planPower(w)
	switch {
	case w.provision == "" && !p.changesMore():
		p.settle = "" // nothing is planned that would have to wait
	case len(p.steps) > 0 && !w.wait: // its final state is unknown
		p.predictTarget(keyProvision, p.steps[0].state)
		p.dropDeployment(null)
	case len(p.steps) > 0:
		if slices.ContainsFunc(p.steps, func(t transition) bool { return t.verb == api.ProvisionRescue || t.verb == api.ProvisionUnrescue }) {
			p.after["instance_info"] = null // Ironic stores there what it needs for a rescue
		}
		p.predictReached(keyProvision, p.reached())
		p.diffOrder(w)
		p.after[keyError] = null
		p.dropDeployment(raw(api.Object{}))
	case p.settle != "":
		p.predictReached(keyProvision, p.settle)
	}
	return nil
}

// dropDeployment predicts what Ironic drops when it tears a deployment down. info is the known rest.
func (p *plan) dropDeployment(info json.RawMessage) {
	if p.steps[0].verb == api.ProvisionDeleted {
		p.set("instance_info", raw(api.Object{}))
		p.set("instance_uuid", null)
		p.after["instance_info"] = info
	}
}

// postpone moves to the end what Ironic allows only there: it cannot protect a node without a deployment, cannot retire
// an available node, and changes some fields only if nothing is deployed.
func (p *plan) postpone() {
	later := func(fields ...string) {
		for _, key := range fields {
			if value, ok := p.update[key]; ok {
				p.late[key] = value
				delete(p.update, key)
			}
			if value, ok := p.create[key]; ok {
				p.late[key] = value
				delete(p.create, key)
			}
		}
	}
	if (p.create != nil || len(p.steps) > 0) && isTrue(p.after["protected"]) {
		later("protected", "protected_reason")
	}
	delete(p.create, "protected") // a new node is not, and Ironic refuses the field
	if len(p.steps) == 0 {
		return
	}
	state, _ := settled(p.before)
	if isTrue(p.after["retired"]) && !isTrue(p.before["retired"]) && (state == available || p.reached() == active) {
		later("retired", "retired_reason")
	}
	if p.steps[0].verb == api.ProvisionDeleted && slices.Contains(undeployed, p.reached()) {
		for i := range nodes.fields {
			if nodes.fields[i].settled {
				later(nodes.fields[i].option)
			}
		}
	}
}

// reached returns the provision state at the end.
func (p *plan) reached() string {
	if n := len(p.steps); n > 0 {
		return p.steps[n-1].state
	}
	if p.before == nil {
		return enroll
	}
	state, _ := settled(p.before)
	return state
}

// predictReached predicts that a state is reached, and that there is no target any more.
func (p *plan) predictReached(key, state string) {
	p.set(key, raw(state))
	if target := "target_" + key; p.after[target] != nil {
		p.set(target, null)
	}
}

// predictTarget predicts that a state is requested but not waited for.
func (p *plan) predictTarget(key, state string) {
	p.after[key], p.after["target_"+key] = null, null
	p.shown[key] = raw(state + " (asked for by this task)")
}

func (p *plan) planMaintenance(w *want) {
	if w.maintenance == nil {
		return
	}
	is, reason := isTrue(p.after[keyMaintenance]), p.after.Text(keyReason)
	switch {
	case !*w.maintenance:
		if p.resume = is; is {
			p.set(keyMaintenance, raw(false))
			p.set(keyReason, null)
			if _, ok := p.after["fault"]; ok {
				p.set("fault", null)
			}
		}
		return
	case w.reason != nil:
		reason = *w.reason
	case !is:
		reason = ""
	}
	p.reason = reason
	if p.maintenance = !is || reason != p.after.Text(keyReason); p.maintenance {
		p.set(keyMaintenance, raw(true))
		p.set(keyReason, null)
		if reason != "" {
			p.set(keyReason, raw(reason))
		}
	}
}

// powers are the values of the option power, with the resulting states.
var powers = map[string]struct{ target, state string }{
	on: {api.PowerOn, api.PowerOn}, off: {api.PowerOff, api.PowerOff}, rebooted: {api.Reboot, api.PowerOn},
	softOff: {api.SoftPowerOff, api.PowerOff}, softRebooted: {api.SoftReboot, api.PowerOn},
}

// planPower determines whether the power state must change. The power state after a provisioning step cannot be
// predicted, so it is read again then; without waiting, this is left to the next run.
func (p *plan) planPower(w *want) {
	t := powers[w.power]
	order := t.target == api.Reboot || t.target == api.SoftReboot
	switch state, moves := powered(p.before); {
	case len(p.steps) > 0 && (w.power == "" || !w.wait):
		p.after[keyPower], p.after["target_"+keyPower] = null, null
		return
	case w.power == "":
		return
	case order || t.state != state || len(p.steps) > 0:
		p.power = t.target
	case moves && w.wait:
		p.powering = t.state
	default:
		return
	}
	switch {
	case order:
		p.predictReached(keyPower, api.PowerOn)
		p.shown[keyPower] = raw(api.PowerOn + " (" + rebooted + " by this task)")
		if !w.wait {
			p.after[keyPower], p.after["target_"+keyPower] = null, null
		}
	case !w.wait:
		p.predictTarget(keyPower, t.state)
	default:
		p.predictReached(keyPower, t.state)
	}
}

// startState returns the provision state in which the plan begins: the target of a transition, if that is waited for.
func (p *plan) startState(w *want) string {
	state, moves := settled(p.before)
	switch {
	case !moves:
		return state
	case w.wait:
		p.settle = state
		return state
	}
	return p.before.Text(keyProvision)
}
