package modules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/modules/ansible"
)

const (
	fleetName = "craton_fleet"
	optFleet  = "fleet"
	optSrc    = "src"
	optMove   = "move"

	optDuplicates = "allow_duplicates"

	optSet          = "set"
	optPrune        = "prune"
	optAdopt        = "adopt"
	optAllowDeletes = "allow_deletes"
	optSetFile      = "set_file"
)

func fleetSpec() *ansible.Spec {
	return &ansible.Spec{
		Name:  fleetName,
		Short: "Make a fleet match a document",
		Description: []string{
			"Creates what is missing and updates what differs: clouds, regions, cells, hosts, network devices, networks and interfaces, with variables, labels and parents. Deletes nothing unless I(prune=true), and leaves alone what the document does not mention.",
			"One task handles a thousand hosts, with a few requests in parallel. It takes the same document and uses the same engine as C(craton apply FILE).",
			"The whole document is checked first. All mistakes are reported together, and nothing is written until there are none.",
		},
		SupportsCheckMode: true, SupportsDiff: true,
		Fragments: []*ansible.Fragment{connection()},
		Notes: []string{"Templates in the document, such as C({{ x }}) in a file, stay plain text in the inventory unless its option C(trust_templates) is set. A warning states their number.",
			"If a request fails, what was written before it stays, and the result lists it. Run the task again to continue."},
		SeeAlso: []ansible.SeeAlso{{Module: fullName(host.moduleName())}, {Module: fullName(variablesName)}},
		Options: []ansible.Option{
			{Name: optFleet, Type: ansible.Dict, Description: []string{
				"The fleet: a dict with C(project) and C(clouds), each cloud with its C(regions), and so on, as in a fleet file.",
				"Numbers in variables keep all their digits."}},
			{Name: optSrc, Type: ansible.Path, Description: []string{
				"A fleet file. It is looked for on the controller where Ansible's own modules look for their I(src): in C(files) of the role, in C(files) next to the playbook, next to the playbook, and then where C(ansible-playbook) was started. A vaulted file is decrypted.",
				"An absolute path that does not exist on the controller is looked up on the machine that runs the module.",
				"Errors name the line."}},
			{Name: optMove, Type: ansible.Bool, Default: false, Description: []string{
				"Move hosts, network devices and cells that the fleet has in a different place than the document. Without it, they are an error that names their current place.",
				"Works with servers that support moves: C(craton server), and C(sqlite:PATH)."}},
			{Name: optDuplicates, Type: ansible.Bool, Default: false, Description: []string{
				"Allow two hosts with the same inventory name. The inventory must then name hosts in another way, such as with its option C(hostname=qualified).",
				"Without it, a host whose name is already taken by another host is refused."}},
			{Name: optSet, Type: ansible.Str, Description: []string{
				"The name of the set that the objects of the document belong to. C(craton server) and C(sqlite:PATH) store it; for other servers it is stored in I(set_file).",
				"An object belongs to at most one set. An object of another set stays in it, and changing it is an error, unless I(adopt=true)."}},
			{Name: optPrune, Type: ansible.Bool, Default: false, Description: []string{
				"Delete what belongs to the set and is no longer in the document, and nothing else.",
				"It is refused if it would also delete something protected or something outside the set; and, without I(allow_deletes), if it would empty the set, delete a cloud or region that has hosts, or delete 10 or more objects that are more than a tenth of the set."}},
			{Name: optAdopt, Type: ansible.Bool, Default: false, Description: []string{"Take over objects that belong to another set."}},
			{Name: optAllowDeletes, Type: ansible.Int, Description: []string{
				"The expected number of deletions. If the task would delete exactly this many objects, it does so even beyond the limits of I(prune). If it would delete any other number of objects, the task fails and changes nothing, unless that number is 0."}},
			{Name: optSetFile, Type: ansible.Path, Description: []string{
				"The file in which sets are stored if the server cannot store them, on the machine that runs the module.", "By default it is in C(~/.local/share/craton) of the user that runs the module."}},
		},
		Rules: ansible.Rules{MutuallyExclusive: [][]string{{optFleet, optSrc}}, RequiredOneOf: [][]string{{optFleet, optSrc}}},
		Examples: `
- name: A fleet in the task
  craton.fleet.craton_fleet:
    fleet:
      clouds:
        - name: east
          variables:
            ntp: ntp1.example.net
          regions:
            - name: dfw
              cells:
                - name: row-a
                  hosts:
                    - name: web1
                      ip_address: 10.20.0.11
                      device_type: server
                      labels: [web]
  register: applied

- name: What has changed
  ansible.builtin.debug:
    msg: "{{ applied.changes | map(attribute='name') | list }}"

- name: A fleet in a file
  craton.fleet.craton_fleet:
    src: fleet.yml
`,
		Returns: []ansible.Return{
			count("created", "How many objects were created, or would be in check mode."),
			count("updated", "How many objects were changed, or would be in check mode."),
			count("moved", "How many objects were moved, or would be in check mode."),
			count("deleted", "How many objects were deleted, or would be in check mode."),
			count("unchanged", "How many objects of the document needed no change."),
			count("joined", "How many existing objects were added to the set, or would be in check mode. This counts as a change."),
			{Name: "changes", Type: ansible.List, Elements: ansible.Dict, Returned: "success, and on failure as far as it came",
				Description: []string{"What was done to each object that was created or changed, in the order of the document."}, Contains: []ansible.Return{
					{Name: "kind", Type: ansible.Str, Returned: "always", Sample: "host", Description: []string{"V(project), V(cloud), V(region), V(cell), V(network), V(host), V(network_device) or V(network_interface)."}},
					{Name: "name", Type: ansible.Str, Returned: "always", Sample: "east/dfw/row-a/web1", Description: []string{"The path of the object; empty for the project."}},
					{Name: "action", Type: ansible.Str, Returned: "always", Sample: "updated", Description: []string{"V(created), V(updated), V(moved) or V(deleted)."}},
					{Name: "from", Type: ansible.Str, Returned: "when the object is moved", Sample: "east/ord/web1", Description: []string{"The path of the object before the move."}},
					{Name: "fields", Type: ansible.List, Elements: ansible.Str, Returned: "always", Sample: []string{"note", "variables"}, Description: []string{"The keys that were set; for a deleted object, the keys that it had."}},
				}},
			{Name: "plan", Type: ansible.Dict, Returned: "success, on failure while writing, and where something is refused",
				Description: []string{"The plan, made before anything was written: the same in check mode and in the real run, unless somebody else changes the fleet in between.",
					"If the document is refused while the plan is made, it contains only RV(plan.refused)."}, Contains: []ansible.Return{
					{Name: "refused", Type: ansible.List, Elements: ansible.Dict, Returned: "always",
						Description: []string{"What prevents the plan from being applied. If it is not empty, the task fails and nothing is written."}, Contains: []ansible.Return{
							{Name: "reason", Type: ansible.Str, Returned: "always", Sample: "elsewhere", Description: []string{
								"The reason, for programs: " + reasons() + "."}},
							{Name: "kind", Type: ansible.Str, Returned: "always", Sample: "host", Description: []string{"The kind of the refused object; empty if no single object is meant."}},
							{Name: "name", Type: ansible.Str, Returned: "always", Sample: "east/dfw/web1", Description: []string{"The path of the object; for deletions, the name of the set."}},
							{Name: "other", Type: ansible.Str, Returned: "always", Sample: "east/ord/web1", Description: []string{"The path of the conflicting object, if any."}},
							{Name: "message", Type: ansible.Str, Returned: "always", Sample: "host web1 exists at east/ord: move it? ...", Description: []string{"What is wrong, and what to do."}},
							{Name: "do", Type: ansible.Str, Returned: "always", Sample: "...", Description: []string{"What to do."}},
							{Name: "file", Type: ansible.Str, Returned: "always", Sample: "fleet.yml", Description: []string{"The file; empty for a document in the task."}},
							{Name: "line", Type: ansible.Int, Returned: "always", Sample: 6, Description: []string{"The line; 0 for a document in the task."}},
							{Name: "where", Type: ansible.Str, Returned: "always", Sample: "clouds[east].regions[dfw].hosts[web1]", Description: []string{"The position in the document."}},
						}},
					planCount("created", "How many objects are to be created."),
					planCount("updated", "How many objects are to be changed."),
					planCount("moved", "How many objects are to be moved."),
					planCount("deleted", "How many objects are to be deleted."),
					planCount("unchanged", "How many objects of the document needed no change."),
					planCount("joined", "How many existing objects are to be added to the set."),
					{Name: "set_new", Type: ansible.Bool, Returned: "always", Sample: false, Description: []string{"Whether the set has no members yet. If another set has a similar name, a warning names it."}},
					{Name: "sets", Type: ansible.List, Elements: ansible.Dict, Returned: "always",
						Description: []string{"Without I(set): the sets that objects of the document belong to. If the task changes something, a warning names them too."}, Contains: []ansible.Return{
							{Name: "name", Type: ansible.Str, Returned: "always", Sample: "web", Description: []string{"The name of the set."}},
							planCount("members", "How many objects of the document belong to it."),
						}},
					planCount("hosts", "How many hosts end up with a different value for some variable, own or inherited."),
					planCount("network_devices", "The same for network devices."),
					{Name: "effects", Type: ansible.List, Elements: ansible.Dict, Returned: "always",
						Description: []string{"The effect of each changed variable on the devices that inherit it."}, Contains: []ansible.Return{
							{Name: "kind", Type: ansible.Str, Returned: "always", Sample: "region", Description: []string{"The kind of the object whose variable changes; empty for the effect of moves and new parents."}},
							{Name: "name", Type: ansible.Str, Returned: "always", Sample: "east/dfw", Description: []string{"The path of the object."}},
							{Name: "key", Type: ansible.Str, Returned: "always", Sample: "ntp", Description: []string{"The variable."}},
							planCount("hosts", "How many hosts end up with a different value."),
							planCount("network_devices", "The same for network devices."),
							planCount("shadowed", "How many hosts and network devices override the value."),
						}},
				}},
		},
	}
}

// reasons returns the reasons of refusals.
func reasons() string {
	var all []string
	for _, r := range reconcile.Reasons {
		all = append(all, "V("+string(r)+")")
	}
	return strings.Join(all, ", ")
}

func count(name, doc string) ansible.Return {
	return ansible.Return{Name: name, Type: ansible.Int, Returned: "success, and on failure as far as it came", Sample: 2, Description: []string{doc}}
}

func planCount(name, doc string) ansible.Return {
	return ansible.Return{Name: name, Type: ansible.Int, Returned: "always", Sample: 2, Description: []string{doc}}
}

// runFleet runs the module craton_fleet.
func runFleet(ctx context.Context, task *ansible.Task) (result *ansible.Result, err error) {
	file, err := fleetOf(task.Params)
	if err != nil {
		return refusedFleet(nil, err), err
	}
	for _, warning := range file.Warnings() {
		task.Warn(warning)
	}
	fl, done, err := open(ctx, task, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	o := reconcile.Options{Check: task.CheckMode, Move: task.Params.Bool(optMove), AllowDuplicates: task.Params.Bool(optDuplicates), Effects: true,
		Set: reconcile.SetOptions{Name: task.Params.String(optSet), Prune: task.Params.Bool(optPrune), Adopt: task.Params.Bool(optAdopt), File: task.Params.String(optSetFile)}}
	if task.Params.Has(optAllowDeletes) {
		o.Set.AllowDeletes = new(int(task.Params.Int(optAllowDeletes)))
	}
	if err := o.Set.Check(); err != nil {
		return nil, err
	}
	p, err := fl.PlanTree(ctx, file.Tree(), o)
	if err != nil {
		return refusedFleet(nil, err), err
	}
	if task.DiffMode {
		if can, err := fl.Client.Capabilities(ctx); err == nil {
			p.Hashed = can.HashedKeys
		}
	}
	for _, note := range p.SetWarnings() {
		task.Warn(note)
	}
	got, err := fl.ApplyPlan(ctx, p, o)
	if got == nil {
		return refusedFleet(p, err), err
	}
	return fleetResult(p, got, task.DiffMode), err
}

func fleetOf(p ansible.Params) (*fleetfile.File, error) {
	if p.Has(optFleet) {
		return fleetfile.FromValue(p.JSON(optFleet))
	}
	path := p.String(optSrc)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("src: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	return fleetfile.Parse(path, f)
}

func fleetResult(p *reconcile.Plan, r *fleetfile.Result, diff bool) *ansible.Result {
	changes := []map[string]any{}
	out := &ansible.Result{Changed: r.Changed()}
	for _, c := range r.Changes {
		if c.Action == fleetfile.Unchanged {
			continue
		}
		kind := strings.ReplaceAll(c.Kind, "-", "_")
		one := map[string]any{"kind": kind, "name": c.Name, "action": string(c.Action), "fields": append([]string{}, c.Fields...)}
		if c.From != "" {
			one["from"] = c.From
		}
		changes = append(changes, one)
		if diff {
			noun := strings.ReplaceAll(c.Kind, "-", " ")
			header := strings.TrimSpace(noun + " " + c.Name)
			before, after, from := shown(p, c.Before), shown(p, c.After), header
			switch c.Action {
			case fleetfile.Created:
				after["name"] = value.LastName(c.Name) // so that an object of which the document says no more is seen
			case fleetfile.Moved:
				from = noun + " " + c.From
				before["place"], after["place"] = value.Container(c.From), value.Container(c.Name)
			}
			out.Diff = append(out.Diff, ansible.Diff{Before: before, After: after, BeforeHeader: from, AfterHeader: header})
		}
	}
	out.Fields = ansible.Fields{
		"created": r.Created, "updated": r.Updated, "moved": r.Moved, "deleted": r.Deleted, "unchanged": r.Unchanged, "joined": r.Joined, "changes": changes,
		"plan": planned(p, nil),
	}
	return out
}

// refusedFleet returns the result of a task that does nothing, with everything that prevents it; nil for any other
// error.
func refusedFleet(p *reconcile.Plan, err error) *ansible.Result {
	refused := reconcile.Refusals(err)
	if refused == nil {
		return nil
	}
	return &ansible.Result{Fields: ansible.Fields{"plan": planned(p, refused)}}
}

// planned returns what was planned, before anything was written; for a nil plan only the refusals.
func planned(p *reconcile.Plan, refused []reconcile.Problem) map[string]any {
	no := []map[string]any{}
	for _, one := range refused {
		no = append(no, map[string]any{"reason": string(one.Reason), "kind": strings.ReplaceAll(one.Kind, "-", "_"), "name": one.Object, "other": one.Other,
			"message": one.Message, "do": one.Do, "file": one.File, "line": one.Line, "where": one.Path})
	}
	if p == nil {
		return map[string]any{"refused": no}
	}
	counts, e := p.Counts(), p.Effects
	causes := []map[string]any{}
	for _, c := range e.Causes {
		causes = append(causes, map[string]any{"kind": strings.ReplaceAll(c.Kind, "-", "_"), "name": c.Name, "key": c.Key,
			"hosts": c.Hosts, "network_devices": c.NetworkDevices, "shadowed": c.Shadowed})
	}
	sets := []map[string]any{}
	for _, set := range p.Belongs {
		sets = append(sets, map[string]any{"name": set.Name, "members": set.Members})
	}
	return map[string]any{"set_new": p.Set != nil && p.Set.New, "sets": sets,
		"created": counts.Created, "updated": counts.Updated, "moved": counts.Moved, "deleted": counts.Deleted, "unchanged": counts.Unchanged, "joined": p.Set.Joining(),
		"hosts": e.Hosts, "network_devices": e.NetworkDevices, "effects": causes, "refused": no}
}

// shown returns one side of a change without secrets. It is never nil: Ansible shows a nil as text.
func shown(p *reconcile.Plan, side map[string]any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, side)
	if v := reconcile.Object(side).Variables(); v != nil {
		v = maps.Clone(v)
		for key := range v {
			if p.Conceals(key) {
				v[key] = json.RawMessage(`"(not kept)"`)
			}
		}
		out[reconcile.KeyVariables] = v
	}
	return out
}
