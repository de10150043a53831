package iotronic

import (
	"encoding/binary"
	"iter"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Fields are the fields of a node or board, sorted by name, with compact JSON values. Their names, which nearly all
// machines of a listing share, are stored once: a node of Ironic has about eighty.
type Fields struct {
	names *shape
	text  string   // all values, concatenated, as received
	ends  []uint32 // of each value in text
}

// shape is the names of fields.
type shape struct {
	sorted []string // each once
	at     []int    // which of the values each has
}

// All yields names and values.
func (f Fields) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i, name := range f.names.sorted {
			if !yield(name, f.value(f.names.at[i])) {
				return
			}
		}
	}
}

// Find returns the value of a name.
func (f Fields) Find(name string) (value string, ok bool) {
	i, ok := slices.BinarySearch(f.names.sorted, name)
	if !ok {
		return "", false
	}
	return f.value(f.names.at[i]), true
}

func (f Fields) value(i int) string {
	from := uint32(0)
	if i > 0 {
		from = f.ends[i-1]
	}
	return f.text[from:f.ends[i]]
}

// decoder decodes the fields of objects. Not for concurrent use.
type decoder struct {
	shapes map[string]*shape // by the names as received, each after its length
	key    []byte            // the key of the current object in shapes
	names  []string          // in the order received, parts of the object
	text   []byte
	ends   []uint32
}

func newDecoder() *decoder { return &decoder{shapes: map[string]*shape{}} }

// fields decodes an object that is valid JSON. It does not keep a reference to it, and leaves out URLs of other parts
// of the API.
func (d *decoder) fields(object []byte) Fields {
	d.key, d.names, d.text, d.ends = d.key[:0], d.names[:0], d.text[:0], d.ends[:0]
	x := jsontext.NewScanner(jsontext.Text(object))
	x.Members(func(name string) {
		before := len(d.text)
		d.text = x.Clean(d.text)
		if name == "links" || rest.IsLinks(gjson.Parse(jsontext.Text(d.text[before:]))) {
			d.text = d.text[:before]
			return
		}
		d.key = append(binary.AppendUvarint(d.key, uint64(len(name))), name...)
		d.names = append(d.names, name)
		d.ends = append(d.ends, uint32(len(d.text))) //nolint:gosec // an answer is never that long
	})
	names, known := d.shapes[string(d.key)]
	if !known {
		names = newShape(d.names)
		d.shapes[string(d.key)] = names
	}
	return Fields{names, string(d.text), slices.Clone(d.ends)}
}

// newShape sorts names. Of several values with the same name, the last one counts, as for JSON readers.
func newShape(came []string) *shape {
	order := make([]int, len(came))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(came[a], came[b]) })
	s := &shape{}
	for i, at := range order {
		if i+1 == len(order) || came[order[i+1]] != came[at] {
			s.sorted, s.at = append(s.sorted, strings.Clone(came[at])), append(s.at, at)
		}
	}
	return s
}
