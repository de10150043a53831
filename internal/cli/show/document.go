package show

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/yaml11"
)

// The forms of output, as --format names them.
const (
	FormatTable = "default"
	FormatJSON  = "json"
	FormatYAML  = "yaml"
	FormatCSV   = "csv"
)

// WriteDocument writes a document that programs read, as JSON or YAML. Every number keeps its digits.
func WriteDocument(w io.Writer, format string, doc any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	if format == FormatYAML {
		d := json.NewDecoder(&b)
		d.UseNumber()
		node, err := yamlNode(d)
		if err != nil {
			return err
		}
		text, err := yaml.Marshal(node)
		if err != nil {
			return err
		}
		b.Reset()
		b.Write(text)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// yamlNode reads one JSON value. The order of members stays, and so does the text of numbers.
func yamlNode(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.MappingNode}
		if token == '[' {
			n.Kind = yaml.SequenceNode
		}
		for d.More() {
			inner, err := yamlNode(d) // of an object: keys and values in turn
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, inner)
		}
		_, err := d.Token()
		return n, err
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: string(yaml11.AppendNumber(nil, token.String()))}, nil
	case string:
		return yamlText(token)
	case bool:
		n := &yaml.Node{}
		return n, n.Encode(token)
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
	return nil, errors.New("a JSON token of no kind")
}

// yamlText is a text that stays one for every reader. Encode quotes what its own YAML takes for something else, and not all that
// YAML 1.1 does, which Ansible reads; and it forgets the space that a block begins with.
func yamlText(text string) (*yaml.Node, error) {
	n := &yaml.Node{}
	first, _ := utf8.DecodeRuneInString(text)
	if yaml11.Read(text).Kind != yaml11.Text || strings.Contains(text, "\n") && unicode.IsSpace(first) {
		n.Kind, n.Tag, n.Value, n.Style = yaml.ScalarNode, "!!str", text, yaml.DoubleQuotedStyle
		return n, nil
	}
	return n, n.Encode(text)
}

// WriteCSV writes rows, the first of them the header.
func WriteCSV(w io.Writer, rows [][]string) error {
	if output.IsTerminal(w) { // which must not obey what the API says
		for _, cells := range rows {
			for i := range cells {
				cells[i] = Clean(cells[i])
			}
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}
