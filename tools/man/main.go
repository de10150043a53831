// Command man writes the manual pages of craton into a directory, for make man. They are generated from the commands
// themselves; the code for that is not in the program.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/cli/cache"
	"github.com/craton-fleet/craton/internal/cli/doctor"
	"github.com/craton-fleet/craton/internal/cli/explain"
	"github.com/craton-fleet/craton/internal/cli/export"
	"github.com/craton-fleet/craton/internal/cli/find"
	"github.com/craton-fleet/craton/internal/cli/history"
	"github.com/craton-fleet/craton/internal/cli/importer"
	"github.com/craton-fleet/craton/internal/cli/ui"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/inventory/iotronic"
)

func main() {
	version := flag.String("version", "dev", "version of the program")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: man [-version VERSION] FOLDER")
		os.Exit(2)
	}
	if err := write(flag.Arg(0), *version); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(dir, version string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s := output.System()
	pages := cli.ManPages(cli.Version{Release: version}, inventory.Command(s), iotronic.Command(s), explain.New(s), export.New(s), find.New(s),
		history.New(s), history.NewDiff(s), cache.New(s), doctor.New(s), importer.New(s), ui.New(s))
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%d pages in %s; look at one with: man -l %s\n", len(pages), dir, filepath.Join(dir, "craton.1"))
	return nil
}
