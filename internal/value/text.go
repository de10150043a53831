package value

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/craton-fleet/craton/internal/advice"
)

var (
	// ErrEmpty is the error for an empty name.
	ErrEmpty = advice.With(errors.New("is empty"), "give a value")
	// ErrNUL is the error for a text with a NUL, which PostgreSQL cannot store, and at which C programs stop.
	ErrNUL = advice.With(errors.New("contains a NUL character, which databases cannot store"), "remove it")
	// ErrNotUTF8 is the error for a text that cannot be shown without changing it: with invalid UTF-8, or an unpaired
	// surrogate.
	ErrNotUTF8 = advice.With(errors.New("is not UTF-8, or contains half a surrogate pair"), "enter it again")
)

var errControl = advice.With(errors.New("contains a control character"), "remove it")

// CheckText returns an error for characters that no text may contain.
func CheckText(s string) error {
	for i := range len(s) {
		switch {
		case s[i] == 0:
			return ErrNUL
		case s[i] >= utf8.RuneSelf && !utf8.ValidString(s[i:]):
			return ErrNotUTF8
		case s[i] >= utf8.RuneSelf && strings.IndexByte(s[i:], 0) < 0:
			return nil
		}
	}
	return nil
}

// CheckWord returns an error for characters that a text of one line may not contain: in addition to those of
// [CheckText], control characters and [Hidden] ones.
func CheckWord(s string) error {
	if err := CheckText(s); err != nil {
		return err
	}
	for _, r := range s {
		switch {
		case unicode.IsControl(r):
			return errControl
		case Hidden(r):
			return advice.With(fmt.Errorf("contains the character U+%04X, which is invisible or changes the direction of text", r), "remove it")
		}
	}
	return nil
}

// CheckName is like CheckWord, for texts that must not be empty.
func CheckName(s string) error {
	if s == "" {
		return ErrEmpty
	}
	return CheckWord(s)
}

// CheckForm refuses the name of a new object that Unicode can represent in another way too: there could be two names
// that look alike.
func CheckForm(name string) error {
	if norm.NFC.IsNormalString(name) {
		return nil
	}
	return advice.With(fmt.Errorf("is %s, not in Unicode's composed form (NFC), unlike %s, which looks the same", CodePoints(name), CodePoints(Composed(name))), "use that form")
}

// CheckNew is like CheckName, for new names, labels and keys of variables.
func CheckNew(s string) error { return cmp.Or(CheckName(s), CheckForm(s)) }

// CodePoints returns a name in quotes for an error about a name that looks the same: everything except ASCII is
// escaped.
func CodePoints(name string) string { return strconv.QuoteToASCII(Brief(name)) }

// Composed returns a name in Unicode's composed form, NFC, in which é is one character.
func Composed(name string) string { return norm.NFC.String(name) }

// Decomposed returns a name in the form NFD, in which é is an e and an accent, as in file names of some systems.
func Decomposed(name string) string { return norm.NFD.String(name) }

// CheckSegment is like CheckName, for one part of a path, between two slashes.
func CheckSegment(s string) error {
	switch {
	case strings.Contains(s, "/"):
		return advice.With(errors.New("contains a slash"), "remove it")
	case s == "." || s == "..":
		return advice.With(fmt.Errorf("is %q, which is a directory in a path", s), "choose another name")
	}
	return CheckName(s)
}

// Brief returns a text for an error: shortened if it is longer than any name may be.
func Brief(s string) string {
	const most, shown = 255, 40
	n, end := 0, 0
	for i := range s {
		if n == shown {
			end = i
		}
		if n++; n > most {
			return s[:end] + "..."
		}
	}
	return s
}

// Shown returns a name, or names separated by slashes, for people: in quotes if it contains whitespace that would not
// be visible, at the end of a name, repeated, or other than a space; and if it begins with a quote, so that the quotes
// are unambiguous.
func Shown(name string) string {
	before, unseen := '/', name == "" || name[0] == '"'
	for _, r := range name {
		unseen = unseen || r == ' ' && (before == '/' || before == ' ') || r == '/' && before == ' ' || r != ' ' && unicode.IsSpace(r)
		before = r
	}
	if unseen || before == ' ' {
		return strconv.Quote(name)
	}
	return name
}

// Hidden reports whether a character is invisible, or changes how others are shown: of zero width, such as U+200B and
// U+FEFF, for bidirectional text, such as U+202E, line and paragraph separators, variation selectors, and fillers.
// Control characters are not included.
func Hidden(r rune) bool {
	switch {
	case r < '\u00ad':
		return false
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r): // shown around digits
		return false
	case r == '\u2800': // braille without a dot
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// Escape makes a text safe for a terminal, which interprets control characters and changes the direction of text:
// these, and [Hidden] ones, become escapes as in JSON, so that an escaped JSON text is still the same JSON. Invalid
// UTF-8 becomes \xHH.
func Escape(s string) string { return escape(s, func(rune) bool { return false }) }

// EscapeLines is like Escape, for texts of several lines: line breaks and tabs are kept.
func EscapeLines(s string) string {
	return escape(s, func(r rune) bool { return r == '\n' || r == '\t' })
}

func escape(s string, keep func(rune) bool) string {
	bad := func(r rune) bool { return (unicode.IsControl(r) || Hidden(r)) && !keep(r) }
	if utf8.ValidString(s) && !strings.ContainsFunc(s, bad) {
		return s
	}
	var b strings.Builder
	for i, n := 0, 0; i < len(s); i += n {
		var r rune
		switch r, n = utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !bad(r):
			b.WriteString(s[i : i+n])
		case r > 0xffff: // two, as JSON has it
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
