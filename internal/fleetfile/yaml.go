package fleetfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// yamlTree reads one YAML document; nil stands for an empty file. What is wrong with single values
// is kept in the tree, so that the reader can name their paths; only what spoils the whole file is
// a problem here.
func yamlTree(r io.Reader) (*tree, *Problem, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, err
	}
	// The scanner takes bytes that are not UTF-8 for a broken document and names no line.
	if !utf8.Valid(data) && !isUTF16(data) {
		line := 1
		for len(data) > 0 {
			c, n := utf8.DecodeRune(data)
			if c == utf8.RuneError && n == 1 {
				break
			}
			if c == '\n' {
				line++
			}
			data = data[n:]
		}
		return nil, &Problem{Line: line, Message: "is not UTF-8; save the file as UTF-8"}, nil
	}
	d := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil, nil
		}
		return nil, yamlProblem(err), nil
	}
	var more yaml.Node
	switch err := d.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, yamlProblem(err), nil
	default:
		return nil, &Problem{Line: more.Line, Message: "a second document begins here; a fleet file is one document, apply several files one after the other"}, nil
	}
	if len(doc.Content) == 0 {
		return nil, nil, nil
	}
	y := &yamlReader{done: map[*yaml.Node]*tree{}, open: map[*yaml.Node]bool{}}
	y.limit = maxSize + maxPerValue*countNodes(doc.Content[0])
	t := y.read(doc.Content[0])
	if y.built > y.limit || t.size > y.limit {
		return nil, &Problem{Line: 1, Message: "grows beyond all measure through its aliases; write fewer of them into one another"}, nil
	}
	return t, nil, nil
}

func isUTF16(data []byte) bool {
	return len(data) >= 2 && (data[0] == 0xff && data[1] == 0xfe || data[0] == 0xfe && data[1] == 0xff)
}

func countNodes(n *yaml.Node) int {
	count := 1
	for _, c := range n.Content {
		count += countNodes(c)
	}
	return count
}

var yamlLine = regexp.MustCompile(`^line ([0-9]+): `)

// yamlProblem turns "yaml: line 3: ..." into a problem of that line.
func yamlProblem(err error) *Problem {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	p := &Problem{Line: 1}
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
	}
	p.Message = "is not YAML: " + message + "; look at the indentation and the quotes around this line"
	return p
}

// yamlReader turns YAML nodes into trees. A node that several aliases name becomes one tree, so a file
// costs no more than what is written in it; how large it would be written out is bounded all the same,
// because its variables are written out in the end.
type yamlReader struct {
	done  map[*yaml.Node]*tree
	open  map[*yaml.Node]bool // being read: an alias to one of these contains itself
	built int                 // keys of mappings, those that merges brought included
	limit int
}

func (y *yamlReader) read(n *yaml.Node) *tree {
	line := n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t := y.done[n]; t != nil {
		return t
	}
	if y.open[n] {
		return brokenTree(line, "contains itself; write an alias (*) outside of what its anchor (&) names")
	}
	y.open[n] = true
	defer delete(y.open, n)
	var t *tree
	switch n.Kind {
	case yaml.MappingNode:
		t = y.mapping(n)
	case yaml.SequenceNode:
		t = y.sequence(n)
	default:
		t = y.scalar(n)
	}
	y.done[n] = t
	return t
}

func (y *yamlReader) sequence(n *yaml.Node) *tree {
	if tag := n.ShortTag(); tag != "!!seq" {
		return unknownTag(n)
	}
	t := &tree{line: n.Line, shape: sequence}
	for _, item := range n.Content {
		t.items = append(t.items, y.read(item))
	}
	return t.grown()
}

// mapping reads keys and values. Merge keys (<<) bring the keys that the mapping does not have itself,
// the first of several mappings winning, as YAML 1.1 has it.
func (y *yamlReader) mapping(n *yaml.Node) *tree {
	if tag := n.ShortTag(); tag != "!!map" {
		return unknownTag(n)
	}
	t := &tree{line: n.Line, shape: mapping}
	seen := map[string]int{} // the line of a key
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		line := key.Line
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		e := entry{key: key.Value, line: line}
		switch tag := key.ShortTag(); {
		case key.Kind != yaml.ScalarNode:
			e.key, e.problem = "?", "is a key that is not text; keys are text"
		case tag == "!!merge":
			merges = append(merges, value)
			e.key = "<<"
		case tag != "!!str":
			e.problem = fmt.Sprintf("is a key that YAML takes for %s; keys are text, put it in quotes", keyShape(tag))
		}
		if first, twice := seen[e.key]; twice && e.problem == "" {
			e.problem = fmt.Sprintf("is given twice, first on line %d; keep one of them", first)
		}
		if e.key == "<<" && e.problem == "" {
			seen[e.key] = line
			continue
		}
		seen[e.key] = line
		e.value = y.read(value)
		t.entries = append(t.entries, e)
	}
	y.built += len(t.entries)
	for _, m := range merges {
		y.merge(t, seen, m)
	}
	return t.grown()
}

// merge adds the keys of a mapping, or of each of a list of mappings.
func (y *yamlReader) merge(t *tree, seen map[string]int, n *yaml.Node) {
	from := y.read(n)
	sources := []*tree{from}
	if from.shape == sequence {
		sources = from.items
	}
	for _, s := range sources {
		if s.shape != mapping {
			t.entries = append(t.entries, entry{key: "<<", line: n.Line, value: leaf(n.Line, null, ""),
				problem: fmt.Sprintf("merges %s; only a mapping, or a list of mappings, can be merged", s.shape)})
			continue
		}
		for _, e := range s.entries {
			if _, have := seen[e.key]; have || y.built > y.limit {
				continue
			}
			y.built++
			seen[e.key] = e.line
			t.entries = append(t.entries, e)
		}
	}
}

func keyShape(tag string) string {
	switch tag {
	case "!!int", "!!float":
		return number.String()
	case "!!bool":
		return boolean.String()
	case "!!null":
		return null.String()
	case "!!timestamp":
		return "a date"
	}
	return "a value with the tag " + tag
}

// scalar reads a single value. Numbers keep their text when it is a JSON number too, so that big integers and
// long fractions stay exact; dates stay the text that was written.
func (y *yamlReader) scalar(n *yaml.Node) *tree {
	plain := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	switch n.ShortTag() {
	case "!!str":
		// A number beyond float64 is text to the YAML library; to JSON it is a number.
		if plain && n.Style&yaml.TaggedStyle == 0 && jsonNumber.MatchString(n.Value) {
			return leaf(n.Line, number, n.Value)
		}
		t := leaf(n.Line, text, n.Value)
		t.plain = plain
		return t
	case "!!timestamp":
		return leaf(n.Line, text, n.Value)
	case "!!null":
		return leaf(n.Line, null, "")
	case "!!bool", "!!int", "!!float":
		return y.value(n)
	}
	return unknownTag(n)
}

// value reads a number or a boolean.
func (y *yamlReader) value(n *yaml.Node) *tree {
	if n.ShortTag() != "!!bool" && jsonNumber.MatchString(n.Value) {
		return leaf(n.Line, number, n.Value)
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return brokenTree(n.Line, fmt.Sprintf("%q does not fit its tag %s; take one of them away", n.Value, n.ShortTag()))
	}
	switch v := v.(type) {
	case bool:
		return leaf(n.Line, boolean, strconv.FormatBool(v))
	case int, int64, uint64:
		return leaf(n.Line, number, fmt.Sprint(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return brokenTree(n.Line, fmt.Sprintf("%s is not a number that JSON can hold; put it in quotes or choose another value", n.Value))
		}
		return leaf(n.Line, number, strconv.FormatFloat(v, 'g', -1, 64))
	}
	return brokenTree(n.Line, fmt.Sprintf("%q does not fit its tag %s; take one of them away", n.Value, n.ShortTag()))
}

// unknownTag refuses tags that have no meaning in JSON. Ansible's own deserve a word.
func unknownTag(n *yaml.Node) *tree {
	switch tag := n.ShortTag(); tag {
	case "!unsafe":
		return brokenTree(n.Line, "has the tag !unsafe, which a fleet file does not know; leave it out, the inventory marks templates as unsafe on its own")
	case "!vault":
		return brokenTree(n.Line, "is encrypted with Ansible Vault; a fleet file cannot hold such values, keep them in Ansible's own group_vars and host_vars")
	case "!!binary":
		return brokenTree(n.Line, "is binary, which JSON cannot hold; write it as text")
	default:
		return brokenTree(n.Line, fmt.Sprintf("has the tag %s, which a fleet file does not know; leave it out", tag))
	}
}
