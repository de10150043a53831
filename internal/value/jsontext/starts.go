package jsontext

import (
	"strconv"
	"strings"
)

// Start is the beginning of a text, or the complete text.
type Start struct {
	Text  string
	Whole bool
}

// List is the beginning of the canonical text of every array.
var List = Start{Text: "["}

// Limits for numbers: a few digits distinguish most of them.
const (
	maxStartDigits = 12
	maxStartZeros  = 6
)

// Starts are the possible beginnings of the canonical text of all values that contain v: an index on beginnings of
// texts can be searched for them. Few other values begin like this. For an array or object nothing useful is known, and
// there are none.
func (v Value) Starts() []Start {
	switch v.Kind {
	case Array, Object:
		return nil
	case Integer, Float:
		return append(startsOfNumber(v.Text), List)
	}
	return []Start{{Text: v.Compact(), Whole: true}, List}
}

// startsOfNumber returns the beginnings of a number in all its spellings: 170 is also 170.0, 1.7e2, 0.17E3, and
// 1700e-1.
func startsOfNumber(text string) (all []Start) {
	add := func(text string) { all = append(all, Start{Text: text}) }
	exponents := func(text string) { add(text + "e"); add(text + "E") }
	digits, zeros, integer := significant(text)
	if digits == "" {
		for _, zero := range []string{"0", "-0"} {
			all = append(all, Start{Text: zero, Whole: true})
			add(zero + ".")
			exponents(zero)
		}
		return all
	}
	sign := ""
	if text[0] == '-' {
		sign = "-"
	}
	add(sign + "0.")
	shown := digits[:min(len(digits), maxStartDigits)]
	for i := range shown { // the point may be between them
		add(sign + shown[:i+1] + ".")
	}
	written := sign + shown
	if len(digits) > maxStartDigits || integer && zeros > maxStartZeros {
		return append(all, Start{Text: written})
	}
	for n := range zeros + 2 { // or after them, if an exponent compensates for that
		if n > 0 {
			add(written + ".")
		}
		if integer && n == zeros {
			all = append(all, Start{Text: written, Whole: true})
		}
		exponents(written)
		written += "0"
	}
	return append(all, Start{Text: written})
}

// significant returns the digits of a JSON number without the zeros around them, none for zero; and the number of
// trailing zeros if it is an integer.
func significant(text string) (digits string, zeros int, integer bool) {
	mantissa, exponent := strings.TrimPrefix(text, "-"), "0"
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		mantissa, exponent = mantissa[:i], mantissa[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	point := len(digits) - len(fraction) // its position, relative to the first of the digits
	digits = strings.TrimRight(digits, "0")
	shift, err := strconv.Atoi(exponent)
	if err != nil {
		return digits, maxStartZeros + 1, true // however many
	}
	if zeros = point + shift - len(digits); zeros < 0 {
		return digits, 0, false
	}
	return digits, zeros, true
}
