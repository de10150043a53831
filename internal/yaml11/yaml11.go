// Package yaml11 reads plain scalars, those without quotes and tags, as YAML 1.1 and with it PyYAML and Ansible do.
// YAML 1.2, which the YAML library of Go follows for the most part, means something else by many of them: no, 0819,
// 0o17, 1e3, 12:30.
//
//	s := yaml11.Read("0644")   // Int, Text 420
//	s = yaml11.Read("1e3")     // Text: in YAML 1.1 an exponent has a sign, and a point before it
//
// It writes JSON, too, as YAML that readers of either version take for the same ([Style]).
//
// A test reads thousands of spellings with the YAML loader of the releases of ansible-core that we support, and
// compares.
package yaml11

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/craton-fleet/craton/internal/value"
)

// Kind is the type of a plain scalar.
type Kind int

// The kinds are the tags that PyYAML finds for plain scalars.
const (
	Text Kind = iota
	Null
	Bool
	Int
	Float
	Date  // with or without a time
	Merge // <<
	Value // =
)

// String returns the kind as an error names it.
func (k Kind) String() string {
	return [...]string{"text", "nothing", "true or false", "a number", "a number", "a date", "a merge key", "a default value"}[k]
}

// Scalar is the meaning of a plain scalar.
type Scalar struct {
	Kind Kind
	// Text is JSON for Bool, Int, Float and Null. Of a Date it is the text that Ansible makes of it in JSON; of all
	// others the scalar itself.
	Text string
	// Base60 is set for a number that was written with colons, such as 12:30, which is 750. Hardly anybody means it.
	Base60 bool
	// Problem is why the scalar has no value, although it is of its Kind: PyYAML cannot read it (0b_, 2024-13-45), or
	// JSON has no such number (.inf, .nan). It completes a sentence that begins with the scalar.
	Problem string
}

// maxDigits is how many decimal digits of an integer Python reads and writes.
const maxDigits = value.MaxDigits

// The patterns are PyYAML's (yaml/resolver.py, 6.0). They are compiled when they are first needed.
var (
	intPattern = pattern(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+` +
		`|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)
	floatPattern = pattern(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?` +
		`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	datePattern = pattern(`^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}` +
		`|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$`)
	dateParts = pattern(`^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})` +
		`(?:(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?(?:[ \t]*(Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?)?$`)
)

func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// Read returns what a plain scalar means.
func Read(plain string) Scalar {
	switch plain {
	case "", "~", "null", "Null", "NULL":
		return Scalar{Kind: Null, Text: "null"}
	case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return Scalar{Kind: Bool, Text: "true"}
	case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return Scalar{Kind: Bool, Text: "false"}
	case "<<":
		return Scalar{Kind: Merge, Text: plain}
	case "=":
		return Scalar{Kind: Value, Text: plain}
	}
	switch c := plain[0]; {
	case c >= '0' && c <= '9', c == '-', c == '+', c == '.':
	default:
		return Scalar{Text: plain}
	}
	if strings.Count(plain, ".") > 1 { // an address, a version
		return Scalar{Text: plain}
	}
	switch {
	case floatPattern().MatchString(plain):
		return readFloat(plain)
	case intPattern().MatchString(plain):
		return readInt(plain)
	case datePattern().MatchString(plain):
		return readDate(plain)
	}
	return Scalar{Text: plain}
}

func readInt(plain string) Scalar {
	s := Scalar{Kind: Int, Base60: strings.Contains(plain, ":")}
	digits := strings.ReplaceAll(plain, "_", "")
	digits, negative := strings.CutPrefix(digits, "-")
	digits = strings.TrimPrefix(digits, "+")
	n, ok := new(big.Int), true
	switch {
	case strings.HasPrefix(digits, "0b"):
		_, ok = n.SetString(digits[2:], 2)
	case strings.HasPrefix(digits, "0x"):
		_, ok = n.SetString(digits[2:], 16)
	case digits[0] == '0':
		_, ok = n.SetString(digits, 8)
	case s.Base60 && len(digits) > 3*maxDigits:
		ok = false
	case s.Base60:
		for part := range strings.SplitSeq(digits, ":") {
			digit, isNumber := new(big.Int).SetString(part, 10)
			if ok = ok && isNumber; ok {
				n.Add(n.Mul(n, big.NewInt(60)), digit)
			}
		}
	case len(digits) > maxDigits:
		ok = false
	default:
		_, ok = n.SetString(digits, 10)
	}
	if !ok || n.BitLen() > maxDigits*4 { // more bits than that many digits can have
		s.Problem = "is a number that Python cannot read"
		return s
	}
	if negative {
		n.Neg(n)
	}
	if s.Text = n.String(); len(strings.TrimPrefix(s.Text, "-")) > maxDigits {
		s.Problem = "is a number that Python cannot read"
	}
	return s
}

func readFloat(plain string) Scalar {
	s := Scalar{Kind: Float}
	text := strings.ReplaceAll(plain, "_", "")
	digits, negative := strings.CutPrefix(text, "-")
	digits = strings.TrimPrefix(digits, "+")
	switch lower := strings.ToLower(digits); {
	case lower == ".inf" || lower == ".nan":
		s.Problem = "is not a number that JSON can represent"
		return s
	case strings.Contains(digits, ":"):
		s.Base60 = true
		v := base60(digits)
		if math.IsInf(v, 0) {
			s.Problem = "is not a number that JSON can represent"
			return s
		}
		if digits = strconv.FormatFloat(v, 'g', -1, 64); !strings.ContainsAny(digits, ".e") {
			digits += ".0"
		}
	}
	s.Text = jsonFloat(digits)
	if negative {
		s.Text = "-" + s.Text
	}
	return s
}

// base60 computes as Python does, rounding included.
func base60(digits string) float64 {
	parts := strings.Split(digits, ":")
	value, base := 0.0, big.NewInt(1)
	for i := len(parts) - 1; i >= 0; i-- {
		digit, _ := strconv.ParseFloat(parts[i], 64)
		factor, _ := new(big.Float).SetInt(base).Float64()
		if math.IsInf(factor, 0) {
			return factor
		}
		value += digit * factor
		base.Mul(base, big.NewInt(60))
	}
	return value
}

// jsonFloat writes digits, a point and perhaps an exponent as JSON has them, all digits kept: a floating-point number
// for every reader, since it has a point or an exponent.
func jsonFloat(digits string) string {
	exponent := ""
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		digits, exponent = digits[:i], digits[i:]
	}
	whole, fraction, point := strings.Cut(digits, ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction == "" {
		if !point && exponent != "" {
			return whole + exponent
		}
		fraction = "0"
	}
	return whole + "." + fraction + exponent
}

// ReadFloat returns what a scalar means that has the tag !!float: what Python's float reads beside the spellings of
// plain ones, such as 1 and 1e3.
func ReadFloat(text string) (Scalar, bool) {
	if floatPattern().MatchString(text) {
		return readFloat(text), true
	}
	digits, negative := strings.CutPrefix(text, "-")
	if !digitsPattern().MatchString(digits) {
		return Scalar{}, false
	}
	s := Scalar{Kind: Float, Text: jsonFloat(digits)}
	if negative {
		s.Text = "-" + s.Text
	}
	return s, true
}

var digitsPattern = pattern(`^[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$`)

// readDate checks a date as Python's datetime does, and writes it as its isoformat.
func readDate(plain string) Scalar {
	s := Scalar{Kind: Date}
	p := dateParts().FindStringSubmatch(plain)
	number := func(i int) int { n, _ := strconv.Atoi(p[i]); return n }
	year, month, day, hour, minute, second := number(1), number(2), number(3), number(4), number(5), number(6)
	day1 := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if year < 1 || month < 1 || month > 12 || day1.Month() != time.Month(month) || day1.Day() != day || hour > 23 || minute > 59 || second > 59 {
		s.Problem = "is a date that does not exist"
		return s
	}
	s.Text = day1.Format(time.DateOnly)
	if p[4] == "" {
		return s
	}
	s.Text += time.Date(0, 1, 1, hour, minute, second, 0, time.UTC).Format("T15:04:05")
	if micro, _ := strconv.Atoi((p[7] + "000000")[:6]); micro > 0 {
		s.Text += "." + (p[7] + "000000")[:6]
	}
	offset := number(10)*60 + number(11)
	switch {
	case offset >= 24*60:
		s.Problem = "is a date that does not exist"
	case p[8] == "Z" || p[9] != "" && offset == 0:
		s.Text += "+00:00"
	case p[9] != "":
		s.Text += p[9] + time.Date(0, 1, 1, 0, offset, 0, 0, time.UTC).Format("15:04")
	}
	return s
}
