package jsontext

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value"
)

// Kind tells which of JSON's types a [Value] has.
type Kind uint8

// The kinds of a [Value]. Integer and Float are told apart by their text, as
// the contract's schema does: 1 is an integer, 1.0 and 1e3 are not.
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
// Text holds a number as it was written, or a string decoded to UTF-8, where
// a lone surrogate is kept as its three-byte (WTF-8) form. Members keeps the
// document's order; of a repeated key the last value wins.
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

// Get returns the value of key in an object, and whether it is there.
func (v Value) Get(key string) (Value, bool) {
	for i := range v.Members {
		if v.Members[i].Key == key {
			return v.Members[i].Value, true
		}
	}
	return Value{}, false
}

// MaxDepth is how deep arrays and objects may be nested in a document.
const MaxDepth = 512

// ErrNotFinite is returned by [Parse] for NaN and Infinity, which Python's
// parser accepts but which are not JSON and cannot be stored.
var ErrNotFinite = errors.New("NaN and Infinity are not JSON values")

// ErrTooDeep is returned by [Parse] for a document nested over [MaxDepth].
var ErrTooDeep = fmt.Errorf("JSON is nested more than %d levels deep", MaxDepth)

// Parse reads one JSON document. Errors are [ErrNotFinite], [ErrTooDeep], or
// say at which byte the text stops being JSON.
func Parse(data []byte) (Value, error) {
	p := parser{data: data}
	p.space()
	v, err := p.value(0)
	if err != nil {
		return Value{}, err
	}
	p.space()
	if p.pos != len(data) {
		return Value{}, p.bad("unexpected text after the value")
	}
	return v, nil
}

type parser struct {
	data []byte
	pos  int
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
		return Value{}, ErrNotFinite
	}
	return Value{}, p.bad("not a JSON value")
}

func (p *parser) object(depth int) (Value, error) {
	v := Value{Kind: Object}
	p.pos++
	p.space()
	if p.take("}") {
		return v, nil
	}
	at := map[string]int{}
	for {
		p.space()
		if p.pos >= len(p.data) || p.data[p.pos] != '"' {
			return Value{}, p.bad("a key in double quotes is missing")
		}
		key, err := p.str()
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
		if i, again := at[key]; again {
			v.Members[i].Value = member
		} else {
			at[key] = len(v.Members)
			v.Members = append(v.Members, Member{Key: key, Value: member})
		}
		p.space()
		if p.take("}") {
			return v, nil
		}
		if !p.take(",") {
			return Value{}, p.bad("a comma or } is missing")
		}
	}
}

func (p *parser) array(depth int) (Value, error) {
	v := Value{Kind: Array}
	p.pos++
	p.space()
	if p.take("]") {
		return v, nil
	}
	for {
		p.space()
		item, err := p.value(depth + 1)
		if err != nil {
			return Value{}, p.below(func(err error) error { return value.At(len(v.Items), err) }, err)
		}
		v.Items = append(v.Items, item)
		p.space()
		if p.take("]") {
			return v, nil
		}
		if !p.take(",") {
			return Value{}, p.bad("a comma or ] is missing")
		}
	}
}

// below says where a number is that cannot be stored; other errors say at which byte.
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
		return Value{}, ErrNotFinite
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
	return Value{Kind: kind, Text: string(p.data[start:p.pos])}, nil
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
		return string(raw), nil
	}
	text := append([]byte(nil), p.data[start:p.pos]...)
	for p.pos < len(p.data) {
		c := p.data[p.pos]
		switch {
		case c == '"':
			p.pos++
			if !validWTF8(text) {
				return "", p.bad("a string is not UTF-8")
			}
			return string(text), nil
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
			var err error
			if text, err = p.escape(text); err != nil {
				return "", err
			}
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
		r, ok := p.hex4()
		if !ok {
			return nil, p.bad("\\u needs four hexadecimal digits")
		}
		if r >= 0xD800 && r < 0xDC00 {
			at := p.pos
			if p.take(`\u`) {
				if low, ok := p.hex4(); ok && low >= 0xDC00 && low < 0xE000 {
					return utf8.AppendRune(text, 0x10000+(r-0xD800)<<10+(low-0xDC00)), nil
				}
			}
			p.pos = at
		}
		if r >= 0xD800 && r < 0xE000 {
			return append(text, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F), nil
		}
		return utf8.AppendRune(text, r), nil
	}
	return nil, p.bad("unknown escape in a string")
}

func (p *parser) hex4() (rune, bool) {
	if p.pos+4 > len(p.data) {
		return 0, false
	}
	var r rune
	for _, c := range p.data[p.pos : p.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	p.pos += 4
	return r, true
}

// surrogate reports whether s begins with a surrogate in WTF-8.
func surrogate[T string | []byte](s T) bool {
	return len(s) >= 3 && s[0] == 0xED && s[1] >= 0xA0 && s[1] < 0xC0 && s[2] >= 0x80 && s[2] < 0xC0
}

func validWTF8(text []byte) bool {
	for len(text) > 0 {
		if surrogate(text) {
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
