package guard

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// trial sends attempts to a guard. The only right credential is "right".
type trial struct {
	*Guard
	t       *testing.T
	checked atomic.Int64
}

func newTrial(t *testing.T, failures int, longest time.Duration) *trial {
	return &trial{Guard: New(Options{failures, longest}), t: t}
}

// send sends an attempt, and returns how long it is refused, or 0 if it was checked.
func (f *trial) send(address, user, credential string) time.Duration {
	f.t.Helper()
	_, err := f.Do(f.t.Context(), Attempt{netip.MustParseAddr(address), user, []string{credential}}, func() Outcome {
		f.checked.Add(1)
		if credential == "right" {
			return Right
		}
		return Wrong
	})
	var refused *RefusedError
	if err != nil && !errors.As(err, &refused) {
		f.t.Fatal(err)
	}
	if refused != nil {
		return refused.Wait
	}
	return 0
}

// guess sends n different wrong credentials, and returns how many were checked.
func (f *trial) guess(address, user string, n int) int {
	f.t.Helper()
	before := f.checked.Load()
	for i := range n {
		f.send(address, user, fmt.Sprintf("wrong %s %d %d", address, i, time.Now().UnixNano()))
	}
	return int(f.checked.Load() - before)
}

func (f *trial) passes(address, user, credential string) {
	f.t.Helper()
	begin := time.Now()
	if wait := f.send(address, user, credential); wait > 0 {
		f.t.Errorf("%s as %s is refused for %v", address, user, wait)
	}
	if took := time.Since(begin); credential == "right" && took > 0 {
		f.t.Errorf("a right credential takes %v", took)
	}
}

func TestRefusalsGrowAndEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		if n := f.guess("192.0.2.1", "ann", 100); n != 10 {
			t.Errorf("%d looked up, want 10", n)
		}
		for _, minutes := range []int{1, 2, 4, 8, 15, 15} {
			want := time.Duration(minutes) * time.Minute
			wait := f.send("192.0.2.1", "ann", "other")
			if wait > want || wait < want-3*time.Second {
				t.Errorf("refused for %v, want %v", wait, want)
			}
			time.Sleep(wait)
			if n := f.guess("192.0.2.1", "ann", 20); n != 1 {
				t.Errorf("%d looked up after a refusal, want 1", n)
			}
		}
		f.passes("192.0.2.2", "ann", "right") // from another address, at any time
		f.passes("192.0.2.1", "bob", "new wrong")
		time.Sleep(31 * time.Minute)
		if n := f.guess("192.0.2.1", "ann", 100); n != 10 {
			t.Errorf("%d looked up when all is forgotten, want 10", n)
		}
	})
}

func TestAnswersGetSlower(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		for i, ms := range []int{0, 0, 250, 500, 1000, 2000, 2000, 2000, 2000, 2000, 0} {
			want, begin := time.Duration(ms)*time.Millisecond, time.Now()
			f.send("192.0.2.1", "ann", fmt.Sprint(i))
			if took := time.Since(begin); took != want {
				t.Errorf("failure %d took %v, want %v", i+1, took, want)
			}
		}
	})
}

// TestCancelledWait: a delay ends when the client leaves, and the wrong credential is counted nevertheless.
func TestCancelledWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for i := range 20 {
			_, err := f.Do(ctx, Attempt{netip.MustParseAddr("192.0.2.1"), "ann", []string{fmt.Sprint(i)}}, func() Outcome { return Wrong })
			if refused := (*RefusedError)(nil); i >= 10 != errors.As(err, &refused) {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

func TestSameWrongCredentialCountsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		// A job sends an old key every second for two hours.
		for range 7200 {
			f.send("192.0.2.1", "ci", "old")
			time.Sleep(time.Second)
		}
		if n := f.checked.Load(); n > 140 {
			t.Errorf("one wrong key was looked up %d times in two hours", n)
		}
		f.passes("192.0.2.1", "ci", "right")
		f.passes("192.0.2.1", "ann", "right")
		// When the job gets the right key, that works at once too.
		f.send("192.0.2.1", "ci", "old")
		f.passes("192.0.2.1", "ci", "right")
	})
}

func TestRightKeysAreAlwaysLookedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		f.passes("192.0.2.1", "ann", "right")
		f.guess("192.0.2.1", "ann", 1000)
		for i := range 100 {
			f.guess("192.0.2.1", fmt.Sprint("user", i), 11)
		}
		if wait := f.send("192.0.2.1", "bob", "right"); wait == 0 {
			t.Error("an address that guesses at many users is not refused")
		}
		f.passes("192.0.2.1", "ann", "right")
		f.passes("192.0.2.9", "ann", "right")

		// A credential that is no longer right is not counted as a guess.
		g := newTrial(t, 10, 15*time.Minute)
		for i := range 200 {
			a := Attempt{netip.MustParseAddr("192.0.2.1"), "", []string{fmt.Sprint("token", i)}}
			for _, outcome := range []Outcome{Right, Wrong} {
				if _, err := g.Do(t.Context(), a, func() Outcome { return outcome }); err != nil {
					t.Fatalf("token %d: %v", i, err)
				}
			}
		}
	})
}

// TestOwnerIsNotLockedOut: guesses for one user from 3,000 addresses do not lock out the user.
func TestOwnerIsNotLockedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		address := func(i int) string { return fmt.Sprintf("203.0.%d.%d", i/250, i%250) }
		looked := 0
		for i := range 3000 {
			looked += f.guess(address(i), "root", 20)
		}
		if looked > 100+3000 {
			t.Errorf("%d looked up, want one for each address after the first hundred", looked)
		}
		f.passes("192.0.2.1", "root", "right")      // new to the guard
		f.passes(address(2999), "other", "wrong")   // other users are not affected
		f.passes("192.0.2.1", "root", "right")      // known to the guard
		f.passes("2001:db8::1", "root", "mistyped") // after a mistake, the owner has to wait for a minute
		f.passes("2001:db8::1", "root", "right")    // unless the right credential is known
		if wait := f.send("2001:db8::1", "root", "other"); wait == 0 || wait > time.Minute {
			t.Errorf("refused for %v", wait)
		}
	})
}

func TestSuccessResets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		f.guess("192.0.2.1", "ann", 9)
		f.passes("192.0.2.1", "ann", "right")
		if n := f.guess("192.0.2.1", "ann", 20); n != 10 {
			t.Errorf("%d looked up after a success, want 10", n)
		}

		// A right key of one user does not clear the failures of other users.
		f = newTrial(t, 10, 15*time.Minute)
		looked := 0
		for i := range 100 {
			looked += f.guess("192.0.2.1", fmt.Sprint("victim", i), 9)
			f.send("192.0.2.1", fmt.Sprint("mine", i), "right")
		}
		if looked > 51 {
			t.Errorf("%d looked up with own keys in between, want 50", looked)
		}
	})
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		looked := 0
		for i := range 100 { // all in one /64 network
			looked += f.guess(fmt.Sprintf("2001:db8:0:1::%x", i), "ann", 1)
		}
		if looked != 10 {
			t.Errorf("%d looked up from one /64, want 10", looked)
		}
		f.passes("2001:db8:0:2::1", "ann", "right")
		f.guess("::ffff:192.0.2.1", "ann", 10)
		if f.send("192.0.2.1", "ann", "other") == 0 {
			t.Error("IPv4 in IPv6 is another address")
		}
	})
}

// TestTokens: credentials without a user count for the address.
func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		if n := f.guess("192.0.2.1", "", 100); n != 50 {
			t.Errorf("%d tokens looked up, want 50", n)
		}
		f.passes("192.0.2.2", "", "right")
		if wait := f.send("192.0.2.1", "", "other"); wait == 0 {
			t.Error("not refused")
		}
	})
}

// TestConcurrent sends many wrong credentials at once from one address, before the first has failed.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		var all sync.WaitGroup
		var looked, refused atomic.Int64
		for i := range 3000 {
			all.Go(func() {
				_, err := f.Do(t.Context(), Attempt{netip.MustParseAddr("192.0.2.1"), "ann", []string{fmt.Sprint(i)}}, func() Outcome {
					looked.Add(1)
					time.Sleep(time.Millisecond) // like a query of the database
					return Wrong
				})
				if err != nil {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if n := looked.Load(); n < 10 || n > 13 || refused.Load() != 3000-n {
			t.Errorf("%d looked up, %d refused", n, refused.Load())
		}
		if len(f.flights) != 0 {
			t.Errorf("%d flights are left", len(f.flights))
		}
	})
}

// TestManyRightAtOnce: many new right credentials from one address are all accepted.
func TestManyRightAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTrial(t, 10, 15*time.Minute)
		var all sync.WaitGroup
		for i := range 500 {
			all.Go(func() {
				if _, err := f.Do(t.Context(), Attempt{netip.MustParseAddr("192.0.2.1"), fmt.Sprint("user", i%50), []string{fmt.Sprint(i)}}, func() Outcome {
					time.Sleep(time.Millisecond)
					return Right
				}); err != nil {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		all.Wait()
	})
}

// TestUnknownOutcome: if the check fails, such as in an unavailable database, nothing is counted.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	f := newTrial(t, 1, 15*time.Minute)
	for i := range 200 {
		if _, err := f.Do(t.Context(), Attempt{netip.MustParseAddr("192.0.2.1"), "ann", []string{fmt.Sprint(i)}}, func() Outcome { return Unknown }); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMillionAddresses: a million addresses do not displace earlier entries, and take limited memory.
func TestMillionAddresses(t *testing.T) {
	if testing.Short() {
		t.Skip("a million addresses")
	}
	f := newTrial(t, 10, 15*time.Minute)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	attacker := keysOf(f, "192.0.2.1", "ann", "x")
	now := f.now()
	for range 50 {
		f.addresses.add(attacker.address, now)
	}
	for range 10 {
		f.pairs.add(attacker.pair, now)
	}
	// Each address fails with a different user.
	for i := range 1_000_000 {
		k := keysOf(f, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String(), fmt.Sprint("name", i), fmt.Sprint(i))
		f.fail(k)
	}
	used := int64(heap()) - int64(before)
	t.Logf("%d MiB", used>>20)
	if used > 160<<20 {
		t.Errorf("a million addresses take %d MiB", used>>20)
	}
	if wait := f.refusal(attacker); wait < 30*time.Second {
		t.Errorf("the first address is refused for %v", wait)
	}
	for i := range 100 {
		if wait := f.send(fmt.Sprintf("2001:db8:%x::1", i), "ann", "right"); wait > 0 {
			t.Errorf("an address that has not failed is refused for %v", wait)
		}
	}
	// More addresses than there is room for share their counts.
	looked := 0
	for i := range 150_000 {
		k := keysOf(f, netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}).String(), "ann", fmt.Sprint("more", i))
		if f.refusal(k) == 0 {
			looked++
			f.fail(k)
		}
	}
	t.Logf("%d of 150,000 more are looked up", looked)
	if most := maxAddresses - 1_000_000 + shards*50 + shards; looked > most {
		t.Errorf("%d of 150,000 more are looked up, want %d at most", looked, most)
	}
	if again := int64(heap()) - int64(before); again > 160<<20 {
		t.Errorf("more than a million take %d MiB", again>>20)
	}
}

func keysOf(f *trial, address, user, credential string) keys {
	return f.keys(Attempt{netip.MustParseAddr(address), user, []string{credential}})
}
