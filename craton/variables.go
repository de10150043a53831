package craton

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/tidwall/gjson"
	"github.com/tidwall/pretty"

	rules "github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Variables is a flat set of keys, each with a JSON value kept exactly as the API gave it:
// big integers, floats, nulls, unicode and nested values survive a round trip.
type Variables map[string]json.RawMessage

// Vars makes Variables of Go values, for literals:
//
//	craton.Vars(map[string]any{"ntp": "ntp1.example.net", "mtu": 9000})
//
// It panics on a value that JSON cannot hold (a channel, NaN); use Set for values that are not your own.
func Vars(values map[string]any) Variables {
	v := make(Variables, len(values))
	for key, value := range values {
		if err := v.Set(key, value); err != nil {
			panic(err)
		}
	}
	return v
}

// Set stores value under key as JSON.
func (v Variables) Set(key string, value any) error {
	raw, err := rules.Encode(value)
	if err != nil {
		return fmt.Errorf("craton: variable %q: %w", key, err)
	}
	v[key] = raw
	return nil
}

// Get decodes the value of key into out; a missing key leaves out as it is and reports false.
func (v Variables) Get(key string, out any) (bool, error) {
	raw, ok := v[key]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return true, fmt.Errorf("craton: variable %q: %w", key, err)
	}
	return true, nil
}

// Keys returns the names, sorted.
func (v Variables) Keys() []string {
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// UnmarshalJSON keeps every value's text, less the white space around its parts; of a key that repeats the last
// value counts. All values share one allocation.
func (v *Variables) UnmarshalJSON(data []byte) error {
	data = bytes.Trim(data, " \t\r\n")
	if string(data) == "null" {
		*v = nil
		return nil
	}
	if !gjson.ValidBytes(data) || data[0] != '{' {
		return fmt.Errorf("craton: variables must be a JSON object, not %.20q", data)
	}
	arena := pretty.Ugly(data)
	m := Variables{}
	gjson.Parse(jsontext.Text(arena)).ForEach(func(key, value gjson.Result) bool {
		end := value.Index + len(value.Raw)
		m[key.Str] = arena[value.Index:end:end]
		return true
	})
	*v = m
	return nil
}

// VariableStore reads and writes the variables of one kind of resource; K is the type of its id.
type VariableStore[K ID] struct {
	client   *Client
	path     string // of the collection, such as /hosts
	resolves bool   // its /variables route takes resolved-values (hosts only, contract §2.6)
	inherits bool   // it has resolved values at all (contract §5.2)
}

// Variables reads the object's own variables.
func (s *VariableStore[K]) Variables(ctx context.Context, id K) (Variables, error) {
	var q url.Values
	if s.resolves {
		q = url.Values{"resolved-values": {"false"}}
	}
	return s.send(ctx, http.MethodGet, id, q, nil)
}

// ResolvedVariables reads the variables as the object sees them: its own over those of its parents,
// cell, region, cloud and project, whole key by key (v1 contract §5). Resources that inherit nothing
// (clouds, networks, projects) give their own.
func (s *VariableStore[K]) ResolvedVariables(ctx context.Context, id K) (Variables, error) {
	if !s.inherits || s.resolves {
		return s.send(ctx, http.MethodGet, id, nil, nil)
	}
	// Regions, cells and network devices resolve only in their own representation (Q7).
	var out struct {
		Variables Variables `json:"variables"`
	}
	if err := s.client.call(ctx, http.MethodGet, s.path+"/"+idText(id), nil, nil, &out, "id"); err != nil {
		return nil, err
	}
	return out.Variables, nil
}

// SetVariables sets the given keys and leaves all others; it returns the object's own variables afterwards.
// A null value is set, not removed: it hides what the object would inherit. The original does not find null by a
// vars filter if the object was created with it (Q24).
func (s *VariableStore[K]) SetVariables(ctx context.Context, id K, v Variables) (Variables, error) {
	if v == nil {
		v = Variables{}
	}
	return s.send(ctx, http.MethodPut, id, nil, v)
}

// DeleteVariables removes the given keys; keys that are not there are no error.
func (s *VariableStore[K]) DeleteVariables(ctx context.Context, id K, keys ...string) error {
	if keys == nil {
		keys = []string{}
	}
	return s.client.call(ctx, http.MethodDelete, s.route(id), nil, keys, nil, "")
}

func (s *VariableStore[K]) route(id K) string { return s.path + "/" + idText(id) + "/variables" }

func (s *VariableStore[K]) send(ctx context.Context, method string, id K, q url.Values, body any) (Variables, error) {
	var out struct {
		Variables Variables `json:"variables"`
	}
	if err := s.client.call(ctx, method, s.route(id), q, body, &out, "variables"); err != nil {
		return nil, err
	}
	return out.Variables, nil
}
