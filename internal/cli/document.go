package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"

	"gopkg.in/yaml.v3"
)

// writeDocument writes a document that programs read, as JSON or YAML. Every number keeps its digits.
func writeDocument(w io.Writer, format string, doc any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	if format == formatYAML {
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
		return &yaml.Node{Kind: yaml.ScalarNode, Value: token.String()}, nil
	case string:
		n := &yaml.Node{}
		n.SetString(token)
		return n, nil
	case bool:
		n := &yaml.Node{}
		return n, n.Encode(token)
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
	return nil, errors.New("a JSON token of no kind")
}

// writeCSV writes rows, the first of them the header.
func writeCSV(w io.Writer, rows [][]string) error {
	return csv.NewWriter(w).WriteAll(rows)
}
