package ironic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/iotronic"
)

// plainly returns an error of the client without the name of its package.
func plainly(err error) error {
	if _, ok := errors.AsType[*run.WordedError](err); ok || err == nil {
		return err
	}
	return run.NewWordedError("", iotronic.Plain(err), "", err)
}

// explain is plainly, and names the option of an attribute that the dialect does not have.
func (c *verb) explain(err error) error {
	if e, ok := errors.AsType[*iotronic.InvalidAttributeError](err); ok {
		for i := range c.Options {
			if o := &c.Options[i]; o.Key == e.Attribute {
				return argparse.Misused("argument %s: %s", o.Argument(), e.Reason)
			}
		}
	}
	return plainly(err)
}

// near adds a similar name to the error for a name that does not exist.
func (t *session) near(ctx context.Context, k *kind, word string, err error) error {
	if !iotronic.IsNotFound(err) {
		return err
	}
	if near := nearest.Word(word, t.names(ctx, k, 1)); near != "" && near != word { // otherwise a part of the object is missing
		return run.NewWordedError("", advice.Join(strings.TrimRight(plainly(err).Error(), "."), fmt.Sprintf("did you mean %q?", near)), "", err)
	}
	return err
}

// names returns the names of objects, or their UUIDs if they have none, from up to a number of pages; fewer if one
// cannot be read.
func (t *session) names(ctx context.Context, k *kind, pages int) (names []string) {
	p := parameters{}
	known := k.knownBy(t.dialect)
	if k.chooses(t.dialect) {
		p = p.with("fields", []string{known})
	}
	for range pages {
		objects, marker, err := k.api.page(ctx, t.client, p)
		if err != nil {
			break
		}
		for _, o := range objects {
			name := o.Get(known).Str
			if name == "" {
				name = o.Get(keyUUID).Str
			}
			names = append(names, name)
		}
		if marker == "" {
			break
		}
		p = p.with("marker", marker)
	}
	return names
}

// reference returns the API's identifier of the object that an option names.
func (t *session) reference(ctx context.Context, o *argparse.Option, word string) (string, error) {
	switch {
	case o.Key == keyFleet:
		return t.fleet(ctx, word)
	case (o.Key == keyNode || o.Key == keyParent) && word != "" && !value.IsUUID(word):
		n, err := t.client.Nodes.Get(ctx, word, keyUUID)
		if err != nil {
			return "", t.near(ctx, nodeKind(), word, err)
		}
		return n.UUID, nil
	}
	return word, nil
}

// keyFleet is a board's fleet.
const keyFleet = "fleet"

// resolveFleet replaces the fleet of a board in JSON by its UUID.
func (t *session) resolveFleet(ctx context.Context, k *kind, values map[string]any) (err error) {
	name, ok := values[keyFleet].(json.RawMessage)
	if word := gjson.ParseBytes(name); ok && k.Name == "board" && word.Type == gjson.String {
		values[keyFleet], err = t.fleet(ctx, word.Str)
	}
	return err
}

// fleet returns the UUID of the fleet that a word names: boards do not accept names.
func (t *session) fleet(ctx context.Context, word string) (string, error) {
	var found, names []string
	for f, err := range t.client.Fleets.All(ctx, iotronic.FleetListOptions{Fields: []string{"name"}}) {
		if err != nil {
			return "", err
		}
		if f.UUID == word || f.Name == word {
			found = append(found, f.UUID)
		}
		names = append(names, f.Name)
	}
	switch len(found) {
	case 0:
		return "", advice.With(fmt.Errorf("no fleet has the name or UUID %q", word), nearest.Hint(word, names))
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%q is the name of %d fleets; give the UUID of one: %s", word, len(found), strings.Join(found, ", "))
}
