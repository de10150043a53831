package object

import (
	"context"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
)

// labelsVerb makes the command for one thing that can be done with labels.
func labelsVerb(r *Resource, verb string) *Command {
	short := map[string]string{
		"add":    "Add labels to a " + r.Noun(),
		"delete": "Take labels from a " + r.Noun(),
		"get":    "Show the labels of a " + r.Noun(),
		"set":    "Give a " + r.Noun() + " exactly these labels",
	}[verb]
	return &Command{
		Command: argparse.Command{Name: "labels-" + verb, Short: short, Target: true, Rest: verb != "get", Example: exampleOf(r.Name + "-labels-" + verb)},
		reads:   verb == "get",
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			if len(c.Words) == 0 && (verb == "add" || verb == "delete") {
				return run.CommandError("Nothing to %s... Please list the labels, separated by spaces.", verb)
			}
			var labels []string
			_, err := s.on(ctx, r, c.Target, func(id string) (err error) {
				labels, err = change(ctx, s.collection(r), verb, id, c.Words)
				return err
			})
			if err != nil {
				return err
			}
			return s.PrintLabels(labels)
		},
	}
}

// change does what a verb says, and gives the labels afterwards.
func change(ctx context.Context, of *craton.Collection, verb, id string, words []string) ([]string, error) {
	switch verb {
	case "add":
		return of.AddLabels(ctx, id, words...)
	case "set":
		return of.SetLabels(ctx, id, words...)
	case "delete":
		if err := of.RemoveLabels(ctx, id, words...); err != nil {
			return nil, err
		}
	}
	return of.Labels(ctx, id)
}
