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

// Variables maps keys to JSON values, with the exact text that the API sent: large integers, floats, nulls, Unicode and
// nested values survive a round trip.
type Variables map[string]json.RawMessage

// Vars converts Go values to Variables, for literals:
//
//	craton.Vars(map[string]any{"ntp": "ntp1.example.net", "mtu": 9000})
//
// It panics on a value that JSON cannot represent (a channel, NaN); use Set for values from elsewhere.
func Vars(values map[string]any) Variables {
	v := make(Variables, len(values))
	for key, value := range values {
		if err := v.Set(key, value); err != nil {
			panic(err)
		}
	}
	return v
}

// Set sets key to the JSON encoding of value.
func (v Variables) Set(key string, value any) error {
	raw, err := rules.Encode(value)
	if err != nil {
		return fmt.Errorf("craton: variable %q: %w", key, err)
	}
	v[key] = raw
	return nil
}

// Get decodes the value of key into out, and reports whether the key exists; if not, out is unchanged.
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

// Keys returns the keys, sorted.
func (v Variables) Keys() []string {
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// UnmarshalJSON keeps the text of every value, without insignificant white space. If a key is repeated, its last value
// wins. All values share one allocation.
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

// VariableStore reads and writes the variables of objects of one kind; K is the type of their ids.
type VariableStore[K ID] struct {
	client   *Client
	path     string // of the collection, such as /hosts
	resolves bool   // its /variables route accepts resolved-values (hosts only, contract §2.6)
	inherits bool   // its objects inherit variables (contract §5.2)
}

// Variables returns an object's own variables.
func (s *VariableStore[K]) Variables(ctx context.Context, id K) (Variables, error) {
	var q url.Values
	if s.resolves {
		q = url.Values{"resolved-values": {"false"}}
	}
	return s.send(ctx, http.MethodGet, id, q, nil)
}

// ResolvedVariables returns an object's variables after inheritance: its own override those of its parents, cell,
// region, cloud and project, key by key; values are not merged (v1 contract §5). For objects that inherit nothing
// (clouds, networks, projects), it returns their own.
func (s *VariableStore[K]) ResolvedVariables(ctx context.Context, id K) (Variables, error) {
	if !s.inherits || s.resolves {
		return s.send(ctx, http.MethodGet, id, nil, nil)
	}
	// The resolved variables of regions, cells and network devices are only in the object itself (Q7).
	var out struct {
		Variables Variables `json:"variables"`
	}
	if err := s.client.call(ctx, http.MethodGet, s.path+"/"+idText(id), nil, nil, &out, "id"); err != nil {
		return nil, err
	}
	return out.Variables, nil
}

// SetVariables sets the given keys, leaves all others unchanged, and returns the object's own variables afterwards.
// Null is a value, which overrides an inherited one; it does not delete the key. On the original server, a vars filter
// does not match a null that the object was created with (Q24).
func (s *VariableStore[K]) SetVariables(ctx context.Context, id K, v Variables) (Variables, error) {
	if v == nil {
		v = Variables{}
	}
	return s.send(ctx, http.MethodPut, id, nil, v)
}

// DeleteVariables deletes the given keys. Keys that do not exist are ignored.
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
