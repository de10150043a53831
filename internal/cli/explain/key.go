package explain

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/internal/where"
)

// spread is what a variable comes to on all hosts that are meant.
type spread struct {
	Key      string        `json:"key"`
	Hosts    int           `json:"hosts"`    // that are meant
	Complete bool          `json:"complete"` // false: the caller may not read the project, and what hides of it is not known
	Values   []spreadValue `json:"values"`   // by how many hosts have them, then by how many do not because of others
	Without  namedHosts    `json:"without"`  // those that do not have the variable
}

// spreadValue is a value, and the object that gives it.
type spreadValue struct {
	Value    json.RawMessage `json:"value"`
	From     levelDocument   `json:"from"` // of a host's own value its type only: see Own
	Path     string          `json:"path"` // of the object, CLOUD/REGION/...; "" of hosts' own values
	Own      *namedHosts     `json:"own"`  // the hosts that have it as their own
	Hosts    int             `json:"hosts"`
	Shadowed int             `json:"shadowed_on"` // hosts that would have it, but for a nearer object
}

// namedHosts are hosts, with the names of the first.
type namedHosts struct {
	Count int      `json:"count"`
	First []string `json:"first"`
}

// shownHosts is how many hosts are named.
const shownHosts = 5

func (n *namedHosts) add(path string) {
	if n.Count++; len(n.First) < shownHosts {
		n.First = append(n.First, path)
	}
}

// String is the hosts in words.
func (n *namedHosts) String() string {
	if n.Count == 1 {
		return n.First[0]
	}
	return fmt.Sprintf("%s and %d more", n.First[0], n.Count-1)
}

// spreadOf reads the fleet and finds what a variable comes to.
func spreadOf(ctx context.Context, s *object.Session, key string, terms *where.Where) (*spread, error) {
	fleet, err := snapshot.Read(ctx, s.Client, snapshot.Options{Labels: terms.AsksLabels()})
	if err != nil {
		return nil, err
	}
	d := &spread{Key: key, Complete: fleet.Complete, Values: []spreadValue{}, Without: namedHosts{First: []string{}}}
	type source struct{ value, kind, id string }
	values, known := map[source]*spreadValue{}, map[string]bool{}
	for _, host := range fleet.Of(schema.Host) {
		if !terms.Match(host) {
			continue
		}
		d.Hosts++
		counts := true // the next level that has it
		for i, level := range host.Levels() {
			for name := range level.Variables.All() {
				known[name] = true
			}
			value, has := level.Variables.Find(key)
			if !has {
				continue
			}
			from := source{value, level.Kind, level.ID}
			if i == 0 {
				from.id = ""
			}
			v := values[from]
			if v == nil {
				v = &spreadValue{Value: json.RawMessage(value), From: levelDocument{Type: level.Kind}}
				if i > 0 {
					v.From = documentOf(level)
					if o := fleet.Find(level.Kind, level.ID); o != nil {
						v.Path = o.Place()
					}
				} else {
					v.Own = &namedHosts{}
				}
				values[from] = v
			}
			if i == 0 {
				v.Own.add(host.Place())
			}
			if counts {
				v.Hosts++
			} else {
				v.Shadowed++
			}
			counts = false
		}
		if counts {
			d.Without.add(host.Place())
		}
	}
	for _, v := range values {
		d.Values = append(d.Values, *v)
	}
	slices.SortFunc(d.Values, func(a, b spreadValue) int {
		return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), cmp.Compare(b.Shadowed, a.Shadowed), cmp.Compare(string(a.Value), string(b.Value)),
			cmp.Compare(a.From.Type, b.From.Type), cmp.Compare(a.Path, b.Path))
	})
	if d.Hosts > 0 && len(values) == 0 {
		text := fmt.Sprintf("none of the %d hosts has a variable %q", d.Hosts, key)
		if near := nearest.Word(key, slices.Sorted(maps.Keys(known))); near != "" {
			text += fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, fmt.Errorf("%s", text)
	}
	return d, nil
}

// write writes the spread in a form.
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
	return show.WriteDocument(w, format, d)
}

// overview is the spread for people.
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
		rows = append(rows, [4]string{strconv.Itoa(d.Without.Count), "-", "none, such as " + show.Clean(d.Without.First[0]), ""})
	}
	wide := [3]int{}
	for _, row := range rows {
		for i := range wide {
			wide[i] = max(wide[i], table.Width(row[i]))
		}
	}
	if room := look.Width - wide[0] - wide[1] - len(rows[0][3]) - 6; look.Width > 0 {
		wide[2] = min(wide[2], max(room, leastValue))
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
		fmt.Fprintf(&b, "\n%s\n", look.Dim("Your role may not read the project: what other levels hide of it is not shown."))
	}
	return b.String()
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
