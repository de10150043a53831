package object

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// send sends one request about objects, and returns the object in the response as received.
func (s *Session) send(ctx context.Context, method, path string, body any) (gjson.Result, error) {
	resp, err := s.Client.Do(ctx, method, path, nil, body)
	if err != nil {
		return gjson.Result{}, err
	}
	o := gjson.ParseBytes(resp.Body)
	if !o.IsObject() {
		return o, fmt.Errorf("%s %s: the response is not a Craton v1 response; check that the URL is that of a Craton API", method, path)
	}
	return o, nil
}

// at returns the path of an object.
func (r *Resource) at(id string) string { return r.path + "/" + url.PathEscape(id) }

func createVerb(r *Resource) *Command {
	return &Command{
		Command: argparse.Command{Name: "create", Short: "Create a " + r.Noun(), Options: r.Create, Long: r.createLong(), Example: exampleOf(r.Name + "-create")},
		creates: true,
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			body, err := s.body(ctx, r.Create, c, r.empties)
			if err != nil {
				return err
			}
			if c.Given("vars") {
				if body[keyVariables], err = s.newVariables(c.All("vars")); err != nil {
					return err
				}
			}
			if c.Given("labels") && r.kind.Labels == schema.MakeLabels {
				body[keyLabels] = c.All("labels")
			}
			if err := s.checkProtect(ctx, c); err != nil {
				return err
			}
			made, err := s.send(ctx, http.MethodPost, r.path, body)
			if err != nil {
				return withHint(err, http.StatusInternalServerError, hintWrite)
			}
			if c.Given("labels") && r.kind.Labels == schema.AddLabels {
				if err := s.addLabels(ctx, r, made, c.All("labels")); err != nil {
					return err
				}
			}
			if err := s.protect(ctx, r, idOf(made), c); err != nil {
				return halfDoneError(r, idOf(made), "made", "protected", err)
			}
			return s.PrintObject(made)
		},
	}
}

// addLabels adds labels to an object that was just created.
func (s *Session) addLabels(ctx context.Context, r *Resource, made gjson.Result, labels []string) error {
	id := made.Get(keyID)
	if _, err := s.collection(r).AddLabels(ctx, id.Raw, labels...); err != nil {
		return run.NewWordedError("", fmt.Sprintf("%s %s was created, but its labels could not be added.", r.Capital(), id.Raw), run.AsOriginal(err).Error(), err)
	}
	return nil
}

// createLong returns the long help of create: what is not obvious.
func (r *Resource) createLong() string {
	if r.secret == "" {
		return ""
	}
	return "Create a " + r.Noun() + ". The output includes the API key, which `craton server` shows only once."
}

// body returns the body of a create or update: the given API options, with references resolved to ids. Without empties,
// empty texts and the id 0 are left out.
func (s *Session) body(ctx context.Context, options []argparse.Option, c *argparse.Call, empties bool) (map[string]any, error) {
	refs, err := s.references(ctx, options, c)
	if err != nil {
		return nil, err
	}
	body := map[string]any{}
	for i := range options {
		o := &options[i]
		if o.Key == "" || !c.Given(o.Long) {
			continue
		}
		text := c.Text(o.Long)
		switch o.Kind {
		case argparse.ReferenceOption:
			switch id := refs[o.Key]; {
			case id == "": // taken away
				body[o.Key] = nil
			case id != "0" || empties:
				body[o.Key] = idValue(id)
			}
		case argparse.IntegerOption:
			body[o.Key], err = strconv.Atoi(text)
		case argparse.TruthOption:
			if text != "" {
				body[o.Key] = text == "true"
			}
		case argparse.SwitchOption:
			body[o.Key] = true
		default:
			if text != "" || empties {
				body[o.Key] = text
			}
			if o.Short == "n" && o.Key != "" { // its new name
				if err := cmp.Or(value.CheckWord(text), value.CheckForm(text)); err != nil {
					return nil, argparse.Misused("argument %s: the name %s", o.Argument(), err)
				}
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return body, nil
}

// idValue returns an id as JSON has it.
func idValue(id string) any {
	if n, err := strconv.Atoi(id); err == nil {
		return n
	}
	return id
}

func showVerb(r *Resource) *Command {
	return &Command{
		Command: argparse.Command{Name: "show", Short: "Show a " + r.Noun(), Target: true, Example: exampleOf(r.Name + "-show")},
		reads:   true,
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			_, o, err := s.get(ctx, r, c.Target)
			if err != nil {
				return err
			}
			objects := []gjson.Result{o}
			if _, err := s.fillRoles(ctx, r, objects); err != nil {
				return err
			}
			return s.PrintObject(r.guard(objects[0]))
		},
	}
}

// guard hides an object's secret.
func (r *Resource) guard(o gjson.Result) gjson.Result {
	if r.secret == "" || o.Get(r.secret).Type != gjson.String {
		return o
	}
	return With(o, r.secret, Concealed)
}

// With returns an object with one member replaced, or added at the end.
func With(o gjson.Result, key, raw string) gjson.Result {
	var b strings.Builder
	found := false
	o.ForEach(func(k, v gjson.Result) bool {
		text := v.Raw
		if k.Str == key {
			text, found = raw, true
		}
		b.WriteString("," + k.Raw + ":" + text)
		return true
	})
	if !found {
		b.WriteString("," + strconv.Quote(key) + ":" + raw)
	}
	return gjson.Parse("{" + b.String()[1:] + "}")
}

func updateVerb(r *Resource) *Command {
	return r.bulkVerb(&Command{
		Command: argparse.Command{Name: "update", Short: "Update a " + r.Noun(), Options: r.update, Target: true, Example: exampleOf(r.Name + "-update")},
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			body, err := s.changes(ctx, r, c)
			if err != nil {
				return err
			}
			var changed gjson.Result
			var all bool
			if err := s.checkProtect(ctx, c); err != nil {
				return err
			}
			if _, err := s.withObject(ctx, r, c.Target, func(id string) error {
				changed, all, err = s.change(ctx, r, id, body, c)
				return err
			}); err != nil {
				return err
			}
			id := idOf(changed) // another one, if it was recreated
			if c.Given("labels") && !all {
				if _, err := s.collection(r).AddLabels(ctx, id, c.All("labels")...); err != nil {
					return halfDoneError(r, id, "changed", "given its labels", err)
				}
			}
			if !all {
				if err := s.protect(ctx, r, id, c); err != nil {
					return halfDoneError(r, id, "changed", "protected or unprotected", err)
				}
			}
			if r.Name == "host" {
				s.Say("Host %s has been successfully updated.", c.Target)
			}
			return s.PrintObject(r.guard(changed))
		},
	}, func(s *Session, ctx context.Context, c *argparse.Call) (e craton.BulkEdit, err error) {
		e.AddLabels = c.All("labels")
		if e.Update, err = s.changes(ctx, r, c); err != nil {
			return e, err
		}
		if err = s.checkProtect(ctx, c); err != nil {
			return e, err
		}
		e.Protected = protects(c)
		if to, rest := r.splitPlace(e.Update); len(to) > 0 {
			known, err := s.Knows(ctx, reconcile.FeatureMove)
			if err != nil {
				return e, err
			}
			if known {
				e.Move, e.Update = to, rest
			}
		}
		switch _, named := e.Update[r.nameKey()]; {
		case named:
			return e, argparse.Misused("%s", "argument -n/--name: not allowed with argument --where: each object has a name of its own")
		case c.Given(recreateOption.Long):
			return e, argparse.Misused("%s", "argument --recreate: not allowed with argument --where: objects are recreated one at a time")
		case slices.ContainsFunc(r.fixed, func(key string) bool { _, given := e.Update[key]; return given }):
			return e, argparse.Misused("%s", r.hintFixed())
		}
		return e, nil
	})
}

// changes returns the body of an update, which must not be empty.
func (s *Session) changes(ctx context.Context, r *Resource, c *argparse.Call) (map[string]any, error) {
	if !slices.ContainsFunc(r.update, func(o argparse.Option) bool { return c.Given(o.Long) }) {
		return nil, run.CommandError("Nothing to update... Please specify %s", r.nothing)
	}
	return s.body(ctx, r.update, c, true)
}

// put sends an update. The original returns 500 for an object that does not exist; one more request distinguishes this.
func (s *Session) put(ctx context.Context, r *Resource, id string, body map[string]any) (gjson.Result, error) {
	o, err := s.send(ctx, http.MethodPut, r.at(id), body)
	switch {
	case craton.IsUnexplained(err):
		if _, missing := s.send(ctx, http.MethodGet, r.at(id), nil); craton.IsNotFound(missing) {
			return o, missing
		}
		err = withHint(err, http.StatusInternalServerError, hintWrite)
	case craton.IsBadRequest(err):
		for _, key := range r.fixed {
			if _, given := body[key]; given {
				return o, withHint(err, http.StatusBadRequest, r.hintFixed())
			}
		}
	}
	return o, err
}

// hintFixed returns what to do if an update refuses another place.
func (r *Resource) hintFixed() string {
	if r.move != nil {
		return "to move a " + r.Noun() + " give --" + strings.Join(r.movesTo(), " or --") + ": craton server moves it; if the server cannot, --recreate deletes it and creates it again, with another id"
	}
	return "the API cannot move a " + r.Noun() + ": delete it and create it where it belongs"
}

// hintWrite explains a bare 500 to a write.
const hintWrite = "the original server returns this when an object that the request names by its id does not exist, when the name is taken, " +
	"and when a text is longer than 255 characters"

// withHint adds what to do next to a response with a status. A 500 with an explanation needs no hint.
func withHint(err error, status int, text string) error {
	if craton.StatusOf(err) != status || status == http.StatusInternalServerError && !craton.IsUnexplained(err) {
		return err
	}
	return craton.WithHint(err, text)
}
