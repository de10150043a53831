package ansible

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/user"
	"regexp"
	"strconv"
	"strings"
	"sync"

	rules "github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/python"
)

// Coercion of values to option types, like ansible-core's module_utils/common/validation.py, with its error texts;
// where releases differ, like 2.21. TestAgainstAnsibleModule compares the two and lists every intended difference.

// maxDigits is the maximum length of integers, as in Python's conversion.
const maxDigits = rules.MaxDigits

// coerce converts a value that is not nil to a type.
func (v *validation) coerce(t Type, value any) (any, error) {
	switch t {
	case Str, "":
		return python.Str(value), nil
	case Int:
		return toInt(value)
	case Bool:
		return toBool(value)
	case Float:
		return toFloat(value)
	case List:
		return toList(value)
	case Dict:
		return toDict(value)
	case Path:
		return v.expandPath(python.Str(value)), nil
	case Raw:
		return value, nil
	case JSONArg:
		return toJSONArg(value)
	case Bytes:
		return toBytes(value, false)
	case Bits:
		return toBytes(value, true)
	}
	return nil, fmt.Errorf("internal error: unknown type %q", t)
}

func toInt(value any) (any, error) {
	switch v := value.(type) {
	case bool:
		n, _ := number(v)
		return n, nil
	case json.Number:
		if isInt(v) {
			return json.Number(python.Number(string(v))), nil
		}
		if n, ok := integral(string(v)); ok {
			return n, nil
		}
	case string:
		// Python's Decimal, unlike its int and float, takes _ anywhere.
		if n, ok := integral(strings.ReplaceAll(python.Strip(v), "_", "")); ok {
			return n, nil
		}
	}
	return nil, fmt.Errorf("\"%s\" cannot be converted to an int", python.Repr(value))
}

// integral parses a decimal number without a fraction: "8080", "8080.0", "8e3".
func integral(s string) (json.Number, bool) {
	sign := ""
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = "-", rest
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	clean, ok := cleanNumber(s)
	if !ok {
		return "", false
	}
	mantissa, exp, _ := strings.Cut(string(clean), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	shift := 0
	if exp != "" {
		n, err := strconv.Atoi(exp)
		if err != nil || n > maxDigits || n < -maxDigits {
			return "", false
		}
		shift = n
	}
	digits := whole + fraction
	point := len(whole) + shift // the start of the fraction
	switch {
	case point >= len(digits):
		digits += strings.Repeat("0", point-len(digits))
	case point < 0:
		point = 0
		fallthrough
	default:
		if strings.Trim(digits[point:], "0") != "" {
			return "", false
		}
		digits = digits[:point]
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return "0", true
	}
	if len(digits) > maxDigits {
		return "", false
	}
	return json.Number(sign + digits), true
}

func toBool(value any) (any, error) {
	switch v := value.(type) {
	case bool:
		return v, nil
	case string:
		if b, ok := boolWords[strings.ToLower(python.Strip(v))]; ok {
			return b, nil
		}
	case json.Number:
		if sameNumber(v, "1") {
			return true, nil
		}
		if sameNumber(v, "0") {
			return false, nil
		}
	default:
		return nil, fmt.Errorf("%s cannot be converted to a bool", pyClass(value))
	}
	return nil, message("The value '" + python.Str(value) + "' is not a valid boolean. Valid booleans include: " +
		"'y', 'yes', 'on', '1', 'true', 't', 1, 'n', 'no', 'off', '0', 'false', 'f', 0")
}

// message is an error with Ansible's text.
type message string

func (m message) Error() string { return string(m) }

var boolWords = map[string]bool{
	"y": true, "yes": true, "on": true, "1": true, "true": true, "t": true,
	"n": false, "no": false, "off": false, "0": false, "false": false, "f": false,
}

func toFloat(value any) (any, error) {
	text := ""
	switch v := value.(type) {
	case bool:
		n, _ := number(v)
		text = string(n)
	case json.Number:
		text = string(v)
	case string:
		text = python.Strip(v)
	}
	sign := ""
	if text != "" && (text[0] == '-' || text[0] == '+') {
		sign, text = text[:1], text[1:]
	}
	if n, ok := cleanNumber(text); ok {
		if f, err := strconv.ParseFloat(sign+string(n), 64); err == nil {
			return json.Number(python.Float(f)), nil
		}
	}
	return nil, fmt.Errorf("%s cannot be converted to a float", pyClass(value))
}

func toList(value any) (any, error) {
	switch v := value.(type) {
	case []any:
		return v, nil
	case string:
		list := []any{}
		for _, s := range strings.Split(v, ",") {
			list = append(list, s)
		}
		return list, nil
	case bool, json.Number:
		return []any{python.Str(v)}, nil
	}
	return nil, fmt.Errorf("%s cannot be converted to a list", pyClass(value))
}

func toDict(value any) (any, error) {
	switch v := value.(type) {
	case *dict:
		return v, nil
	case string:
		return parseDict(v)
	}
	return nil, fmt.Errorf("%s cannot be converted to a dict", pyClass(value))
}

// parseDict parses a dict from JSON, from a Python literal, or from k=v pairs separated by commas or spaces, with
// quotes and backslashes as in a shell.
func parseDict(s string) (*dict, error) {
	s = strings.ToValidUTF8(s, "\ufffd") // an environment variable may contain anything
	if strings.HasPrefix(s, "{") {
		v, err := decodeJSON([]byte(s))
		if err != nil {
			v, err = parseLiteral(s)
		}
		if d, ok := v.(*dict); ok && err == nil {
			return d, nil
		}
		return nil, errors.New("unable to evaluate string as dictionary")
	}
	if !strings.Contains(s, "=") {
		return nil, errors.New("dictionary requested, could not parse JSON or key=value")
	}
	d := newDict()
	var field []rune
	ok := true
	end := func() {
		if len(field) > 0 {
			key, value, found := strings.Cut(string(field), "=")
			d.set(key, value)
			ok = ok && found
		}
		field = nil
	}
	var quote rune
	escaped := false
	for _, c := range python.Strip(s) {
		switch {
		case escaped:
			field = append(field, c)
			escaped = false
		case c == '\\':
			escaped = true
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != 0 && quote == c:
			quote = 0
		case quote == 0 && (c == ',' || c == ' '):
			end()
		default:
			field = append(field, c)
		}
	}
	if end(); !ok {
		return nil, errors.New(`unable to evaluate string in the "key=value" format as dictionary`)
	}
	return d, nil
}

func toJSONArg(value any) (any, error) {
	switch v := value.(type) {
	case string:
		return python.Strip(v), nil
	case []any, *dict:
		return python.JSON(v), nil
	}
	return nil, fmt.Errorf("%s cannot be converted to a json string", pyClass(value))
}

var (
	sizeText = lazyRegexp(`^([0-9]*\.?[0-9]+)(?:[\s\x1c-\x1f\x0b\x85]*([A-Za-z]+))?[\s\x1c-\x1f\x0b\x85]*$`)
	sizeUnit = "BKMGTPEZY"
	unitName = []string{"", "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta"}
)

// lazyRegexp returns a function that compiles an expression when it is first needed, which is never for most tasks.
func lazyRegexp(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// toBytes parses "10M", "10 MB", "10megabyte" (or with bits "10Mb", "10megabit"); K is 1024.
func toBytes(value any, bits bool) (any, error) {
	word, letter, what := "byte", "B", "Byte"
	if bits {
		word, letter, what = "bit", "b", "Bit"
	}
	bad := fmt.Errorf("%s cannot be converted to a %s value", pyClass(value), what)
	m := sizeText().FindStringSubmatch(python.Str(value))
	if m == nil {
		return nil, bad
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return nil, bad
	}
	if unit := m[2]; unit != "" {
		power := strings.Index(sizeUnit, strings.ToUpper(unit[:1]))
		if power < 0 {
			return nil, bad
		}
		if len(unit) > 1 {
			short := sizeUnit[power:power+1] + letter
			if power == 0 {
				short = letter
			}
			if strings.ToLower(unit) != unitName[power]+word && unit != short {
				return nil, bad
			}
		}
		n *= math.Pow(2, float64(10*power))
	}
	whole, _ := big.NewFloat(math.RoundToEven(n)).Int(nil)
	return json.Number(whole.String()), nil
}

var pathVariable = lazyRegexp(`\$([A-Za-z0-9_]+|\{[^}]*\})`)

// expandPath expands $NAME, ${NAME} and then a leading ~ or ~user. Unknown names are kept.
func (v *validation) expandPath(path string) string {
	path = pathVariable().ReplaceAllStringFunc(path, func(m string) string {
		name := m[1:]
		if name[0] == '{' {
			name = name[1 : len(name)-1]
		}
		if value, ok := v.env(name); ok {
			return value
		}
		return m
	})
	if !strings.HasPrefix(path, "~") {
		return path
	}
	name, rest := path[1:], ""
	if i := strings.IndexByte(path, '/'); i >= 0 {
		name, rest = path[1:i], path[i:]
	}
	home := ""
	if name == "" {
		value, ok := v.env("HOME")
		if !ok {
			u, err := user.LookupId(strconv.Itoa(os.Getuid()))
			if err != nil {
				return path
			}
			value = u.HomeDir
		}
		home = value
	} else {
		u, err := user.Lookup(name)
		if err != nil {
			return path
		}
		home = u.HomeDir
	}
	if expanded := strings.TrimRight(home, "/") + rest; expanded != "" {
		return expanded
	}
	return "/"
}

// pyClass returns str(type(v)).
func pyClass(v any) string { return "<class '" + python.Type(v) + "'>" }
