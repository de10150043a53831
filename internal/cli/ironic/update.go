package ironic

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/iotronic"
)

func iotronicUpdate(k *kind) *verb {
	var options []argparse.Option
	if k.Name == "node" {
		options = memberOptions()
	}
	return &verb{
		Command: argparse.Command{Name: "update", Short: "Change a registered " + k.Noun(), Target: true, Rest: true, Options: options,
			Long: "Change " + k.article() + " " + k.Noun() + ` with arguments of the form path=value, and show it. A path is an attribute, such as name, or a key
inside one, such as extra/rack. A slash in a key is written ~1. path= removes the attribute or key.

A value that is valid JSON is read as JSON: 8, true, null, {...}, [...]. Anything else is text, and so is a quoted string:
extra/version='"8"'. A top-level attribute is never a number: name=12 is text. Without arguments, a JSON object of paths
and values is read from standard input, which hides them from other users; its nulls are set.

The syntax of the Python client for Ironic works too: add or replace before path=value, remove before path.`},
		only: slices.DeleteFunc(k.dialects(), func(d iotronic.Dialect) bool { return d == iotronic.DialectNodes2016 }),
		does: func(ctx context.Context, t *session, c *argparse.Call) error {
			given, err := t.changesFromOptions(ctx, options, c)
			if err != nil {
				return err
			}
			changes := given
			if len(c.Words) > 0 || len(given) == 0 {
				if changes, err = t.changes(c.Words); err != nil {
					return err
				}
			}
			for path, value := range given {
				if _, twice := changes[path]; twice && len(c.Words) > 0 {
					return argparse.Misused("%s is changed twice", path)
				}
				changes[path] = value
			}
			if err := t.resolveFleet(ctx, k, changes); err != nil {
				return err
			}
			changed, err := k.api.update(ctx, t.client, c.Target, changes)
			if err != nil {
				return t.near(ctx, k, c.Target, err)
			}
			return t.printObject(changed)
		},
		words: func(ctx context.Context, t *session, c *argparse.Call) []string {
			o, err := k.api.get(ctx, t.client, c.Target)
			if err != nil {
				return nil
			}
			return pathsOf(o)
		},
	}
}

// changesFromOptions returns the changes in options; an empty value removes an attribute.
func (t *session) changesFromOptions(ctx context.Context, options []argparse.Option, c *argparse.Call) (iotronic.Changes, error) {
	p, err := t.parameters(ctx, options, c)
	if err != nil {
		return nil, err
	}
	changes := iotronic.Changes{}
	for key, value := range p {
		if changes[key] = value; value == "" {
			changes[key] = iotronic.Remove
		}
	}
	return changes, nil
}

// changes reads changes from words, or from standard input if there are none.
func (t *session) changes(words []string) (iotronic.Changes, error) {
	if len(words) > 0 {
		return changesOf(words)
	}
	if object.AtTerminal(t.In) {
		return nil, argparse.Misused(`Nothing to update... Please specify what to change in the following format: "path=value", or "path=" to remove it`)
	}
	text, err := io.ReadAll(t.In)
	if err != nil {
		return nil, fmt.Errorf("cannot read standard input: %w", err)
	}
	values := objectIn(text)
	if len(values) == 0 {
		return nil, argparse.Misused(`Nothing to update... Standard input must contain a JSON object of paths and values, such as {"extra/rack": "b7"}`)
	}
	changes := iotronic.Changes{}
	for path, value := range values {
		changes[path] = value
	}
	return changes, nil
}

// changesOf parses words such as path=value and add path=value.
func changesOf(words []string) (iotronic.Changes, error) {
	operation := ""
	if slices.Contains([]string{"add", "replace", "remove"}, words[0]) {
		operation, words = words[0], words[1:]
	}
	if len(words) == 0 {
		return nil, argparse.Misused("Nothing to update... Please specify what to %s", operation)
	}
	changes := iotronic.Changes{}
	for _, word := range words {
		path, text, valued := strings.Cut(word, "=")
		path = strings.TrimPrefix(path, "/")
		switch {
		case path == "":
			return nil, argparse.Misused("%q has no path", word)
		case operation == "remove" && valued:
			return nil, argparse.Misused("%q: remove takes paths without values", word)
		case operation != "remove" && !valued:
			return nil, argparse.Misused("%q is not path=value; %[1]s= removes it", word)
		}
		if _, twice := changes[path]; twice {
			return nil, argparse.Misused("%s is changed twice", path)
		}
		switch value := valueOf(text); {
		case operation == "remove", operation == "" && text == "":
			changes[path] = iotronic.Remove
		case !strings.Contains(path, "/") && gjson.ParseBytes(value).Type == gjson.Number:
			changes[path] = text
		default:
			changes[path] = value
		}
	}
	return changes, nil
}

// valueOf returns the value of a word in Ironic and Iotronic: JSON if it is valid JSON, or else a text. It is stricter
// than for variables, so that no password is changed.
func valueOf(text string) json.RawMessage {
	if gjson.Valid(text) {
		return json.RawMessage(text)
	}
	return object.JSONText(text)
}

// pairsOf parses words key=value.
func pairsOf(words []string) (iotronic.Object, error) {
	o := iotronic.Object{}
	for _, word := range words {
		key, text, ok := strings.Cut(word, "=")
		if !ok || key == "" {
			return nil, argparse.Misused("%q is not key=value", word)
		}
		o[key] = valueOf(text)
	}
	return o, nil
}

// isReadOnly reports whether an attribute is set only by the service itself, or by requests other than an update.
func isReadOnly(key string) bool {
	if slices.Contains([]string{keyUUID, "links", "maintenance", "maintenance_reason", "last_error", "reservation", "driver_internal_info", "conductor",
		"allocation_uuid", "traits", "fault", "console_enabled", "raid_config", "target_raid_config", "boot_mode", "secure_boot",
		"status", "session", "project", "connectivity", "agent", "wstun_ip", "config", "lr_version"}, key) {
		return true
	}
	return slices.ContainsFunc([]string{"_at", "_state", "_step"}, func(end string) bool { return strings.HasSuffix(key, end) })
}

// pathsOf returns the beginnings of changes for the attributes of an object.
func pathsOf(o gjson.Result) (paths []string) {
	for _, m := range show.Members(o) {
		switch {
		case isReadOnly(m.Key) || rest.IsLinks(m.Value):
			continue
		case !m.Value.IsObject():
			paths = append(paths, m.Key+"=")
			continue
		}
		paths = append(paths, m.Key+"/")
		for _, inner := range show.Members(m.Value) {
			paths = append(paths, iotronic.Path(m.Key, inner.Key)+"=")
		}
	}
	return paths
}
