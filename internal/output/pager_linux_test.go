package output_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/craton-fleet/craton/internal/cli/clitest"
	"github.com/craton-fleet/craton/internal/output"
)

// TestPagerLeft: who leaves the pager early ends what is in progress, which is no failure, however much there is to
// come.
func TestPagerLeft(t *testing.T) {
	t.Setenv("TERM", "xterm")
	tty, other := clitest.Terminal(t, 80)
	go func() { _, _ = io.Copy(io.Discard, other) }()
	s, pager := output.Paged(output.Streams{Out: tty, Err: tty})
	ctx := pager.Begin(t.Context(), "head -n 1")
	written := 0
	for ; ctx.Err() == nil; written++ {
		if n, err := fmt.Fprintf(s.Out, "line %d\n", written); err != nil || n == 0 {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if written > 24 { // the program has begun; it may need a moment to end
			<-ctx.Done()
		}
	}
	if context.Cause(ctx) == context.Canceled || written > 100 { //nolint:errorlint // the cause is another
		t.Errorf("%d lines were written: %v", written, context.Cause(ctx))
	}
	for command, want := range map[int]int{1: 0, 3: 3, 0: 0} {
		if status := pager.End(command); status != want {
			t.Errorf("the status is %d, of %d", status, command)
		}
	}
	var none *output.Pager
	if none.Begin(t.Context(), "less") != t.Context() || none.End(7) != 7 {
		t.Error("no pager changes something")
	}
}
