package find

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/table"
)

// kinds are those that are looked at, in the order in which they are shown.
var kinds = []*schema.Kind{
	schema.Project, schema.Cloud, schema.Region, schema.Cell, schema.Host, schema.NetworkDevice, schema.Network, schema.NetworkInterface,
}

// New makes the command `craton find`.
func New(s output.Streams) *cobra.Command {
	var limit int
	var at string
	var omitHashed bool
	cmd := &cobra.Command{
		Use:   "find TEXT",
		Short: "Find a text in the fleet: in names, addresses, labels, notes, variables",
		Long: `Finds a text wherever it stands: in names, addresses, notes and the other fields of objects of all kinds, in labels, and in
the keys and values of variables, each at the object that has it. Upper and lower case are the same. To find objects by what
they are, there is --where of lists.`,
		Example: `  craton find 10.20.0.11
  craton find ntp.example.net --format json
  craton find web-01 --at yesterday`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := argparse.ExactArgs("TEXT")(cmd, args); err != nil {
				return err
			}
			switch {
			case strings.TrimSpace(args[0]) == "":
				return argparse.Mistake(cmd, "argument TEXT: it is empty, and everything would be found")
			case limit < 0:
				return argparse.Mistake(cmd, "argument --limit: it is less than 0")
			}
			return nil
		},
		RunE: object.OnFleet(s, connect.ReadOnly, func(ctx context.Context, on *object.Session, args []string) error {
			if err := on.LookBack(ctx, at, omitHashed); err != nil {
				return err
			}
			fleet, err := snapshot.Read(ctx, on.Client, snapshot.Options{Networks: true, Labels: true})
			if err != nil {
				return run.OfPast(err)
			}
			can, err := on.Client.Capabilities(ctx)
			if err != nil {
				return err
			}
			f := search(fleet, args[0], limit, can.Hashes)
			if err := f.write(on.Out, on.Format); err != nil {
				return err
			}
			if f.More > 0 && on.Format != show.FormatJSON && on.Format != show.FormatYAML {
				_, err = fmt.Fprintf(on.Err, "%d shown, %d more match: --limit 0 shows all\n", len(f.Objects), f.More)
			}
			return err
		}),
	}
	run.AddFleetFlags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 100, "how many objects to show; 0: all")
	run.TimeVar(cmd.Flags(), &at, "at", "the fleet as it was: at yesterday, 2h, 2026-11-20 and so on, or at a revision of the change log")
	cmd.Flags().BoolVar(&omitHashed, "omit-hashed", false, "with --at: leave out variables of which the change log has only a hash")
	return cmd
}

// found is where a text stands.
type found struct {
	Text    string  `json:"text"`
	Objects []match `json:"objects"`
	More    int     `json:"more"` // objects that match and are not told
}

// match is an object that has the text.
type match struct {
	Kind  string  `json:"kind"`
	ID    any     `json:"id"` // a number; of a project its UUID
	Path  string  `json:"path"`
	Where []place `json:"where"`
}

// place is where in an object the text stands.
type place struct {
	What string `json:"what"` // field, label, key or value
	Name string `json:"name"` // of the field, the label, the variable
	Text string `json:"text"` // around the place; of a key nothing
}

// search looks at all objects. Of variables that hashes tells, whose values are secrets, only the keys are looked at: what is found of
// a value would tell it letter by letter.
func search(fleet *snapshot.Fleet, text string, limit int, hashes func(key string) bool) *found {
	f := &found{Text: text, Objects: []match{}}
	want := strings.ToLower(text)
	for _, k := range kinds {
		for _, o := range fleet.Of(k) {
			places := placesOf(o, want, hashes)
			switch {
			case places == nil:
				continue
			case limit > 0 && len(f.Objects) == limit:
				f.More++
				continue
			}
			m := match{Kind: k.Name, ID: o.ID, Path: o.Place(), Where: places}
			if n, err := strconv.Atoi(o.ID); err == nil && !k.UUID {
				m.ID = n
			}
			f.Objects = append(f.Objects, m)
		}
	}
	return f
}

// placesOf is where an object has a text, in lower case.
func placesOf(o *snapshot.Object, want string, hashes func(key string) bool) (all []place) {
	add := func(what, name, text string, show bool) {
		at := strings.Index(strings.ToLower(text), want)
		if at < 0 {
			return
		}
		p := place{What: what, Name: name}
		if show {
			p.Text = around(text, at, len(want))
		}
		all = append(all, p)
	}
	for key, text := range o.Texts() {
		add("field", key, text, true)
	}
	for _, label := range o.Labels() {
		add("label", label, label, false)
	}
	for name, raw := range o.Own.All() {
		add("key", name, name, false)
		if hashes(name) {
			continue
		}
		text := raw
		if v := gjson.Parse(raw); v.Type == gjson.String {
			text = v.Str
		}
		add("value", name, text, true)
	}
	return all
}

// Bounds of what is shown around a place.
const (
	before = 30
	after  = 60
)

// around is the part of a text around a place; where letters change their length in lower case, about there.
func around(text string, at, length int) string {
	from, to := max(0, at-before), min(len(text), at+length+after)
	for from > 0 && from < len(text) && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	part := text[min(from, len(text)):to]
	if from > 0 {
		part = "…" + part
	}
	if to < len(text) {
		part += "…"
	}
	return part
}

func (f *found) write(w io.Writer, format string) error {
	switch format {
	case show.FormatCSV:
		rows := [][]string{{"kind", "id", "path", "what", "name", "text"}}
		for _, m := range f.Objects {
			for _, p := range m.Where {
				rows = append(rows, []string{m.Kind, fmt.Sprint(m.ID), m.Path, p.What, p.Name, p.Text})
			}
		}
		return show.WriteCSV(w, rows)
	case show.FormatTable:
		_, err := io.WriteString(w, f.overview(show.AppearanceOf(w)))
		return err
	}
	return show.WriteDocument(w, format, f)
}

// overview is what was found for people: by kind, a line for each place.
func (f *found) overview(look show.Appearance) string {
	if len(f.Objects) == 0 {
		return fmt.Sprintf("Nothing has %s.\n", strconv.Quote(f.Text))
	}
	var b strings.Builder
	wide, last := 0, ""
	for _, m := range f.Objects {
		wide = max(wide, min(table.Width(show.Clean(m.Path)), 60))
	}
	for _, m := range f.Objects {
		if m.Kind != last {
			if last != "" {
				b.WriteByte('\n')
			}
			last = m.Kind
			b.WriteString(look.Bold(schema.Noun(m.Kind)+"s") + "\n")
		}
		path := show.Clean(m.Path)
		for _, p := range m.Where {
			line := show.Clean(p.sentence())
			if room := look.Width - wide - 4; look.Width > 0 {
				line = table.Shorten(line, max(room, 20))
			}
			b.WriteString("  " + look.Cyan(table.Pad(path, wide)) + "  " + line + "\n")
			path = ""
		}
	}
	return b.String()
}

// sentence says where the text stands.
func (p place) sentence() string {
	switch p.What {
	case "label":
		return "label " + p.Name
	case "key":
		return "variable " + p.Name
	}
	return p.Name + " = " + p.Text
}
