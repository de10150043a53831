package importer

import (
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/importing"
	"github.com/craton-fleet/craton/internal/value"
)

// printStory describes what was made of an inventory, and why.
func printStory(look show.Appearance, result *importing.Result, o *options) string {
	r := result.Report
	var b strings.Builder
	title := func(text string) { fmt.Fprintf(&b, "%s\n", look.Bold(text)) }
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "  %-12s %s\n", what, show.Clean(fmt.Sprintf(format, args...)))
	}
	hosts := func(n int) string { return show.Count(n, "host", "hosts") }
	title("Fleet: " + show.Clean(o.output) + "/" + importing.FleetFile)
	line("places", "%s, %s, %s, %s", show.Count(r.Clouds, "cloud", "clouds"), show.Count(r.Regions, "region", "regions"), show.Count(r.Cells, "cell", "cells"), hosts(r.Hosts))
	for _, why := range r.Inferred {
		line("inferred", "%s", why)
	}
	if r.DefaultCloud > 0 {
		line("created", "the cloud %s, for %s without a cloud (--cloud)", o.cloud, hosts(r.DefaultCloud))
	}
	if r.DefaultRegion > 0 {
		line("created", "the region %s, for %s without a region (--region)", o.region, hosts(r.DefaultRegion))
	}
	line("labels", "%d, from the other groups", r.Labels)
	line("variables", "%d of the project, %d of places, %d of hosts", r.Project, r.OnPlaces, r.OnHosts)
	if r.Hoisted > 0 {
		line("", "%d moved up to places, because all hosts in them have the same value", r.Hoisted)
	}
	if r.Looked > 0 {
		line("addresses", "%s resolved in DNS", hosts(r.Looked))
	}
	if n := len(r.Placeholders); n > 0 {
		line("addresses", "the inventory has no address for %s (%s): each gets a placeholder address in %s, which no machine uses;", hosts(n), advice.Enumerate(r.Placeholders, 3), value.PlaceholderPrefix)
		line("", "its ansible_host is its name, so Ansible connects as before; --resolve looks up names in DNS")
	}
	for _, n := range r.Alike {
		line("alike", "%s become the same Ansible group, %s: rename one of them, or set the inventory's group_names to exact", n.Why, n.What)
	}
	if result.Record.Source == importing.FromCSV {
		return b.String()
	}
	title("Ansible: " + show.Clean(o.output) + "/" + importing.InventoryDir)
	line("groups", "the groups that playbooks name are built from Craton's groups, with the same hosts")
	if r.KeptVariables > 0 || r.GroupFiles+r.HostFiles > 0 {
		files := show.Count(r.GroupFiles, "file", "files") + " of group_vars"
		if r.HostFiles > 0 {
			files += ", " + show.Count(r.HostFiles, "file", "files") + " of host_vars"
		}
		line("variables", "%d in Ansible: %s", r.KeptVariables, files)
	}
	if r.Mended > 0 {
		line("", "%d of these, or of those in the fleet, are set on hosts, because no order of groups gives the same result", r.Mended)
	}
	if r.Layered > 0 {
		line("", "%d are in group_vars and, for some hosts, in Craton: vars: lazy (the default) and merged give the same result, layered does not", r.Layered)
	}
	for _, n := range r.Static {
		line("host", "%s stays in Ansible: it %s", n.What, n.Why)
	}
	for _, c := range []struct {
		notes  []importing.Note
		what   string
		choice string
		kept   string
	}{
		{r.Templates, "templates", o.templates, "in Ansible, which executes them"},
		{r.Vaults, "vaults", o.vaults, "in Ansible, still encrypted"},
		{r.Unsafe, "unsafe", o.unsafe, "in the fleet, whose texts are never executed"},
	} {
		if len(c.notes) == 0 {
			continue
		}
		became := c.kept
		if c.choice == string(importing.Leave) {
			became = "omitted"
		}
		line(c.what, "%d %s (--%s %s):", len(c.notes), became, map[string]string{"templates": "templates", "vaults": "vault", "unsafe": "unsafe"}[c.what], c.choice)
		for _, n := range c.notes {
			line("", "%s", strings.TrimSpace(n.What+"  "+n.Why))
		}
	}
	if len(r.Other) > 0 {
		line("other", "%d in Ansible, because Craton cannot store them:", len(r.Other))
		for _, n := range r.Other {
			line("", "%s  %s", n.What, n.Why)
		}
	}
	for _, n := range r.Dead {
		line("dropped", "%s of %s, which no host had, because something that Ansible reads later overrode it", n.Why, n.What)
	}
	for _, n := range r.Hidden {
		line("overridden", "%s of %s is in an encrypted file, and other variables override it now", n.Why, n.What)
	}
	return b.String()
}
