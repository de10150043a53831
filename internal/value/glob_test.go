package value_test

import (
	"testing"

	"github.com/craton-fleet/craton/internal/value"
)

func TestMatchesKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, key string
		want         bool
	}{
		{"db_password", "DB_Password", true}, {"db_password", "db_password2", false}, {"*password*", "xPASSWORDx", true}, {"a*b*c", "abc", true},
		{"a*b*c", "acb", false}, {"*", "", true}, {"", "", true}, {"a*a", "a", false},
	} {
		if got := value.MatchesKey([]string{"no", c.pattern}, c.key); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.key, got)
		}
	}
	if value.MatchesKey(nil, "a") {
		t.Error("no pattern matches")
	}
}
