package collection

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/settings"
)

// iniSection is the section of ansible.cfg that may hold the inventory plugin's options, named as Ansible names those
// of its own plugins.
const iniSection = "inventory_plugin_craton"

// renamed are the settings that cannot keep their name as an option, since Ansible's constructed fragment has it.
var renamed = map[string]string{"groups": "craton_groups"}

// OptionName is what the option of the inventory plugin is called that stands for a setting.
func OptionName(s *settings.Setting) string {
	if name, ok := renamed[s.Name]; ok {
		return name
	}
	return s.Name
}

// inventoryFragment is the doc fragment with an option for each setting that the inventory knows. The plugin reads it
// too: an option's first env is the variable by which the program gets it. Options have no default, so that what
// nobody sets is left to the program's own configuration file.
func inventoryFragment(sections ...settings.Section) ([]byte, error) {
	options := &yaml.Node{Kind: yaml.MappingNode}
	for _, section := range sections {
		for i := range section.Settings {
			put(options, OptionName(&section.Settings[i]), option(&section.Settings[i]))
		}
	}
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(root, "options", options)
	return pythonFragment(root)
}

func option(s *settings.Setting) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	put(m, "description", texts(sentences(s)...))
	kind, elements := ansibleType(s.Kind)
	put(m, "type", texts(kind).Content[0])
	if elements != "" {
		put(m, "elements", texts(elements).Content[0])
	}
	if len(s.Choices) > 0 {
		put(m, "choices", texts(s.Choices...))
	}
	put(m, "env", list(pairs("name", s.Env)))
	if !s.Secret { // ansible.cfg is shared, and no place for a password
		put(m, "ini", list(pairs("section", iniSection, "key", OptionName(s))))
	}
	return m
}

func sentences(s *settings.Setting) []string {
	help := s.Help
	if s.Secret { // what is said of flags does not concern Ansible
		help, _, _ = strings.Cut(help, ";")
	}
	found := []string{capital(help) + "."}
	if s.Default != "" {
		found = append(found, fmt.Sprintf("The default is C(%s).", s.Default))
	}
	if s.Name == "trust_templates" {
		found = append(found, "The program's own configuration file does not count for this one.")
	}
	if s.Kind == settings.Duration {
		found = append(found, "A number of seconds, or a time such as C(90s) or C(2m).")
	}
	if s.Secret {
		found = append(found, "It reaches the program through its environment, never on a command line.")
	}
	return found
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// ansibleType is the type of Ansible's documentation for a kind of setting. A duration is text, for 90s is one.
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
	}
	panic("collection: no type for kind " + strconv.Itoa(int(k)))
}
