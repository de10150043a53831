package modules

import (
	"context"
	"fmt"
	"slices"

	"github.com/craton-fleet/craton/craton"
)

// applied is how far a plan was carried out.
type applied struct {
	object object // as it is now
	apiKey string // of a new user
	wrote  bool   // something was changed, even if not all of it
}

// apply carries a plan out. With an error it returns what has been done until then.
func (fl *fleet) apply(ctx context.Context, r *resource, p *plan) (done applied, err error) {
	done.object = p.before
	if p.remove {
		if err := r.service.remove(ctx, fl.client, p.before.id()); err != nil {
			return done, err
		}
		done.wrote = true
	}
	switch {
	case p.create:
		if err := fl.create(ctx, r, p, &done); err != nil {
			if p.remove {
				err = fmt.Errorf("the %s was deleted, and could not be made anew: %w", r.called(p.before), err)
			}
			return done, err
		}
	case p.remove:
		return done, nil
	default:
		done.object = p.before.clone()
		if err := fl.change(ctx, r, p, &done); err != nil {
			return done, err
		}
	}
	return done, fl.label(ctx, r, p, &done)
}

func (fl *fleet) create(ctx context.Context, r *resource, p *plan, done *applied) error {
	body := object{r.key: p.after[r.key]}
	for _, f := range r.fields {
		if v := p.after[f.api()]; v != nil {
			body[f.api()] = v
		}
	}
	if v := p.after.variables(); len(v) > 0 {
		body[keyVariables] = v
	}
	if l := p.after.labels(); len(l) > 0 && r.createLabels {
		body[keyLabels] = l
	}
	made, key, err := r.service.create(ctx, fl.client, body)
	if err != nil {
		return err
	}
	r.complete(made)
	if r.variables && made[keyVariables] == nil { // interfaces do not show them in the answer (v1 contract §2.3)
		made[keyVariables] = p.after.variables()
	}
	if made.variables() == nil && r.variables {
		made[keyVariables] = craton.Variables{}
	}
	if r.labels {
		made[keyLabels] = []string{}
		if r.createLabels {
			made[keyLabels] = p.after.labels()
		}
	}
	done.object, done.apiKey, done.wrote = made, key, true
	return nil
}

func (fl *fleet) change(ctx context.Context, r *resource, p *plan, done *applied) error {
	id := p.before.id()
	if len(p.update) > 0 {
		now, err := r.service.update(ctx, fl.client, id, r.updateBody(p.update))
		if err != nil {
			return err
		}
		delete(now, keyVariables)
		delete(now, keyLabels)
		for key, value := range r.complete(now) {
			done.object[key] = value
		}
		done.wrote = true
	}
	if len(p.set) > 0 {
		now, err := r.service.setVariables(ctx, fl.client, id, p.set)
		if err != nil {
			return fmt.Errorf("its variables were not set: %w", err)
		}
		done.object[keyVariables], done.wrote = now, true
	}
	if len(p.unset) > 0 {
		if err := r.service.deleteVariables(ctx, fl.client, id, p.unset); err != nil {
			return fmt.Errorf("its variables were not removed: %w", err)
		}
		for _, key := range p.unset {
			delete(done.object.variables(), key)
		}
		done.wrote = true
	}
	return nil
}

// updateBody writes what is not set as the API wants it: a text as "", a number or reference as 0.
func (r *resource) updateBody(update object) object {
	body := object{}
	for key, v := range update {
		if f := r.fieldOfKey(key); v == nil && f != nil {
			v = ""
			if f.form == formReference || f.form == formInteger {
				v = 0 // of a reference the client makes null
			}
		}
		body[key] = v
	}
	return body
}

func (fl *fleet) label(ctx context.Context, r *resource, p *plan, done *applied) error {
	if len(p.drop)+len(p.addLabels) == 0 {
		return nil
	}
	store, id := r.service.labels(fl.client), done.object.int(keyID)
	if len(p.drop) > 0 {
		if err := store.RemoveLabels(ctx, id, p.drop...); err != nil {
			return fmt.Errorf("its labels were not removed: %w", err)
		}
		left := slices.DeleteFunc(done.object.labels(), func(l string) bool { return slices.Contains(p.drop, l) })
		done.object[keyLabels], done.wrote = left, true
	}
	if len(p.addLabels) > 0 {
		now, err := store.AddLabels(ctx, id, p.addLabels...)
		if err != nil {
			return fmt.Errorf("its labels were not added: %w", err)
		}
		done.object[keyLabels], done.wrote = now, true
	}
	return nil
}
