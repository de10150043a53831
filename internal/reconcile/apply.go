package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Done is the result of applying a step.
type Done struct {
	Object Object            // the current object
	APIKey string            // of a new user
	Keys   map[string]string // secrets of new keys, by name
	Wrote  bool              // something was changed, even if not everything
}

// part is one of the requests that change an object.
type part struct {
	has func(*Step) bool
	do  func(*Fleet, context.Context, *Step, *Done) error
}

// parts are in the order in which they are sent.
var parts = []part{
	{func(st *Step) bool { return st.Remove }, (*Fleet).remove},
	{func(st *Step) bool { return len(st.Move) > 0 }, (*Fleet).move},
	{func(st *Step) bool { return len(st.Update) > 0 }, (*Fleet).update},
	{func(st *Step) bool { return len(st.Set) > 0 }, (*Fleet).setVariables},
	{func(st *Step) bool { return len(st.Unset) > 0 }, (*Fleet).deleteVariables},
	{func(st *Step) bool { return len(st.Drop) > 0 }, (*Fleet).dropLabels},
	{func(st *Step) bool { return len(st.AddLabels) > 0 }, (*Fleet).addLabels},
	{func(st *Step) bool { return st.Protect != nil }, (*Fleet).protect},
	{func(st *Step) bool { return st.access != nil }, (*Fleet).grant},
}

// Apply applies a step. If it fails, it also returns what was done before the error.
func (fl *Fleet) Apply(ctx context.Context, st *Step) (done Done, err error) {
	done.Object = st.Before
	if !st.Remove {
		done.Object = st.Before.Clone()
	}
	left := parts
	if st.carry != nil {
		if err := fl.replace(ctx, st, &done); err != nil {
			return done, err
		}
		left = parts[len(parts)-2:] // protection is shown last
	} else if st.Create {
		if st.Remove {
			if err := fl.remove(ctx, st, &done); err != nil {
				return done, err
			}
		}
		if err := fl.create(ctx, st, &done); err != nil {
			if st.Remove {
				err = fmt.Errorf("the %s was deleted, but could not be recreated: %w; it should have become %s", Called(st.Kind, st.Before), err, st.content())
			}
			return done, err
		}
		left = laterParts
	}
	if did, err := fl.moveAndUpdate(ctx, st, &done); did || err != nil {
		return done, err
	}
	for _, part := range left {
		if part.has(st) {
			if err := part.do(fl, ctx, st, &done); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// content returns the JSON of the object to create, so that it can be created by hand.
func (st *Step) content() []byte {
	o := maps.Clone(st.After)
	for _, key := range []string{KeyID, KeyCreated, KeyUpdated} {
		delete(o, key)
	}
	text, _ := value.Encode(o) // scalars, lists of texts and variables
	return text
}

// laterParts follow the request that creates an object: labels, protection and access.
var laterParts = parts[len(parts)-4:]

// remove deletes the object.
func (fl *Fleet) remove(ctx context.Context, st *Step, done *Done) error {
	err := fl.collection(st.Kind).Delete(ctx, st.Before.ID())
	done.Wrote = done.Wrote || err == nil
	return err
}

func (fl *Fleet) create(ctx context.Context, st *Step, done *Done) error {
	k, c := st.Kind, fl.collection(st.Kind)
	body := st.body()
	for key, v := range body {
		body[key] = apiValue(v)
	}
	if v := st.After.Variables(); len(v) > 0 {
		body[KeyVariables] = v
	}
	if l := st.After.Labels(); len(l) > 0 && k.Labels == schema.MakeLabels {
		body[KeyLabels] = l
	}
	if st.access != nil && st.access.role != "" {
		body[KeyRole] = st.access.role
	}
	raw, err := c.Create(ctx, body)
	if err != nil {
		return err
	}
	made, err := object(k, raw, http.MethodPost, c.Path())
	if err != nil {
		return err
	}
	if k.Variables != schema.None && made.Variables() == nil {
		made[KeyVariables] = craton.Variables{}
		if k.Variables == schema.AtCreate { // the response does not show them (v1 contract §2.3)
			made[KeyVariables] = st.After.Variables()
		}
	}
	if k.Labels != schema.Unlabelled {
		made[KeyLabels] = []string{}
		if k.Labels == schema.MakeLabels {
			made[KeyLabels] = st.After.Labels()
		}
	}
	if _, said := st.After[KeyProtected]; said {
		made[KeyProtected] = false // until it is deleted
	}
	if key, ok := (*raw)[KeyAPIKey]; ok {
		_ = json.Unmarshal(key, &done.APIKey) // a key that is not a text does not count
	}
	done.Object, done.Wrote = made, true
	return nil
}

// body returns the name and the fields of the request that creates an object.
func (st *Step) body() map[string]any {
	body := map[string]any{st.Kind.Title: st.After[st.Kind.Title]}
	for _, f := range st.Kind.Fields {
		_, given := st.given[f.Key]
		if v := st.After[f.Key]; v != nil && (f.Type != schema.Flag || st.Remove || given) {
			body[f.Key] = v
		}
	}
	return body
}

// FeatureBulk is the capability of servers that can make several changes in one write.
const FeatureBulk = "bulk"

// moveAndUpdate moves an object and updates its other fields in one write, if the server supports that; did reports
// whether it does.
func (fl *Fleet) moveAndUpdate(ctx context.Context, st *Step, done *Done) (did bool, err error) {
	more := len(st.Update)+len(st.Set)+len(st.Unset)+len(st.Drop)+len(st.AddLabels) > 0 || st.Protect != nil
	if st.Create || st.Remove || len(st.Move) == 0 || !more || !fl.supports(ctx, FeatureBulk) {
		return false, nil
	}
	id := st.Before.ID()
	got, err := fl.Client.Bulk(ctx, craton.BulkEdit{Kind: craton.Kind(st.Kind.Name), Where: KeyID + "=" + id, Move: st.moveBody(), Update: updateBody(st.Kind, st.Update),
		Variables: st.Set, RemoveVariables: st.Unset, AddLabels: st.AddLabels, RemoveLabels: st.Drop, Protected: st.Protect})
	if err != nil {
		return false, fmt.Errorf("it was neither moved nor changed: %w", err)
	}
	done.Wrote = got.Changed > 0
	c := fl.collection(st.Kind)
	raw, err := c.Get(ctx, id)
	if err != nil {
		return true, err
	}
	now, err := object(st.Kind, raw, http.MethodGet, c.Path()+"/"+id)
	if err == nil {
		now, err = fl.Fill(ctx, st.Kind, now)
	}
	if err == nil {
		maps.Copy(done.Object, now)
		if st.Protect != nil {
			done.Object[KeyProtected] = *st.Protect
		}
	}
	return true, err
}

// moveBody returns the body of the request that moves an object.
func (st *Step) moveBody() map[string]any {
	body := map[string]any{}
	for key, v := range st.Move {
		body[key] = apiValue(v)
	}
	if _, moved := body["region_id"]; moved && body["cell_id"] == nil {
		delete(body, "cell_id") // left out by the move itself
	}
	return body
}

// move moves the object to another place.
func (fl *Fleet) move(ctx context.Context, st *Step, done *Done) error {
	body := st.moveBody()
	c, id := fl.collection(st.Kind), st.Before.ID()
	raw, err := c.Move(ctx, id, body)
	if err != nil {
		return fmt.Errorf("it was not moved: %w", err)
	}
	return st.take(done, raw, http.MethodPost, c.Path()+"/"+id+"/move")
}

// take reads the response to a change of place or fields.
func (st *Step) take(done *Done, raw *craton.Object, method, path string) error {
	now, err := object(st.Kind, raw, method, path)
	if err != nil {
		return err
	}
	delete(now, KeyVariables)
	delete(now, KeyLabels)
	maps.Copy(done.Object, now)
	done.Wrote = true
	return nil
}

// update updates fields.
func (fl *Fleet) update(ctx context.Context, st *Step, done *Done) error {
	c, id := fl.collection(st.Kind), st.Before.ID()
	raw, err := c.Update(ctx, id, updateBody(st.Kind, st.Update))
	if err != nil {
		return err
	}
	return st.take(done, raw, http.MethodPut, c.Path()+"/"+id)
}

// setVariables sets variables.
func (fl *Fleet) setVariables(ctx context.Context, st *Step, done *Done) error {
	now, err := fl.collection(st.Kind).SetVariables(ctx, st.Before.ID(), st.Set)
	if err != nil {
		return fmt.Errorf("its variables were not set: %w", err)
	}
	done.Object[KeyVariables], done.Wrote = now, true
	return nil
}

// deleteVariables deletes variables.
func (fl *Fleet) deleteVariables(ctx context.Context, st *Step, done *Done) error {
	if err := fl.collection(st.Kind).DeleteVariables(ctx, st.Before.ID(), st.Unset...); err != nil {
		return fmt.Errorf("its variables were not removed: %w", err)
	}
	for _, key := range st.Unset {
		delete(done.Object.Variables(), key)
	}
	done.Wrote = true
	return nil
}

// updateBody replaces unset values by those that the API expects: "" for a text, 0 for a number, null for a reference.
func updateBody(k *schema.Kind, update Object) map[string]any {
	body := map[string]any{}
	for key, v := range update {
		if f := k.Field(key); v == nil && f != nil && f.Type == schema.Integer {
			v = 0
		} else if v == nil && f != nil && !f.Nullable {
			v = ""
		}
		body[key] = apiValue(v)
	}
	return body
}

// dropLabels removes labels.
func (fl *Fleet) dropLabels(ctx context.Context, st *Step, done *Done) error {
	if err := fl.collection(st.Kind).RemoveLabels(ctx, done.Object.ID(), st.Drop...); err != nil {
		return fmt.Errorf("its labels were not removed: %w", err)
	}
	left := slices.DeleteFunc(done.Object.Labels(), func(l string) bool { return slices.Contains(st.Drop, l) })
	done.Object[KeyLabels], done.Wrote = left, true
	return nil
}

// addLabels adds labels.
func (fl *Fleet) addLabels(ctx context.Context, st *Step, done *Done) error {
	now, err := fl.collection(st.Kind).AddLabels(ctx, done.Object.ID(), st.AddLabels...)
	if err != nil {
		return fmt.Errorf("its labels were not added: %w", err)
	}
	done.Object[KeyLabels], done.Wrote = now, true
	return nil
}
