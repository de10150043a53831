package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/settings"
)

// checkInventory builds the inventory that Ansible would get.
func (d *doctor) checkInventory(ctx context.Context, v, iv *settings.Values) *trial {
	const check = "inventory"
	client, done, err := connect.Client(ctx, v, connect.Examine)
	if err != nil {
		d.addError(check, err, adviceConfig)
		return nil
	}
	defer func() { _ = done() }() // only read
	begin := time.Now()
	trial, err := tryInventory(ctx, client, iv)
	took := time.Since(begin).Round(time.Millisecond)
	switch {
	case err != nil:
		d.addError(check, err, "docs/inventory.md lists the errors of the inventory")
		return nil
	case trial.hosts == 0:
		advice := "add hosts, such as with `craton apply FILE`"
		if changed := changedSettings(iv); changed != allDefaults {
			advice += ", or remove filters: " + changed
		}
		d.warn(check, advice, "no hosts, %s%s, in %v", plural(trial.groups, "group"), trial.of, took)
	default:
		d.ok(check, "%s, %s%s, in %v", plural(trial.hosts, "host"), plural(trial.groups, "group"), trial.of, took)
	}
	if n := len(trial.shared); n > 0 {
		first, more := trial.shared[0], ""
		if n > 1 {
			more = "; so are " + plural(n-1, "more address")
		}
		d.warn("duplicates", "give each host its own ip_address, or Ansible configures one machine several times", "%s is the address of %s: %s%s",
			show.Clean(first.address), plural(len(first.hosts), "host"), show.Clean(shortList(first.hosts)), more)
	} else if trial.hosts > 0 {
		d.ok("duplicates", "all names and addresses of hosts are unique")
	}
	return trial
}

// shortList joins the first words of a list.
func shortList(words []string) string {
	const most = 4
	if len(words) > most {
		return strings.Join(words[:most], ", ") + ", ..."
	}
	return strings.Join(words, ", ")
}

// plural returns a count with its noun.
func plural(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "s"):
		return fmt.Sprintf("%d %ses", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
