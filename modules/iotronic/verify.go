package iotronic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
	api "github.com/craton-fleet/craton/iotronic"
)

// verify refuses what the API would refuse, as far as the API can be asked in advance: names, codes, drivers and others
// that are taken or missing.
func (s *service) verify(ctx context.Context, p *plan) error {
	if s.dialect == api.DialectIronic && p.after != nil {
		if err := s.hasFields(ctx, p); err != nil {
			return err
		}
	}
	if err := p.guard(s.dialect); err != nil || p.after == nil {
		return err
	}
	uuid := p.before.Text(keyUUID)
	if s.dialect != api.DialectIronic {
		if p.writes("code") {
			return s.freeCode(ctx, p.after.Text("code"), uuid)
		}
		return nil
	}
	for _, check := range []func(context.Context, *plan) error{s.knownDriver, s.knownChassis, s.knownGroup, s.freeInstance} {
		if err := check(ctx, p); err != nil {
			return err
		}
	}
	if p.create != nil && isNone(p.create[keyUUID]) || !p.writes(keyName) { // it was found by that name, or keeps it
		return nil
	}
	other, err := s.client.Nodes.Get(ctx, p.after.Text(keyName), keyUUID)
	if _, unreadable := errors.AsType[*api.ValidationError](err); unreadable || api.IsNotFound(err) { // Ironic reports the first one
		return nil
	}
	if err == nil && other.UUID != uuid {
		err = fmt.Errorf("the name %q is taken by the node %s", p.after.Text(keyName), other.UUID)
	}
	return err
}

// hasFields refuses fields that the API version does not have.
func (s *service) hasFields(ctx context.Context, p *plan) error {
	needs := p.needs()
	for i := range p.of.fields {
		if f := &p.of.fields[i]; p.writes(f.sent()) {
			needs[f.option] = p.of.since(f)
		}
	}
	if err := s.client.Require(ctx, needs); err != nil {
		return err
	}
	return p.checkValues()
}

// checkValues refuses values that Ironic would refuse or truncate.
func (p *plan) checkValues() error {
	for name, value := range p.create {
		if err := api.CheckValue(p.of.kind.plural, name, value); err != nil {
			return err
		}
	}
	for _, changes := range []api.Changes{p.update, p.late} {
		for path, value := range changes {
			if value == api.Remove {
				continue
			}
			if err := api.CheckValue(p.of.kind.plural, path, raw(value)); err != nil {
				return err
			}
		}
	}
	if p.maintenance {
		return api.CheckValue(p.of.kind.plural, keyReason, raw(p.reason))
	}
	return nil
}

// needs returns the API versions that a plan needs, apart from those of fields.
func (p *plan) needs() map[string]api.Version {
	all := map[string]api.Version{}
	for _, step := range p.steps {
		all[optProvision+" ("+step.verb+")"] = api.ProvisionSince(step.verb)
		maps.Copy(all, p.doing.needs(step.verb))
		if slices.Contains(deploying, step.verb) && strings.HasPrefix(string(p.configDrive), "{") {
			all[optConfigDrive+" as a dict"] = api.Version{Major: 1, Minor: 56}
		}
	}
	if p.of == allocationResource && len(p.update) > 0 {
		all["changes of allocations"] = api.AllocationChanges
	}
	for _, c := range p.managing {
		if c.needs != (api.Version{}) {
			all[c.option] = c.needs
		}
	}
	if p.power == api.SoftPowerOff || p.power == api.SoftReboot {
		all[optPower+" ("+p.power+")"] = api.Version{Major: 1, Minor: 27}
	}
	return all
}

// knownDriver refuses an unknown driver, and interface implementations that it does not have. Callers that may not read
// drivers get the error from the server instead.
func (s *service) knownDriver(ctx context.Context, p *plan) error {
	var of []string // a new driver must support the interfaces of the old one
	for i := range nodes.fields {
		option := nodes.fields[i].option
		name, ok := strings.CutSuffix(option, interfaceEnding)
		if ok && (p.writes(option) || p.writes(keyDriver) && !isNone(p.after[option])) {
			of = append(of, name)
		}
	}
	if !p.writes(keyDriver) && len(of) == 0 {
		return nil
	}
	name := p.after.Text(keyDriver)
	d, err := s.client.Drivers.Get(ctx, name)
	switch {
	case api.IsForbidden(err):
		return nil
	case api.IsNotFound(err):
		return s.unknownDriverError(ctx, name)
	case err != nil:
		return err
	}
	enabled := d.EnabledInterfaces()
	for _, one := range of {
		wanted := p.after.Text(one + interfaceEnding)
		if there := enabled[one]; there != nil && !slices.Contains(there, wanted) {
			slices.Sort(there)
			return fmt.Errorf("%s%s: the driver %s does not support %q here; it supports %s", one, interfaceEnding, name, wanted, strings.Join(there, ", "))
		}
	}
	return nil
}

// unknownDriverError returns the error for an unknown driver.
func (s *service) unknownDriverError(ctx context.Context, name string) error {
	found, err := s.client.Drivers.List(ctx, api.DriverListOptions{})
	if err != nil {
		return err
	}
	var names []string
	for _, d := range found {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return fmt.Errorf("driver: no conductor supports the driver %q; supported: %s", name, strings.Join(names, ", "))
}

// knownChassis refuses an unknown chassis.
func (s *service) knownChassis(ctx context.Context, p *plan) error {
	const option = "chassis_uuid"
	uuid := p.after.Text(option)
	switch {
	case !p.writes(option) || uuid == "":
		return nil
	case !value.IsUUID(uuid):
		return fmt.Errorf("%s: %q is not a UUID", option, uuid)
	}
	_, err := s.client.Do(ctx, http.MethodGet, "/chassis/"+uuid, nil, nil)
	switch {
	case api.IsForbidden(err):
		return nil
	case api.IsNotFound(err):
		return fmt.Errorf("%s: there is no chassis %s", option, uuid)
	}
	return err
}

// knownGroup refuses a conductor group without conductors: nothing would manage the node.
func (s *service) knownGroup(ctx context.Context, p *plan) error {
	const option = "conductor_group"
	group := p.after.Text(option)
	if !p.writes(option) || group == "" {
		return nil
	}
	answer, err := s.client.Do(ctx, http.MethodGet, "/conductors", nil, nil)
	if _, old := errors.AsType[*api.UnsupportedVersionError](err); old || api.IsForbidden(err) || api.IsNotFound(err) || api.IsWrongDialect(err) {
		return nil // lists of conductors came with 1.49; otherwise the server reports it
	}
	if err != nil {
		return err
	}
	var there struct {
		Conductors []struct {
			Group string `json:"conductor_group"`
		}
		Next string
	}
	if err := json.Unmarshal(answer.Body, &there); err != nil || there.Next != "" {
		return nil //nolint:nilerr // what cannot be told is left to the server
	}
	var groups []string
	for _, c := range there.Conductors {
		groups = append(groups, strconv.Quote(c.Group))
	}
	slices.Sort(groups)
	if groups = slices.Compact(groups); !slices.Contains(groups, strconv.Quote(group)) {
		return fmt.Errorf("%s: no conductor is in the group %q; groups: %s", option, group, strings.Join(groups, ", "))
	}
	return nil
}

// freeInstance refuses an instance UUID that another node has.
func (s *service) freeInstance(ctx context.Context, p *plan) error {
	uuid := p.after.Text("instance_uuid")
	switch {
	case !p.writes("instance_uuid") || uuid == "":
		return nil
	case !value.IsUUID(uuid):
		return fmt.Errorf("instance_uuid: %q is not a UUID", uuid)
	}
	other, err := s.client.Nodes.ByInstance(ctx, uuid)
	if api.IsNotFound(err) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("instance_uuid: the instance %s is on the node %s", uuid, called(other.Name, other.UUID))
	}
	return err
}

// freeCode refuses a code that another node has, as far as the caller can see: lists contain the nodes of one project.
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
