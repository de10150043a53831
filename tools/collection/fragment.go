package collection

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/settings"
)

// plugin is an inventory plugin whose options are generated from settings.
type plugin struct {
	name     string // without the collection's
	fragment string // of documentation, with its options
	sections []settings.Section
}

// inventoryPlugins are those of plugins/inventory.
var inventoryPlugins = []plugin{
	{"craton", "inventory", []settings.Section{settings.Connection, settings.Inventory}},
	{"iotronic", "iotronic_inventory", []settings.Section{settings.SignIn, settings.Iotronic, settings.IotronicInventory}},
}

// iniSection returns the section of ansible.cfg for the plugin's options, named like those of Ansible's own plugins.
func (p *plugin) iniSection() string { return "inventory_plugin_" + p.name }

// optionName returns the name of the option for a setting. groups and cache cannot keep their names, which are in
// Ansible's own fragments, and cache_dir would be mistaken for one of those.
func (p *plugin) optionName(s *settings.Setting) string {
	switch s.Name {
	case "groups", "cache", "cache_dir":
		return p.name + "_" + s.Name
	}
	return s.Name
}

// file returns the doc fragment with an option for each setting of the inventory. The plugin reads it too: an option's
// last env is the variable by which it passes the option to the program. Options have no default, so that the program's
// own configuration file applies to what is not set.
func (p *plugin) file() ([]byte, error) {
	options := &yaml.Node{Kind: yaml.MappingNode}
	for _, section := range p.sections {
		for i := range section.Settings {
			put(options, p.optionName(&section.Settings[i]), p.option(&section.Settings[i]))
		}
	}
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(root, "options", options)
	return pythonFragment(root)
}

func (p *plugin) option(s *settings.Setting) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	put(m, "description", texts(sentences(s)...))
	kind, elements := ansibleType(s.Kind)
	if hasOff(s) {
		kind = "raw"
	}
	put(m, "type", texts(kind).Content[0])
	if elements != "" {
		put(m, "elements", texts(elements).Content[0])
	}
	if len(s.Choices) > 0 && !hasOff(s) {
		put(m, "choices", texts(s.Choices...))
	}
	var variables []*yaml.Node // of several that are set, Ansible uses the last
	for _, name := range slices.Backward(append([]string{s.Env}, s.Also...)) {
		variables = append(variables, pairs("name", name))
	}
	put(m, "env", list(variables...))
	if !s.Secret { // ansible.cfg is shared, and not a place for passwords
		put(m, "ini", list(pairs("section", p.iniSection(), "key", p.optionName(s))))
	}
	return m
}

func sentences(s *settings.Setting) []string {
	help := s.Help
	if s.Secret { // the text about flags does not concern Ansible
		help, _, _ = strings.Cut(help, ";")
	}
	found := []string{capital(help) + "."}
	if s.Default != "" {
		found = append(found, fmt.Sprintf("The default is C(%s).", s.Default))
	}
	if hasOff(s) {
		found = append(found, fmt.Sprintf("One of C(%s).", strings.Join(s.Choices, "), C(")))
	}
	if s.Name == "trust_templates" {
		found = append(found, "This option is not read from the program's configuration file.")
	}
	if s.Kind == settings.Duration {
		found = append(found, "A number of seconds, or a time such as C(90s) or C(2m).")
	}
	if s.Kind == settings.Moment {
		found = append(found, "A time without a zone is in the time zone of the machine. Quote it, because YAML converts some times.")
	}
	if s.Secret {
		found = append(found, "It reaches the program through its environment, never on a command line.")
	}
	return found
}

// hasOff reports whether a setting has a choice that YAML reads as false without quotes: Ansible would refuse it among
// choices.
func hasOff(s *settings.Setting) bool { return slices.Contains(s.Choices, "off") }

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// ansibleType returns the type in Ansible's documentation for a kind of setting. A duration is text, such as 90s.
func ansibleType(k settings.Kind) (kind, elements string) {
	switch k {
	case settings.Bool:
		return "bool", ""
	case settings.Int:
		return "int", ""
	case settings.List:
		return "list", "str"
	case settings.String, settings.Duration:
		return "str", ""
	case settings.Path:
		return "path", ""
	case settings.Moment: // of which YAML makes numbers and dates
		return "raw", ""
	}
	panic("collection: no type for kind " + strconv.Itoa(int(k)))
}
