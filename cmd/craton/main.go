// Command craton is the whole program: the command line, the Ansible inventory, the Ansible modules, and the server.
// It looks at the name it was called by: as craton_host it is that module, as craton-inventory, or called with Ansible's
// own arguments under whatever name, it is the inventory, else the command line.
package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/inventory"
)

func main() { os.Exit(run(os.Args, output.System())) }

// run is the program: the first argument is the name it was called by.
func run(args []string, s output.Streams) int {
	ctx := context.Background()
	connect.Version = release()
	if status, ok := runModule(args, s.In, s.Out); ok {
		return status
	}
	if name := filepath.Base(args[0]); isInventory(name, args[1:]) {
		cmd := inventory.Command(s)
		cmd.Use, cmd.Version = name, versionLine()
		return cli.RunAlone(ctx, cmd, args[1:], s)
	}
	return cli.Run(ctx, args[1:], s, cli.Version{Release: release(), Whole: versionLine()},
		inventory.Command(s), cli.NewExplain(s, theInventory{}), cli.NewDoctor(s, theInventory{}))
}

// isInventory tells that the caller is Ansible, or somebody in its place: by the program's name, or by the arguments
// that Ansible gives. In a directory of inventories the link may be called 10-craton, so that it sorts before the
// files that build on it (contract §A6).
func isInventory(name string, args []string) bool {
	return name == "craton-inventory" || len(args) > 0 && (args[0] == "--list" || args[0] == "--host")
}
