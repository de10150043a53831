package show

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/output"
	rules "github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/yaml11"
)

// The output formats, as --format names them.
const (
	FormatTable = "default"
	FormatJSON  = "json"
	FormatYAML  = "yaml"
	FormatCSV   = "csv"
)

// WriteDocument writes a document for programs, as JSON or YAML. Every number keeps its digits.
func WriteDocument(w io.Writer, format string, doc any) error {
	text, err := documentText(format, "", doc)
	if err != nil {
		return err
	}
	_, err = safe(w).Write(text)
	return err
}

// safe returns a writer for a document on which control sequences from the API have no effect on a terminal. The JSON
// stays equal.
func safe(w io.Writer) io.Writer {
	if !output.IsTerminal(w) {
		return w
	}
	return &escaper{to: w}
}

// escaper escapes texts of several lines for a terminal.
type escaper struct {
	to   io.Writer
	part []byte // the beginning of an incomplete character
}

func (e *escaper) Write(b []byte) (int, error) {
	text := append(e.part, b...)
	end := len(text)
	for i := end - 1; i >= max(end-utf8.UTFMax, 0); i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				end = i
			}
			break
		}
	}
	e.part = bytes.Clone(text[end:])
	_, err := io.WriteString(e.to, rules.EscapeLines(string(text[:end])))
	return len(b), err
}

// documentText returns a document as JSON, with a prefix for all lines except the first, or as YAML.
func documentText(format, prefix string, doc any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, indent)
	if err := e.Encode(doc); err != nil || format != FormatYAML {
		return b.Bytes(), err
	}
	d := json.NewDecoder(&b)
	d.UseNumber()
	node, err := yamlNode(d)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(node)
}

const indent = "  "

// WriteList is like WriteDocument for an object with all members of head followed by a list of items. Only some of the
// items are in memory at once. head must have a member.
func WriteList(w io.Writer, format string, head any, list string, items iter.Seq[any]) error {
	b := bufio.NewWriterSize(safe(w), 1<<16)
	text, err := documentText(format, "", head)
	if err != nil {
		return err
	}
	write := writeJSONList
	if format == FormatYAML {
		write = writeYAMLList
	}
	if err := write(b, text, list, items); err != nil {
		return err
	}
	return b.Flush()
}

func writeJSONList(b *bufio.Writer, head []byte, list string, items iter.Seq[any]) error {
	_, _ = b.Write(bytes.TrimSuffix(head, []byte("\n}\n"))) // Flush tells
	_, _ = b.WriteString(",\n" + indent + `"` + list + `": [`)
	begin, end := "\n"+indent+indent, "]\n}\n"
	for item := range items {
		text, err := documentText(FormatJSON, indent+indent, item)
		if err != nil {
			return err
		}
		_, _ = b.WriteString(begin)
		_, _ = b.Write(bytes.TrimSuffix(text, []byte("\n")))
		begin, end = ",\n"+indent+indent, "\n"+indent+"]\n}\n"
	}
	_, _ = b.WriteString(end)
	return nil
}

// someItems is the number of items of a list that are converted to YAML at once.
const someItems = 100

func writeYAMLList(b *bufio.Writer, head []byte, list string, items iter.Seq[any]) error {
	_, _ = b.Write(head) // Flush tells
	begun, some := false, []any{}
	write := func() error {
		text, err := documentText(FormatYAML, "", map[string][]any{list: some})
		if begun {
			_, text, _ = bytes.Cut(text, []byte("\n")) // the key
		}
		begun, some = true, some[:0]
		_, _ = b.Write(text)
		return err
	}
	for item := range items {
		if some = append(some, item); len(some) == someItems {
			if err := write(); err != nil {
				return err
			}
		}
	}
	if begun && len(some) == 0 {
		return nil
	}
	return write()
}

// yamlNode converts one JSON value. The order of members and the text of numbers are kept.
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
			inner, err := yamlNode(d) // for an object: keys and values in turn
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

// yamlText returns a node for a text that every reader reads as the same text. Encode quotes what its own YAML would
// read differently, but not everything that YAML 1.1, and therefore Ansible, would; and it loses leading space of a
// block.
func yamlText(text string) (*yaml.Node, error) {
	n := &yaml.Node{}
	first, _ := utf8.DecodeRuneInString(text)
	if yaml11.Read(text).Kind != yaml11.Text || strings.Contains(text, "\n") && unicode.IsSpace(first) {
		n.Kind, n.Tag, n.Value, n.Style = yaml.ScalarNode, "!!str", text, yaml.DoubleQuotedStyle
		return n, nil
	}
	return n, n.Encode(text)
}

// WriteCSV writes rows, the first of which is the header.
func WriteCSV(w io.Writer, rows [][]string) error { return WriteRows(w, slices.Values(rows)) }

// WriteRows is like WriteCSV, for rows that are produced while they are written.
func WriteRows(w io.Writer, rows iter.Seq[[]string]) error {
	clean := output.IsTerminal(w) // which must ignore control sequences from the API
	out := csv.NewWriter(w)
	for cells := range rows {
		if clean {
			for i := range cells {
				cells[i] = Clean(cells[i])
			}
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
