package iotronic

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/rest"
)

// FuzzError: whatever a body is, it becomes an error of its status with one line or the server's words.
func FuzzError(f *testing.F) {
	for _, seed := range []string{
		`{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"no\", \"debuginfo\": null}"}`, `{"error_message": {"faultstring": 7}}`,
		`{"error_message": "{\"code\": 404, \"title\": \"Not Found\", \"description\": \"\"}"}`, `{"error": {"message": "no"}}`, `{"error": []}`,
		`{"error_message": "[1]"}`, `{"error_message": null}`, `[]`, `"x"`, ``, "\xff", `{"error_message": "\ud800"}`,
	} {
		f.Add([]byte(seed), 404, "application/json")
	}
	f.Fuzz(func(t *testing.T, body []byte, status int, contentType string) {
		resp := &rest.Response{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: body, Path: "/v1/x"}
		err := errorOf(resp, http.MethodGet, nil)
		var e *HTTPError
		if !errors.As(err, &e) || e.Status != status || StatusOf(err) != status {
			t.Fatalf("%q: %#v", body, err)
		}
		if !strings.HasPrefix(err.Error(), "GET /v1/x: ") {
			t.Errorf("%q: %v", body, err)
		}
		if IsNotFound(err) && IsWrongDialect(err) {
			t.Errorf("%q is both", body)
		}
	})
}

// TestConcealing: what a server repeats of a body has no secrets, however it is quoted and cut; all else stays.
func TestConcealing(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 180)
	for name, tt := range map[string]struct {
		body       any
		says, want string
	}{
		"as it is":          {map[string]any{"driver_info": map[string]any{"ipmi_password": "correct-horse"}}, "no correct-horse here", "no ****** here"},
		"short":             {map[string]any{"password": "node"}, `node 'node' of "node" and nodes`, `node '******' of "******" and nodes`},
		"a change":          {[]patchStep{{"add", "/driver_info/ipmi_password", json.RawMessage(`"correct-horse"`)}}, "{'value': 'correct-horse'}", "{'value': '******'}"},
		"below a secret":    {map[string]any{"token": map[string]any{"a": []any{"correct-horse", 123456789}}}, "correct-horse 123456789", "****** ******"},
		"an address":        {map[string]any{"instance_info": map[string]any{"image_url": "http://x/y?signature"}}, "bad http://x/y?signature", "bad ******"},
		"within a text":     {map[string]any{"driver_info": map[string]any{"cmd": "ipmitool --password correct-horse x"}}, "bad ipmitool --password correct-horse x", "bad ipmitool --password ****** x"},
		"quoted by Python":  {map[string]any{"password": "it's\n\u00a0long"}, `'it\'s\n\xa0long'`, "'******'"},
		"quoted otherwise":  {map[string]any{"password": "it's\n\u00a0long"}, `"it's\n\xa0long"`, `"******"`},
		"quoted by JSON":    {map[string]any{"password": `a "quoted" word`}, `"a \"quoted\" word"`, `"******"`},
		"cut by an excerpt": {map[string]any{"password": "correct-horse-battery  staple"}, "<p>" + long + "correct-horse-battery  staple</p>", "<p>" + long + "******</p>"},
		"no secret":         {map[string]any{"name": "correct-horse"}, "no correct-horse here", "no correct-horse here"},
		"nothing sent":      {nil, "no correct-horse here", "no correct-horse here"},
	} {
		text := &rest.Response{Status: 400, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(tt.says), Path: "/v1/x"}
		if e := httpErrorIn(errorOf(text, http.MethodPost, tt.body)); e.Message != tt.want {
			t.Errorf("%s: %s, want %s", name, e.Message, tt.want)
		}
		fault, err := json.Marshal(map[string]any{"error_message": map[string]any{"faultcode": "Client", "faultstring": tt.says, "debuginfo": tt.says}})
		if err != nil {
			t.Fatal(err)
		}
		object := &rest.Response{Status: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: fault, Path: "/v1/x"}
		if e := httpErrorIn(errorOf(object, http.MethodPost, tt.body)); e.Message != tt.want || e.Details != tt.want {
			t.Errorf("%s: %s and %s, want %s", name, e.Message, e.Details, tt.want)
		}
	}
}

// TestChangesProperty: what a change sets is there afterwards, what it removes is not, and all else is as it was.
func TestChangesProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"a", "b", "a.b", "ä", "s/t", "~"})
		var value func(depth int) *rapid.Generator[any]
		value = func(depth int) *rapid.Generator[any] {
			leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Just[any]("x"), rapid.Just[any](1.5), rapid.Just[any](true))
			if depth == 0 {
				return leaf
			}
			inner := rapid.Custom(func(t *rapid.T) any { return rapid.MapOfN(key, value(depth-1), 0, 3).Draw(t, "object") })
			return rapid.OneOf(leaf, inner, inner)
		}
		extra := rapid.MapOfN(key, value(2), 0, 4).Draw(t, "extra")
		path := rapid.SliceOfN(key, 1, 3).Draw(t, "path")
		remove := rapid.Bool().Draw(t, "remove")

		// The model, on Go's own values.
		want, possible := modelled(extra, path, remove)
		name := "extra"
		for _, el := range path {
			name += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(el)
		}
		change := any("new")
		if remove {
			change = Remove
		}
		steps, err := Changes{name: change}.steps()
		if err != nil {
			t.Fatal(err)
		}
		got, err := applied(Values(map[string]any{"extra": extra, "other": 1}), steps)
		if (err == nil) != possible {
			t.Fatalf("%s of %v: %v", name, extra, err)
		}
		if err != nil {
			return
		}
		var now map[string]any
		if err := json.Unmarshal(got["extra"], &now); err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		if diff := cmp.Diff(want, now); diff != "" {
			t.Errorf("%s of %v: %s", name, extra, diff)
		}
	})
}

// modelled is an object with a change at path; false if something on the way is no object.
func modelled(o map[string]any, path []string, remove bool) (map[string]any, bool) {
	next := map[string]any{}
	for k, v := range o {
		next[k] = v
	}
	head := path[0]
	inner, there := o[head]
	switch {
	case remove && !there, remove && inner == nil && len(path) > 1: // nothing to take away
	case remove && len(path) == 1:
		delete(next, head)
	case len(path) == 1:
		next[head] = "new"
	default:
		object, ok := inner.(map[string]any)
		if inner != nil && !ok {
			return nil, false
		}
		changed, ok := modelled(object, path[1:], remove)
		if !ok {
			return nil, false
		}
		next[head] = changed
	}
	return next, true
}
