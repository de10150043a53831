package importing

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// OpenStackAnsible makes Ansible read the openstack_inventory.json of openstack-ansible, the first of the sources, as
// the output of a temporary inventory script. It returns a function that removes the script. Errors of Ansible about
// the script name the file.
func (t *Tool) OpenStackAnsible(s Sources) (Sources, func() error, error) {
	if len(s.Inventory) == 0 {
		return s, nil, errors.New("no openstack_inventory.json is given")
	}
	path, err := filepath.Abs(s.Inventory[0])
	if err != nil {
		return s, nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return s, nil, err
	}
	path = s.Inventory[0] // the user's name for it
	var top struct {
		Meta struct {
			Hostvars map[string]json.RawMessage `json:"hostvars"`
		} `json:"_meta"`
	}
	if err := json.Unmarshal(text, &top); err != nil {
		return s, nil, fmt.Errorf("%s is not an inventory of openstack-ansible: %w", path, err)
	}
	if top.Meta.Hostvars == nil {
		return s, nil, fmt.Errorf("%s is not an inventory of openstack-ansible: it has no _meta with hostvars", path)
	}
	dir, err := os.MkdirTemp("", "craton-import-")
	if err != nil {
		return s, nil, err
	}
	clean := func() error { return os.RemoveAll(dir) }
	script := filepath.Join(dir, "openstack")
	const program = "#!/bin/sh\nexec cat \"$(dirname \"$0\")/inventory.json\"\n"
	err = errors.Join(os.WriteFile(filepath.Join(dir, "inventory.json"), text, 0o600), os.WriteFile(script, []byte(program), 0o700)) //nolint:gosec // a script, for its user alone
	if err != nil {
		return s, nil, errors.Join(err, clean())
	}
	t.Shown = append(t.Shown, script, s.Inventory[0])
	s.Inventory = append([]string{script}, s.Inventory[1:]...)
	return s, clean, nil
}

// ContainerTypes returns the device types of the hosts of openstack-ansible: a host that is on another one is a
// container.
func ContainerTypes(v *Inventory) map[string]string {
	types := map[string]string{}
	for _, h := range v.Hosts {
		if on, ok := textOf(v.Resolved[h]["physical_host"]); ok && on != "" && on != h {
			types[h] = "container"
		}
	}
	return types
}
