package jsontext

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value"
)

// Kind is the JSON type of a [Value].
type Kind uint8

// The kinds of a [Value]. Integer and Float are distinguished by their text, as in the contract's schema: 1 is an
// integer, 1.0 and 1e3 are not.
const (
	Null Kind = iota
	False
	True
	Integer
	Float
	String
	Array
	Object
)

// Value is one parsed JSON value.
//
// Text is a number as written, or a string decoded to UTF-8, in which a lone surrogate has its three-byte (WTF-8) form.
// Members have the document's order; of duplicate keys the last value counts.
type Value struct {
	Kind    Kind
	Text    string
	Items   []Value
	Members []Member
}

// Member is one key and value of an object.
type Member struct {
	Key   string
	Value Value
}

// Get returns the value of key in an object, and whether it exists.
func (v Value) Get(key string) (Value, bool) {
	for i := range v.Members {
		if v.Members[i].Key == key {
			return v.Members[i].Value, true
		}
	}
	return Value{}, false
}

// MaxDepth is the maximum nesting of arrays and objects in a document.
const MaxDepth = 512

// ErrNotFinite is returned by [Parse] for NaN and Infinity, which Python's
// parser accepts but which are not JSON and cannot be stored.
var ErrNotFinite = errors.New("NaN and Infinity are not JSON values")

// ErrTooDeep is returned by [Scan] for a document with more than [MaxDepth] levels.
var ErrTooDeep = fmt.Errorf("JSON is nested more than %d levels deep", MaxDepth)

// MaxValues is the maximum number of values in a document, including keys. A value takes 72 bytes in memory and a
// member 88, whatever the length of its text: "1," has two bytes.
const MaxValues = 100_000

// ErrTooMany is returned by [Scan] for a document with more than [MaxValues].
var ErrTooMany = fmt.Errorf("JSON has more than %d values", MaxValues)

// Parse parses one JSON document. Errors are [ErrNotFinite], [ErrTooDeep], [ErrTooMany], or contain the offset at which
// the text stops being JSON.
func Parse(data []byte) (Value, error) {
	d, err := Scan(data)
	if err != nil {
		return Value{}, err
	}
	return d.Value()
}

// Document is text that [Scan] has read.
type Document struct {
	data   []byte
	counts []uint32 // of what is in each array and object, in their order
	values int
}

// Values returns the number of values in the document, including keys.
func (d *Document) Values() int { return d.values }

// Scan checks one JSON document without creating values: text that is not JSON, too deep, or with too many values takes
// hardly any memory.
func Scan(data []byte) (*Document, error) {
	p := parser{data: data, scan: true}
	if _, err := p.document(); err != nil {
		return nil, err
	}
	return &Document{data: data, counts: p.counts, values: p.values}, nil
}

// Value creates the value of a document. Its error is [ErrNotFinite].
func (d *Document) Value() (Value, error) {
	p := parser{data: d.data, counts: d.counts}
	return p.document()
}

type parser struct {
	data    []byte
	pos     int
	scan    bool     // nothing is created, only counted
	values  int      // counted so far
	counts  []uint32 // written by the scan, consumed by the second pass
	scratch []byte   // of strings with escapes
}

func (p *parser) document() (Value, error) {
	p.space()
	v, err := p.value(0)
	if err != nil {
		return Value{}, err
	}
	p.space()
	if p.pos != len(p.data) {
		return Value{}, p.bad("unexpected text after the value")
	}
	return v, nil
}

// count counts a value or a key.
func (p *parser) count() error {
	if p.values++; p.scan && p.values > MaxValues {
		return ErrTooMany
	}
	return nil
}

// begin begins an array or object: n is its number of elements, which the scan only determines at its end.
func (p *parser) begin() (at, n int) {
	if p.scan {
		p.counts = append(p.counts, 0)
		return len(p.counts) - 1, 0
	}
	n, p.counts = int(p.counts[0]), p.counts[1:]
	return 0, n
}

func (p *parser) end(at, n int) {
	if p.scan {
		p.counts[at] = uint32(n) //nolint:gosec // at most MaxValues
	}
}

func (p *parser) bad(what string) error {
	return fmt.Errorf("invalid JSON at byte %d: %s", p.pos, what)
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// take consumes literal if it comes next.
func (p *parser) take(literal string) bool {
	if len(p.data)-p.pos < len(literal) || string(p.data[p.pos:p.pos+len(literal)]) != literal {
		return false
	}
	p.pos += len(literal)
	return true
}

func (p *parser) value(depth int) (Value, error) {
	if depth > MaxDepth {
		return Value{}, ErrTooDeep
	}
	if err := p.count(); err != nil {
		return Value{}, err
	}
	if p.pos >= len(p.data) {
		return Value{}, p.bad("a value is missing")
	}
	switch c := p.data[p.pos]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.str()
		return Value{Kind: String, Text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case p.take("null"):
		return Value{Kind: Null}, nil
	case p.take("true"):
		return Value{Kind: True}, nil
	case p.take("false"):
		return Value{Kind: False}, nil
	case p.take("NaN"), p.take("Infinity"):
		return Value{}, p.notFinite()
	}
	return Value{}, p.bad("not a JSON value")
}

// notFinite returns the error for NaN and Infinity in the second pass: the scan continues, because it does not know the
// keys that lead there.
func (p *parser) notFinite() error {
	if p.scan {
		return nil
	}
	return ErrNotFinite
}

// members are the members of an object that is being parsed. Small objects, of which there may be many, do not use a
// map.
type members struct {
	list []Member
	at   map[string]int
}

// smallObject is the number of members that are searched one by one.
const smallObject = 16

func (m *members) set(key string, v Value) {
	if m.at == nil && len(m.list) == smallObject {
		m.at = make(map[string]int, cap(m.list))
		for i := range m.list {
			m.at[m.list[i].Key] = i
		}
	}
	i, again := m.at[key]
	if m.at == nil {
		i = slices.IndexFunc(m.list, func(o Member) bool { return o.Key == key })
		again = i >= 0
	}
	if again {
		m.list[i].Value = v
		return
	}
	if m.at != nil {
		m.at[key] = len(m.list)
	}
	m.list = append(m.list, Member{Key: key, Value: v})
}

func (p *parser) object(depth int) (Value, error) {
	v := Value{Kind: Object}
	at, n := p.begin()
	p.pos++
	p.space()
	if p.take("}") {
		return v, nil
	}
	m := members{list: make([]Member, 0, n)}
	n = 0
	for {
		p.space()
		if p.pos >= len(p.data) || p.data[p.pos] != '"' {
			return Value{}, p.bad("a key in double quotes is missing")
		}
		key, err := p.str()
		if err == nil {
			err = p.count()
		}
		if err != nil {
			return Value{}, err
		}
		p.space()
		if !p.take(":") {
			return Value{}, p.bad("a colon is missing")
		}
		p.space()
		member, err := p.value(depth + 1)
		if err != nil {
			return Value{}, p.below(func(err error) error { return value.In(key, err) }, err)
		}
		if n++; !p.scan {
			m.set(key, member)
		}
		p.space()
		if p.take("}") {
			p.end(at, n)
			v.Members = m.list
			return v, nil
		}
		if !p.take(",") {
			return Value{}, p.bad("a comma or } is missing")
		}
	}
}

func (p *parser) array(depth int) (Value, error) {
	v := Value{Kind: Array}
	at, n := p.begin()
	p.pos++
	p.space()
	if p.take("]") {
		return v, nil
	}
	if !p.scan {
		v.Items = make([]Value, 0, n)
	}
	n = 0
	for {
		p.space()
		item, err := p.value(depth + 1)
		if err != nil {
			return Value{}, p.below(func(err error) error { return value.At(len(v.Items), err) }, err)
		}
		if n++; !p.scan {
			v.Items = append(v.Items, item)
		}
		p.space()
		if p.take("]") {
			p.end(at, n)
			return v, nil
		}
		if !p.take(",") {
			return Value{}, p.bad("a comma or ] is missing")
		}
	}
}

// The error for a number that cannot be stored contains its path; other errors contain an offset.
func (p *parser) below(in func(error) error, err error) error {
	if errors.Is(err, ErrNotFinite) {
		return in(err)
	}
	return err
}

func (p *parser) digits() int {
	start := p.pos
	for p.pos < len(p.data) && p.data[p.pos] >= '0' && p.data[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

func (p *parser) number() (Value, error) {
	start, kind := p.pos, Integer
	if p.take("-") && p.take("Infinity") {
		return Value{}, p.notFinite()
	}
	if !p.take("0") && p.digits() == 0 {
		return Value{}, p.bad("a digit is missing")
	}
	if p.take(".") {
		kind = Float
		if p.digits() == 0 {
			return Value{}, p.bad("a digit is missing")
		}
	}
	if p.take("e") || p.take("E") {
		kind = Float
		if !p.take("+") {
			p.take("-")
		}
		if p.digits() == 0 {
			return Value{}, p.bad("a digit is missing")
		}
	}
	if p.scan {
		return Value{}, nil
	}
	return Value{Kind: kind, Text: string(p.data[start:p.pos])}, nil
}

// text returns the contents of a string; nothing during a scan.
func (p *parser) text(b []byte) string {
	if p.scan {
		return ""
	}
	return string(b)
}

// str reads a string in double quotes.
func (p *parser) str() (string, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.data) && p.data[p.pos] != '"' && p.data[p.pos] != '\\' && p.data[p.pos] >= ' ' {
		p.pos++
	}
	if p.pos < len(p.data) && p.data[p.pos] == '"' {
		raw := p.data[start:p.pos]
		if !utf8.Valid(raw) {
			return "", p.bad("a string is not UTF-8")
		}
		p.pos++
		return p.text(raw), nil
	}
	text := append(p.scratch[:0], p.data[start:p.pos]...)
	defer func() { p.scratch = text }()
	for p.pos < len(p.data) {
		c := p.data[p.pos]
		switch {
		case c == '"':
			p.pos++
			if !validWTF8(text) {
				return "", p.bad("a string is not UTF-8")
			}
			return p.text(text), nil
		case c < ' ':
			return "", p.bad("a control character in a string must be escaped")
		case c != '\\':
			// A surrogate must come as an escape: raw it is not UTF-8.
			if c == 0xED && p.pos+1 < len(p.data) && p.data[p.pos+1] >= 0xA0 {
				return "", p.bad("a string is not UTF-8")
			}
			text = append(text, c)
			p.pos++
		default:
			more, err := p.escape(text)
			if err != nil {
				return "", err
			}
			text = more
		}
	}
	return "", p.bad("a string has no closing quote")
}

func (p *parser) escape(text []byte) ([]byte, error) {
	p.pos++
	if p.pos >= len(p.data) {
		return nil, p.bad("a string has no closing quote")
	}
	c := p.data[p.pos]
	p.pos++
	switch c {
	case '"', '\\', '/':
		return append(text, c), nil
	case 'b':
		return append(text, '\b'), nil
	case 'f':
		return append(text, '\f'), nil
	case 'n':
		return append(text, '\n'), nil
	case 'r':
		return append(text, '\r'), nil
	case 't':
		return append(text, '\t'), nil
	case 'u':
		r, n := value.DecodeEscape(p.data[p.pos-2:])
		if n == 0 {
			return nil, p.bad("\\u needs four hexadecimal digits")
		}
		p.pos += n - 2
		return value.AppendCharacter(text, r), nil
	}
	return nil, p.bad("unknown escape in a string")
}

func validWTF8(text []byte) bool {
	for len(text) > 0 {
		if _, half := value.SurrogateHalf(text); half {
			text = text[3:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			return false
		}
		text = text[n:]
	}
	return true
}
