package importing

import (
	"encoding/json"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/value"
)

// JSON, as printed by ansible-inventory, has neither dates nor keys that are not texts: 10: and "10": look the same,
// and so do a date and its text, but a play distinguishes them. Ansible's YAML has both, so it is read too if the JSON
// may contain such values, and these keys and dates become marks. Craton cannot store them, so they stay in Ansible.
const (
	typedKey     = "__craton_key_"  // prefix of a key, followed by the type, a colon, and the text
	typedValue   = "__craton_date"  // the only key of an object that represents a date
	duplicateKey = "__craton_twice" // prefix of a key that occurs twice, as a text and as another type
)

var (
	// oddKey matches keys that may have had another type.
	oddKey = value.LazyPattern(`^(?:-?[0-9].*|-?Infinity|NaN|true|false|null)$`)
	// oddText matches texts that may be dates.
	oddText = value.LazyPattern(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?$`)
)

func isOddKey(key string) bool { return oddKey().MatchString(key) }

func isOddText(text string) bool {
	return len(text) >= 10 && text[4] == '-' && oddText().MatchString(text)
}

// typesOf reads the output of ansible-inventory --list --yaml, for the types of values that need it.
func (d *document) typesOf(text []byte, values *valueReader) error {
	var top yaml.Node
	if err := yaml.Unmarshal(text, &top); err != nil {
		return fmt.Errorf("the output of ansible-inventory --list --yaml is not YAML: %w", err)
	}
	seen := map[string]map[string]*yaml.Node{} // by host
	groups := map[string]map[string]*yaml.Node{}
	var visit func(name string, group *yaml.Node)
	visit = func(name string, group *yaml.Node) {
		parts := members(group)
		for host, vars := range members(parts["hosts"]) {
			if seen[host] == nil {
				seen[host] = map[string]*yaml.Node{}
			}
			for k, n := range members(vars) {
				seen[host][k] = n
			}
		}
		for k, n := range members(parts["vars"]) {
			if groups[name] == nil {
				groups[name] = map[string]*yaml.Node{}
			}
			groups[name][k] = n
		}
		for child, n := range members(parts["children"]) {
			visit(child, n)
		}
	}
	if len(top.Content) > 0 {
		for name, n := range members(top.Content[0]) {
			visit(name, n)
		}
	}
	mark := func(vars map[string]json.RawMessage, typed map[string]*yaml.Node) error {
		for k, raw := range vars {
			if known := values.known[string(raw)]; known == nil || !known.odd || typed[k] == nil {
				continue
			}
			decoded, err := value.Decode(raw)
			if err != nil {
				return err
			}
			if vars[k], err = value.Encode(withTypes(decoded, typed[k])); err != nil {
				return err
			}
		}
		return nil
	}
	for h, vars := range d.hostvars {
		if err := mark(vars, seen[h]); err != nil {
			return err
		}
	}
	for name, g := range d.groups {
		if err := mark(g.Vars, groups[name]); err != nil {
			return err
		}
	}
	return nil
}

// members returns the members of a mapping, by their keys as texts.
func members(n *yaml.Node) map[string]*yaml.Node {
	n = target(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	all := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		all[n.Content[i].Value] = n.Content[i+1]
	}
	return all
}

// target returns the node to which an alias refers.
func target(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// withTypes adds marks to a JSON value where the same value in YAML has dates, or keys that are not texts.
func withTypes(decoded any, n *yaml.Node) any {
	n = target(n)
	if n == nil {
		return decoded
	}
	switch d := decoded.(type) {
	case string:
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!timestamp" {
			return map[string]any{typedValue: n.Value}
		}
	case []any:
		for i := range d {
			if n.Kind == yaml.SequenceNode && i < len(n.Content) {
				d[i] = withTypes(d[i], n.Content[i])
			}
		}
	case map[string]any:
		if n.Kind != yaml.MappingNode {
			return d // a mark
		}
		typed, taken := make(map[string]any, len(d)), make(map[string]bool, len(d))
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, name := jsonKey(n.Content[i])
			of, ok := d[key]
			switch {
			case !ok:
				continue
			case taken[key]:
				name = duplicateKey + name
			}
			taken[key] = true
			typed[name] = withTypes(of, n.Content[i+1])
		}
		for k, v := range d { // it has another name there
			if !taken[k] {
				typed[k] = v
			}
		}
		return typed
	}
	return decoded
}

// jsonKey returns a key as JSON, and with its type.
func jsonKey(n *yaml.Node) (key, typed string) {
	n = target(n)
	if n.Kind != yaml.ScalarNode {
		return n.Value, n.Value
	}
	tag := strings.TrimPrefix(n.ShortTag(), "!!")
	switch tag {
	case "int", "float", "bool", "null", "timestamp":
		return jsonOf(tag, n.Value), typedKey + tag + ":" + n.Value
	}
	return n.Value, n.Value
}

// jsonOf returns what Python writes in JSON for a key.
func jsonOf(tag, text string) string {
	switch tag {
	case "null":
		return "null"
	case "bool":
		return strings.ToLower(text)
	case "float":
		switch strings.ToLower(text) {
		case ".nan":
			return "NaN"
		case ".inf":
			return "Infinity"
		case "-.inf":
			return "-Infinity"
		}
	}
	return text
}

// splitTyped returns the tag and the text of a typed key.
func splitTyped(key string) (tag, text string, ok bool) {
	rest, ok := strings.CutPrefix(key, typedKey)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ":")
}
