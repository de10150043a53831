package explain

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/where"
	"github.com/craton-fleet/craton/inventory"
)

// past are the settings of the inventory that select the state to explain.
var past = settings.Inventory.Only("at", "omit_hashed")

// New returns the command `craton explain`.
func New(s output.Streams) *cobra.Command {
	var who, keys bool
	var key, terms string
	cmd := &cobra.Command{
		Use:   "explain HOST [VARIABLE]",
		Short: "Show where each variable of a host comes from, and what it shadows",
		Long: `Show every variable of a host or network device, the object that it comes from, and the values of other objects that it
shadows. The nearest object that has a variable wins, even with null, and values are never merged. The order is: the host,
its parent devices, its cell, region, cloud and project. With VARIABLE, show the value at each of them, in full.

With --who, show who set each value, when, and with which message. This requires a change log, which craton server and
CRATON_URL=sqlite:PATH have.

With --key instead of a host, show the values of a variable on all hosts, or on those that match --where: each value, the
object that it comes from, the number of hosts that have it, and the number on which a nearer object shadows it.

With --keys instead of a host, list all variables, how many hosts have each, and how many objects set it.

HOST is a name, an id, REGION/NAME or CLOUD/REGION/NAME. On a terminal, long values are shortened to fit.`,
		Example: `  craton explain web-01                     every variable
  craton explain web-01 ntp                 one, at every place
  craton explain web-01 ntp --who           and who set them
  craton explain web-01 --at yesterday      as of the start of yesterday
  craton explain --key ntp                  its values on all hosts
  craton explain --key ntp --where label=web
  craton explain --keys                     all variables in the fleet
  craton explain dfw/web-01 --format json   for programs`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case (cmd.Flags().Changed("key") || keys) && len(args) > 0:
				return argparse.Unrecognized(cmd, args...)
			case cmd.Flags().Changed("key") && who:
				return argparse.Mistake(cmd, "argument --who: not allowed with argument --key")
			case keys && who:
				return argparse.Mistake(cmd, "argument --who: not allowed with argument --keys")
			case keys && cmd.Flags().Changed("key"):
				return argparse.Mistake(cmd, "argument --keys: not allowed with argument --key")
			case cmd.Flags().Changed("key"):
				if err := value.CheckName(key); err != nil {
					return argparse.Mistake(cmd, "argument --key: the name %v", err)
				}
				return nil
			case cmd.Flags().Changed("where"):
				return argparse.Mistake(cmd, "argument --where: only allowed with argument --key")
			case keys:
				return nil
			}
			names := []string{"HOST", "VARIABLE"}
			return argparse.ExactArgs(names[:min(max(len(args), 1), 2)]...)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := settings.Load(cmd.Flags(), settings.Inventory)
			if err != nil {
				return err
			}
			o, err := inventory.FromSettings(v)
			if err != nil {
				return err
			}
			of, err := settings.Load(cmd.Flags(), past)
			if err != nil {
				return err
			}
			var meant *where.Where
			if cmd.Flags().Changed("where") {
				if meant, err = where.Parse(schema.Host, terms); err != nil {
					return argparse.Mistake(cmd, "argument --where: %v", err)
				}
			}
			return object.OnFleet(s, connect.ReadOnly, func(ctx context.Context, on *object.Session, args []string) error {
				if err := on.ReadPast(ctx, of.String("inventory.at"), of.Bool("inventory.omit_hashed")); err != nil {
					return err
				}
				if keys {
					d, err := keysOf(ctx, on)
					if err != nil {
						return run.PastError(err)
					}
					return d.write(on.Out, on.Format)
				}
				if key != "" {
					d, err := spreadOf(ctx, on, key, meant)
					if err != nil {
						return run.PastError(err)
					}
					return d.write(on.Out, on.Format)
				}
				e, err := explain(ctx, on, o.Excludes, args[0])
				if err != nil {
					return run.PastError(err)
				}
				if len(args) > 1 {
					if err := e.only(args[1]); err != nil {
						return err
					}
				}
				if who {
					if err := e.ReadSetters(ctx, on.Client, nil); err != nil {
						return err
					}
				}
				return e.write(on.Out, on.Format, len(args) > 1)
			})(cmd, args)
		},
	}
	run.AddFleetFlags(cmd)
	settings.AddFlags(cmd.Flags(), past)
	cmd.Flags().BoolVar(&who, "who", false, "show who set each value, when, and why")
	cmd.Flags().StringVar(&key, "key", "", "instead of a host: show the values of the variable `NAME` on all hosts")
	cmd.Flags().BoolVar(&keys, "keys", false, "instead of a host: list all variables in the fleet")
	cmd.Flags().StringVar(&terms, "where", "", "with --key: only hosts that match all `TERMS`, such as 'label=web region=dfw ntp=10.*'")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		return completeExplain(cmd, s, args, begin), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// completeExplain completes a device's name, and then the names of its variables.
func completeExplain(cmd *cobra.Command, s output.Streams, args []string, begin string) []string {
	by := object.Completer{Command: &object.Command{}, Streams: s}
	switch len(args) {
	case 0:
		return by.Names(cmd, begin, object.DeviceKinds()...)
	case 1:
		return by.Ask(cmd, func(ctx context.Context, s *object.Session) []string {
			d, err := s.Device(ctx, args[0])
			if err != nil {
				return nil
			}
			resolved := s.Client.Hosts.ResolvedVariables
			if d.Kind == craton.KindNetworkDevice {
				resolved = s.Client.NetworkDevices.ResolvedVariables
			}
			variables, err := resolved(ctx, d.ID)
			if err != nil {
				return nil
			}
			return variables.Keys()
		})
	}
	return nil
}

// explanation describes where each variable of a device comes from.
type explanation struct {
	device *object.Device
	*provenance.Explanation
}

// explain reads where a device's variables come from: with requests for the device only, not for the fleet.
func explain(ctx context.Context, s *object.Session, excludes func(string) bool, word string) (*explanation, error) {
	d, err := s.Device(ctx, word)
	if err != nil {
		return nil, err
	}
	e, err := provenance.Explain(ctx, s.Client, schema.ByName(string(d.Kind)), strconv.Itoa(d.ID), excludes)
	if err != nil {
		return nil, err
	}
	return &explanation{d, e}, nil
}

// only keeps one variable.
func (e *explanation) only(key string) error {
	i, found := e.Find(key)
	if found {
		e.Variables = e.Variables[i : i+1]
		return nil
	}
	var known []string
	for _, v := range e.Variables {
		known = append(known, v.Name)
	}
	text := fmt.Sprintf("%s %q has no variable %q", e.device.Kind, e.device.Name, key)
	if near := nearest.Word(key, known); near != "" {
		return fmt.Errorf("%s; did you mean %q?", text, near)
	}
	return fmt.Errorf("%s; `craton explain %d` lists its %d variables", text, e.device.ID, len(known))
}

// The documents for --format json and yaml.
type (
	explanationDocument struct {
		Device    deviceDocument                         `json:"device"`
		Order     []provenance.LevelDocument             `json:"order"`
		Complete  bool                                   `json:"complete"`
		Variables map[string]provenance.VariableDocument `json:"variables"`
	}
	deviceDocument struct {
		provenance.LevelDocument
		IPAddress  string `json:"ip_address"`
		DeviceType string `json:"device_type"`
		Active     bool   `json:"active"`
	}
)

func (e *explanation) document() explanationDocument {
	return explanationDocument{
		Device: deviceDocument{provenance.DocumentOf(e.Levels[0]), e.device.IPAddress, e.device.DeviceType, e.device.Active},
		Order:  e.Order(), Complete: e.Complete, Variables: e.Document(),
	}
}

// write writes the explanation in a format: of all variables, or of the remaining one.
func (e *explanation) write(w io.Writer, format string, one bool) error {
	switch format {
	case show.FormatCSV:
		return show.WriteCSV(w, e.rows())
	case show.FormatTable:
		text := e.overview
		if one {
			text = e.one
		}
		_, err := io.WriteString(w, text(show.AppearanceOf(w)))
		return err
	}
	return show.WriteDocument(w, format, e.document())
}

// rows returns the explanation as CSV: a row for each value, the winning one first for each variable.
func (e *explanation) rows() [][]string {
	rows := [][]string{{"variable", "value", "type", "id", "name", "counts"}}
	if e.HasSetters() {
		rows[0] = append(rows[0], "set_by", "set_at", "request_id", "message")
	}
	for _, v := range e.Variables {
		for i, value := range v.Values {
			l := e.Levels[value.Level]
			row := []string{v.Name, value.Value, l.Kind, l.ID, l.Name, strconv.FormatBool(i == 0)}
			if c := e.SetBy(value.Level, v.Name); c != nil {
				row = append(row, c.User, c.Time.UTC().Format(time.RFC3339Nano), c.RequestID, c.Message)
			} else if e.HasSetters() {
				row = append(row, "", "", "", "")
			}
			rows = append(rows, row)
		}
	}
	return rows
}
