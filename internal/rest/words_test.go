package rest_test

import (
	"testing"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
)

func TestIsLinks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`[{"href": "x", "rel": "self"}, {"href": "y"}]`: true,
		`[{"href": "x"}, {"href": "y", "name": "z"}]`:   false,
		`[[{"href": "x"}, {"href": "y"}]]`:              true, `[["x"]]`: false,
		`[{"rel": "self"}]`: false, `[{"href": "x"}, "y"]`: false, `[]`: false, `null`: false, `{"href": "x"}`: false, `"href"`: false,
	} {
		if got := rest.IsLinks(gjson.Parse(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
