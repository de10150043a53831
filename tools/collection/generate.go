package collection

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/modules/ansible"
)

const (
	// Namespace is the first part of the collection's name.
	Namespace = "craton"
	// Name is the second.
	Name = "fleet"
	// requiresAnsible is the oldest release of ansible-core that the tests run.
	requiresAnsible = ">=2.14.0"
	// everything is the name of all modules in module_defaults: group/craton.fleet.all.
	everything = "all"
)

// Tree are the generated files, by path.
type Tree struct {
	Files map[string][]byte
}

// Generate returns all generated files of the collection for the given modules. Paths are relative to the root of the
// collection, with slashes.
func Generate(specs []*ansible.Spec) (*Tree, error) {
	tree := &Tree{Files: map[string][]byte{}}
	for _, p := range inventoryPlugins {
		fragment, err := p.file()
		if err != nil {
			return nil, err
		}
		tree.Files["plugins/doc_fragments/"+p.fragment+".py"] = fragment
	}
	full := Namespace + "." + Name + "."
	var err error
	tree.Files["meta/runtime.yml"], err = ansible.Runtime{
		RequiresAnsible: requiresAnsible, ActionGroups: actionGroups(specs), ActionPlugin: full + "craton",
	}.YAML(specs...)
	if err != nil {
		return nil, err
	}
	for _, s := range specs {
		if tree.Files["plugins/modules/"+s.Name+".py"], err = pythonModule(s); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		for _, f := range s.Fragments {
			name, ok := strings.CutPrefix(f.Name, full)
			if !ok {
				return nil, fmt.Errorf("%s: the fragment %s is not of this collection", s.Name, f.Name)
			}
			fragment, err := f.PythonFile()
			if err != nil {
				return nil, err
			}
			tree.Files["plugins/doc_fragments/"+name+".py"] = folded(fragment)
		}
	}
	for _, r := range releases {
		tree.Files["tests/sanity/ignore-"+r.name+".txt"] = r.ignore(specs)
	}
	return tree, nil
}

// actionGroups returns the groups of modules for module_defaults, by the first word of their names: those of Craton,
// and those of Ironic and Iotronic. Each has one connection. Ansible passes the defaults of a group to all of its
// modules: an option that only some of them have would be an error for the others, and url means another API in each
// group. Options that are the same for all, such as those for Keystone, can be set for the group of all modules.
func actionGroups(specs []*ansible.Spec) (groups []ansible.ActionGroup) {
	all := ansible.ActionGroup{Name: everything}
	members := map[string][]string{}
	for _, s := range specs {
		name, _, _ := strings.Cut(s.Name, "_")
		members[name] = append(members[name], s.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		groups = append(groups, ansible.ActionGroup{Name: name, Modules: members[name]})
		all.Extends = append(all.Extends, name)
	}
	return append(groups, all)
}

// generated are the directories that contain only generated files.
var generated = []string{"meta", "plugins/modules", "plugins/doc_fragments", "tests/sanity"}

// Write updates a collection's directory, and removes files that are no longer generated.
func (t *Tree) Write(root string) error {
	stale, err := t.Stale(root)
	if err != nil {
		return err
	}
	for _, path := range stale {
		file := filepath.Join(root, filepath.FromSlash(path))
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if data, ok := t.Files[path]; ok {
			if err := os.WriteFile(file, data, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// Stale returns the paths of a collection's directory that differ from what is generated: changed, missing, or left
// over.
func (t *Tree) Stale(root string) ([]string, error) {
	stale := map[string]bool{}
	for path, want := range t.Files {
		file := filepath.Join(root, filepath.FromSlash(path))
		info, err := os.Lstat(file)
		if err != nil || !info.Mode().IsRegular() {
			stale[path] = true
			continue
		}
		got, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		stale[path] = string(got) != string(want)
	}
	for _, dir := range generated {
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		for _, e := range entries {
			path := dir + "/" + e.Name()
			if _, known := stale[path]; !known && !e.IsDir() {
				stale[path] = true
			}
		}
	}
	maps.DeleteFunc(stale, func(_ string, is bool) bool { return !is })
	return slices.Sorted(maps.Keys(stale)), nil
}
