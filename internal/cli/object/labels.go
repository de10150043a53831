package object

import (
	"cmp"
	"context"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/value"
)

// labelsVerb returns a command for labels.
func labelsVerb(r *Resource, verb string) *Command {
	short := map[string]string{
		"add":    "Add labels to a " + r.Noun(),
		"delete": "Remove labels from a " + r.Noun(),
		"get":    "Show the labels of a " + r.Noun(),
		"set":    "Replace the labels of a " + r.Noun(),
	}[verb]
	check := func(labels []string) error {
		for _, l := range labels {
			if err := value.CheckForm(l); err != nil && verb != "delete" {
				return argparse.Misused("argument LABEL: the label %s", err)
			}
		}
		return nil
	}
	c := &Command{
		Command: argparse.Command{Name: "labels-" + verb, Short: short, Target: true, Rest: verb != "get", Example: exampleOf(r.Name + "-labels-" + verb)},
		reads:   verb == "get",
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			if len(c.Words) == 0 && (verb == "add" || verb == "delete") {
				return nothingToLabel(verb)
			}
			if err := check(c.Words); err != nil {
				return err
			}
			var labels []string
			_, err := s.withObject(ctx, r, c.Target, func(id string) (err error) {
				labels, err = change(ctx, s.collection(r), verb, id, c.Words)
				return err
			})
			if err != nil {
				return err
			}
			return s.PrintLabels(labels)
		},
	}
	if verb == "get" {
		return c
	}
	return r.bulkVerb(c, func(_ *Session, _ context.Context, c *argparse.Call) (e craton.BulkEdit, err error) {
		switch verb {
		case "add":
			e.AddLabels = c.Words
		case "delete":
			e.RemoveLabels = c.Words
		default:
			words := append([]string{}, c.Words...)
			e.Labels = &words
		}
		if len(c.Words) == 0 && verb != "set" {
			err = nothingToLabel(verb)
		}
		return e, cmp.Or(err, check(c.Words))
	})
}

func nothingToLabel(verb string) error {
	return argparse.Misused("Nothing to %s... Please list the labels, separated by spaces.", verb)
}

// change changes labels as a verb does, and returns the resulting labels.
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
