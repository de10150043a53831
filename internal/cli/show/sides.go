package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/craton-fleet/craton/internal/table"
)

// Side is one side of a difference between two states: what something was, or what it is.
type Side struct {
	Name  string // of what differs; the same for both sides
	Sign  string // "-" for what was, "+" for what is
	From  string // where the value comes from; "" where nothing is to be said of that
	Value string
	Text  bool // Value is a text, such as a label, and no JSON
}

// NotKept stands for a value that is not shown, because the change log has only a hash of it.
const NotKept = "(not kept)"

// MinValueWidth is how many columns a value gets, however narrow the terminal is.
const MinValueWidth = 20

// Sides are how differences are written.
type Sides struct {
	Look   Appearance
	Margin int  // columns before the names
	Whole  bool // values are not shortened, but broken over lines
	Max    int  // columns of a value where no terminal says how many there are; 0: as many as it takes

	Shortened bool // some value was
}

// Write writes differences, a line for each side: names in a column, what was in red and what is in green.
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

// Shortening says how to see values whole, if some were shortened; "" if not.
func (s *Sides) Shortening(how string) string {
	if !s.Shortened {
		return ""
	}
	return "\n" + s.Look.Dim("Values with … are shortened: "+how+" to see one in full.") + "\n"
}

// signs are those of actions.
var signs = map[string]string{"create": "+", "delete": "-", "update": "~", "move": ">", "rename": ">"}

// Action returns what is done to an object, as a line: behind the action's sign, in its colour.
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
