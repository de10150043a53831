package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/when"
)

// target is the object of the command.
type target struct {
	object.Found
	gone *craton.Event // the deletion, if the object no longer exists
}

// kindsOf returns the kinds in which a word is searched for: without a kind, those that explain supports too.
func kindsOf(kind string) ([]*object.Resource, error) {
	if kind == "" {
		return object.DeviceKinds(), nil
	}
	var names []string
	for _, r := range object.Resources() {
		if k := schema.ByName(r.Name); k == nil || k.View {
			continue
		}
		if r.Name == kind {
			return []*object.Resource{r}, nil
		}
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return nil, argparse.Misused("argument --kind: %s", argparse.InvalidChoice(kind, names))
}

// targetOf returns the object of a command, with a kind if one is given; nil without a word. The server must have a
// feature of its log.
func targetOf(ctx context.Context, s *object.Session, feature, kind, word string) (*target, error) {
	if err := s.Client.RequireFeature(ctx, feature); err != nil {
		return nil, err
	}
	kinds, err := kindsOf(kind)
	if err != nil || word == "" {
		return nil, err
	}
	return find(ctx, s, word, kinds)
}

// find returns the only object that a word names: an existing one, or else a deleted one.
func find(ctx context.Context, s *object.Session, word string, kinds []*object.Resource) (*target, error) {
	found, err := s.Find(ctx, word, kinds...)
	if err == nil {
		return &target{Found: found}, nil
	}
	if !run.IsNotFound(err) {
		return nil, err
	}
	gone, lookErr := findDeleted(ctx, s, word, kinds)
	if lookErr != nil {
		return nil, lookErr
	}
	switch len(gone) {
	case 0:
		return nil, err
	case 1:
		return gone[0], nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "several deleted objects had the name %q; give the id of one:", word)
	for _, t := range gone {
		if t.gone == nil {
			fmt.Fprintf(&b, "\n  %s  %s %s, restored since", t.ID, schema.Noun(t.Kind), t.Name)
			continue
		}
		fmt.Fprintf(&b, "\n  %s  %s %s, deleted %s", t.ID, schema.Noun(t.Kind), t.gone.Path, when.Format(t.gone.Time.Local()))
	}
	return nil, errors.New(b.String())
}

// maxGone is the maximum number of deleted objects that an error shows.
const maxGone = 10

// findDeleted finds a deleted object: by its id, or else by its name or its path.
func findDeleted(ctx context.Context, s *object.Session, word string, kinds []*object.Resource) (found []*target, err error) {
	for _, r := range kinds {
		id := r.ID(word)
		if id == "" {
			continue
		}
		page, err := s.Client.History(ctx, craton.HistoryOptions{Kind: r.Name, ID: id, Limit: 1})
		switch {
		case craton.IsNotFound(err):
		case err != nil:
			return nil, err
		case len(page.Events) > 0:
			return []*target{deletedObject(page.Events[0])}, nil
		}
	}
	for _, r := range kinds {
		o := craton.HistoryOptions{Kind: r.Name, Name: word, Action: "delete", Limit: maxGone}
		seen := map[string]bool{} // a restored object may have been deleted again
		for {
			page, err := s.Client.History(ctx, o)
			if err != nil {
				return nil, err
			}
			for _, e := range page.Events {
				t := deletedObject(e)
				if seen[t.ID] {
					continue
				}
				seen[t.ID] = true
				there, err := s.Find(ctx, t.ID, r) // restored, and renamed since
				switch {
				case err == nil && there.ID == t.ID: // otherwise a name looks like the id
					t = &target{Found: there}
				case err != nil && !run.IsNotFound(err):
					return nil, err
				}
				found = append(found, t)
			}
			if o.Before = page.Next; o.Before == "" || len(found) >= maxGone {
				break
			}
		}
	}
	return found, nil
}

// deletedObject returns the object of a deletion.
func deletedObject(e *craton.Event) *target {
	return &target{object.Found{Kind: e.Kind, ID: value.IDText(e.ID), Name: e.Path[strings.LastIndexByte(e.Path, '/')+1:]}, e}
}

// title describes the object in a line.
func (t *target) title(look show.Appearance) string {
	text := look.Bold(show.Object(schema.Noun(t.Kind), t.Name)) + "  id " + t.ID
	if t.gone != nil {
		text += "  deleted " + when.Format(t.gone.Time.Local())
	}
	return text
}
