package explain

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/internal/where"
)

// spread is the values to which a variable resolves on all selected hosts.
type spread struct{ *provenance.Spread }

// spreadOf reads the fleet and determines the values of a variable.
func spreadOf(ctx context.Context, s *object.Session, key string, terms *where.Where) (*spread, error) {
	fleet, err := snapshot.Read(ctx, s.Client, snapshot.Options{Labels: terms.AsksLabels()})
	if err != nil {
		return nil, err
	}
	found, err := provenance.SpreadOf(fleet, key, terms)
	return &spread{found}, err
}

// write writes the spread in a format.
func (d *spread) write(w io.Writer, format string) error {
	switch format {
	case show.FormatCSV:
		rows := [][]string{{"value", "type", "id", "path", "hosts", "shadowed_on"}}
		for _, v := range d.Values {
			id := ""
			if v.From.ID != nil {
				id = fmt.Sprint(v.From.ID)
			}
			rows = append(rows, []string{string(v.Value), v.From.Type, id, v.Path, strconv.Itoa(v.Hosts), strconv.Itoa(v.Shadowed)})
		}
		return show.WriteCSV(w, append(rows, []string{"", "", "", "", strconv.Itoa(d.Without.Count), ""}))
	case show.FormatTable:
		_, err := io.WriteString(w, d.overview(show.AppearanceOf(w)))
		return err
	}
	return show.WriteDocument(w, format, d.Spread)
}

// overview returns the spread for people.
func (d *spread) overview(look show.Appearance) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s\n\n", look.Bold(show.Clean(d.Key)), show.Count(d.Hosts, "host", "hosts"))
	rows := [][4]string{{"HOSTS", "FROM", "VALUE", "SHADOWED ON"}}
	for _, v := range d.Values {
		from := schema.Noun(v.From.Type) + " " + cmp.Or(v.Path, deref(v.From.Name))
		if v.Own != nil {
			from = "host " + v.Own.String()
		}
		shadowed := ""
		if v.Shadowed > 0 {
			shadowed = strconv.Itoa(v.Shadowed)
		}
		rows = append(rows, [4]string{strconv.Itoa(v.Hosts), show.Clean(strings.TrimSpace(from)), show.Clean(string(v.Value)), shadowed})
	}
	if d.Without.Count > 0 {
		rows = append(rows, [4]string{strconv.Itoa(d.Without.Count), "-", "not set, for example on " + show.Clean(d.Without.First[0]), ""})
	}
	wide := [3]int{}
	for _, row := range rows {
		for i := range wide {
			wide[i] = max(wide[i], table.Width(row[i]))
		}
	}
	if room := look.Width - wide[0] - wide[1] - len(rows[0][3]) - 6; look.Width > 0 {
		wide[2] = min(wide[2], max(room, minValueWidth))
	}
	for i, row := range rows {
		value := table.Pad(table.Shorten(row[2], wide[2]), wide[2])
		line := strings.TrimRight(strings.Repeat(" ", wide[0]-table.Width(row[0]))+row[0]+"  "+table.Pad(row[1], wide[1])+"  "+value+"  "+row[3], " ")
		if i == 0 || row[0] == "0" {
			line = look.Dim(line)
		}
		b.WriteString(line + "\n")
	}
	if !d.Complete {
		fmt.Fprintf(&b, "\n%s\n", look.Dim("Your role may not read the project, so its shadowed values are not shown."))
	}
	return b.String()
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
