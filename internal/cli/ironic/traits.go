package ironic

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/iotronic"
)

// traitService reads and writes the traits of one kind of objects.
type traitService interface {
	GetTraits(ctx context.Context, id string) ([]string, error)
	SetTraits(ctx context.Context, id string, traits []string) error
	AddTrait(ctx context.Context, id, trait string) error
	RemoveTrait(ctx context.Context, id, trait string) error
}

// traitVerbs returns the commands for traits of nodes, or of runbooks.
func (k *kind) traitVerbs(of func(*iotronic.Client) traitService) []*verb {
	all := argparse.Option{Long: "all", Kind: argparse.SwitchOption, Help: "remove all traits"}
	return []*verb{
		{
			Command: argparse.Command{Name: "trait-list", Paged: true, Short: "List the traits of a " + k.Noun(), Target: true},
			does: func(ctx context.Context, t *session, c *argparse.Call) error {
				traits, err := of(t.client).GetTraits(ctx, c.Target)
				if err != nil {
					return t.near(ctx, k, c.Target, err)
				}
				rows := make([]gjson.Result, len(traits))
				for i, trait := range traits {
					rows[i] = gjson.Parse(`{"traits":` + string(object.JSONText(trait)) + `}`)
				}
				return t.PrintList(rows, []string{"traits"})
			},
		},
		{
			Command: argparse.Command{Name: "trait-add", Short: "Add traits to a " + k.Noun(), Target: true, Rest: true},
			aliases: []string{k.Name + "-add-trait"}, words: func(context.Context, *session, *argparse.Call) []string { return nil },
			does: k.get("traits added", func(ctx context.Context, t *session, c *argparse.Call) error {
				if len(c.Words) == 0 {
					return argparse.Misused("the following arguments are required: <trait>")
				}
				for _, trait := range c.Words {
					if err := iotronic.CheckTrait(trait); err != nil {
						return argparse.Misused("argument <trait>: %s", err)
					}
				}
				return each(c.Words, "added", func(trait string) error { return of(t.client).AddTrait(ctx, c.Target, trait) })
			}),
		},
		{
			Command: argparse.Command{Name: "trait-remove", Short: "Remove traits from a " + k.Noun(), Target: true, Rest: true, Options: []argparse.Option{all}},
			aliases: []string{k.Name + "-remove-trait"}, words: func(ctx context.Context, t *session, c *argparse.Call) []string {
				traits, _ := of(t.client).GetTraits(ctx, c.Target)
				return traits
			},
			does: k.get("traits removed", func(ctx context.Context, t *session, c *argparse.Call) error {
				switch given := c.Given("all"); {
				case given == (len(c.Words) > 0):
					return argparse.Misused("give either traits or --all")
				case given:
					return of(t.client).SetTraits(ctx, c.Target, nil)
				}
				return each(c.Words, "removed", func(trait string) error { return of(t.client).RemoveTrait(ctx, c.Target, trait) })
			}),
		},
	}
}

// each calls a function with each word, until the first error, which says what was done before.
func each(words []string, done string, do func(string) error) error {
	for i, word := range words {
		err := do(word)
		if err == nil {
			continue
		}
		text := strings.TrimRight(plainly(err).Error(), ".")
		if i > 0 {
			text += fmt.Sprintf("; already %s: %s", done, strings.Join(words[:i], ", "))
		}
		if i+1 < len(words) {
			text += "; not tried: " + strings.Join(words[i+1:], ", ")
		}
		return run.NewWordedError("", text, "", err)
	}
	return nil
}
