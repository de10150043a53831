package show

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/table"
	rules "github.com/craton-fleet/craton/internal/value"
)

// Appearance determines how text for people looks.
type Appearance struct {
	Width int // columns; 0: unlimited
	Color bool
}

// plainWidth is the width for text that does not go to a terminal, where something must be wrapped.
const plainWidth = 100

// AppearanceOf returns plain text of unlimited width, except on a terminal. NO_COLOR turns colours off (no-color.org).
func AppearanceOf(w io.Writer) Appearance {
	f, ok := w.(output.Descriptor)
	if !ok || !output.IsTerminal(w) {
		return Appearance{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return Appearance{Width: width, Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (a Appearance) paint(code, s string) string {
	if !a.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Bold returns a text in bold letters.
func (a Appearance) Bold(s string) string { return a.paint("1", s) }

// Dim returns a text in faint letters.
func (a Appearance) Dim(s string) string { return a.paint("2", s) }

// Red returns a text in red.
func (a Appearance) Red(s string) string { return a.paint("31", s) }

// Green returns a text in green.
func (a Appearance) Green(s string) string { return a.paint("32", s) }

// Yellow returns a text in yellow.
func (a Appearance) Yellow(s string) string { return a.paint("33", s) }

// Cyan returns a text in cyan.
func (a Appearance) Cyan(s string) string { return a.paint("36", s) }

// DimLines is Dim for several lines: a pager shows each on its own.
func (a Appearance) DimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = a.Dim(lines[i])
	}
	return strings.Join(lines, "\n")
}

// Clean makes a text from the API safe for a terminal; a cleaned JSON text is still the same JSON.
func Clean(s string) string { return rules.Escape(s) }

// Name returns the name or path of an object for people: in quotes if whitespace in it would not be visible.
func Name(s string) string { return Clean(rules.Shown(s)) }

// Path returns the path of an object for people, in a form that a command accepts: see value.ShownPath.
func Path(s string) string { return Clean(rules.ShownPath(s)) }

// Object describes an object of a kind, by its noun and its name or path; for the project, of which there is one, the
// noun alone.
func Object(noun, name string) string {
	if name == "" {
		return noun
	}
	return noun + " " + Path(name)
}

// Whole returns a complete value: on one line if it fits, or else indented, with its lines beginning at a column.
func (a Appearance) Whole(value string, column int) string {
	room := a.Width - column
	if a.Width == 0 {
		room = plainWidth - column
	}
	if value[0] != '{' && value[0] != '[' || table.Width(value) <= room {
		return Clean(value)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(value), strings.Repeat(" ", column), "  "); err != nil {
		return Clean(value)
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}
