package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server/store"
)

// TestPieces checks that an answer in pieces has the bytes of one that was
// made at once, and that all that it took is given back.
func TestPieces(t *testing.T) {
	t.Parallel()
	b := newBudget(DefaultLimits, false)
	var set []store.Variable
	for i := range 400 {
		set = append(set, store.Variable{Name: fmt.Sprintf("key%03d", i), Value: `[{"a":[1,2,"` + strings.Repeat("x", 10*i) + `"],"b":{}},[` + strings.Repeat("[7],", 2*i) + `null]]`})
	}
	render := func(a *answer) []byte {
		buf := a.appendVariables([]byte("{"), store.NewSet(set[:50]), 1)
		return append(a.appendVariables(buf, store.NewSet(set[:60]), 2), '}')
	}
	light, full := answer{budget: b}, answer{budget: b, full: true}
	want := render(&light)
	rest := render(&full)
	if light.err != nil || light.file != nil || full.err != nil || full.file == nil {
		t.Fatalf("light %v, full %v with file %v", light.err, full.err, full.file)
	}
	got, err := io.ReadAll(io.NewSectionReader(full.file, 0, full.size))
	if err != nil || !bytes.Equal(append(got, rest...), want) {
		t.Errorf("%d and %d bytes in pieces, %d at once, %v", len(got), len(rest), len(want), err)
	}
	name := full.file.Name()
	full.close()
	if _, err := os.Stat(name); err == nil {
		t.Errorf("%s is left behind", name)
	}
	if !b.files.TryAcquire(b.files.size) {
		t.Error("the files' budget did not come back")
	}
	// One that does not fit is not begun to be sent.
	large := answer{budget: b}
	_ = large.appendVariables(nil, store.NewSet(set), 1)
	if !errors.Is(large.err, store.ErrViewTooLarge) {
		t.Errorf("too large for a light answer: %v", large.err)
	}
	full = answer{budget: b, full: true}
	_ = full.appendVariables(nil, store.NewSet(set), 1)
	if !errors.Is(full.err, errOverload) {
		t.Errorf("no room on disk: %v", full.err)
	}
	full.close()
}

// TestPackersComeBack: an answer that waits for its client has no packer any
// more, which is larger than what it still has to send.
func TestPackersComeBack(t *testing.T) {
	t.Parallel()
	for _, k := range codings {
		a := answer{budget: newBudget(DefaultLimits, false), full: true, coding: k}
		text := strings.Repeat("what repeats itself ", 20_000)
		buf := a.room([]byte(text))
		if a.packer == nil || len(buf) != 0 {
			t.Fatalf("%s: nothing was packed", k.name)
		}
		rest, packed, err := a.pack([]byte(text))
		if err != nil || !packed || rest != nil || a.packer != nil {
			t.Errorf("%s: %d bytes left, packed %v, packer %v, %v", k.name, len(rest), packed, a.packer, err)
		}
		if a.size == 0 || a.size > int64(len(text)/5) || a.plain != int64(2*len(text)) {
			t.Errorf("%s: %d bytes of %d", k.name, a.size, a.plain)
		}
		a.close()
	}
}
