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
)

// Done is how far a step was carried out.
type Done struct {
	Object Object // as it is now
	APIKey string // of a new user
	Wrote  bool   // something was changed, even if not all of it
}

// Apply carries a step out. With an error it returns what has been done until then.
func (fl *Fleet) Apply(ctx context.Context, st *Step) (done Done, err error) {
	done.Object = st.Before
	if st.Remove {
		if err := fl.collection(st.Kind).Delete(ctx, st.Before.ID()); err != nil {
			return done, err
		}
		done.Wrote = true
	}
	switch {
	case st.Create:
		if err := fl.create(ctx, st, &done); err != nil {
			if st.Remove {
				err = fmt.Errorf("the %s was deleted, and could not be made anew: %w", Called(st.Kind, st.Before), err)
			}
			return done, err
		}
	case st.Remove:
		return done, nil
	default:
		done.Object = st.Before.Clone()
		if err := fl.update(ctx, st, &done); err != nil {
			return done, err
		}
		if err := fl.vary(ctx, st, &done); err != nil {
			return done, err
		}
	}
	return done, fl.label(ctx, st, &done)
}

func (fl *Fleet) create(ctx context.Context, st *Step, done *Done) error {
	k, c := st.Kind, fl.collection(st.Kind)
	body := map[string]any{k.Title: st.After[k.Title]}
	for _, f := range k.Fields {
		_, given := st.given[f.Key]
		if v := st.After[f.Key]; v != nil && (f.Type != schema.Flag || st.Remove || given) {
			body[f.Key] = sent(v)
		}
	}
	if v := st.After.Variables(); len(v) > 0 {
		body[KeyVariables] = v
	}
	if l := st.After.Labels(); len(l) > 0 && k.Labels == schema.MakeLabels {
		body[KeyLabels] = l
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
		if k.Variables == schema.AtCreate { // the answer does not show them (v1 contract §2.3)
			made[KeyVariables] = st.After.Variables()
		}
	}
	if k.Labels != schema.Unlabelled {
		made[KeyLabels] = []string{}
		if k.Labels == schema.MakeLabels {
			made[KeyLabels] = st.After.Labels()
		}
	}
	if key, ok := (*raw)[KeyAPIKey]; ok {
		_ = json.Unmarshal(key, &done.APIKey) // a key that is no text is none
	}
	done.Object, done.Wrote = made, true
	return nil
}

// update writes the fields.
func (fl *Fleet) update(ctx context.Context, st *Step, done *Done) error {
	if len(st.Update) == 0 {
		return nil
	}
	c, id := fl.collection(st.Kind), st.Before.ID()
	raw, err := c.Update(ctx, id, updateBody(st.Kind, st.Update))
	if err != nil {
		return err
	}
	now, err := object(st.Kind, raw, http.MethodPut, c.Path()+"/"+id)
	if err != nil {
		return err
	}
	delete(now, KeyVariables)
	delete(now, KeyLabels)
	maps.Copy(done.Object, now)
	done.Wrote = true
	return nil
}

// vary writes the variables.
func (fl *Fleet) vary(ctx context.Context, st *Step, done *Done) error {
	c, id := fl.collection(st.Kind), st.Before.ID()
	if len(st.Set) > 0 {
		now, err := c.SetVariables(ctx, id, st.Set)
		if err != nil {
			return fmt.Errorf("its variables were not set: %w", err)
		}
		done.Object[KeyVariables], done.Wrote = now, true
	}
	if len(st.Unset) > 0 {
		if err := c.DeleteVariables(ctx, id, st.Unset...); err != nil {
			return fmt.Errorf("its variables were not removed: %w", err)
		}
		for _, key := range st.Unset {
			delete(done.Object.Variables(), key)
		}
		done.Wrote = true
	}
	return nil
}

// updateBody writes what is not set as the API wants it: a text as "", a number as 0, a reference as null.
func updateBody(k *schema.Kind, update Object) map[string]any {
	body := map[string]any{}
	for key, v := range update {
		if f := k.Field(key); v == nil && f != nil && f.Type == schema.Integer {
			v = 0
		} else if v == nil && f != nil && !f.Nullable {
			v = ""
		}
		body[key] = sent(v)
	}
	return body
}

func (fl *Fleet) label(ctx context.Context, st *Step, done *Done) error {
	if len(st.Drop)+len(st.AddLabels) == 0 {
		return nil
	}
	c, id := fl.collection(st.Kind), done.Object.ID()
	if len(st.Drop) > 0 {
		if err := c.RemoveLabels(ctx, id, st.Drop...); err != nil {
			return fmt.Errorf("its labels were not removed: %w", err)
		}
		left := slices.DeleteFunc(done.Object.Labels(), func(l string) bool { return slices.Contains(st.Drop, l) })
		done.Object[KeyLabels], done.Wrote = left, true
	}
	if len(st.AddLabels) > 0 {
		now, err := c.AddLabels(ctx, id, st.AddLabels...)
		if err != nil {
			return fmt.Errorf("its labels were not added: %w", err)
		}
		done.Object[KeyLabels], done.Wrote = now, true
	}
	return nil
}
