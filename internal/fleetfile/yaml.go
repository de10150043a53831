package fleetfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/yaml11"
)

// utf8Text reads a file as UTF-8.
func utf8Text(r io.Reader) ([]byte, *Problem, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, err
	}
	data, problem := asUTF8(data)
	return data, problem, nil
}

// asUTF8 removes the byte order mark from a file, and decodes UTF-16 if the mark says so.
func asUTF8(data []byte) ([]byte, *Problem) {
	if order := byteOrder(data); order != nil {
		const broken = "is UTF-16 that cannot be read; save the file as UTF-8"
		if len(data)%2 != 0 {
			return nil, &Problem{Line: 1, Message: broken}
		}
		units := make([]uint16, 0, len(data)/2)
		for ; len(data) > 0; data = data[2:] {
			units = append(units, order.Uint16(data))
		}
		text := utf16.Decode(units[1:])
		if slices.Contains(text, utf8.RuneError) && !slices.Contains(units, utf8.RuneError) { // half a pair
			return nil, &Problem{Line: 1, Message: broken}
		}
		return []byte(string(text)), nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	// For bytes that are not UTF-8, the scanner would report a broken document without a line.
	begins := false
	for rest, line := data, 1; len(rest) > 0; {
		if c := rest[0]; c < utf8.RuneSelf { // nearly all
			if begins = c == '\n' || c == '\r'; c == '\n' {
				line++
			}
			rest = rest[1:]
			continue
		}
		c, n := utf8.DecodeRune(rest)
		if c == '\ufeff' && begins { // such as in concatenated files: Ansible ignores it, and the library makes it part of a key
			return nil, &Problem{Line: line, Message: "begins with a byte order mark, which is allowed only at the start of a file; remove it"}
		}
		begins = c == '\u0085' || c == '\u2028' || c == '\u2029'
		if c == utf8.RuneError && n == 1 {
			return nil, &Problem{Line: line, Message: "is not UTF-8; save the file as UTF-8"}
		}
		rest = rest[n:]
	}
	return data, nil
}

// Instead returns what a one-line text becomes if it is written without quotes as a variable's value in a fleet file,
// such as "a list" for [a, no]. It returns "" if it stays the same text.
func Instead(line string) string {
	const key = "v"
	t, problem := yamlTree([]byte(key + ": " + line + "\n"))
	if problem != nil || t == nil || t.shape != mapping || len(t.entries) != 1 || t.entries[0].key != key {
		return "an error"
	}
	switch v := t.entries[0].value; {
	case v.shape == broken:
		return "an error"
	case v.shape != text:
		return v.shape.String()
	case v.text != line:
		return "another text"
	}
	return ""
}

func byteOrder(data []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return binary.BigEndian
	}
	return nil
}

// yamlTree reads one YAML document.
func yamlTree(data []byte) (*tree, *Problem) {
	if problem := unprintable(data); problem != nil {
		return nil, problem
	}
	d := yaml.NewDecoder(bytes.NewReader(asYAML11(data)))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, yamlProblem(err, data)
	}
	var more yaml.Node
	switch err := d.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, yamlProblem(err, data)
	default:
		return nil, &Problem{Line: more.Line, Message: "a second document begins here; a fleet file is a single document, so use a file for each"}
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	y := &yamlReader{done: map[*yaml.Node]*tree{}, open: map[*yaml.Node]bool{}}
	if bareTag().Match(data) {
		y.lines = bytes.Split(data, []byte("\n"))
	}
	anchors := map[string]int{} // the lines of the keys so far
	count := 0
	for n := range nodes(&doc) {
		if count++; n.Anchor == "" || n.Kind == yaml.AliasNode {
			continue
		}
		if first, twice := anchors[n.Anchor]; twice {
			return nil, &Problem{Line: n.Line, Message: fmt.Sprintf("the anchor &%s is already on line %d; rename one of them", n.Anchor, first)}
		}
		anchors[n.Anchor] = n.Line
	}
	y.limit = maxSize + maxPerValue*count
	t := y.read(doc.Content[0])
	if y.built > y.limit || t.size > y.limit {
		return nil, &Problem{Line: 1, Message: "becomes too large when its aliases are expanded; nest fewer aliases"}
	}
	return t, nil
}

// unprintable finds a character that YAML does not allow; the scanner would not report its line.
func unprintable(data []byte) *Problem {
	line := 1
	for _, c := range string(data) {
		switch {
		case c == '\n':
			line++
		case c == '\t', c == '\r', c == 0x85, c >= 0x20 && c < 0x7f, c >= 0xa0 && c != 0xfffe && c != 0xffff:
		default:
			return &Problem{Line: line, Message: fmt.Sprintf("contains the character %U, which YAML does not allow; remove it, or write it as an escape in double quotes", c)}
		}
	}
	return nil
}

// asYAML11 changes a directive %YAML 1.2 to 1.1: the library refuses it, and Ansible's reader treats it as 1.1.
func asYAML11(data []byte) []byte {
	if at := yaml12().FindIndex(data); at != nil {
		data = bytes.Clone(data)
		data[at[1]-1] = '1'
	}
	return data
}

// yaml12 matches the directive, before anything but comments and blank lines.
var yaml12 = value.LazyPattern(`\A(?:[ \t]*(?:#[^\r\n]*)?[\r\n]+)*%YAML[ \t]+1\.2`)

// nodes returns all nodes of a document in the order of the file.
func nodes(n *yaml.Node) iter.Seq[*yaml.Node] {
	return func(yield func(*yaml.Node) bool) { eachNode(n, yield) }
}

func eachNode(n *yaml.Node, yield func(*yaml.Node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, c := range n.Content {
		if !eachNode(c, yield) {
			return false
		}
	}
	return true
}

var yamlLine = value.LazyPattern(`^line ([0-9]+): `)

// yamlProblem converts "yaml: line 3: ..." to a problem of that line.
func yamlProblem(err error, data []byte) *Problem {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	p := &Problem{Line: 1}
	if m := yamlLine().FindStringSubmatch(message); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
	}
	p.Message = "is not YAML: " + message
	lines := bytes.Split(data, []byte("\n"))
	for line := p.Line; line <= min(p.Line+1, len(lines)); line++ { // the library counts some of them from 0
		if bytes.HasPrefix(bytes.TrimLeft(lines[line-1], " "), []byte("\t")) {
			return &Problem{Line: line, Message: p.Message + "; this line begins with a tab; YAML requires spaces for indentation"}
		}
	}
	if strings.Contains(message, "invalid Unicode character escape") {
		p.Message += `; write the character itself, or \U and the eight digits of its code: pairs such as \ud83d\ude00 are allowed only in JSON, and this file is not JSON`
	} else {
		p.Message += "; check the indentation and the quotes around this line"
	}
	return p
}

// yamlReader converts YAML nodes to trees. A node with several aliases becomes one tree, so reading a file costs no
// more than what is written in it; its expanded size is limited nevertheless, because variables are expanded in the
// end.
type yamlReader struct {
	done  map[*yaml.Node]*tree // of nodes with an anchor
	open  map[*yaml.Node]bool  // in progress: an alias to one of these contains itself
	built int                  // keys of mappings, including those from merges
	limit int
	lines [][]byte                             // of the file, if it may contain a bare tag
	depth int                                  // of the current value
	cut   map[*yaml.Node]func(depth int) *tree // the lists that markers stand for
}

func (y *yamlReader) read(n *yaml.Node) *tree {
	line := n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Anchor != "" {
		if t := y.done[n]; t != nil {
			return t
		}
		if y.open[n] {
			return brokenTree(line, "contains itself; an alias (*) must be outside the value of its anchor (&)")
		}
		y.open[n] = true
		defer delete(y.open, n)
	}
	y.depth++
	var t *tree
	switch list := y.cut[n]; {
	case list != nil:
		t = list(y.depth)
	case n.Kind == yaml.MappingNode:
		t = y.mapping(n)
	case n.Kind == yaml.SequenceNode:
		t = y.sequence(n)
	default:
		t = y.scalar(n)
	}
	y.depth--
	if n.Anchor != "" {
		y.done[n] = t
	}
	return t
}

func (y *yamlReader) sequence(n *yaml.Node) *tree {
	if tag := n.ShortTag(); tag != "!!seq" {
		return unknownTag(n)
	}
	t := &tree{line: n.Line, shape: sequence, items: make([]*tree, 0, len(n.Content))}
	for i, item := range n.Content {
		t.items = append(t.items, y.read(item))
		n.Content[i] = nil // each node is read once, and there are many
	}
	return t.measure()
}

// mapping reads keys and values. Merge keys (<<) add keys that the mapping does not have itself; of several mappings
// the first has precedence, as in YAML 1.1.
func (y *yamlReader) mapping(n *yaml.Node) *tree {
	if tag := n.ShortTag(); tag != "!!map" {
		return unknownTag(n)
	}
	t := &tree{line: n.Line, shape: mapping, entries: make([]entry, 0, len(n.Content)/2)}
	var seen keyLines
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		n.Content[i], n.Content[i+1] = nil, nil
		line := key.Line
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		e := entry{key: key.Value, line: line}
		merge := false
		switch kind, tag := keyKind(key); {
		case key.Kind != yaml.ScalarNode:
			e.key, e.problem = "?", "is a key that is not text; keys are text"
		case tag != "":
			e.problem = fmt.Sprintf("is a key with the tag %s; keys are text, remove the tag", tag)
		case n.Style&yaml.FlowStyle != 0 && plain(key) && strings.HasSuffix(key.Value, ":"): // {a:}, where Ansible fails
			e.problem = "is a key that ends with a colon; put a space after the colon, or put the key in quotes"
		case kind == yaml11.Merge:
			merge = true
			merges = append(merges, value)
		case kind != yaml11.Text && kind != yaml11.Value:
			e.problem = fmt.Sprintf("is a key that YAML takes for %s; keys are text, put it in quotes", kind)
		}
		if first, twice := seen.of(e.key); twice && e.problem == "" {
			e.problem = fmt.Sprintf("is given twice, first on line %d; keep one of them", first)
		}
		if merge && e.problem == "" {
			seen.set(e.key, line)
			continue
		}
		seen.set(e.key, line)
		e.value = y.read(value)
		t.entries = append(t.entries, e)
	}
	y.built += len(t.entries)
	for _, m := range merges {
		y.merge(t, &seen, m)
	}
	return t.measure()
}

// keyLines are the lines of the keys of a mapping. Most mappings have few.
type keyLines struct {
	few [12]struct {
		key  string
		line int
	}
	n    int
	many map[string]int // once there are more
}

func (k *keyLines) of(key string) (line int, ok bool) {
	for i := range k.n {
		if k.few[i].key == key {
			return k.few[i].line, true
		}
	}
	line, ok = k.many[key]
	return line, ok
}

func (k *keyLines) set(key string, line int) {
	for i := range k.n {
		if k.few[i].key == key {
			k.few[i].line = line
			return
		}
	}
	if k.n < len(k.few) {
		k.few[k.n].key, k.few[k.n].line = key, line
		k.n++
		return
	}
	if k.many == nil {
		k.many = map[string]int{}
	}
	k.many[key] = line
}

// merge adds the keys of a mapping, or of each of a list of mappings.
func (y *yamlReader) merge(t *tree, seen *keyLines, n *yaml.Node) {
	from := y.read(n)
	sources := []*tree{from}
	if from.shape == sequence {
		sources = from.items
	}
	merged := map[string]int{} // the index in t of a key from another source
	for _, s := range sources {
		if s.shape != mapping {
			t.entries = append(t.entries, entry{key: "<<", line: n.Line, value: leaf(n.Line, null, ""),
				problem: fmt.Sprintf("merges %s; only a mapping, or a list of mappings, can be merged", s.shape)})
			continue
		}
		for _, e := range s.entries {
			if at, twice := merged[e.key]; twice && !same(t.entries[at].value, e.value) {
				// Releases of PyYAML disagree: up to 6.0.3 the first counts, as in the specification.
				t.entries[at].note = fmt.Sprintf("is in two of the mappings that are merged on line %d; here the first one wins, "+
					"in Ansible that depends on its YAML library; set the key in the mapping itself", n.Line)
			}
			if _, have := seen.of(e.key); have || y.built > y.limit {
				continue
			}
			y.built++
			seen.set(e.key, e.line)
			merged[e.key] = len(t.entries)
			t.entries = append(t.entries, e)
		}
	}
}

// same reports whether two values are written the same.
func same(a, b *tree) bool {
	if a == b {
		return true
	}
	var x, y bytes.Buffer
	a.writeJSON(&x)
	b.writeJSON(&y)
	return bytes.Equal(x.Bytes(), y.Bytes())
}

// plain reports whether a scalar has neither quotes nor a tag, so that its type follows from its text.
func plain(n *yaml.Node) bool {
	return n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) == 0
}

// keyKind returns the kind of a key; tag is one that makes it something other than text.
func keyKind(n *yaml.Node) (kind yaml11.Kind, tag string) {
	if n.Kind == yaml.ScalarNode && plain(n) {
		return yaml11.Read(n.Value).Kind, ""
	}
	if tag := n.ShortTag(); n.Style&yaml.TaggedStyle != 0 && tag != "!!str" {
		return 0, tag
	}
	return yaml11.Text, ""
}

// scalar reads a single value: plain ones as in YAML 1.1, like Ansible. Numbers keep all their digits; dates stay the
// text that was written.
func (y *yamlReader) scalar(n *yaml.Node) *tree {
	if y.bareTag(n) {
		return brokenTree(n.Line, "has the tag !, which a fleet file does not support; remove it")
	}
	if plain(n) {
		if strings.HasSuffix(n.Value, ":") {
			return brokenTree(n.Line, fmt.Sprintf("%s ends with a colon, which only keys do; put it in quotes", shortened(n.Value)))
		}
		t := scalarTree(n, yaml11.Read(n.Value))
		t.plain, t.written = true, n.Value
		return t
	}
	tag := n.ShortTag()
	wrong := brokenTree(n.Line, fmt.Sprintf("%q does not match its tag %s; correct one of them", n.Value, tag))
	s := yaml11.Read(n.Value)
	switch tag {
	case "!!str":
		return leaf(n.Line, text, n.Value)
	case "!!null":
		if s.Kind != yaml11.Null {
			return wrong
		}
	case "!!bool":
		if s.Kind != yaml11.Bool {
			return wrong
		}
	case "!!int":
		if s.Kind != yaml11.Int {
			return wrong
		}
	case "!!float":
		var ok bool
		if s, ok = yaml11.ReadFloat(n.Value); !ok {
			return wrong
		}
	case "!!timestamp":
		if s.Kind != yaml11.Date {
			return wrong
		}
	default:
		return unknownTag(n)
	}
	return scalarTree(n, s)
}

// scalarTree returns the value of a scalar, or why it has none.
func scalarTree(n *yaml.Node, s yaml11.Scalar) *tree {
	switch {
	case s.Problem != "":
		return brokenTree(n.Line, fmt.Sprintf("%s %s; put it in quotes or choose another value", shortened(n.Value), s.Problem))
	case s.Base60:
		return brokenTree(n.Line, fmt.Sprintf("Ansible reads %s as the number %s, because digits separated by colons are a base-60 number in YAML 1.1; put it in quotes if it is text, or write the number",
			shortened(n.Value), shortened(s.Text)))
	}
	switch s.Kind {
	case yaml11.Null:
		return leaf(n.Line, null, "")
	case yaml11.Bool:
		return leaf(n.Line, boolean, s.Text)
	case yaml11.Int, yaml11.Float:
		return leaf(n.Line, number, s.Text)
	case yaml11.Merge, yaml11.Value:
		return brokenTree(n.Line, fmt.Sprintf("%s has a special meaning in YAML; put it in quotes if it is text", n.Value))
	}
	t := leaf(n.Line, text, n.Value)
	if s.Kind == yaml11.Date && s.Text != n.Value {
		t.note = fmt.Sprintf("is a date with a time, which JSON does not have, so it stays text as written here, but Ansible reads it as %s; put it in quotes", s.Text)
	}
	return t
}

// bareTag finds what may be the tag ! alone.
var bareTag = value.LazyPattern(`![\s,\]}]|!\z`)

// bareTag reports whether the tag of a scalar is ! alone, which the library drops: with it, Ansible reads a text in
// quotes as a number, and an empty one as a text.
func (y *yamlReader) bareTag(n *yaml.Node) bool {
	const longest = 10_000 // characters of a line that are examined
	if n.Style&yaml.TaggedStyle != 0 || n.Line > len(y.lines) || len(y.lines[n.Line-1]) > longest {
		return false
	}
	rest := []rune(string(y.lines[n.Line-1]))
	if n.Column > len(rest) {
		return false
	}
	at := string(rest[n.Column-1:])
	if strings.HasPrefix(at, "&") {
		_, at, _ = strings.Cut(at, " ")
		at = strings.TrimLeft(at, " ")
	}
	return strings.HasPrefix(at, "!")
}

// shortened returns a scalar for an error.
func shortened(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return s
}

// unknownTag refuses tags without a meaning in JSON. Ansible's own tags get a message of their own.
func unknownTag(n *yaml.Node) *tree {
	switch tag := n.ShortTag(); tag {
	case "!unsafe":
		return brokenTree(n.Line, "has the tag !unsafe, which a fleet file does not support; remove it: the inventory marks templates as unsafe by itself")
	case "!vault":
		return brokenTree(n.Line, "is encrypted with Ansible Vault; a fleet file cannot contain such values, keep them in Ansible's own group_vars and host_vars")
	case "!!binary":
		return brokenTree(n.Line, "is binary, which JSON does not support; write it as text")
	default:
		return brokenTree(n.Line, fmt.Sprintf("has the tag %s, which a fleet file does not support; remove it", tag))
	}
}
