package history

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/when"
)

// NewDiff returns the command `craton diff`.
func NewDiff(streams output.Streams) *cobra.Command {
	var from, to, kind string
	var omitHashed bool
	cmd := &cobra.Command{
		Use:   "diff [OBJECT [HOST]]",
		Short: "Compare the fleet at two times, or two hosts",
		Long: `With --from, show the differences between that time and now, or --to. A value that was changed and changed back is not shown.
For an OBJECT, compare its fields, labels and resolved variables, with the source of each value; without OBJECT, list each
object that was created, deleted or updated, with its own variables.

With two hosts or network devices, show the variables whose values differ, with the source of each, now or at --to.

OBJECT is a name, an id, REGION/NAME or CLOUD/REGION/NAME of a host or network device, or with --kind of another
object; deleted objects are found too. A TIME is a revision (12), 2h or 3d (ago), yesterday, 2026-11-20,
"2026-11-20 09:30" or RFC 3339. This requires a change log, which craton server and CRATON_URL=sqlite:PATH have.`,
		Example: `  craton diff --from yesterday                   changes since the start of yesterday
  craton diff --from 3d --to yesterday web-01    of one host, including what it inherits
  craton diff web-01 web-02                      differences between two hosts`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := atMost("OBJECT", "HOST")(cmd, args); err != nil {
				return err
			}
			switch {
			case len(args) < 2 && from == "":
				return argparse.Mistake(cmd, "the following arguments are required: --from, or two hosts")
			case len(args) == 2 && from+kind != "":
				return argparse.Mistake(cmd, "--from and --kind are not allowed with two hosts, which are compared at one time")
			case len(args) < 2 && omitHashed:
				return argparse.Mistake(cmd, "argument --omit-hashed: only allowed with two hosts; a comparison of two times shows these values as not kept")
			}
			return nil
		},
		RunE: object.OnFleet(streams, connect.ReadOnly, func(ctx context.Context, s *object.Session, args []string) error {
			if len(args) == 2 {
				return compare(ctx, s, to, omitHashed, args)
			}
			return diff(ctx, s, from, to, kind, append(args, "")[0])
		}),
	}
	run.AddFleetFlags(cmd)
	f := cmd.Flags()
	run.TimeVar(f, &from, "from", "the earlier `TIME`")
	run.TimeVar(f, &to, "to", "the later `TIME`; by default now")
	f.StringVar(&kind, "kind", "", kindHelp)
	f.BoolVar(&omitHashed, "omit-hashed", false, "for two hosts at --to: omit variables that the change log keeps only as a hash")
	complete(cmd, streams)
	return cmd
}

// moment parses the state in an option.
func moment(option, text string) (when.At, error) {
	at, err := when.ParseAt(text, time.Now())
	if err != nil {
		return at, argparse.Misused("argument %s: %s", option, err)
	}
	return at, nil
}

// diff shows the differences between two states.
func diff(ctx context.Context, s *object.Session, fromText, toText, kind, word string) error {
	from, err := moment("--from", fromText)
	if err != nil {
		return err
	}
	var to when.At
	if toText != "" {
		if to, err = moment("--to", toText); err != nil {
			return err
		}
	}
	of, err := targetOf(ctx, s, "diff", kind, word)
	if err != nil {
		return err
	}
	o := craton.DiffOptions{From: from.String(), To: to.String(), Kind: kind}
	if o.From == "" { // it is now
		o.From = time.Now().UTC().Format(time.RFC3339Nano)
	}
	if of != nil {
		o.Kind, o.ID = of.Kind, of.ID
	}
	d, err := s.Client.Diff(ctx, o)
	if err != nil {
		return run.PastError(err, http.StatusBadRequest)
	}
	defer d.Close()
	doc := diffDocument{Object: of.document(), From: d.From, To: d.To, Changes: []changeDocument{}}
	p := newPrinter(s, of, false)
	if s.Format == show.FormatTable {
		p.title()
		fmt.Fprintf(&p.b, "from %s to %s\n", between(from, d.From), between(to, d.To))
	}
	count := 0
	for e, err := range d.All() {
		if err != nil {
			return err
		}
		if count++; s.Format != show.FormatTable {
			doc.Changes = append(doc.Changes, changeOf(e))
			continue
		}
		p.b.WriteString("\n")
		if of == nil {
			p.b.WriteString(p.look.Bold(p.subject(e)) + "  " + p.look.Dim("id "+value.IDText(e.ID)) + "\n")
		} else if e.Action != "update" {
			p.b.WriteString(e.Action + "d\n")
		}
		p.sides(e)
		if err := p.flush(s.Out); err != nil {
			return err
		}
	}
	switch s.Format {
	case show.FormatTable:
		if count == 0 {
			p.b.WriteString("\nno differences\n")
		}
		p.shortenings()
		return p.flush(s.Out)
	case show.FormatCSV:
		rows := [][]string{changeHeader}
		for i := range doc.Changes {
			rows = append(rows, doc.Changes[i].rows()...)
		}
		return show.WriteCSV(s.Out, rows)
	}
	return show.WriteDocument(s.Out, s.Format, doc)
}

// between describes a state: as typed, and with its revision.
func between(at when.At, cursor string) string {
	number, _, _ := strings.Cut(cursor, "-")
	if words := at.Words(); words != "revision "+number {
		return words + " (revision " + number + ")"
	}
	return "revision " + number
}

// side is one of the compared devices.
type side struct {
	device *object.Device
	levels []hierarchy.Level
}

// compare shows the differences between two devices, now or in a past state.
func compare(ctx context.Context, s *object.Session, at string, omitHashed bool, words []string) error {
	if err := s.ReadPast(ctx, at, omitHashed); err != nil {
		return err
	}
	var sides [2]side
	for i, word := range words {
		d, err := s.Device(ctx, word)
		if err != nil {
			return run.PastError(err)
		}
		chain, err := provenance.ReadChain(ctx, s.Client, schema.ByName(string(d.Kind)), strconv.Itoa(d.ID))
		if err != nil {
			return run.PastError(err)
		}
		sides[i] = side{d, chain.Levels}
	}
	c := comparison{Devices: [2]objectDocument{sides[0].document(), sides[1].document()}, Keys: []pairDocument{}}
	for _, pair := range provenance.Compare(sides[0].levels, sides[1].levels) {
		c.Keys = append(c.Keys, pairDocument{pair.Key, [2]*valueDocument{(*valueDocument)(pair.Values[0]), (*valueDocument)(pair.Values[1])}})
	}
	switch s.Format {
	case show.FormatTable:
		p := newPrinter(s, nil, false)
		p.comparison(&c)
		return p.flush(s.Out)
	case show.FormatCSV:
		rows := [][]string{{"name", "a", "a_from", "b", "b_from"}}
		for _, k := range c.Keys {
			a, aFrom := k.Values[0].cells()
			b, bFrom := k.Values[1].cells()
			rows = append(rows, []string{k.Key, a, aFrom, b, bFrom})
		}
		return show.WriteCSV(s.Out, rows)
	}
	return show.WriteDocument(s.Out, s.Format, c)
}

// comparison is the differences between two devices.
type (
	comparison struct {
		Devices [2]objectDocument `json:"devices"`
		Keys    []pairDocument    `json:"keys"`
	}
	pairDocument struct {
		Key    string            `json:"key"`
		Values [2]*valueDocument `json:"values"` // in the order of the devices; null: not set
	}
)

func (s *side) document() objectDocument {
	return objectDocument{Type: string(s.device.Kind), ID: s.device.ID, Name: s.device.Name}
}

// comparison writes two columns of values side by side.
func (p *printer) comparison(c *comparison) {
	rows := [][]string{{"VARIABLE"}}
	for _, d := range c.Devices {
		rows[0] = append(rows[0], show.Object(schema.Noun(d.Type), d.Name), "FROM")
	}
	for _, k := range c.Keys {
		row := []string{show.Name(k.Key)}
		for _, v := range k.Values {
			value, from := v.cells()
			if v == nil {
				value = "-"
			}
			row = append(row, show.Clean(value), show.Clean(from))
		}
		rows = append(rows, row)
	}
	if len(c.Keys) == 0 {
		p.b.WriteString("their variables have the same values\n")
		return
	}
	var wide [5]int
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], table.Width(cell))
		}
	}
	const gaps = 2 * 4
	if room := max(p.look.Width-wide[0]-wide[2]-wide[4]-gaps, 2*show.MinValueWidth); p.look.Width > 0 && wide[1]+wide[3] > room {
		half := room / 2
		wide[1], wide[3] = min(wide[1], max(half, room-wide[3])), min(wide[3], max(half, room-wide[1]))
	}
	for n, row := range rows {
		text := ""
		for i, cell := range row {
			if (i == 1 || i == 3) && table.Width(cell) > wide[i] {
				cell, p.shortened = table.Shorten(cell, wide[i]), true
			}
			if i < len(row)-1 {
				cell = table.Pad(cell, wide[i]) + "  "
			}
			switch {
			case n == 0:
				cell = p.look.Dim(cell)
			case i == 0:
				cell = p.look.Bold(cell)
			case i == 2 || i == 4:
				cell = p.look.Cyan(cell)
			}
			text += cell
		}
		p.b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	p.shortenings()
}
