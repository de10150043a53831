// Package table writes tables of text in the layout of Python's PrettyTable:
//
//	+----+------+----------+
//	| Id | Name | Cloud Id |
//	+----+------+----------+
//	| 1  | dfw  | 1        |
//	+----+------+----------+
//
// Everything stands at the left; a column is as wide as its widest cell, counted in the columns of a terminal, where
// East Asian characters take two. A cell of several lines makes its row that much higher. Without rows the rule below
// the header is followed by the one at the end.
package table

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"github.com/craton-fleet/craton/internal/value/python"
)

// Table is a header and rows of as many cells.
type Table struct {
	Header []string
	Rows   [][]string
}

// Look is how a table may look on a terminal. The zero Look is the plain layout.
type Look struct {
	// Width is how many columns there are; 0 is no bound. A table that is wider gets its widest cells wrapped, as far
	// as that is readable.
	Width int
	// Whole reports whether the cells of a column are never broken over lines; of its header the words are not. nil is
	// none.
	Whole func(column int) bool
	// Paint may wrap a line of a cell, padded, in escape sequences; row -1 is the header. nil leaves all plain.
	Paint func(row, column int, line string) string
}

// minWidth is the smallest width of a column.
const minWidth = 8

// plain counts ambiguous characters as one column, whatever the language of the environment: the layout is the same
// everywhere.
var plain = runewidth.Condition{StrictEmojiNeutral: true}

// columnsOf returns the width of a line.
func columnsOf(line string) int {
	for i := range len(line) {
		if line[i] >= utf8.RuneSelf || line[i] < ' ' {
			return plain.StringWidth(line)
		}
	}
	return len(line) // as nearly always; the other way looks for clusters of characters
}

// Text returns the table, ending in a newline.
func (t Table) Text(look Look) string {
	widths := t.widths()
	narrow := fit(widths, t.needed(look), look.Width)
	var b strings.Builder
	rule := func() {
		for _, w := range narrow {
			b.WriteString("+" + strings.Repeat("-", w+2))
		}
		b.WriteString("+\n")
	}
	row := func(n int, cells []string) {
		lines := make([][]string, len(cells))
		height := 1
		for i, cell := range cells {
			lines[i] = strings.Split(cell, "\n")
			if narrow[i] < widths[i] {
				lines[i] = wrap(lines[i], narrow[i])
			}
			height = max(height, len(lines[i]))
		}
		for y := range height {
			for i := range cells {
				line := ""
				if y < len(lines[i]) {
					line = lines[i][y]
				}
				line += strings.Repeat(" ", max(narrow[i]-columnsOf(line), 0))
				if look.Paint != nil {
					line = look.Paint(n, i, line)
				}
				b.WriteString("| " + line + " ")
			}
			b.WriteString("|\n")
		}
	}
	rule()
	row(-1, t.Header)
	rule()
	for n, cells := range t.Rows {
		row(n, cells)
	}
	rule()
	return b.String()
}

// Columns returns the table with only these of its columns.
func (t Table) Columns(columns ...int) Table {
	pick := func(cells []string) []string {
		picked := make([]string, len(columns))
		for i, c := range columns {
			picked[i] = cells[c]
		}
		return picked
	}
	out := Table{Header: pick(t.Header), Rows: make([][]string, len(t.Rows))}
	for i, cells := range t.Rows {
		out.Rows[i] = pick(cells)
	}
	return out
}

// Fits reports whether the table is not wider than a terminal, with no cell broken; headers may be, between words.
func (t Table) Fits(width int) bool {
	sum := 3*len(t.Header) + 1
	for _, w := range t.needed(Look{Whole: func(int) bool { return true }}) {
		sum += w
	}
	return sum <= width
}

// widths returns the columns' widths.
func (t Table) widths() []int {
	widths := make([]int, len(t.Header))
	for _, cells := range slices.Concat([][]string{t.Header}, t.Rows) {
		for i, cell := range cells {
			for line := range strings.SplitSeq(cell, "\n") {
				widths[i] = max(widths[i], columnsOf(line))
			}
		}
	}
	return widths
}

// needed returns the widths that columns keep, however narrow the terminal is.
func (t Table) needed(look Look) []int {
	needed := make([]int, len(t.Header))
	for i := range needed {
		if look.Whole == nil || !look.Whole(i) {
			continue
		}
		for _, cells := range t.Rows {
			needed[i] = max(needed[i], columnsOf(cells[i]))
		}
		for word := range strings.FieldsSeq(t.Header[i]) {
			needed[i] = max(needed[i], columnsOf(word))
		}
	}
	return needed
}

// fit makes the widest columns equally narrow until all fit into a width.
func fit(widths, needed []int, width int) []int {
	room := width - 3*len(widths) - 1
	narrow := slices.Clone(widths)
	sum := func() (n int) {
		for _, w := range narrow {
			n += w
		}
		return n
	}
	if width <= 0 || sum() <= room {
		return narrow
	}
	for most := slices.Max(narrow) - 1; most >= minWidth && sum() > room; most-- { // what is needed stays, and may stand over the edge
		for i := range narrow {
			narrow[i] = min(narrow[i], max(most, needed[i]))
		}
	}
	return narrow
}

func wrap(lines []string, width int) []string {
	var out []string
	for _, line := range lines {
		wrapped := python.Wrap(line, width, plain.RuneWidth)
		if len(wrapped) == 0 {
			wrapped = []string{""}
		}
		out = append(out, wrapped...)
	}
	return out
}
