package fleetfile

import (
	"bytes"
	"fmt"
	"iter"
	"slices"

	"github.com/craton-fleet/craton/internal/value"
)

// tree is a value of a fleet file with its position. YAML and decoded data are both converted to trees, so that one
// reader validates both.
type tree struct {
	line    int
	shape   shape
	entries []entry         // of a mapping, in order
	items   []*tree         // of a list
	parts   iter.Seq[*tree] // of a list that is read lazily, instead of items
	text    string          // the text; the JSON of a number or a boolean; the error of a broken value
	plain   bool            // written without quotes and without a tag
	written string          // a plain value as written in the file
	note    string          // a warning about a valid value
	size    int             // number of values in it, including itself
	height  int             // how deep it is nested
}

// entry is a key of a mapping and its value. problem is what is wrong with the key, if anything.
type entry struct {
	key     string
	line    int
	value   *tree
	problem string
	note    string // a warning about a valid key
}

type shape int

// The shapes are JSON's, and broken: a value that JSON cannot represent.
const (
	mapping shape = iota
	sequence
	text
	number
	boolean
	null
	broken
)

// String returns the name of the shape in errors.
func (s shape) String() string {
	return [...]string{"a mapping", "a list", "text", "a number", "true or false", "null", "a broken value"}[s]
}

// Limits of a file. maxHeight is far below what JSON decoders accept (Python's limit is about 1,000). Aliases may
// expand a file, but not without limit: see yamlReader.
const (
	maxHeight   = 200
	maxSize     = 1_000_000
	maxPerValue = 100
)

// measure sets the size and height of a list or mapping after its parts were read.
func (t *tree) measure() *tree {
	t.size, t.height = 1, 1
	add := func(part *tree) {
		t.size = min(t.size+part.size, 1<<40)
		t.height = max(t.height, part.height+1)
	}
	for _, e := range t.entries {
		add(e.value)
	}
	for _, i := range t.items {
		add(i)
	}
	if t.height > maxHeight {
		return brokenTree(t.line, fmt.Sprintf("is nested deeper than %d levels; make it flatter", maxHeight))
	}
	return t
}

// elements returns the items of a list. Those of a list that is read in parts can be iterated once.
func (t *tree) elements() iter.Seq[*tree] {
	if t.parts != nil {
		return t.parts
	}
	return slices.Values(t.items)
}

// has reports whether a mapping has a valid key.
func (t *tree) has(key string) bool {
	return slices.ContainsFunc(t.entries, func(e entry) bool { return e.key == key && e.problem == "" })
}

func leaf(line int, s shape, value string) *tree {
	return &tree{line: line, shape: s, text: value, size: 1, height: 1}
}

func brokenTree(line int, problem string) *tree { return leaf(line, broken, problem) }

// writeJSON appends the value as JSON, with keys in their order. It must not contain broken values.
func (t *tree) writeJSON(b *bytes.Buffer) {
	switch t.shape {
	case mapping:
		b.WriteByte('{')
		for i, e := range t.entries {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, e.key)
			b.WriteByte(':')
			e.value.writeJSON(b)
		}
		b.WriteByte('}')
	case sequence:
		b.WriteByte('[')
		for i, item := range t.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.writeJSON(b)
		}
		b.WriteByte(']')
	case text:
		writeString(b, t.text)
	case number, boolean:
		b.WriteString(t.text)
	default:
		b.WriteString("null")
	}
}

// writeString appends s as JSON, without HTML escapes: variables are passed on unchanged.
func writeString(b *bytes.Buffer, s string) {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		b.WriteByte('"')
		b.WriteString(s)
		b.WriteByte('"')
		return
	}
	raw, _ := value.Encode(s) // encoding a string never fails
	b.Write(raw)
}
