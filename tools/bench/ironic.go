package main

import (
	"context"
	"fmt"
	"os"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/iotronic"
)

// ironicPages is Ironic's default page size, in nodes.
const ironicPages = 1000

// measureIronic runs a real Ironic with a number of nodes, equal except for their names, and measures
// iotronic-inventory.
func measureIronic(ctx context.Context, binary string, nodes, runs int) (listing, error) {
	fmt.Fprintf(os.Stderr, "%d nodes of Ironic: creating\n", nodes)
	metal, err := openstacktest.RunIronic(openstacktest.IronicPages(ironicPages))
	if err != nil {
		return listing{}, err
	}
	defer metal.Stop()
	client, err := iotronic.New(metal.URL)
	if err != nil {
		return listing{}, err
	}
	node, err := client.Nodes.Create(ctx, iotronic.NodeCreate{Name: "metal-00000", Driver: openstacktest.IronicDriver, ResourceClass: "large",
		Properties: iotronic.Values(map[string]any{"cpus": 64, "memory_mb": 262144, "local_gb": 960, "cpu_arch": "x86_64", "capabilities": "boot_mode:uefi,secure_boot:true"}),
		DriverInfo: iotronic.Values(map[string]any{"ipmi_address": "192.0.2.7", "ipmi_username": "admin", "ipmi_password": "secret", "deploy_kernel": "http://images.example/kernel"}),
		Extra:      iotronic.Values(map[string]any{"rack": "b7", "unit": 12, "serial": "SN00000001", "disks": []string{"nvme0n1", "nvme1n1"}, "ansible_host": "192.0.2.107"})})
	if err != nil {
		return listing{}, err
	}
	if err := metal.Multiply(ctx, node.Name, nodes-1); err != nil {
		return listing{}, err
	}
	fmt.Fprintf(os.Stderr, "%d nodes of Ironic: measuring\n", nodes)
	inventory := lister{command: "iotronic-inventory", binary: binary, url: metal.URL, environment: func(url string) []string {
		return append(os.Environ(), "IRONIC_URL="+url)
	}}
	taken, err := inventory.measure(ctx, nodes, runs, "CRATON_IOTRONIC_INVENTORY_EXTRA_VARIABLES=*")
	if err != nil {
		return listing{}, err
	}
	return taken[0], nil
}
