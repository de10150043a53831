package rest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/rest"
)

// TestOptions: options that are made of values are sent as these.
func TestOptions(t *testing.T) {
	t.Parallel()
	type options struct {
		Name   string   `query:"name"`
		Limit  int      `query:"limit"`
		Active *bool    `query:"active"`
		Detail bool     `query:"detail"`
		Fields []string `query:"fields"`
		Own    string
	}
	got := rest.Query(rest.Options[options](map[string]any{
		"name": "web 1", "limit": 7, "active": false, "detail": nil, "fields": []string{"a", "b"}, "Own": "x", "": "y", "other": 1,
	}))
	if diff := cmp.Diff("active=false&fields=a%2Cb&limit=7&name=web+1", got.Encode()); diff != "" {
		t.Error(diff)
	}
	if got := rest.Options[options](map[string]any{"": "x"}); got.Own != "" {
		t.Errorf("a field that is no parameter: %+v", got)
	}
	if got := rest.Query(rest.Options[options](nil)); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
