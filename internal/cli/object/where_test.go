package object

import (
	"testing"

	"github.com/craton-fleet/craton/internal/where"
)

// The terms that the help of a kind's commands shows are terms of that kind.
func TestExampleTerms(t *testing.T) {
	t.Parallel()
	tested := 0
	for _, r := range Resources() {
		if !r.chosen() {
			continue
		}
		tested++
		if _, err := where.Parse(r.kind, r.exampleTerms()); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
	if tested != len(where.Kinds) {
		t.Errorf("%d kinds of %d were tested", tested, len(where.Kinds))
	}
}
