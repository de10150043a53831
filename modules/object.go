package modules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/value"
)

// Keys of objects that more than one place knows.
const (
	keyID        = "id"
	keyProject   = "project_id"
	keyCreated   = "created_at"
	keyUpdated   = "updated_at"
	keyVariables = "variables"
	keyLabels    = "labels"
	keyKind      = "kind"
	keyAPIKey    = "api_key"
)

// object is an object of the API by the API's own keys, in the one form in which the modules compare and return it:
// string, int, bool, or nil for what is not set; its own variables as craton.Variables, labels as []string.
//
// "" and 0 are what is not set: the original shows null for a text that never was given and "" for one that was
// taken away, and the API cannot take a number away but by setting it to 0.
type object map[string]any

func (o object) id() string       { return fmt.Sprint(o[keyID]) }
func (o object) int(k string) int { n, _ := o[k].(int); return n }
func (o object) text(k string) string {
	s, _ := o[k].(string)
	return s
}

func (o object) variables() craton.Variables {
	v, _ := o[keyVariables].(craton.Variables)
	return v
}

func (o object) labels() []string {
	l, _ := o[keyLabels].([]string)
	return l
}

// objectOf makes an object of one of the client's. Links are left out: they hold the address of the
// server, which may be another one for the next task. API keys are left out because they are secrets.
func objectOf(typed any) (object, error) {
	raw, err := json.Marshal(typed)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	o := object{}
	for key, value := range members {
		switch key {
		case "links", keyAPIKey:
		case keyVariables:
			var v craton.Variables
			if err := json.Unmarshal(value, &v); err != nil {
				return nil, err
			}
			o[key] = v
		case keyLabels:
			var l []string
			if err := json.Unmarshal(value, &l); err != nil {
				return nil, err
			}
			o[key] = l
		default:
			if o[key], err = scalarOf(key, value); err != nil {
				return nil, err
			}
		}
	}
	return o, nil
}

func scalarOf(key string, raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if n, ok := v.(json.Number); ok {
		i, err := n.Int64()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		v = int(i)
	}
	if s, ok := v.(string); ok && (key == keyCreated || key == keyUpdated) {
		// The answer to a write has microseconds, a later read does not (Q1).
		whole, _, _ := strings.Cut(s, ".")
		v = whole + ".000000"
	}
	return canonical(v), nil
}

// canonical makes nil of what is not set.
func canonical(v any) any {
	if v == "" || v == 0 {
		return nil
	}
	return v
}

// typed makes a request of the client from the API's keys: its JSON tags are those keys. A key that the request
// does not have is a mistake in a resource's literal.
func typed[B any](body object) (out B, err error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return out, err
	}
	d := json.NewDecoder(&b)
	d.DisallowUnknownFields()
	return out, d.Decode(&out)
}

// clone copies the object so that its variables and labels can be changed.
func (o object) clone() object {
	c := maps.Clone(o)
	if v, ok := o[keyVariables].(craton.Variables); ok {
		c[keyVariables] = maps.Clone(v)
	}
	if l, ok := o[keyLabels].([]string); ok {
		c[keyLabels] = slices.Clone(l)
	}
	return c
}

// equalVariables compares values as what they mean: 1 and 1.0 are one number.
func equalVariables(a, b craton.Variables) bool {
	return maps.EqualFunc(a, b, value.EqualJSON)
}
