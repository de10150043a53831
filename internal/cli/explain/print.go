package explain

import (
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/table"
)

// minValueWidth is the minimum width of a value, however narrow the terminal is.
const minValueWidth = 20

// overview writes all variables: one line for the winning value, followed by one for each value that it overrides.
func (e *explanation) overview(look show.Appearance) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  id %d  %s  %s", look.Bold(show.Clean(e.Levels[0].String())), e.device.ID, show.Clean(e.device.IPAddress), show.Clean(e.device.DeviceType))
	if !e.device.Active {
		b.WriteString("  inactive")
	}
	names := make([]string, len(e.Levels))
	for i, l := range e.Levels {
		names[i] = show.Clean(l.String())
	}
	fmt.Fprintf(&b, "\n%s\n\n", look.Dim(strings.Join(names, " > ")))
	if len(e.Variables) == 0 {
		b.WriteString("no variables\n")
		return b.String()
	}
	const shadows, excluded = "  shadows", "  excluded"
	rows := [][3]string{{"VARIABLE", "FROM", "VALUE"}}
	var faint []bool // of each row
	faint = append(faint, false)
	for _, v := range e.Variables {
		for i, value := range v.Values {
			name := show.Clean(v.Name)
			if i > 0 {
				name = shadows
			}
			rows, faint = append(rows, [3]string{name, names[value.Level], show.Clean(value.Value)}), append(faint, i > 0)
			if e.HasSetters() {
				rows, faint = append(rows, [3]string{"", "", "  " + e.setter(value.Level, v.Name)}), append(faint, true)
			}
		}
		if v.Excluded {
			rows, faint = append(rows, [3]string{excluded, "", "exclude_variables keeps it out of the inventory"}), append(faint, true)
		}
	}
	wide := [2]int{}
	for _, row := range rows {
		for i := range wide {
			wide[i] = max(wide[i], table.Width(row[i]))
		}
	}
	shortened := false
	for i, row := range rows {
		value := row[2]
		if room := max(look.Width-wide[0]-wide[1]-4, minValueWidth); look.Width > 0 && table.Width(value) > room {
			value, shortened = table.Shorten(value, room), true
		}
		name, from := table.Pad(row[0], wide[0]), table.Pad(row[1], wide[1])
		switch {
		case i == 0:
			fmt.Fprintf(&b, "%s\n", look.Dim(name+"  "+from+"  "+value))
		case faint[i]:
			fmt.Fprintf(&b, "%s\n", look.Dim(name+"  "+from+"  "+value))
		default:
			fmt.Fprintf(&b, "%s  %s  %s\n", look.Bold(name), look.Cyan(from), value)
		}
	}
	if shortened {
		fmt.Fprintf(&b, "\n%s\n", look.Dim(fmt.Sprintf("Values with … are shortened: craton explain %d VARIABLE shows one in full.", e.device.ID)))
	}
	if !e.Complete {
		fmt.Fprintf(&b, "\n%s\n", look.Dim("Your role may not read the project, so its shadowed values are not shown."))
	}
	return b.String()
}

// one writes a single variable: the complete value of every level.
func (e *explanation) one(look show.Appearance) string {
	v := e.Variables[0]
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s\n\n", look.Bold(show.Clean(v.Name)), show.Clean(e.Levels[0].String()))
	wide := 0
	for _, l := range e.Levels {
		wide = max(wide, table.Width(show.Clean(l.String())))
	}
	const counts, silent = "=> ", "   "
	values := v.Values
	for i, l := range e.Levels {
		name := table.Pad(show.Clean(l.String()), wide)
		switch {
		case len(values) > 0 && values[0].Level == i:
			value := look.Whole(values[0].Value, len(counts)+wide+2)
			if len(values) == len(v.Values) {
				fmt.Fprintf(&b, "%s%s  %s\n", look.Bold(counts), look.Cyan(name), value)
			} else {
				fmt.Fprintf(&b, "%s\n", look.DimLines(silent+name+"  "+value))
			}
			if e.HasSetters() {
				fmt.Fprintf(&b, "%s\n", look.Dim(silent+table.Pad("", wide)+"  "+e.setter(i, v.Name)))
			}
			values = values[1:]
		case i == len(e.Levels)-1 && !e.Complete:
			fmt.Fprintf(&b, "%s\n", look.Dim(silent+name+"  hidden: your role may not read the project"))
		default:
			fmt.Fprintf(&b, "%s\n", look.Dim(silent+name+"  -"))
		}
	}
	if v.Values[0].Value == "null" && len(v.Values) > 1 {
		b.WriteString("\nnull is a value too, and shadows the others. To use the next value, delete the variable whose value is null.\n")
	}
	if v.Excluded {
		b.WriteString("\nThe setting exclude_variables keeps it out of the inventory.\n")
	}
	return b.String()
}
