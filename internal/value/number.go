package value

import (
	"fmt"
	"strconv"
	"strings"
)

// CheckNumber finds JSON numbers that no IEEE double holds: beyond the largest, or so near to zero that they would be
// zero. Integers without an exponent pass.
func CheckNumber(text string) error {
	const safe = 300 // digits that cannot leave a double's range without an exponent
	if len(text) < safe && !strings.ContainsAny(text, "eE") || !strings.ContainsAny(text, ".eE") {
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return fmt.Errorf("is %s, which is too large: other programs read Infinity; write it in quotes", shorten(text))
	case f == 0 && !isZero(text):
		return fmt.Errorf("is %s, which is too near to zero: other programs read 0; write it in quotes", shorten(text))
	}
	return nil
}

// isZero tells a number whose digits before the exponent are all zero.
func isZero(text string) bool {
	digits := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		digits = text[:i]
	}
	return !strings.ContainsAny(digits, "123456789")
}

// shorten keeps errors readable.
func shorten(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
