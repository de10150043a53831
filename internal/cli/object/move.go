package object

import (
	"context"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
)

func moveVerb(r *Resource) *Command {
	return &Command{
		Command: argparse.Command{Name: "move", Short: "Put a " + r.Noun() + " into another " + strings.Join(r.movesTo(), " or "), Long: r.moveLong(), Target: true,
			Options: r.move, Example: exampleOf(r.Name + "-move")},
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			if !slices.ContainsFunc(r.move, func(o argparse.Option) bool { return c.Given(o.Long) }) {
				return run.CommandError("Nowhere to move to... Please specify --%s", strings.Join(r.movesTo(), " or --"))
			}
			to, err := s.body(ctx, r.move, c, true)
			if err != nil {
				return err
			}
			var moved gjson.Result
			_, err = s.on(ctx, r, c.Target, func(id string) error {
				o, err := s.collection(r).Move(ctx, id, to)
				if err == nil {
					moved = gjson.ParseBytes(jsonOf(o))
				}
				return err
			})
			if err != nil {
				return err
			}
			return s.PrintObject(moved)
		},
	}
}

// movesTo are the places that a move takes, as options are called.
func (r *Resource) movesTo() (options []string) {
	for _, key := range r.kind.Moves {
		options = append(options, r.kind.Field(key).Option())
	}
	return options
}

// moveLong says what goes along.
func (r *Resource) moveLong() string {
	const stays = "Its id, variables and labels stay, and so do its interfaces and children. "
	if !r.labels {
		return "Put a " + r.Noun() + " into another region, with the devices and networks that are in it. All keep their ids and variables."
	}
	return "Put a " + r.Noun() + " into another region or cell. " + stays + "The region of a cell need not be given;\nwith a region alone it leaves its cell behind, and an empty text for the cell takes it out."
}
