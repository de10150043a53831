package value

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
)

// EqualJSON compares the meaning of two JSON values: the order of keys, escapes and whitespace do not matter, and
// numbers are compared as exact decimal values (1, 1.0 and 10e-1 are equal; 9007199254740993 and 9007199254740992 are
// not).
func EqualJSON(a, b json.RawMessage) bool {
	switch {
	case bytes.Equal(a, b):
		return true
	case differ(a, b):
		return false
	}
	x, errX := Decode(a)
	y, errY := Decode(b)
	return errX == nil && errY == nil && equalValues(x, y)
}

// differ reports whether two different texts certainly mean different values, so that they need not be decoded: nearly
// all compared values are short texts and integers.
func differ(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 || strings.IndexByte(" \t\r\n", a[0]) >= 0 || strings.IndexByte(" \t\r\n", b[0]) >= 0 {
		return false
	}
	switch x, y := shapeOf(a[0]), shapeOf(b[0]); {
	case x != y:
		return true
	case x == '"':
		return isPlainText(a) && isPlainText(b)
	case x == '0':
		return isPlainNumber(a) && isPlainNumber(b)
	}
	return false
}

// shapeOf returns the first character of a value; the same one for all numbers.
func shapeOf(c byte) byte {
	if c == '-' || c >= '1' && c <= '9' {
		return '0'
	}
	return c
}

// isPlainText reports whether a JSON string has no escapes and is ASCII.
func isPlainText(s []byte) bool {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return false
	}
	for _, c := range s[1 : len(s)-1] {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// isPlainNumber reports whether a JSON number is an integer in its only plain spelling.
func isPlainNumber(s []byte) bool {
	if digits := bytes.TrimPrefix(s, []byte("-")); len(digits) == 0 || digits[0] == '0' && len(s) > 1 {
		return false
	}
	for i, c := range s {
		if (c < '0' || c > '9') && (c != '-' || i > 0) {
			return false
		}
	}
	return true
}

func equalValues(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, ok := b[k]; !ok || !equalValues(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equalValues(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && EqualNumber(a.String(), b.String())
	}
	return a == b
}

// EqualNumber compares two JSON numbers by their exact decimal value: 1 = 1.0 = 1e0, and two large integers that differ
// in the last digit differ. Numbers are never expanded: 1e999999999 would be huge.
func EqualNumber(a, b string) bool {
	if a == b {
		return true
	}
	x, y := decimalOf(a), decimalOf(b)
	return x.digits == y.digits && x.negative == y.negative && x.exponent.Cmp(&y.exponent) == 0
}

// decimal is a number as 0.digits × 10^exponent, with digits without leading and trailing zeros; zero has none.
type decimal struct {
	negative bool
	digits   string
	exponent big.Int
}

func decimalOf(s string) (d decimal) {
	s, d.negative = strings.CutPrefix(s, "-")
	mantissa, exponent := s, "0"
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], strings.TrimPrefix(s[i+1:], "+")
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	stripped := strings.TrimLeft(digits, "0")
	if stripped == "" {
		return decimal{}
	}
	d.digits = strings.TrimRight(stripped, "0")
	d.exponent.SetString(exponent, 10)
	d.exponent.Add(&d.exponent, big.NewInt(int64(len(whole)-(len(digits)-len(stripped)))))
	return d
}
