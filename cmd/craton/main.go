// Command craton is the complete program: the command line, the Ansible inventory, the Ansible modules, and the server.
// The name by which it is called selects one of them: as craton_host it is that module; as craton-inventory, or if
// called with Ansible's own arguments under any name, it is the inventory; otherwise the command line. As
// iotronic-inventory, or with Ansible's arguments under a name that contains ironic or iotronic, it is the inventory of
// Ironic and Iotronic.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/cli/cache"
	"github.com/craton-fleet/craton/internal/cli/changes"
	"github.com/craton-fleet/craton/internal/cli/doctor"
	"github.com/craton-fleet/craton/internal/cli/explain"
	"github.com/craton-fleet/craton/internal/cli/export"
	"github.com/craton-fleet/craton/internal/cli/find"
	"github.com/craton-fleet/craton/internal/cli/history"
	"github.com/craton-fleet/craton/internal/cli/importer"
	"github.com/craton-fleet/craton/internal/cli/ui"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/inventory/iotronic"
)

func main() {
	s := output.System()
	status := run(os.Args, s)
	if err := output.WriteError(s.Out); err != nil && status == 0 { // nobody has said so
		fmt.Fprintf(s.Err, "ERROR: %v\n", err)
		status = 1
	}
	os.Exit(status)
}

// run runs the program: the first argument is the name by which it was called.
func run(args []string, s output.Streams) int {
	ctx := context.Background()
	connect.Version = release()
	out := s.Out
	if k, ok := out.(*output.StickyFile); ok { // a module reports its own failures
		out = k.File()
	}
	if status, ok := runModule(args, s.In, out); ok {
		return status
	}
	name := filepath.Base(args[0])
	if cmd := inventoryFor(name, args[1:], s); cmd != nil {
		cmd.Use, cmd.Version = name, versionLine()
		return cli.RunAlone(ctx, cmd, args[1:], s)
	}
	s, pager := output.Paged(s)
	return pager.End(cli.Run(ctx, args[1:], s, cli.Version{Release: release(), Whole: versionLine()},
		inventory.Command(s), iotronic.Command(s), explain.New(s), export.New(s), find.New(s), history.New(s), history.NewDiff(s), changes.New(s), cache.New(s), doctor.New(s), importer.New(s), ui.New(s)))
}

// inventoryFor returns the inventory that Ansible, or another caller, wants; nil for other callers. It is recognised by
// the program's name, or by Ansible's arguments: in a directory of inventories the links may be called 10-craton and
// 20-ironic, so that they sort before the files that build on them (contract §A6).
func inventoryFor(name string, args []string, s output.Streams) *cobra.Command {
	asks := len(args) > 0 && (args[0] == "--list" || args[0] == "--host")
	switch {
	case name == "iotronic-inventory" || asks && (strings.Contains(name, "iotronic") || strings.Contains(name, "ironic")):
		return iotronic.Command(s)
	case name == "craton-inventory" || asks:
		return inventory.Command(s)
	}
	return nil
}
