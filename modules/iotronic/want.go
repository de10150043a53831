package iotronic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/value"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// want is what a task wants for one node. It contains only what the task sets.
type want struct {
	of         *resource
	present    bool
	uuid, name string // "" if not given

	values        map[string]json.RawMessage // of fields that are not dicts; null removes the value
	dicts         map[string]wantDict
	updateSecrets bool // write secrets even if they cannot be compared

	maintenance *bool
	reason      *string
	power       string // the value of an option
	provision   string
	undeploy    bool

	spoken      api.Version // of the API; zero for the latest
	management  management
	configDrive json.RawMessage // nil: no config drive
	adopt       bool
	rescue      string // the password
	steps       steps

	ports        []*want // nil: the task does not set them
	replacePorts bool
	sub          ansible.Params // of a port of a node

	wait    bool
	timeout time.Duration
}

// wantDict is what a task wants for a dict.
type wantDict struct {
	values  api.Object
	replace bool
}

// waitTimeout returns how long a task waits: 0 means without limit, as on the command line.
func waitTimeout(seconds int64) time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	if seconds == 0 {
		return century
	}
	return time.Duration(seconds) * time.Second
}

// errNoTime is the error for a negative timeout.
var errNoTime = errors.New("wait_timeout is negative; set a number of seconds, or 0 for no limit")

// invalidUUIDError returns the error for a text that is not a UUID; by is another option that can identify the object,
// or "".
func invalidUUIDError(text, kind, by string) error {
	err := fmt.Errorf("uuid: %q is not a UUID", text)
	if by == "" {
		return err
	}
	return fmt.Errorf("%w; to find the %s by its %s, set %s", err, kind, by, by)
}

// read reads the options of fields; for an object to be removed, only those that identify it.
func (w *want) read(p ansible.Params) error {
	for i := range w.of.fields {
		f := &w.of.fields[i]
		if !w.present && f.option != w.of.by {
			continue
		}
		if err := w.field(f, p); err != nil {
			return err
		}
	}
	return nil
}

// readWant reads what a task wants for a node, without requests to the API.
func readWant(p ansible.Params) (*want, error) {
	w := nodes.newWant(p.String(optUUID), p.String(optState) == present)
	if p.Has(optUUID) && !value.IsUUID(w.uuid) {
		return nil, invalidUUIDError(w.uuid, node.name, keyName)
	}
	err := w.read(p)
	if err == nil && w.present {
		w.ports, err = wantPorts(p)
	}
	if err != nil {
		return nil, err
	}
	if w.management, err = wantManagement(p); err != nil {
		return nil, err
	}
	if w.steps, err = wantSteps(p); err != nil && w.present {
		return nil, err
	}
	w.adopt, w.rescue = p.Bool(optAdopt), p.String(optRescuePassword)
	w.replacePorts = p.String(optPortsMode) == replace
	w.name, w.updateSecrets, w.power, w.provision = p.String(optName), p.String(optPassword) == alwaysUpdate, p.String(optPower), p.String(optProvision)
	w.undeploy, w.wait, w.timeout = p.Bool(optUndeploy), p.Bool(optWait), waitTimeout(p.Int(optTimeout))
	switch {
	case w.timeout < 0:
		return nil, errNoTime
	case p.Has(optName) && w.name == "":
		return nil, errors.New("name is empty; set one, or leave the option out")
	case value.IsUUID(w.name):
		return nil, fmt.Errorf("name: %q is a UUID, which cannot be a name; set it as uuid", w.name)
	}
	if !w.present {
		return w, nil
	}
	if p.Has(optMaintenance) {
		w.maintenance = new(p.Bool(optMaintenance))
	}
	if p.Has(optReason) {
		w.reason = new(p.String(optReason))
		if !*w.maintenance && *w.reason != "" {
			return nil, errors.New("maintenance_reason is set, but maintenance is false; leave one of them out")
		}
	}
	return w, nil
}

// has reports whether the task sets a field.
func (w *want) has(f *field) bool {
	_, text := w.values[f.option]
	_, dict := w.dicts[f.option]
	return text || dict
}

// deploys reports whether the task sets what is to be deployed.
func (w *want) deploys() bool {
	return len(w.dicts["instance_info"].values) > 0 || !isNone(w.values["instance_uuid"])
}

// secrets returns the secrets within texts; secrets in their own keys are masked anyway.
func (w *want) secrets() (found []string) {
	for option, d := range w.dicts {
		for _, value := range d.values {
			if api.HidesSecrets(option) {
				found = append(found, textSecrets(value)...)
			}
		}
	}
	return found
}

// field reads the option of a field.
func (w *want) field(f *field, p ansible.Params) error {
	if !p.Has(f.option) {
		return nil
	}
	if f.form == formDict || f.form == formPlace {
		if err := value.In(f.option, value.CheckJSON(string(p.JSON(f.option)))); err != nil {
			return err
		}
	}
	switch f.form {
	case formDict:
		o := api.Object{}
		if err := json.Unmarshal(p.JSON(f.option), &o); err != nil {
			return fmt.Errorf("%s: %w", f.option, err)
		}
		if _, ok := o[""]; ok {
			return fmt.Errorf("%s: a key is empty; remove it", f.option)
		}
		for key, value := range o {
			if f.kept == nil {
				break
			}
			kept, err := f.kept(key, value)
			if err != nil {
				return fmt.Errorf("%s: %w", f.option, err)
			}
			o[key] = kept
		}
		w.dicts[f.option] = wantDict{o, p.String(f.mode()) == replace}
	case formPlace:
		w.values[f.option] = raw([]json.RawMessage{p.JSON(f.option)})
	case formFlag, formMaybe:
		w.values[f.option] = raw(p.Bool(f.option))
	case formList:
		w.values[f.option] = raw(p.Strings(f.option))
	case formText:
		text := p.String(f.option)
		if f.lower {
			text = strings.ToLower(text)
		}
		w.values[f.option] = raw(text)
		if text != "" && f.check != nil {
			if err := f.check(text); err != nil {
				return fmt.Errorf("%s: %w", f.option, err)
			}
		}
		if text != "" {
			break
		}
		if f.stays {
			return fmt.Errorf("%s is empty; set a value, or leave the option out to keep the current one", f.option)
		}
		w.values[f.option] = null
	}
	return nil
}

// isLogicalName reports whether Ironic accepts a text as a name. (Compiling a regular expression with up to 255
// repetitions would take longer than everything else when a module starts.)
func isLogicalName(s string) bool {
	const most = 255
	return s != "" && len(s) <= most && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-") == ""
}

// fits refuses what the dialect does not have.
func (w *want) fits(ctx context.Context, s *service, p ansible.Params) error {
	if s.dialect == api.DialectIronic && w.name != "" && !isLogicalName(w.name) {
		return fmt.Errorf("name: %q is not valid in Ironic; use up to 255 letters, digits and the characters . _ ~ -", w.name)
	}
	if !w.present {
		return nil
	}
	var lacks, there []string
	for i := range w.of.fields {
		f := &w.of.fields[i]
		if !f.isIn(s.dialect) && p.Has(f.option) {
			lacks = append(lacks, f.option)
		}
		if f.isIn(s.dialect) {
			there = append(there, f.option)
		}
	}
	for _, option := range append([]string{optMaintenance, optPower, optProvision, optPorts}, managed...) {
		if s.dialect != api.DialectIronic && p.Has(option) {
			lacks = append(lacks, option)
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	url, err := s.client.URL(ctx)
	if err != nil {
		return err
	}
	slices.Sort(there)
	return fmt.Errorf("%s speaks %s, whose nodes have no %s; leave that out. They have name, %s",
		url, s.dialect, strings.Join(lacks, ", "), strings.Join(there, ", "))
}
