package object

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
)

func moveVerb(r *Resource) *Command {
	place := func(s *Session, ctx context.Context, c *argparse.Call) (map[string]any, error) {
		if !slices.ContainsFunc(r.move, func(o argparse.Option) bool { return c.Given(o.Long) }) {
			return nil, argparse.Misused("Nowhere to move to... Please specify --%s", strings.Join(r.movesTo(), " or --"))
		}
		return s.body(ctx, r.move, c, true)
	}
	return r.bulkVerb(&Command{
		Command: argparse.Command{Name: "move", Short: "Move a " + r.Noun() + " to another " + strings.Join(r.movesTo(), " or "), Long: r.moveLong(), Target: true,
			Options: r.move, Example: exampleOf(r.Name + "-move")},
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			to, err := place(s, ctx, c)
			if err != nil {
				return err
			}
			var moved gjson.Result
			_, err = s.withObject(ctx, r, c.Target, func(id string) (err error) {
				moved, err = s.moveTo(ctx, r, id, to)
				return err
			})
			if err != nil {
				return err
			}
			return s.PrintObject(moved)
		},
	}, func(s *Session, ctx context.Context, c *argparse.Call) (e craton.BulkEdit, err error) {
		known, err := s.Knows(ctx, reconcile.FeatureBulk)
		if err == nil && !known {
			err = errors.New("this server cannot move objects; craton server and CRATON_URL=sqlite:PATH can")
		}
		if err == nil {
			e.Move, err = place(s, ctx, c)
		}
		return e, err
	})
}

// moveTo moves an object to another place.
func (s *Session) moveTo(ctx context.Context, r *Resource, id string, to map[string]any) (gjson.Result, error) {
	o, err := s.collection(r).Move(ctx, id, to)
	if err != nil {
		return gjson.Result{}, err
	}
	return gjson.ParseBytes(jsonOf(o)), nil
}

// recreateOption is for servers that cannot move objects.
var recreateOption = argparse.Option{Long: "recreate", Kind: argparse.SwitchOption,
	Help: "if the server cannot move it: delete it and create it again in the new region or cell, with all its data but a new id"}

// splitPlace splits an update into a new place, as the body of a move, and all other fields. The cloud only determines
// in which cloud the region was looked up.
func (r *Resource) splitPlace(body map[string]any) (to, rest map[string]any) {
	if r.move == nil {
		return nil, body
	}
	to, rest = map[string]any{}, map[string]any{}
	for key, v := range body {
		switch f := r.kind.Field(key); {
		case slices.Contains(r.kind.Moves, key):
			to[key] = v
		case f == nil || !f.Place():
			rest[key] = v
		}
	}
	if len(to) == 0 { // a cloud alone is refused like any other fixed field
		return nil, body
	}
	return to, rest
}

// change executes an update of one object: if the server moves objects, a new place as a move before the rest, or
// together with it in one write. all reports whether everything in the command has been done, including labels.
func (s *Session) change(ctx context.Context, r *Resource, id string, body map[string]any, c *argparse.Call) (o gjson.Result, all bool, err error) {
	to, rest := r.splitPlace(body)
	if len(to) > 0 {
		known, err := s.Knows(ctx, reconcile.FeatureMove)
		switch {
		case err != nil:
			return o, false, err
		case known:
			if all, err = s.moveAndUpdate(ctx, r, id, to, rest, c); err != nil {
				return o, false, err
			}
			if all {
				o, err = s.send(ctx, http.MethodGet, r.at(id), nil)
				return o, true, err
			}
			if o, err = s.moveTo(ctx, r, id, to); err != nil || len(rest) == 0 {
				return o, false, err
			}
			if o, err = s.put(ctx, r, id, rest); err != nil {
				err = halfDoneError(r, id, "moved", "updated", err)
			}
			return o, false, err
		case c.Given(recreateOption.Long):
			o, err = s.recreate(ctx, r, id, body)
			return o, false, err
		}
	}
	if len(body) == 0 && !c.Given("labels") { // only its protection changes
		o, err = s.send(ctx, http.MethodGet, r.at(id), nil)
		return o, false, err
	}
	o, err = s.put(ctx, r, id, body)
	return o, false, err
}

// moveAndUpdate moves an object and makes all other changes of an update in one write. It returns false if there are
// none, or if the server does not support that.
func (s *Session) moveAndUpdate(ctx context.Context, r *Resource, id string, to, rest map[string]any, c *argparse.Call) (bool, error) {
	e := craton.BulkEdit{Kind: craton.Kind(r.Name), Where: keyID + "=" + id, Move: to, Update: rest, Protected: protects(c), AddLabels: c.All("labels")}
	if len(rest) == 0 && e.Protected == nil && len(e.AddLabels) == 0 {
		return false, nil
	}
	known, err := s.Knows(ctx, reconcile.FeatureBulk)
	if err == nil && known {
		_, err = s.Client.Bulk(ctx, e)
	}
	return known, err
}

// recreate deletes an object and creates it again, with its values and the changes of an update.
func (s *Session) recreate(ctx context.Context, r *Resource, id string, body map[string]any) (o gjson.Result, err error) {
	fl, err := s.fleet(ctx)
	if err != nil {
		return o, err
	}
	w := &reconcile.Wanted{Kind: r.kind, ID: id, Recreate: true, Values: map[string]any{}}
	for key, v := range body {
		if key == r.nameKey() {
			w.Name, _ = v.(string)
			continue
		}
		w.Values[key] = reconcile.Canonical(v)
	}
	for _, place := range []struct {
		key string
		of  *schema.Kind
	}{{keyCell, schema.Cell}, {keyRegion, schema.Region}} { // an inner place determines the outer one
		if at := w.Values[place.key]; at != nil {
			in, err := fl.Get(ctx, place.of, fmt.Sprint(at))
			if err != nil {
				return o, err
			}
			for _, outer := range []string{keyRegion, keyCloud} {
				if v := in[outer]; v != nil {
					w.Values[outer] = v
				}
			}
		}
	}
	st, err := fl.Plan(ctx, w)
	if err != nil {
		return o, err
	}
	done, err := fl.Apply(ctx, st)
	if err != nil {
		return o, run.Verbatim(err)
	}
	if with := st.Carried(); with != nil {
		s.Say("It was recreated with %s.", show.Clean(listOf(with, "and")))
	}
	return s.send(ctx, http.MethodGet, r.at(done.Object.ID()), nil)
}

// halfDoneError returns the error of a command that executed only its first part.
func halfDoneError(r *Resource, id, did, not string, err error) error {
	return run.NewWordedError("", fmt.Sprintf("%s %s was %s, but could not be %s.", r.Capital(), id, did, not), run.AsOriginal(err).Error(), err)
}

// idOf returns an object's id for a path.
func idOf(o gjson.Result) string { return o.Get(keyID).String() }

// movesTo returns the places for a move, by the names of options.
func (r *Resource) movesTo() (options []string) {
	for _, key := range r.kind.Moves {
		options = append(options, r.kind.Field(key).Option())
	}
	return options
}

// moveLong describes what moves with the object.
func (r *Resource) moveLong() string {
	const stays = "It keeps its id, variables, labels, interfaces and children.\n"
	if !r.labels {
		return "Move a " + r.Noun() + " to another region, with the devices and networks in it. All keep their ids and variables."
	}
	return "Move a " + r.Noun() + " to another region or cell. " + stays + "A cell implies its region. If only a region is given, the " + r.Noun() + " keeps its cell if the cell is in that region, and is in no cell\notherwise. An empty value for the cell takes the " + r.Noun() + " out of its cell."
}
