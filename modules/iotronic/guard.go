package iotronic

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	api "github.com/craton-fleet/craton/iotronic"
)

// deletable are the states in which Ironic allows deleting a node that is not in maintenance.
var deletable = []string{enroll, manageable, available, "adopt failed"}

// guard refuses what the API is known to refuse, before anything is written, and therefore in check mode too.
func (p *plan) guard(d api.Dialect) error {
	if d != api.DialectIronic {
		return nil
	}
	if p.remove {
		return p.guardRemove()
	}
	if p.after == nil {
		return nil
	}
	if err := p.guardFields(); err != nil {
		return err
	}
	for _, flag := range []string{"protected", "retired"} {
		if !isNone(p.after[flag+"_reason"]) && !isTrue(p.after[flag]) {
			return fmt.Errorf("%s_reason: the node is not %s; set %s: true, or leave the reason out", flag, flag, flag)
		}
	}
	switch end := p.reached(); {
	case p.updates("protected") && isTrue(p.after["protected"]) && end != active && end != "rescue":
		return errors.New("protected: Ironic protects only deployed nodes; set provision_state: active, or leave protected out")
	case p.updates("retired") && isTrue(p.after["retired"]) && end == available:
		return errors.New("retired: Ironic cannot retire a node that is available; set provision_state: manageable")
	}
	if is := p.before.Text("instance_uuid"); is != "" && p.updates("instance_uuid") && !isNone(p.after["instance_uuid"]) {
		return fmt.Errorf("instance_uuid: the node has the instance %s; remove that first, with instance_uuid: \"\"", is)
	}
	if isTrue(p.after["disable_power_off"]) && (p.power == api.PowerOff || p.power == api.SoftPowerOff) {
		return errors.New("power: Ironic must not power this node off; set disable_power_off: false, or reboot it with power: rebooted")
	}
	for _, step := range p.steps {
		switch {
		case slices.Contains([]string{api.ProvisionActive, api.ProvisionRebuild, api.ProvisionRescue, api.ProvisionUnrescue, api.ProvisionAbort}, step.verb) && isTrue(p.after[keyMaintenance]) && !p.suspendLater:
			return fmt.Errorf("%s: Ironic does not deploy or rescue a node in maintenance, or end a rescue or a failed service; set maintenance: false", optProvision)
		case (step.verb == api.ProvisionClean || step.verb == api.ProvisionService) && isTrue(p.after[keyMaintenance]) && !p.suspendLater:
			return fmt.Errorf("%s: Ironic does not clean or service a node in maintenance; set maintenance: false", optProvision)
		case step.verb == api.ProvisionProvide && p.retired():
			return fmt.Errorf("%s: Ironic does not make a retired node available; set retired: false", optProvision)
		case step.verb == api.ProvisionDeleted && p.reached() == available && p.retired() && string(p.after["automated_clean"]) != "false":
			return fmt.Errorf("%s: Ironic does not make a retired node available; set retired: false, or provision_state: manageable", optProvision)
		case step.verb == api.ProvisionDeleted && isTrue(p.before["protected"]) && isTrue(p.after["protected"]):
			return fmt.Errorf("%s: the node is protected; set protected: false first", optProvision)
		}
	}
	return nil
}

// retired reports whether the node is retired at the time it is provisioned.
func (p *plan) retired() bool {
	if _, later := p.late["retired"]; later {
		return isTrue(p.before["retired"])
	}
	return isTrue(p.after["retired"])
}

// heeding are the states in which a node continues when its agent reports. Ironic ignores the agent of a node in
// maintenance.
var heeding = []string{"wait call-back", "clean wait", "rescue wait", "service wait"}

// guardFields refuses values that Ironic refuses, and changes that it refuses while something is deployed on the node.
func (p *plan) guardFields() error {
	if p.before == nil {
		return nil
	}
	state, moves := settled(p.before)
	switch is := p.before.Text(keyProvision); {
	case moves && p.settle == "" && len(p.update) > 0 && !slices.Contains(changeable, is):
		return fmt.Errorf("the node is %q, on its way to %q, and Ironic changes nothing of it until it has arrived; set wait: true", is, state)
	case p.settle != "" && isTrue(p.before[keyMaintenance]) && !p.resume && slices.Contains(heeding, is):
		return fmt.Errorf("the node is %q and does not get to %q in maintenance; set maintenance: false", is, state)
	}
	if slices.Contains(undeployed, state) {
		return nil
	}
	for i := range nodes.fields {
		f := &nodes.fields[i]
		if _, changes := p.update[f.option]; !changes || !f.settled {
			continue
		}
		help := "tear it down first, with provision_state: available and undeploy: true"
		switch isInterface := strings.HasSuffix(f.option, interfaceEnding); {
		case isInterface && (p.maintenance || isTrue(p.before[keyMaintenance]) && !(p.resume && p.settle != "")):
			continue
		case isInterface:
			help = "put the node into maintenance first, or " + help
		case isNone(p.before[f.option]): // it may get its first one
			continue
		}
		return fmt.Errorf("%s: Ironic does not change it while the node is %s; %s", f.option, p.describeState(state), help)
	}
	return nil
}

// writes reports whether a field, or a part of it, is written, by a create or an update.
func (p *plan) writes(option string) bool {
	return p.updates(option) || p.create != nil && !isNone(p.create[option])
}

// updates reports whether one of the fields, or a part of it, is updated.
func (p *plan) updates(fields ...string) bool {
	for _, changes := range []api.Changes{p.update, p.late} {
		for path := range changes {
			name, _, _ := strings.Cut(path, "/")
			if slices.Contains(fields, name) {
				return true
			}
		}
	}
	return false
}

func (p *plan) guardRemove() error {
	o := p.before
	name := called(o.Text(keyName), o.Text(keyUUID))
	state, moves := settled(o)
	if moves && p.settle == "" && !slices.Contains(deployed, state) {
		state = o.Text(keyProvision)
	}
	if len(p.steps) > 0 {
		state = p.steps[len(p.steps)-1].state
	}
	switch {
	case isTrue(o["protected"]):
		return fmt.Errorf("the node %s is protected; to remove it, set protected: false first", name)
	case slices.Contains(deployed, state) && !p.undeploy:
		return fmt.Errorf("the node %s is %s, and would be removed with what is deployed on it; to do that, set undeploy: true", name, p.describeState(state))
	case isTrue(o[keyMaintenance]): // Ironic drops what it can no longer reach
		return nil
	case slices.Contains(deployed, state):
		return fmt.Errorf("the node %s is %s, and cannot be torn down yet; set wait: true", name, p.describeState(state))
	case !slices.Contains(deletable, state):
		return fmt.Errorf("the node %s is %s, and cannot be removed; make it manageable, or put it into maintenance first", name, p.describeState(state))
	case !isNone(o["instance_uuid"]) && len(p.steps) == 0:
		return fmt.Errorf("the node %s has the instance %s, and cannot be removed; remove that first, with instance_uuid: \"\"", name, o.Text("instance_uuid"))
	}
	return nil
}
