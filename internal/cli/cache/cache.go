package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory"
)

// New returns the command `craton cache`.
func New(s output.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Show cached inventories, clear them, or accept a refused one",
		Long: `Show the inventories that craton-inventory has cached, and uses while the server reports no changes: the user and settings
they belong to, their number of hosts and revision, when they were last known to be current, and which of them shrink_guard
refused.`,
		Example: `  craton cache
  craton cache clear
  craton cache accept`,
		Args: argparse.ExactArgs(),
		RunE: run(s, func(p *show.Printer, kept *inventory.KeptInventories, _ []string) error { return list(p, kept) }),
	}
	wipe := &cobra.Command{
		Use:   "clear",
		Short: "Remove all cached inventories",
		Long:  "Remove all cached inventories. The next run reads the whole fleet.",
		Args:  argparse.ExactArgs(),
		RunE: run(s, func(p *show.Printer, kept *inventory.KeptInventories, _ []string) error {
			n, err := kept.Clear()
			if err == nil {
				p.Say("%s removed from %s.", show.Count(n, "inventory was", "inventories were"), show.Clean(kept.Dir()))
			}
			return err
		}),
	}
	accept := &cobra.Command{
		Use:   "accept [ID]",
		Short: "Accept an inventory that shrink_guard refused",
		Long: `Accept an inventory that was refused because it had lost more hosts than shrink_guard allows. The next run prints it, unless
it has lost even more by then. If several were refused, give an ID; "craton cache" lists them.`,
		Example: "  craton cache accept",
		Args:    cobra.MaximumNArgs(1),
		RunE:    run(s, acceptOne),
	}
	for _, c := range []*cobra.Command{cmd, wipe, accept} {
		settings.AddFlags(c.Flags(), settings.CLI, settings.Screen, folder)
		c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	cmd.AddCommand(wipe, accept)
	return cmd
}

// folder is the setting for the directory of cached inventories.
var folder = settings.Inventory.Only("cache_dir")

// run opens the directory for a command.
func run(s output.Streams, do func(p *show.Printer, kept *inventory.KeptInventories, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		v, err := settings.Load(cmd.Flags(), settings.CLI, folder)
		if err != nil {
			return err
		}
		kept, err := inventory.OpenKept(v.String("inventory.cache_dir"))
		if err != nil {
			return err
		}
		return do(&show.Printer{Streams: s, Format: v.String("cli.format")}, kept, args)
	}
}

// row is one inventory in the output.
type row struct {
	ID       string `json:"id"`
	Fleet    string `json:"fleet"`
	Settings string `json:"settings"`
	Hosts    int    `json:"hosts"`
	Bytes    int64  `json:"bytes"`
	Revision string `json:"revision"` // "" from a server without revisions
	Made     string `json:"made"`
	Checked  string `json:"checked"` // when it was last confirmed to be current
	Lost     int    `json:"lost"`    // hosts lost by a refused inventory
	State    string `json:"state"`   // kept, refused or damaged
}

func list(p *show.Printer, kept *inventory.KeptInventories) error {
	all, damaged := kept.All()
	refused, err := kept.Refused()
	var rows []gjson.Result
	for _, e := range all {
		r := row{ID: e.Key, Fleet: e.Fleet, Settings: e.Settings, Hosts: e.Hosts, Bytes: e.Bytes, Revision: e.Revision, Made: utc(e.Made), Checked: utc(e.Checked), State: "kept"}
		if lost := refused[e.Key]; lost != nil {
			r.State, r.Lost = "refused", lost.Lost
		}
		if bad := e.Check(); bad != nil {
			r.State, damaged = "damaged", errors.Join(damaged, bad)
		}
		e.Close()
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		rows = append(rows, gjson.ParseBytes(text))
	}
	if err := p.PrintList(rows, []string{"id", "fleet", "settings", "hosts", "bytes", "checked", "lost", "state"}); err != nil {
		return err
	}
	for _, err := range []error{damaged, err} {
		if err != nil {
			_, _ = fmt.Fprintf(p.Err, "WARNING: %s; it is ignored\n", show.Clean(output.OneLine(err)))
		}
	}
	return nil
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func acceptOne(p *show.Printer, kept *inventory.KeptInventories, ids []string) error {
	refused, err := kept.Refused()
	if err != nil {
		return err
	}
	all := slices.Sorted(maps.Keys(refused))
	switch {
	case len(all) == 0:
		return errors.New("no inventory was refused")
	case len(ids) == 1 && refused[ids[0]] == nil:
		return advice.With(fmt.Errorf("no inventory with the id %q was refused", ids[0]), "choose from: "+strings.Join(all, ", "))
	case len(ids) == 0 && len(all) > 1:
		return advice.With(fmt.Errorf("%d inventories were refused", len(all)), "give the id of one: "+strings.Join(all, ", "))
	case len(ids) == 0:
		ids = all
	}
	if err := kept.Accept(ids[0]); err != nil {
		return err
	}
	r := refused[ids[0]]
	p.Say("Accepted the inventory of %s, which has lost %s of %d: %s.", show.Clean(r.Fleet), show.Count(r.Lost, "host", "hosts"), r.Of, show.Clean(r.LostHosts()))
	return nil
}
