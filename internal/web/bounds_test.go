package web

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/snapshot"
)

// TestFleetsAreFew: however many look at different fleets, few are in memory; who goes before it is there gives its
// place back, and one that fails is no other's.
func TestFleetsAreFew(t *testing.T) {
	t.Parallel()
	s := newFleets()
	var now, most atomic.Int32
	read := func(context.Context) (*snapshot.Fleet, error) { return &snapshot.Fleet{}, nil }
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%5 == 0 {
				cancel()
			}
			tag := map[bool]string{true: "", false: fmt.Sprint(i)}[i%7 == 0]
			f, err := s.enter(ctx, tag, read)
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return
			}
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Millisecond)
			now.Add(-1)
			s.leave(tag, f)
		})
	}
	group.Wait()
	if n := most.Load(); n < 1 || n > maxFleets {
		t.Errorf("%d fleets are in memory at once", n)
	}
	failing := errors.New("it fails")
	if _, err := s.enter(t.Context(), "x", func(context.Context) (*snapshot.Fleet, error) { return nil, failing }); !errors.Is(err, failing) {
		t.Error(err)
	}
	if _, err := s.enter(t.Context(), "x", func(context.Context) (*snapshot.Fleet, error) { panic("no") }); err == nil {
		t.Error("a panic is no error")
	}
	f, err := s.enter(t.Context(), "x", read)
	if err != nil {
		t.Fatal(err)
	}
	s.leave("x", f)
	for range maxFleets { // all places are given back
		select {
		case s.room <- struct{}{}:
		case <-time.After(time.Minute):
			t.Fatal("a place is lost")
		}
	}
	if len(s.open) != 0 {
		t.Errorf("%d are open", len(s.open))
	}
}

// TestKeptIsBounded: what is kept has a bound, and what was used last stays.
func TestKeptIsBounded(t *testing.T) {
	t.Parallel()
	s := newFleets()
	for i := range 1000 {
		s.keep(&keptPart{tag: "t", name: fmt.Sprint(i), value: i, size: maxKept / 50})
		s.keep(&keptPart{tag: "t", name: fmt.Sprint(i), value: i, size: maxKept / 50})
		if _, ok := s.find("t", "0"); !ok {
			t.Fatalf("what is used is gone behind %d others", i)
		}
	}
	s.keep(&keptPart{tag: "t", name: "large", size: largestKept + 1})
	s.keep(&keptPart{tag: "", name: "no tag"})
	total := 0
	for _, k := range s.kept {
		total += k.size
	}
	if total != s.bytes || total > maxKept || len(s.kept) < 10 {
		t.Errorf("%d bytes in %d parts, counted as %d", total, len(s.kept), s.bytes)
	}
	for _, name := range []string{"large", "no tag", "500"} {
		if _, ok := s.find("t", name); ok {
			t.Errorf("%s is kept", name)
		}
	}
	if v, ok := s.find("t", "999"); !ok || v != 999 {
		t.Error(v, ok)
	}
}
