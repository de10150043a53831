package walk_test

import (
	"errors"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/walk"
)

var errGone, errOther = errors.New("gone"), errors.New("other")

// TestAll: what breaks at a page border is read again, four times in all, and nothing of a try before is left.
func TestAll(t *testing.T) {
	t.Parallel()
	gone := func(err error) bool { return errors.Is(err, errGone) }
	for name, c := range map[string]struct {
		breaks []error // of each try
		walks  int
		want   []int
		err    error
	}{
		"whole":      {nil, 1, []int{2, 4}, nil},
		"anew":       {[]error{errGone, errGone, errGone}, 4, []int{2, 4}, nil},
		"over again": {[]error{errGone, errGone, errGone, errGone}, 4, []int{2}, errGone},
		"for good":   {[]error{errGone, errOther}, 2, []int{2}, errOther},
	} {
		walks := 0
		got, err := walk.All(gone, func() iter.Seq2[int, error] {
			walks++
			return func(yield func(int, error) bool) {
				for n := range 5 {
					if n == 3 && walks <= len(c.breaks) {
						yield(0, c.breaks[walks-1])
						return
					}
					if !yield(n, nil) {
						return
					}
				}
			}
		}, func(n int) bool { return n > 0 && n%2 == 0 })
		if diff := cmp.Diff(c.want, got); diff != "" || walks != c.walks || !errors.Is(err, c.err) {
			t.Errorf("%s: %d walks, %v, %s", name, walks, err, diff)
		}
	}
}
