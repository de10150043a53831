package reconcile

import (
	"errors"
	"testing"
)

// TestErrorsInTheOrderOfTheFile: what failed of requests side by side is told in the order of the plan, whichever
// answer came first.
func TestErrorsInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	p := &Plan{}
	for _, name := range []string{"a", "b", "c", "d"} {
		p.steps = append(p.steps, &treeStep{change: Change{Kind: "cloud", Name: name}})
	}
	w := &writer{plan: p, options: Options{}.filled(), done: map[*treeStep]bool{}, failed: map[*treeStep]error{}}
	for _, i := range []int{3, 0, 2} {
		w.finish(p.steps[i], errors.New("no"))
	}
	const want = "cloud a: no\ncloud c: no\ncloud d: no\nstopped after 0 of 0 objects; what was written stays; make a new plan to continue from there"
	if err := w.err(t.Context()); err.Error() != want {
		t.Error(err)
	}
}
