package iotronic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	api "github.com/craton-fleet/craton/iotronic"
)

// deletable are the states in which Ironic lets a node be deleted that is not in maintenance.
var deletable = []string{enroll, manageable, available, "adopt failed"}

// guard refuses what the API is known to refuse, before anything is written, and so in check mode too.
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
	for _, flag := range []string{"protected", "retired"} {
		if !isNone(p.after[flag+"_reason"]) && !isTrue(p.after[flag]) {
			return fmt.Errorf("%s_reason: the node is not %s; set %s: true, or leave the reason out", flag, flag, flag)
		}
	}
	switch end := p.reached(); {
	case p.updates("protected") && isTrue(p.after["protected"]) && end != active && end != "rescue":
		return errors.New("protected: Ironic protects only nodes that are deployed; set provision_state: active, or leave it out")
	case p.updates("retired") && isTrue(p.after["retired"]) && end == available:
		return errors.New("retired: Ironic retires no node that is available; set provision_state: manageable")
	}
	if is := p.before.Text("instance_uuid"); is != "" && p.updates("instance_uuid") && !isNone(p.after["instance_uuid"]) {
		return fmt.Errorf("instance_uuid: the node has the instance %s; take that away by instance_uuid: \"\" first", is)
	}
	for _, step := range p.steps {
		switch {
		case step.verb == api.ProvisionActive && isTrue(p.after[keyMaintenance]):
			return fmt.Errorf("%s: Ironic deploys nothing on a node in maintenance; set maintenance: false", optProvision)
		case step.verb == api.ProvisionProvide && isTrue(p.after["retired"]):
			return fmt.Errorf("%s: Ironic makes no retired node available; set retired: false", optProvision)
		case step.verb == api.ProvisionDeleted && isTrue(p.before["protected"]) && isTrue(p.after["protected"]):
			return fmt.Errorf("%s: the node is protected; set protected: false first", optProvision)
		case step.verb == api.ProvisionDeleted && p.updates("instance_info", "instance_uuid"):
			return fmt.Errorf("%s: what is torn down forgets instance_info and instance_uuid; leave them out, and give them when something is to be deployed", optProvision)
		}
	}
	return nil
}

// updates tells whether fields, or what is in them, are changed.
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
	if moves && p.settle == "" {
		state = o.Text(keyProvision)
	}
	if len(p.steps) > 0 {
		state = p.steps[len(p.steps)-1].state
	}
	switch {
	case isTrue(o["protected"]):
		return fmt.Errorf("the node %s is protected, and cannot be removed; set protected: false first", name)
	case isTrue(o[keyMaintenance]): // Ironic forgets what it cannot reach any more
		return nil
	case slices.Contains(deployed, state):
		return fmt.Errorf("the node %s is %q, and cannot be removed; set undeploy: true to tear down what is deployed on it, or put it into maintenance first", name, state)
	case !slices.Contains(deletable, state):
		return fmt.Errorf("the node %s is %q, and cannot be removed; make it manageable, or put it into maintenance first", name, state)
	case !isNone(o["instance_uuid"]) && len(p.steps) == 0:
		return fmt.Errorf("the node %s has the instance %s, and cannot be removed; take that away by instance_uuid: \"\" first", name, o.Text("instance_uuid"))
	}
	return nil
}

// verify refuses names, codes and drivers that the API would refuse.
func (s *service) verify(ctx context.Context, p *plan) error {
	if err := p.guard(s.dialect); err != nil || p.after == nil {
		return err
	}
	uuid := p.before.Text(keyUUID)
	changes := func(field string) bool {
		_, updated := p.update[field]
		return updated || p.create != nil && !isNone(p.create[field])
	}
	if s.dialect != api.DialectIronic {
		if changes("code") {
			return s.freeCode(ctx, p.after.Text("code"), uuid)
		}
		return nil
	}
	if changes(keyDriver) {
		if err := s.knownDriver(ctx, p.after.Text(keyDriver)); err != nil {
			return err
		}
	}
	if changes("instance_uuid") && !isNone(p.after["instance_uuid"]) {
		if err := s.freeInstance(ctx, p.after.Text("instance_uuid")); err != nil {
			return err
		}
	}
	if p.create != nil && isNone(p.create[keyUUID]) || !changes(keyName) { // it was looked for by the name, or keeps it
		return nil
	}
	other, err := s.client.Nodes.Get(ctx, p.after.Text(keyName), keyUUID)
	if api.IsNotFound(err) {
		return nil
	}
	if err == nil && other.UUID != uuid {
		err = fmt.Errorf("the name %q is taken by the node %s", p.after.Text(keyName), other.UUID)
	}
	return err
}

// knownDriver refuses a driver that no conductor has. Who may not read drivers will hear it from the server.
func (s *service) knownDriver(ctx context.Context, name string) error {
	found, err := s.client.Drivers.List(ctx, api.DriverListOptions{})
	if api.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var names []string
	for _, d := range found {
		names = append(names, d.Name)
	}
	if slices.Contains(names, name) {
		return nil
	}
	slices.Sort(names)
	return fmt.Errorf("driver: no conductor has the driver %q; there is %s", name, strings.Join(names, ", "))
}

// freeInstance refuses an instance that a node has.
func (s *service) freeInstance(ctx context.Context, uuid string) error {
	other, err := s.client.Nodes.ByInstance(ctx, uuid)
	if api.IsNotFound(err) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("instance_uuid: the instance %s is on the node %s", uuid, called(other.Name, other.UUID))
	}
	return err
}

// freeCode refuses a code that another node has, as far as the caller sees others: lists are of one project.
func (s *service) freeCode(ctx context.Context, code, own string) error {
	for n, err := range s.client.Nodes.All(ctx, api.NodeListOptions{}) {
		if err != nil {
			return err
		}
		if n.Code == code && n.UUID != own {
			return fmt.Errorf("the code %q is taken by the node %s", code, called(n.Name, n.UUID))
		}
	}
	return nil
}
