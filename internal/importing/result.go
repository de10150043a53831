package importing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/marks"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/yaml11"
)

// The sources of an import.
const (
	FromAnsible          = "ansible"
	FromOpenStackAnsible = "openstack-ansible"
	FromCSV              = "csv"
)

// The files of an import, in its directory.
const (
	FleetFile    = "fleet.yml"
	InventoryDir = "inventory"
	RecordFile   = "import.json"
	ScriptFile   = InventoryDir + "/10-craton"
	PluginFile   = InventoryDir + "/10-fleet.craton.yml"
	groupsFile   = InventoryDir + "/20-groups.yml"
)

// Result is a fleet, and what stays in Ansible.
type Result struct {
	Files  []File
	Report *Report
	Record *Record
}

// File is a file of a result.
type File struct {
	Path    string // within the directory, with slashes
	Content []byte
	Program bool // it is executable
}

// Note is a remark about one thing.
type Note struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Report describes what became of an inventory. Its lists of notes contain owners and names of variables.
type Report struct {
	Inferred      []string `json:"inferred"`       // which groups are places, and why
	DefaultCloud  int      `json:"default_cloud"`  // hosts without a cloud of their own
	DefaultRegion int      `json:"default_region"` // hosts without a region of their own
	Static        []Note   `json:"static"`         // hosts that stay in Ansible
	Templates     []Note   `json:"templates"`
	Vaults        []Note   `json:"vaults"`
	Unsafe        []Note   `json:"unsafe"`
	Other         []Note   `json:"other"` // what Craton cannot store
	Alike         []Note   `json:"alike"` // of a table: groups in Ansible for which several names would be the same
	Left          []Left   `json:"left"`
	Dead          []Note   `json:"dead"`      // variables of groups that no host ever got
	Hidden        []Note   `json:"hidden"`    // variables in encrypted files that other groups now override
	Named         []string `json:"named"`     // hosts to which Ansible connects by name
	Placeholders  []string `json:"stand_ins"` // hosts with a placeholder address
	Looked        int      `json:"looked_up"` // hosts whose address is from DNS
	Hoisted       int      `json:"hoisted"`   // variables on places that no group had
	Mended        int      `json:"mended"`    // variables on hosts, because precedence of groups cannot express them
	Layered       int      `json:"layered"`   // variables that need vars: merged or lazy

	Hosts   int `json:"hosts"`
	Clouds  int `json:"clouds"`
	Regions int `json:"regions"`
	Cells   int `json:"cells"`
	Labels  int `json:"labels"`
	// Variables in the fleet, and those that stay in Ansible, with their files.
	Project       int `json:"project_variables"`
	OnPlaces      int `json:"place_variables"`
	OnHosts       int `json:"host_variables"`
	KeptVariables int `json:"kept_variables"`
	GroupFiles    int `json:"group_vars_files"`
	HostFiles     int `json:"host_vars_files"`
}

// Left is a variable that is left out.
type Left struct {
	Holder string `json:"holder"` // "group web", "host web-01"
	Key    string `json:"key"`
	Why    string `json:"why"`
}

func (r *Report) left(holder, key, why string) { r.Left = append(r.Left, Left{holder, key, why}) }

// Record is what a later proof needs to know about an import. It contains no values.
type Record struct {
	Version     int               `json:"version"`
	Source      string            `json:"source"`
	Inventory   []string          `json:"inventory"`              // the arguments of -i, as absolute paths
	PlaybookDir string            `json:"playbook_dir,omitempty"` // the argument of --playbook-dir
	Facts       string            `json:"facts"`                  // the variable that Craton adds
	Left        []Left            `json:"left"`
	Named       []string          `json:"named"`             // hosts that get ansible_host, with their name
	Project     []string          `json:"project"`           // variables of all that became the project's
	Groups      map[string]string `json:"groups"`            // previous groups, and their names in Craton
	Files       []string          `json:"files"`             // files that were written
	Map         map[string]string `json:"map,omitempty"`     // of a table: the columns of fields
	Columns     []string          `json:"columns,omitempty"` // of a table: the columns of variables
}

// result creates all files.
func (p *planner) result() *Result {
	r := &p.report
	res := &Result{Report: r, Record: &Record{Version: 1, Facts: p.facts, Left: r.Left, Named: r.Named, Project: slices.Sorted(maps.Keys(p.root.vars)), Groups: map[string]string{}}}
	o := p.o
	res.add(FleetFile, p.fleet(), false)
	p.entry(res)
	if !o.Table {
		p.groupFiles(res)
		p.hostFiles(res)
	}
	for g, label := range p.labels {
		if p.isLabel(g) {
			res.Record.Groups[g.Name] = "label " + label
		}
	}
	for g, nodes := range p.nodesOf {
		for _, n := range nodes {
			res.Record.Groups[g.Name] = n.level.String() + " " + strings.Join(n.qualified(), "/")
		}
	}
	return res
}

// Fleet returns the fleet file.
func (r *Result) Fleet() []byte {
	i := slices.IndexFunc(r.Files, func(f File) bool { return f.Path == FleetFile })
	return r.Files[i].Content
}

func (r *Result) add(name string, content []byte, program bool) {
	r.Files = append(r.Files, File{name, content, program})
}

// fleet returns the fleet file.
func (p *planner) fleet() []byte {
	r := &p.report
	var objects []*reconcile.Wanted
	variables := func(vars map[string]*Value) craton.Variables {
		if len(vars) == 0 {
			return nil
		}
		all := craton.Variables{}
		for k, v := range vars {
			all[k] = json.RawMessage(v.plain())
		}
		return all
	}
	if len(p.root.vars) > 0 {
		objects = append(objects, &reconcile.Wanted{Kind: schema.Project, Variables: variables(p.root.vars)})
		r.Project = len(p.root.vars)
	}
	var place func(n *node, in *reconcile.Wanted)
	place = func(n *node, in *reconcile.Wanted) {
		w := &reconcile.Wanted{Kind: [...]*schema.Kind{schema.Cloud, schema.Region, schema.Cell}[n.level], Name: n.name, In: in, Variables: variables(n.vars)}
		objects = append(objects, w)
		r.OnPlaces += len(n.vars)
		*[]*int{&r.Clouds, &r.Regions, &r.Cells}[n.level]++
		for _, c := range n.children {
			place(c, w)
		}
		for _, i := range n.leaves {
			h := &reconcile.Wanted{
				Kind: schema.Host, Name: p.hosts[i], In: w, Variables: variables(p.own[i]),
				Values: map[string]any{"ip_address": p.address[i], "device_type": p.typeOf(p.hosts[i])},
			}
			for _, g := range p.v.member[p.hosts[i]] {
				if label, ok := p.labels[g]; ok && p.isLabel(g) {
					h.Labels = append(h.Labels, label)
				}
			}
			slices.Sort(h.Labels)
			objects = append(objects, h)
			r.Hosts++
			r.OnHosts += len(p.own[i])
		}
	}
	for _, c := range p.root.children {
		place(c, nil)
	}
	for g := range p.labels {
		if p.isLabel(g) && len(g.members) > 0 {
			r.Labels++
		}
	}
	var out bytes.Buffer
	if err := fleetfile.Write(&out, &reconcile.Tree{Name: FleetFile, Objects: objects}, "Made by craton import."); err != nil {
		p.failed = err
	}
	return out.Bytes()
}

func (p *planner) placed(g *Group) bool { return len(p.nodesOf[g]) > 0 }

// isLabel reports whether the hosts of a group have a label for it.
func (p *planner) isLabel(g *Group) bool { return !p.placed(g) && p.ofPlaces[g] == nil }

// entry creates the file with which Ansible reads the fleet.
func (p *planner) entry(res *Result) {
	settings := [][2]string{}
	if p.facts != defaultFacts {
		settings = append(settings, [2]string{"facts", p.facts})
	}
	if p.projectGroup != defaultProjectGroup {
		settings = append(settings, [2]string{"project_group", p.projectGroup})
	}
	if p.noTypes {
		settings = append(settings, [2]string{"groups", "cloud,region,cell,label"})
	}
	if p.o.Plugin {
		text := "# The fleet in Craton, at CRATON_URL. Made by craton import.\nplugin: craton.fleet.craton\n"
		for _, s := range settings {
			text += string(yaml11.AppendText([]byte(s[0]+": "), s[1])) + "\n"
		}
		res.add(PluginFile, []byte(text), false)
		return
	}
	text := "#!/bin/sh\n# The fleet in Craton, at CRATON_URL. Made by craton import.\n"
	for _, s := range settings {
		text += fmt.Sprintf("export CRATON_INVENTORY_%s='%s'\n", strings.ToUpper(s[0]), s[1])
	}
	res.add(ScriptFile, []byte(text+"exec craton-inventory \"$@\"\n"), true)
}

// groupFiles creates the groups that playbooks use, based on Craton's, with their variables that stay.
func (p *planner) groupFiles(res *Result) {
	type object = map[string]any
	groups := map[string]object{}
	part := func(group, key, name string, of any) {
		if isPath(group) {
			return
		}
		if groups[group] == nil {
			groups[group] = object{}
		}
		if groups[group][key] == nil {
			groups[group][key] = object{}
		}
		groups[group][key].(object)[name] = of
	}
	encrypted := map[string][]EncryptedFile{}
	for _, f := range p.v.Encrypted {
		if f.Group != "" && p.o.Vaults == Keep {
			encrypted[f.Group] = append(encrypted[f.Group], f)
		}
	}
	var withFiles []*Group
	for _, g := range p.v.sorted() {
		has := len(p.kept[g]) > 0 || len(encrypted[g.Name]) > 0
		if has {
			p.variablesFile(res, "group_vars/"+p.labelGroup(g), p.kept[g], encrypted[g.Name])
			p.report.GroupFiles++
			p.report.KeptVariables += len(p.kept[g])
			if g.Name != groupAll {
				withFiles = append(withFiles, g)
			}
		}
		if g.Name == groupAll || p.labels[g] == "" {
			continue
		}
		label := p.labelGroup(g)
		if p.isLabel(g) {
			part(g.Name, "children", label, object{})
			continue
		}
		under := g.Name
		if has {
			under = label
			above := g.Name
			if slices.ContainsFunc(p.nodesOf[g], func(n *node) bool { return p.nodeGroup(n) == g.Name }) {
				above = "above_" + label
			}
			part(above, "children", label, object{})
		}
		for _, n := range slices.Concat(p.nodesOf[g], p.ofPlaces[g]) {
			if name := p.nodeGroup(n); name != under {
				part(under, "children", name, object{})
			}
		}
	}
	for h := range p.static {
		var vars any = object{}
		if !p.isFile(h) {
			vars = inline(p.hostKept[h])
		}
		in := 0
		for _, g := range p.v.member[h] {
			if g.Name != groupUngrouped && !isPath(g.Name) {
				part(g.Name, "hosts", h, vars)
				in++
			}
		}
		if in == 0 {
			part(groupAll, "hosts", h, vars)
		}
	}
	byName := slices.IsSortedFunc(withFiles, func(a, b *Group) int { return cmp.Compare(p.labelGroup(a), p.labelGroup(b)) })
	if !byName {
		for i, g := range withFiles {
			part(p.labelGroup(g), "vars", groupPriority, i+1)
		}
	}
	if len(groups) == 0 {
		return
	}
	text := []byte("# The groups that playbooks name, from Craton's groups. Made by craton import.\n")
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		text = appendMember(text, name, groups[name])
	}
	res.add(groupsFile, text, false)
}

// isPath reports whether a group's name leads out of group_vars, where Ansible would read the variables of others.
func isPath(group string) bool { return strings.Contains(group, "/") || group == "." || group == ".." }

// nodeGroup returns the name of the group of a place in the resulting inventory.
func (p *planner) nodeGroup(n *node) string {
	return p.o.Rules.GroupName(n.level.String(), n.qualified()...)
}

// inline returns variables as a member of an inventory file.
func inline(vars Vars) map[string]any {
	all := map[string]any{}
	for k, v := range vars {
		all[k] = json.RawMessage(v.JSON)
	}
	return all
}

// hostFiles creates files with the variables of hosts that stay.
func (p *planner) hostFiles(res *Result) {
	encrypted := map[string][]EncryptedFile{}
	for _, f := range p.v.Encrypted {
		if f.Host != "" && p.o.Vaults == Keep && p.isFile(f.Host) {
			encrypted[f.Host] = append(encrypted[f.Host], f)
		}
	}
	for _, h := range p.v.Hosts {
		if len(p.hostKept[h]) == 0 && len(encrypted[h]) == 0 || !p.isFile(h) {
			continue
		}
		p.variablesFile(res, "host_vars/"+h, p.hostKept[h], encrypted[h])
		p.report.HostFiles++
		p.report.KeptVariables += len(p.hostKept[h])
	}
}

// maxFile is the maximum length in bytes of a host name that can be a file name: with an extension it must be shorter
// than 256.
const maxFile = 240

// controllers are the names of the machine on which Ansible runs. They cannot be hosts in Craton, but can be names of
// files.
var controllers = []string{"localhost", "127.0.0.1", "::1"}

// isFile reports whether a host's name can be the name of a file. Names that Craton accepts cannot leave a directory.
func (p *planner) isFile(host string) bool {
	return p.static[host] == "" || slices.Contains(controllers, host)
}

// variablesFile creates a file with variables or, if there are encrypted files, a file in the same directory that
// Ansible reads last.
func (p *planner) variablesFile(res *Result, name string, vars Vars, encrypted []EncryptedFile) {
	name = path.Join(InventoryDir, name)
	text := []byte("# Made by craton import.\n")
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		text = ansibleStyle.AppendMember(text, 0, k, vars[k].JSON)
	}
	inFolder := false
	for i, f := range encrypted {
		switch {
		case f.SOPS != "" && sopsAlone(f): // in a directory, Ansible would read it unencrypted too
			res.add(name+f.SOPS, f.Text, false)
		default:
			inFolder = true
			res.add(fmt.Sprintf("%s/%02d-vault%s", name, i+1, cmp.Or(f.SOPS, ".yml")), f.Text, false)
		}
	}
	switch {
	case !inFolder && (len(vars) > 0 || len(encrypted) == 0):
		res.add(name+".yml", text, false)
	case len(vars) > 0:
		res.add(name+"/99-vars.yml", text, false)
	}
}

// sopsAlone reports whether a file is separate, and not in the directory of a group or host.
func sopsAlone(f EncryptedFile) bool {
	return filepath.Base(f.Path) == cmp.Or(f.Group, f.Host)+f.SOPS && slices.Contains([]string{"group_vars", "host_vars"}, filepath.Base(filepath.Dir(f.Path)))
}

// ansibleStyle writes Ansible's marks as tags.
var ansibleStyle = yaml11.Style{Key: func(key string) (tag, text string, ok bool) {
	tag, text, ok = splitTyped(key)
	return "!!" + tag, text, ok
}, Tagged: func(object string) (tag, text string, ok bool) {
	if !strings.Contains(object, "__") {
		return "", "", false
	}
	decoded, err := value.Decode([]byte(object))
	if err != nil {
		return "", "", false
	}
	o, _ := decoded.(map[string]any)
	if len(o) != 1 {
		return "", "", false
	}
	for mark, tag := range map[string]string{marks.Unsafe: "!unsafe", marks.Vault: "!vault"} {
		if text, ok := o[mark].(string); ok {
			return tag, text, true
		}
	}
	if text, ok := o[typedValue].(string); ok {
		return "!!timestamp", text, true
	}
	if word, ok := o[notFinite].(string); ok {
		return "!!float", map[string]string{"NaN": ".nan", "Infinity": ".inf", "-Infinity": "-.inf"}[word], true
	}
	return "", "", false
}}

// appendMember appends a member of a YAML file.
func appendMember(dst []byte, name string, v any) []byte {
	raw, err := value.Encode(v)
	if err != nil {
		return dst
	}
	return ansibleStyle.AppendMember(dst, 0, name, string(raw))
}
