package iotronic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/retry"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// Options of a node that are not fields: what Ironic stores elsewhere, or reads from the hardware.
const (
	optTraits         = "traits"
	optTraitsMode     = "traits_mode"
	optBootDevice     = "boot_device"
	optBootPersistent = "boot_device_persistent"
	optBootMode       = "boot_mode"
	optSecureBoot     = "secure_boot"
	optConsole        = "console"
	optConfigDrive    = "config_drive"
	optAdopt          = "adopt"
	optRescuePassword = "rescue_password"

	uefi, bios = "uefi", "bios"
)

// managed are those of them that only Ironic has.
var managed = []string{optTraits, optBootDevice, optBootMode, optSecureBoot, optConsole}

// management is what a task sets of them; "" or nil if it does not.
type management struct {
	traits     []string
	exact      bool // no other traits
	device     string
	persistent *bool
	mode       string
	secure     *bool
	console    *bool
}

// managementOptions returns their options.
func managementOptions() []ansible.Option {
	return []ansible.Option{
		{Name: optTraits, Type: ansible.List, Elements: ansible.Str, Description: []string{
			"The traits of the node, by which schedulers and allocations choose it: standard traits, or your own, which begin with C(CUSTOM_) and consist of capital letters, digits and underscores.",
			"Only for nodes of Ironic. Requires API version 1.37 or later."}},
		{Name: optTraitsMode, Default: merge, Choices: []any{merge, replace}, Description: []string{
			"V(merge) adds O(traits) to the existing ones, V(replace) also removes all others."}},
		{Name: optBootDevice, Description: []string{
			"The device that the node boots from, such as V(pxe), V(disk) or V(cdrom). Ironic asks the hardware, in check mode too.",
			"Unless O(boot_device_persistent=true), many kinds of hardware reset it after the next boot, and the next run of the task sets it again. Only for nodes of Ironic."}},
		{Name: optBootPersistent, Type: ansible.Bool, Description: []string{
			"Whether the node always boots from O(boot_device), and not only at the next boot. If the task does not set it, it is not compared, and a new device is set for the next boot only."}},
		{Name: optBootMode, Choices: []any{uefi, bios}, Description: []string{
			"The boot mode. Only for nodes of Ironic whose hardware supports it. Requires API version 1.76 or later."}},
		{Name: optSecureBoot, Type: ansible.Bool, Description: []string{
			"Whether secure boot is enabled. Only for nodes of Ironic whose hardware supports it. Requires API version 1.76 or later."}},
		{Name: optConsole, Type: ansible.Bool, Description: []string{
			"Whether the serial console is enabled. M(craton.fleet.iotronic_node_info) with C(console=true) returns its address. Only for nodes of Ironic."}},
	}
}

// wantManagement reads the options.
func wantManagement(p ansible.Params) (m management, err error) {
	m = management{exact: p.String(optTraitsMode) == replace, device: p.String(optBootDevice), mode: p.String(optBootMode)}
	if p.Has(optTraits) {
		m.traits = slices.Clone(p.Strings(optTraits))
		slices.Sort(m.traits)
		m.traits = slices.Compact(m.traits)
		if m.traits == nil {
			m.traits = []string{}
		}
	}
	for _, t := range m.traits {
		if err := api.CheckTrait(t); err != nil {
			return m, fmt.Errorf("%s: %w", optTraits, err)
		}
	}
	flag := func(name string) *bool {
		if !p.Has(name) {
			return nil
		}
		return new(p.Bool(name))
	}
	m.persistent, m.secure, m.console = flag(optBootPersistent), flag(optSecureBoot), flag(optConsole)
	return m, nil
}

// change is one management request, and its part of the diff.
type change struct {
	option string
	needs  api.Version
	do     func(ctx context.Context, a *applier) error
	late   bool // after the node has reached its provision and power state
}

// planManagement finds differences. It queries the hardware for what is stored only there.
func (j *job) planManagement(ctx context.Context, w *want, p *plan) error {
	if !w.present || j.dialect != api.DialectIronic {
		return nil
	}
	m := &w.management
	if err := p.planTraits(m); err != nil {
		return err
	}
	if err := j.planBoot(ctx, m, p); err != nil {
		return err
	}
	modes := api.Version{Major: 1, Minor: 76}
	if m.mode != "" && p.before.Text(optBootMode) != m.mode {
		p.set(optBootMode, raw(m.mode))
		p.managing = append(p.managing, change{option: optBootMode, needs: modes, do: func(ctx context.Context, a *applier) error {
			return a.changeAndWait(ctx, optBootMode, raw(m.mode), func() error { return a.client.Nodes.SetBootMode(ctx, a.id(), m.mode) })
		}})
	}
	if m.secure != nil && (isNone(p.before[optSecureBoot]) || isTrue(p.before[optSecureBoot]) != *m.secure) {
		p.set(optSecureBoot, raw(*m.secure))
		p.managing = append(p.managing, change{option: optSecureBoot, needs: modes, do: func(ctx context.Context, a *applier) error {
			return a.changeAndWait(ctx, optSecureBoot, raw(*m.secure), func() error { return a.client.Nodes.SetSecureBoot(ctx, a.id(), *m.secure) })
		}})
	}
	const enabled = "console_enabled"
	if m.console != nil && isTrue(p.before[enabled]) != *m.console {
		p.set(enabled, raw(*m.console))
		p.managing = append(p.managing, change{option: optConsole, late: true, do: func(ctx context.Context, a *applier) error {
			if err := a.do(ctx, func() error { return a.client.Nodes.SetConsole(ctx, a.id(), *m.console) }); err != nil || !a.w.wait {
				return err
			}
			return a.waitFor(ctx, func(ctx context.Context) error { return a.client.Nodes.WaitConsole(ctx, a.id(), *m.console) })
		}})
	}
	return nil
}

func (p *plan) planTraits(m *management) error {
	if m.traits == nil {
		return nil
	}
	var have []string
	_, _ = p.before.Get(optTraits, &have) // anything but a list counts as none
	all := slices.Clone(m.traits)
	if !m.exact {
		all = append(all, have...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	slices.Sort(have)
	if slices.Equal(all, have) {
		return nil
	}
	if err := api.CheckTraits(all); err != nil {
		return fmt.Errorf("%s: %w", optTraits, err)
	}
	p.set(optTraits, raw(all))
	p.managing = append(p.managing, change{option: optTraits, needs: api.Since("nodes", optTraits), do: func(ctx context.Context, a *applier) error {
		if m.exact || len(have) == 0 {
			return a.do(ctx, func() error { return a.client.Nodes.SetTraits(ctx, a.id(), all) })
		}
		for _, t := range m.traits { // one by one, so that traits that others add meanwhile are not lost
			if slices.Contains(have, t) {
				continue
			}
			if err := a.do(ctx, func() error { return a.client.Nodes.AddTrait(ctx, a.id(), t) }); err != nil {
				return err
			}
		}
		return nil
	}})
	return nil
}

func (j *job) planBoot(ctx context.Context, m *management, p *plan) error {
	if m.device == "" {
		return nil
	}
	have := &api.BootDevice{}
	if p.before != nil {
		uuid := p.before.Text(keyUUID)
		err := j.queryHardware(ctx, uuid, func() (err error) {
			have, err = j.client.Nodes.GetBootDevice(ctx, uuid)
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", optBootDevice, err)
		}
		if have.Device == m.device && (m.persistent == nil || have.Persistent == nil || *have.Persistent == *m.persistent) {
			return nil
		}
		var there []string
		err = j.queryHardware(ctx, uuid, func() (err error) {
			there, err = j.client.Nodes.BootDevices(ctx, uuid)
			return err
		})
		if err == nil && len(there) > 0 && !slices.Contains(there, m.device) {
			slices.Sort(there)
			return fmt.Errorf("%s: the node cannot boot from %q; it can boot from %s", optBootDevice, m.device, strings.Join(there, ", "))
		}
	}
	persistent := m.persistent != nil && *m.persistent
	p.addDiff(optBootDevice, have.Fields, api.Values(map[string]any{optBootDevice: m.device, "persistent": persistent}))
	p.managing = append(p.managing, change{option: optBootDevice, do: func(ctx context.Context, a *applier) error {
		return a.do(ctx, func() error { return a.client.Nodes.SetBootDevice(ctx, a.id(), m.device, persistent) })
	}})
	return nil
}

// queryHardware reads what only the hardware knows. Ironic locks the node for that, so other operations on it are
// waited for. If the hardware does not respond, the query itself keeps the lock for longer than the client waits; after
// a few attempts, the query is given up.
func (j *job) queryHardware(ctx context.Context, uuid string, ask func() error) error {
	const most, long = 3, 30 * time.Second // the client retries for half as long
	for asked := 1; ; asked++ {
		began := time.Now()
		err := ask()
		switch {
		case !api.IsLocked(err):
			return err
		case time.Since(began) > long:
			return fmt.Errorf("%w; unless somebody else is working on it, its hardware does not respond to Ironic", err)
		case asked == most || !j.w.wait || !j.again || j.waitUnlocked(ctx, uuid) != nil:
			return err
		}
	}
}

// waitUnlocked waits until Ironic has released the lock of a node, as long as the task allows.
func (j *job) waitUnlocked(ctx context.Context, uuid string) error {
	ctx, cancel := context.WithDeadline(ctx, j.ends)
	defer cancel()
	return retry.Every(time.Second).Do(ctx, func(int) (again bool, err error) {
		n, err := j.client.Nodes.Get(ctx, uuid)
		return err == nil && !isNone(n.Fields["reservation"]), err
	})
}

// addDiff adds something to the diff that is not a field of the node.
func (p *plan) addDiff(key string, before, after api.Object) {
	p.extraDiffs = append(p.extraDiffs, extraDiff{key, raw(before), raw(after)})
}

// extraDiff is a part of a diff that is not a field of the node.
type extraDiff struct {
	key           string
	before, after json.RawMessage
}

// applyManagement applies the early or the late changes.
func (a *applier) applyManagement(ctx context.Context, late bool) error {
	for _, c := range a.p.managing {
		if c.late != late {
			continue
		}
		if err := c.do(ctx, a); err != nil {
			return fmt.Errorf("%s: %w", c.option, err)
		}
	}
	return nil
}

// changeAndWait requests a change, and waits until the node shows it.
func (a *applier) changeAndWait(ctx context.Context, field string, value json.RawMessage, do func() error) error {
	if err := a.do(ctx, do); err != nil || !a.w.wait {
		return err
	}
	err := a.waitFor(ctx, func(ctx context.Context) error { return a.client.Nodes.WaitField(ctx, a.id(), field, value) })
	if failed, ok := errors.AsType[*api.StateTransitionFailedError](err); ok {
		return fmt.Errorf("the node %s did not get to %s: %s", a.called(), failed.Expected, cmp.Or(failed.Reason, "Ironic gives no reason"))
	}
	return err
}
