package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/craton-fleet/craton/internal/table"
)

// Side is one side of a difference between two states: the old value or the new one.
type Side struct {
	Name  string // the name; the same for both sides
	Sign  string // "-" for the old value, "+" for the new one
	From  string // where the value comes from; "" if that is not shown
	Value string
	Text  bool // Value is a text, such as a label, and not JSON
}

// NotKept is shown instead of a value of which the change log has only a hash.
const NotKept = "(not kept)"

// MinValueWidth is the minimum width of a value, however narrow the terminal is.
const MinValueWidth = 20

// Sides determine how differences are written.
type Sides struct {
	Look   Appearance
	Margin int  // columns before the names
	Whole  bool // values are wrapped, not shortened
	Max    int  // width of a value if no terminal determines it; 0: unlimited

	Shortened bool // some value was shortened
}

// Write writes differences, a line for each side: names in a column, old values in red and new ones in green.
func (s *Sides) Write(w io.Writer, sides []Side) {
	wide, wideFrom := 0, 0
	for _, l := range sides {
		wide, wideFrom = max(wide, table.Width(Name(l.Name))), max(wideFrom, table.Width(Clean(l.From)))
	}
	if wideFrom > 0 {
		wideFrom += 2
	}
	last := ""
	for i, l := range sides {
		name := Name(l.Name)
		if i > 0 && l.Name == last {
			name = ""
		}
		last = l.Name
		column := s.Margin + wide + len("  - ")
		if l.From != "" {
			column += wideFrom
		}
		value := Clean(l.Value)
		if l.Text {
			value = Name(l.Value)
		}
		room := s.Max
		if s.Look.Width > 0 {
			room = max(s.Look.Width-column, MinValueWidth)
		}
		switch {
		case s.Whole:
			value = s.Look.Whole(l.Value, column)
		case room > 0 && table.Width(value) > room:
			value, s.Shortened = table.Shorten(value, room), true
		}
		paint := s.Look.Red
		if l.Sign == "+" {
			paint = s.Look.Green
		}
		from := ""
		if l.From != "" {
			from = table.Pad(Clean(l.From), wideFrom)
		}
		text := strings.Split(from+value, "\n")
		for i := range text {
			text[i] = paint(text[i])
		}
		_, _ = fmt.Fprintf(w, "%*s%s  %s %s\n", s.Margin, "", table.Pad(name, wide), paint(l.Sign), strings.Join(text, "\n"))
	}
}

// Shortening says how to see complete values, if some were shortened; "" if not.
func (s *Sides) Shortening(how string) string {
	if !s.Shortened {
		return ""
	}
	return "\n" + s.Look.Dim("Values with … are shortened: "+how+" to see one in full.") + "\n"
}

// signs are the signs of actions.
var signs = map[string]string{"create": "+", "delete": "-", "update": "~", "move": ">", "rename": ">"}

// Action returns a line about an action on an object, with the action's sign and colour.
func (a Appearance) Action(action, object string) string {
	line := strings.TrimRight(signs[action]+" "+object, " ")
	switch action {
	case "create":
		return a.Green(line)
	case "delete":
		return a.Red(line)
	}
	return a.Yellow(line)
}
