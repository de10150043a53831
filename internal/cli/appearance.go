package cli

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

// appearance is how text for people may look where it is written.
type appearance struct {
	width int // columns; 0: as many as it takes
	color bool
}

// plainWidth is the width for text that goes to no terminal, where something must be broken.
const plainWidth = 100

// appearanceOf is plain text of any width, but on a terminal. NO_COLOR takes the colours away (no-color.org).
func appearanceOf(w io.Writer) appearance {
	f, ok := w.(output.Descriptor)
	if !ok || !output.IsTerminal(w) {
		return appearance{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return appearance{width: width, color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (a appearance) paint(code, s string) string {
	if !a.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (a appearance) bold(s string) string   { return a.paint("1", s) }
func (a appearance) dim(s string) string    { return a.paint("2", s) }
func (a appearance) red(s string) string    { return a.paint("31", s) }
func (a appearance) green(s string) string  { return a.paint("32", s) }
func (a appearance) yellow(s string) string { return a.paint("33", s) }
func (a appearance) cyan(s string) string   { return a.paint("36", s) }

// dimLines is dim for several lines: a pager shows each on its own.
func (a appearance) dimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = a.dim(lines[i])
	}
	return strings.Join(lines, "\n")
}

// clean makes a text of the API safe for a terminal; a cleaned JSON text is still the same JSON.
func clean(s string) string { return rules.Escape(s) }

// whole is a value in full: on one line if it fits, else indented, its lines beginning at a column.
func (a appearance) whole(value string, column int) string {
	room := a.width - column
	if a.width == 0 {
		room = plainWidth - column
	}
	if value[0] != '{' && value[0] != '[' || table.Width(value) <= room {
		return clean(value)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(value), strings.Repeat(" ", column), "  "); err != nil {
		return clean(value)
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}
