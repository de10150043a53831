package value

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
)

// MaxDigits is the maximum number of digits of an integer in Python, and therefore in Ansible.
const MaxDigits = 4300

// CheckNumber returns an error for JSON numbers outside the range of an IEEE double: larger than the largest, or so
// small that they would become zero; and for integers, which are exact, with more than [MaxDigits] digits.
func CheckNumber(text string) error {
	const safe = 300 // so few digits cannot leave a double's range without an exponent
	switch fraction := strings.ContainsAny(text, ".eE"); {
	case len(text) < safe && !strings.ContainsAny(text, "eE"):
		return nil
	case !fraction && len(strings.TrimPrefix(text, "-")) > MaxDigits:
		return fmt.Errorf("is %s, an integer with %d digits: Python, and therefore Ansible, reads at most %d; write it in quotes", shorten(text), len(strings.TrimPrefix(text, "-")), MaxDigits)
	case !fraction:
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return advice.With(fmt.Errorf("is %s, which is too large: other programs read Infinity", shorten(text)), "write it in quotes")
	case f == 0 && !isZero(text):
		return advice.With(fmt.Errorf("is %s, which is too close to zero: other programs read 0", shorten(text)), "write it in quotes")
	}
	return nil
}

// QuoteNumbers converts the numbers in valid JSON that [CheckNumber] refuses to texts, for programs that would misread
// them. Without any, it returns the same slice.
func QuoteNumbers(raw []byte) []byte {
	var out []byte
	done := 0
	text := string(raw)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			i = StringEnd(text, i) - 1
		case c == '-' || '0' <= c && c <= '9':
			n := numberLen(text[i:])
			if CheckNumber(text[i:i+n]) != nil {
				out = append(out, raw[done:i]...)
				out = append(append(append(out, '"'), raw[i:i+n]...), '"')
				done = i + n
			}
			i += n - 1
		}
	}
	if done == 0 {
		return raw
	}
	return append(out, raw[done:]...)
}

// numberLen returns the length of the number with which s begins.
func numberLen(s string) int {
	n := 1
	for n < len(s) && strings.IndexByte("+-.eE0123456789", s[n]) >= 0 {
		n++
	}
	return n
}

// isZero reports whether all digits of a number before its exponent are zero.
func isZero(text string) bool {
	digits := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		digits = text[:i]
	}
	return !strings.ContainsAny(digits, "123456789")
}

// shorten shortens a text for an error.
func shorten(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
