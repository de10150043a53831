package jsontext

import (
	"strconv"
	"strings"
)

// Start is how a text begins: with Text, or it is Text as a whole.
type Start struct {
	Text  string
	Whole bool
}

// List is how the canonical text of every array begins.
var List = Start{Text: "["}

// Bounds of what is said of a number: a few digits tell most numbers apart.
const (
	maxStartDigits = 12
	maxStartZeros  = 6
)

// Starts are how the canonical texts of all values begin that contain v: what an index of the beginnings of texts can
// look for. Few other values begin so, but where an array or object is looked for nothing useful is known: then there
// are none.
func (v Value) Starts() []Start {
	switch v.Kind {
	case Array, Object:
		return nil
	case Integer, Float:
		return append(startsOfNumber(v.Text), List)
	}
	return []Start{{Text: v.Compact(), Whole: true}, List}
}

// startsOfNumber are how a number begins, in all the ways to write it: 170 is 170.0, 1.7e2, 0.17E3, and 1700e-1 too.
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
	for i := range shown { // the point may be within them
		add(sign + shown[:i+1] + ".")
	}
	written := sign + shown
	if len(digits) > maxStartDigits || integer && zeros > maxStartZeros {
		return append(all, Start{Text: written})
	}
	for n := range zeros + 2 { // or further behind, where an exponent takes that back
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

// significant are the digits of a JSON number without the zeros around them, none of zero; and how many zeros follow if
// it is an integer.
func significant(text string) (digits string, zeros int, integer bool) {
	mantissa, exponent := strings.TrimPrefix(text, "-"), "0"
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		mantissa, exponent = mantissa[:i], mantissa[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	point := len(digits) - len(fraction) // where it is, counted from the first of the digits
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
