package explain

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/table"
)

// keyList is the variables of a fleet.
type keyList struct{ *provenance.Keys }

// keysOf reads the fleet and lists its variables.
func keysOf(ctx context.Context, s *object.Session) (*keyList, error) {
	fleet, err := snapshot.Read(ctx, s.Client, snapshot.Options{Networks: true})
	if err != nil {
		return nil, err
	}
	return &keyList{provenance.KeysOf(fleet)}, nil
}

// write writes the list in a format.
func (d *keyList) write(w io.Writer, format string) error {
	switch format {
	case show.FormatCSV:
		rows := [][]string{{"variable", "hosts", "objects"}}
		for _, u := range d.Keys.Keys {
			rows = append(rows, []string{u.Key, strconv.Itoa(u.Hosts), strconv.Itoa(u.Objects)})
		}
		return show.WriteCSV(w, rows)
	case show.FormatTable:
		_, err := io.WriteString(w, d.overview(show.AppearanceOf(w)))
		return err
	}
	return show.WriteDocument(w, format, d.Keys)
}

// overview returns the list for people.
func (d *keyList) overview(look show.Appearance) string {
	var b strings.Builder
	rows := [][3]string{{"HOSTS", "VARIABLE", "SET AT"}}
	for _, u := range d.Keys.Keys {
		var at []string
		for _, k := range schema.All() {
			if n := u.Levels[k.Name]; n > 0 {
				at = append(at, show.Count(n, k.Noun(), k.Noun()+"s"))
			}
		}
		rows = append(rows, [3]string{strconv.Itoa(u.Hosts), show.Clean(u.Key), strings.Join(at, ", ")})
	}
	wide := [2]int{}
	for _, row := range rows {
		for i := range wide {
			wide[i] = max(wide[i], table.Width(row[i]))
		}
	}
	for i, row := range rows {
		line := strings.Repeat(" ", wide[0]-table.Width(row[0])) + row[0] + "  " + table.Pad(row[1], wide[1]) + "  " + row[2]
		if look.Width > 0 {
			line = table.Shorten(line, max(look.Width, minValueWidth))
		}
		if i == 0 {
			line = look.Dim(line)
		}
		b.WriteString(line + "\n")
	}
	if !d.Complete {
		b.WriteString("\n" + look.Dim("Your role may not read the project, so only those of its variables that a device inherits are listed.") + "\n")
	}
	return b.String()
}
