package ansible

import (
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value/python"
)

// parseLiteral parses a Python literal, as ast.literal_eval does: the str() of a dict is common in variables. It
// supports what JSON can represent: dicts, lists and tuples (both become lists), strings, numbers, True, False, None;
// not sets, bytes and complex numbers. Comments and line breaks count as spaces within brackets, that is, everywhere in
// a dict.
func parseLiteral(s string) (any, error) {
	p := &literal{s: strings.TrimLeft(s, " \t")}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.i < len(p.s) {
		return nil, errLiteral
	}
	return v, nil
}

var errLiteral = errors.New("malformed literal")

type literal struct {
	s string
	i int
}

// space skips blanks, line ends, comments and joined lines.
func (p *literal) space() {
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			p.i++
		case c == '#':
			if n := strings.IndexByte(p.s[p.i:], '\n'); n >= 0 {
				p.i += n
			} else {
				p.i = len(p.s)
			}
		case c == '\\' && p.i+1 < len(p.s) && p.s[p.i+1] == '\n':
			p.i += 2
		default:
			return
		}
	}
}

// peek returns the next byte that is not a space, 0 at the end.
func (p *literal) peek() byte {
	p.space()
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// take consumes c if it comes next.
func (p *literal) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.i++
	return true
}

// Python's own parser refuses more than 200 nested brackets.
const literalDepth = 200

func (p *literal) value(depth int) (any, error) {
	if depth > literalDepth {
		return nil, errLiteral
	}
	switch c := p.peek(); {
	case c == '{':
		p.i++
		return p.dict(depth)
	case c == '[':
		p.i++
		list, _, err := p.list(']', depth)
		return list, err
	case c == '(':
		p.i++
		list, comma, err := p.list(')', depth)
		if err == nil && len(list) == 1 && !comma {
			return list[0], nil // (x) is x
		}
		return list, err
	case c == '\'' || c == '"' || isLetter(c):
		return p.word()
	case c == '-' || c == '+':
		p.i++
		n, err := p.value(depth + 1)
		number, ok := n.(json.Number)
		if err != nil || !ok || strings.HasPrefix(string(number), "-") {
			return nil, errLiteral
		}
		if c == '-' && number != "0" {
			number = "-" + number
		}
		return number, nil
	case isDigit(c) || c == '.':
		return p.number()
	}
	return nil, errLiteral
}

func (p *literal) dict(depth int) (any, error) {
	d := newDict()
	for !p.take('}') {
		key, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		name, ok := jsonKey(key)
		if !ok || !p.take(':') {
			return nil, errLiteral
		}
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d.set(name, value)
		if !p.take(',') && p.peek() != '}' {
			return nil, errLiteral
		}
	}
	return d, nil
}

// jsonKey returns the key that json.dumps makes of a key that is not a string.
func jsonKey(key any) (string, bool) {
	switch key := key.(type) {
	case string:
		return key, true
	case json.Number:
		return python.Number(string(key)), true
	case bool:
		return strconv.FormatBool(key), true
	case nil:
		return "null", true
	}
	return "", false
}

// list reads elements up to end, and whether a comma followed the last one.
func (p *literal) list(end byte, depth int) (list []any, comma bool, err error) {
	list = []any{}
	for !p.take(end) {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, false, err
		}
		list = append(list, v)
		if comma = p.take(','); !comma && p.peek() != end {
			return nil, false, errLiteral
		}
	}
	return list, comma, nil
}

// word reads True, False, None, or adjacent strings, which are joined.
func (p *literal) word() (any, error) {
	start := p.i
	for p.i < len(p.s) && (isLetter(p.s[p.i]) || isDigit(p.s[p.i])) {
		p.i++
	}
	name := p.s[start:p.i]
	if p.i >= len(p.s) || p.s[p.i] != '\'' && p.s[p.i] != '"' {
		switch name {
		case "True":
			return true, nil
		case "False":
			return false, nil
		case "None":
			return nil, nil
		}
		return nil, errLiteral
	}
	p.i = start
	var b []byte
	for c := p.peek(); c == '\'' || c == '"' || isLetter(c); c = p.peek() {
		var err error
		if b, err = p.str(b); err != nil {
			return nil, err
		}
	}
	return string(b), nil
}

// str appends one string literal, of any quoting, raw or not.
func (p *literal) str(b []byte) ([]byte, error) {
	raw := false
	switch c := p.s[p.i]; c {
	case 'r', 'R':
		raw = true
		p.i++
	case 'u', 'U':
		p.i++
	}
	if p.i >= len(p.s) || p.s[p.i] != '\'' && p.s[p.i] != '"' {
		return nil, errLiteral
	}
	quote := p.s[p.i : p.i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(p.s[p.i:], triple) {
		quote = triple
	}
	p.i += len(quote)
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case strings.HasPrefix(p.s[p.i:], quote):
			p.i += len(quote)
			return b, nil
		case c == '\n' && len(quote) == 1:
			return nil, errLiteral
		case c == '\\' && p.i+1 < len(p.s):
			if raw {
				b = append(b, p.s[p.i:p.i+2]...)
				p.i += 2
				continue
			}
			var err error
			if b, err = p.escape(b); err != nil {
				return nil, err
			}
		default:
			b = append(b, c)
			p.i++
		}
	}
	return nil, errLiteral
}

// escape appends the character for a backslash sequence.
func (p *literal) escape(b []byte) ([]byte, error) {
	c := p.s[p.i+1]
	p.i += 2
	const letters = "abfnrtv\\'\"\n"
	const meaning = "\a\b\f\n\r\t\v\\'\""
	if n := strings.IndexByte(letters, c); n >= 0 {
		if n < len(meaning) {
			b = append(b, meaning[n])
		}
		return b, nil // an escaped line end is removed
	}
	digits := 0
	switch c {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n := rune(c - '0')
		for k := 0; k < 2 && p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '7'; k++ {
			n = n*8 + rune(p.s[p.i]-'0')
			p.i++
		}
		return utf8.AppendRune(b, n), nil
	case 'N':
		return nil, errLiteral // \N{NAME}: nothing writes it
	default:
		return append(b, '\\', c), nil
	}
	if p.i+digits > len(p.s) {
		return nil, errLiteral
	}
	n, err := strconv.ParseUint(p.s[p.i:p.i+digits], 16, 32)
	if err != nil || n > utf8.MaxRune {
		return nil, errLiteral
	}
	p.i += digits
	return utf8.AppendRune(b, rune(n)), nil
}

func (p *literal) number() (any, error) {
	start := p.i
	for p.i < len(p.s) {
		c := p.s[p.i]
		exponent := (c == '+' || c == '-') && (p.s[p.i-1] == 'e' || p.s[p.i-1] == 'E') && !strings.HasPrefix(p.s[start:], "0x") && !strings.HasPrefix(p.s[start:], "0X")
		if !isLetter(c) && !isDigit(c) && c != '.' && !exponent {
			break
		}
		p.i++
	}
	text := p.s[start:p.i]
	if len(text) > 1 && text[0] == '0' && strings.ContainsRune("xXoObB", rune(text[1])) {
		if n, ok := new(big.Int).SetString(text, 0); ok {
			return json.Number(n.String()), nil
		}
		return nil, errLiteral
	}
	n, ok := cleanNumber(text)
	if !ok {
		return nil, errLiteral
	}
	if isInt(n) {
		if digits := strings.TrimLeft(string(n), "0"); len(digits) != len(n) && digits != "" {
			return nil, errLiteral // 0644 is not a number in Python 3
		} else if digits == "" {
			n = "0"
		}
		if len(n) > maxDigits {
			return nil, errLiteral
		}
		return n, nil
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return nil, errLiteral
	}
	return json.Number(python.Float(f)), nil
}

// cleanNumber checks the syntax of an unsigned decimal number as in Python's int, float and decimal, and removes
// underscores.
func cleanNumber(s string) (json.Number, bool) {
	var b []byte
	digits, point, exponent := 0, false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isDigit(c):
			digits++
			b = append(b, c)
		case c == '_':
			if i == 0 || i+1 == len(s) || !isDigit(s[i-1]) || !isDigit(s[i+1]) {
				return "", false
			}
		case c == '.' && !point && !exponent:
			point = true
			b = append(b, c)
		case (c == 'e' || c == 'E') && !exponent && digits > 0:
			exponent = true
			digits = 0
			b = append(b, 'e')
			if i+1 < len(s) && (s[i+1] == '+' || s[i+1] == '-') {
				i++
				b = append(b, s[i])
			}
		default:
			return "", false
		}
	}
	return json.Number(b), digits > 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}
