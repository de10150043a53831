package history

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/when"
)

// defaultEvents is the default number of events.
const defaultEvents = 50

// pageEvents is the number of events that are requested at once.
const pageEvents = 500

// New returns the command `craton history`.
func New(s output.Streams) *cobra.Command {
	var since, until string
	var o craton.HistoryOptions
	cmd := &cobra.Command{
		Use:   "history [OBJECT] [KEY]",
		Short: "Show what changed an object or the values it inherits, who did it, and why",
		Long: `Show the changes of an object, newest first: of its fields, its labels and its resolved variables. A change of a region's
variable that a host inherits is part of the host's history, as are moves and changes of parents; a change that is shadowed
by a nearer value is not. With KEY, show only changes of that variable. Without OBJECT, show all changes.

OBJECT is a name, an id, REGION/NAME or CLOUD/REGION/NAME of a host or network device, or with --kind of another
object. A deleted object is found by the name or path that it had.

A TIME is 2h or 3d (ago), yesterday, 2026-11-20, "2026-11-20 09:30" or RFC 3339. Times are shown in the local time zone.
This requires a change log, which craton server and CRATON_URL=sqlite:PATH have.`,
		Example: `  craton history web-01                        what changed web-01
  craton history web-01 ntp                    only changes of its variable ntp
  craton history --kind region dfw             of a region
  craton history --since yesterday --by ann    changes by ann since yesterday
  craton history --request req-f5f0f0b1-...    changes of one request`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.Limit < 0 {
				return argparse.Mistake(cmd, "argument --limit: must not be negative; 0 shows all")
			}
			return atMost("OBJECT", "KEY")(cmd, args)
		},
		RunE: object.OnFleet(s, connect.ReadOnly, func(ctx context.Context, run *object.Session, args []string) (err error) {
			if o.Since, err = timeOf("--since", since); err != nil {
				return err
			}
			if o.Until, err = timeOf("--until", until); err != nil {
				return err
			}
			args = append(args, "", "")
			o.Key = args[1]
			return showHistory(ctx, run, o, args[0])
		}),
	}
	run.AddFleetFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.Kind, "kind", "", kindHelp)
	run.TimeVar(f, &since, "since", "only changes since `TIME`")
	run.TimeVar(f, &until, "until", "only changes before `TIME`")
	f.StringVar(&o.User, "by", "", "only changes by `USER`")
	f.StringVar(&o.RequestID, "request", "", "only changes of the request with this `ID`")
	f.IntVar(&o.Limit, "limit", defaultEvents, "show at most `N` changes; 0 for all")
	complete(cmd, s)
	return cmd
}

const kindHelp = "`KIND` of the object: host, network-device, cell, region, cloud, network, network-interface, project or user"

// atMost limits the number of arguments to the number of their names.
func atMost(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		return argparse.ExactArgs(names[:min(len(args), len(names))]...)(cmd, args)
	}
}

// timeOf parses the time in an option.
func timeOf(option, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := when.Parse(text, time.Now())
	if err != nil {
		return t, argparse.Misused("argument %s: %s", option, err)
	}
	return t, nil
}

// complete completes the names of devices.
func complete(cmd *cobra.Command, s output.Streams) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		kinds, err := kindsOf(cmd.Flag("kind").Value.String())
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		by := object.Completer{Command: &object.Command{}, Streams: s}
		return by.Names(cmd, begin, kinds...), cobra.ShellCompDirectiveNoFileComp
	}
}

// showHistory shows the history of the object that a word names; of everything without a word.
func showHistory(ctx context.Context, s *object.Session, o craton.HistoryOptions, word string) error {
	of, err := targetOf(ctx, s, "history", o.Kind, word)
	if err != nil {
		return err
	}
	if of != nil {
		o.Kind, o.ID = of.Kind, of.ID
	}
	doc := document{Object: of.document(), Events: []eventDocument{}}
	p := newPrinter(s, of, o.Key != "")
	if s.Format == show.FormatTable {
		p.title()
	}
	limit := o.Limit
	for n := 0; ; {
		o.Limit = pageEvents
		if limit > 0 {
			o.Limit = min(limit-n, pageEvents)
		}
		page, err := s.Client.History(ctx, o)
		if err != nil {
			return run.PastError(err)
		}
		n += len(page.Events)
		doc.add(page, s.Format != show.FormatTable)
		if s.Format == show.FormatTable {
			for _, e := range page.Events {
				p.event(e)
			}
			if err := p.flush(s.Out); err != nil {
				return err
			}
		}
		if o.Before = page.Next; o.Before == "" || n == limit {
			break
		}
	}
	return doc.finish(s, p)
}

// finish writes the rest: the end of a table.
func (d *document) finish(s *object.Session, p *printer) error {
	switch s.Format {
	case show.FormatTable:
		p.ending(d)
		if err := p.flush(s.Out); err != nil {
			return err
		}
		if d.More {
			_, _ = io.WriteString(s.Err, fmt.Sprintf("%d shown, more follow: --limit 0 shows all\n", d.shown))
		}
		return nil
	case show.FormatCSV:
		return show.WriteCSV(s.Out, d.rows())
	}
	return show.WriteDocument(s.Out, s.Format, d)
}
