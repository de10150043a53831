package web

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value"
)

// shellWord quotes a word for a POSIX shell.
func shellWord(w string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@+%", r)
	}
	if w != "" && strings.IndexFunc(w, func(r rune) bool { return !plain(r) }) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// shellLine returns a command line of this program.
func shellLine(words []string) string {
	line := "craton"
	for _, w := range words {
		line += " " + shellWord(w)
	}
	return line
}

// Limits that keep a page below 100 KB.
const (
	shortText  = 160      // characters of a text in a table
	wholeValue = 2 << 10  // bytes of a value that unfolds in a table
	allValues  = 24 << 10 // bytes of all values on a page that unfold
	oneValue   = 60 << 10 // bytes of a value on its own page
	maxRows    = 100
)

// clean escapes characters that are invisible or change the direction of writing.
func clean(s string) string { return value.Escape(s) }

// brief returns a text for a table, cut if it is long.
func brief(s string) string { return cut(clean(s), shortText) }

// cut shortens a text to at most most characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	n := 0
	for at := range s {
		if n++; n == most {
			return s[:at] + "…"
		}
	}
	return s
}

// maxErrorText is the maximum number of characters shown of an error message, which may repeat the user's input.
const maxErrorText = 600

// sentence returns an error message as a sentence, with a capital letter and a full stop.
func sentence(s string) string {
	if s = cut(clean(s), maxErrorText); s == "" {
		return ""
	}
	first, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[n:]
	if last, _ := utf8.DecodeLastRuneInString(s); !strings.ContainsRune(".!?:…", last) {
		s += "."
	}
	return s
}

// spaced returns a JSON text with a space after each separator, so that long texts can wrap there.
func spaced(raw string) string {
	if raw == "" || raw[0] != '{' && raw[0] != '[' {
		return raw
	}
	b := make([]byte, 0, len(raw)+len(raw)/8)
	quoted := false
	for i := 0; i < len(raw); i++ {
		b = append(b, raw[i])
		switch c := raw[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\' && i+1 < len(raw):
			i++
			b = append(b, raw[i])
		case !quoted && (c == ',' || c == ':') && i+1 < len(raw) && raw[i+1] != ' ':
			b = append(b, ' ')
		}
	}
	return string(b)
}

// readable returns a JSON text with characters in place of the API's escapes for non-ASCII characters. [clean] escapes
// the invisible ones again.
func readable(raw string) string {
	if !strings.Contains(raw, `\u`) {
		return raw
	}
	b := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		switch r, n := value.DecodeEscape(raw[i:]); {
		case n > 0 && r >= utf8.RuneSelf && utf8.ValidRune(r): // not half a surrogate pair
			b = utf8.AppendRune(b, r)
			i += n
		case raw[i] == '\\' && i+1 < len(raw):
			b = append(b, raw[i:i+2]...)
			i += 2
		default:
			b = append(b, raw[i])
			i++
		}
	}
	return string(b)
}

// shown is the value of a variable as a page shows it.
type shown struct {
	Short string // on one line
	Kind  string // of the JSON value, for its colour: string, number, word, list
	Whole string // in lines; "" if Short is complete, or it is too long
	Cut   bool   // Short is not all of it
}

// room is how much space is left for values on a page.
type room int

// show returns a value for a table, with the complete value if there is room.
func (r *room) show(raw string) shown { return r.showBegin(raw, shortText) }

// showBegin is show with a number of characters at first.
func (r *room) showBegin(raw string, most int) shown {
	raw = readable(raw)
	line := clean(spaced(raw))
	s := shown{Short: cut(line, most), Kind: kindOf(raw)}
	s.Cut = s.Short != line
	if !s.Cut || len(raw) > wholeValue || int(*r) < len(raw) {
		return s
	}
	if s.Whole = indented(raw); len(s.Whole) > 2*wholeValue {
		s.Whole = ""
	}
	*r -= room(len(s.Whole))
	return s
}

// kindOf returns the kind of a JSON text, for [shown].
func kindOf(raw string) string {
	switch {
	case raw == "":
		return ""
	case raw[0] == '"':
		return "string"
	case raw[0] == '{' || raw[0] == '[':
		return "list"
	case raw == "null" || raw == "true" || raw == "false":
		return "word"
	}
	return "number"
}

// indented returns a JSON text with indented lines.
func indented(raw string) string {
	raw = readable(raw)
	var b bytes.Buffer
	if raw == "" || raw[0] != '{' && raw[0] != '[' || json.Indent(&b, []byte(raw), "", "  ") != nil {
		return clean(raw)
	}
	return value.EscapeLines(b.String())
}
