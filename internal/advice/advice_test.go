package advice_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/craton-fleet/craton/internal/advice"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	full := advice.With(fmt.Errorf("the disk; it is %w", io.ErrShortWrite), "make room; try again")
	for _, tt := range []struct {
		err           error
		summary, next string
	}{
		{full, "the disk; it is short write", "make room; try again"},
		{fmt.Errorf("a: %w", full), "a: the disk; it is short write", "make room; try again"},
		{advice.With(full, "ask"), "the disk; it is short write; make room; try again", "ask"},
		{fmt.Errorf("a (%w)", full), "a (the disk; it is short write; make room; try again)", ""},
		{errors.New("a; b"), "a; b", ""},
		{advice.With(io.EOF, ""), "EOF", ""},
	} {
		if summary, next := advice.Split(tt.err); summary != tt.summary || next != tt.next {
			t.Errorf("%v: %q, %q", tt.err, summary, next)
		}
	}
	sentence := fmt.Errorf("a: %w", advice.With(errors.New("It failed."), "tried all"))
	if summary, next := advice.Split(sentence); sentence.Error() != "a: It failed. Tried all" || summary != "a: It failed." || next != "tried all" {
		t.Errorf("%v: %q, %q", sentence, summary, next)
	}
	if !errors.Is(full, io.ErrShortWrite) || advice.With(nil, "x") != nil || full.Error() != "the disk; it is short write; make room; try again" {
		t.Errorf("%v", full)
	}
}
