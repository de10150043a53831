package fleetfile

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/reconcile"
)

// TestMistakesOfSeveralFiles: a file with many mistakes hides those of no other one, and all are counted.
func TestMistakesOfSeveralFiles(t *testing.T) {
	t.Parallel()
	source := func(name, text string) Source {
		return Source{name, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
	}
	var many strings.Builder
	many.WriteString("clouds:\n")
	for i := range 50 {
		fmt.Fprintf(&many, "- {name: c%d, nope: 1}\n", i)
	}
	_, err := ParseAll([]Source{source("a.yml", many.String()), source("b.yml", "clouds: [{name: [}]\n"), source("c.yml", "clouds:\n- {nam: x}\n"), source("d.yml", "clouds: [{name: good}]\n")})
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Problems) != reconcile.MaxProblems || len(reconcile.Refusals(err)) != len(e.Problems)+e.More || e.More < 30 {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"a.yml:2: ", "b.yml:1: ", "c.yml:2: ", "... and "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing: %v", want, err)
		}
	}
}
