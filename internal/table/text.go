package table

import "strings"

// Width returns how many columns a line takes on a terminal.
func Width(line string) int { return columnsOf(line) }

// Pad fills a line with spaces up to a width.
func Pad(line string, width int) string {
	return line + strings.Repeat(" ", max(width-columnsOf(line), 0))
}

// Shorten cuts a line that is wider than width; what is left ends in "…".
func Shorten(line string, width int) string { return plain.Truncate(line, width, "…") }
