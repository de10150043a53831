package iotronic

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/internal/rest"
)

// Versions of Ironic's API that introduced parts of a node's management.
var (
	nodeTraits    = map[string]Version{"traits": {1, 37}}
	bootModes     = map[string]Version{"changing the boot mode": {1, 76}}
	nodeInventory = map[string]Version{"the inventory of nodes": {1, 81}}
	interrupts    = map[string]Version{"interrupts of nodes": {1, 29}}
)

// get reads a part of a node of Ironic.
func (s *NodeService) get(ctx context.Context, operation, id, below string, needs map[string]Version, out any) error {
	return s.ironic(ctx, operation, id, &call{Request: rest.Request{Method: http.MethodGet}, needs: needs}, below, out)
}

// GetTraits reads the traits of a node: words by which schedulers select it.
func (s *NodeService) GetTraits(ctx context.Context, id string) ([]string, error) {
	out := new(struct {
		Traits []string `json:"traits"`
	})
	err := s.get(ctx, "read the traits of a node", id, "/traits", nodeTraits, out)
	return out.Traits, err
}

// SetTraits replaces the traits of a node.
func (s *NodeService) SetTraits(ctx context.Context, id string, traits []string) error {
	if traits == nil {
		traits = []string{}
	}
	if err := CheckTraits(traits); err != nil {
		return &ValidationError{err}
	}
	return s.set(ctx, "set the traits of a node", id, "/traits", map[string][]string{"traits": traits}, nodeTraits)
}

// AddTrait adds a trait to a node.
func (s *NodeService) AddTrait(ctx context.Context, id, trait string) error {
	el, err := element("add a trait to a node", "trait", trait)
	if err != nil {
		return err
	}
	return s.set(ctx, "add a trait to a node", id, "/traits/"+el, nil, nodeTraits)
}

// RemoveTrait removes a trait from a node; the error is IsNotFound if it does not have it.
func (s *NodeService) RemoveTrait(ctx context.Context, id, trait string) error {
	el, err := element("remove a trait of a node", "trait", trait)
	if err != nil {
		return err
	}
	return s.ironic(ctx, "remove a trait of a node", id, &call{Request: rest.Request{Method: http.MethodDelete}, needs: nodeTraits}, "/traits/"+el, nil)
}

// BootDevice is the device from which a node boots.
type BootDevice struct {
	Device     string `json:"boot_device"` // such as pxe, disk, cdrom; "" if unknown
	Persistent *bool  `json:"persistent"`  // whether for more than one boot; nil if unknown

	Raw
}

// GetBootDevice asks the hardware for the boot device of a node.
func (s *NodeService) GetBootDevice(ctx context.Context, id string) (*BootDevice, error) {
	out := new(BootDevice)
	if err := s.get(ctx, "read the boot device of a node", id, "/management/boot_device", nil, out); err != nil {
		return nil, err
	}
	return out, nil
}

// SetBootDevice sets the boot device of a node, for the next boot or, if persistent, for all boots.
func (s *NodeService) SetBootDevice(ctx context.Context, id, device string, persistent bool) error {
	return s.set(ctx, "set the boot device of a node", id, "/management/boot_device", map[string]any{"boot_device": device, "persistent": persistent}, nil)
}

// BootDevices returns the devices from which a node can boot.
func (s *NodeService) BootDevices(ctx context.Context, id string) ([]string, error) {
	out := new(struct {
		Devices []string `json:"supported_boot_devices"`
	})
	err := s.get(ctx, "read the boot devices of a node", id, "/management/boot_device/supported", nil, out)
	return out.Devices, err
}

// SetBootMode requests a boot mode, uefi or bios. It returns once Ironic has accepted the request; the node's boot_mode
// shows when it is done.
func (s *NodeService) SetBootMode(ctx context.Context, id, mode string) error {
	return s.set(ctx, "set the boot mode of a node", id, "/states/boot_mode", map[string]string{"target": mode}, bootModes)
}

// SetSecureBoot requests secure boot to be on or off. It returns once Ironic has accepted the request; the node's
// secure_boot shows when it is done.
func (s *NodeService) SetSecureBoot(ctx context.Context, id string, on bool) error {
	return s.set(ctx, "set the secure boot of a node", id, "/states/secure_boot", map[string]bool{"target": on}, bootModes)
}

// Console is the serial console of a node.
type Console struct {
	Enabled bool   `json:"console_enabled"`
	Info    Object `json:"console_info"` // type and url; nil if it is not enabled

	Raw
}

// GetConsole reads how to reach the console of a node.
func (s *NodeService) GetConsole(ctx context.Context, id string) (*Console, error) {
	out := new(Console)
	if err := s.get(ctx, "read the console of a node", id, "/states/console", nil, out); err != nil {
		return nil, err
	}
	return out, nil
}

// SetConsole requests the console of a node to be enabled or disabled. It returns once Ironic has accepted the request;
// [NodeService.WaitConsole] waits for it.
func (s *NodeService) SetConsole(ctx context.Context, id string, enabled bool) error {
	return s.set(ctx, "set the console of a node", id, "/states/console", map[string]bool{"enabled": enabled}, nil)
}

// WaitConsole waits until the console of a node is enabled or disabled. It fails like [NodeService.WaitPower].
func (s *NodeService) WaitConsole(ctx context.Context, id string, enabled bool) error {
	const on, off, most = "console enabled", "console disabled", 20
	names := map[bool]string{true: on, false: off}
	idle := 0
	return s.wait(ctx, id, names[enabled], func(n *NodeStates) (now string, moves, stays bool) {
		idle++
		return names[n.ConsoleEnabled], false, n.LastError != "" || idle > most
	})
}

// Inventory reads the results of a node's last inspection: "inventory", and "plugin_data" of its drivers. The error is
// IsNotFound if there are none.
func (s *NodeService) Inventory(ctx context.Context, id string) (Object, error) {
	var out Object
	err := s.get(ctx, "read the inventory of a node", id, "/inventory", nodeInventory, &out)
	return out, err
}

// Interrupt sends a node a non-maskable interrupt, which makes most operating systems write a dump.
func (s *NodeService) Interrupt(ctx context.Context, id string) error {
	return s.put(ctx, "interrupt a node", id, "/management/inject_nmi", map[string]any{}, interrupts)
}
