package guard

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"time"
)

// Options are the choices for a [Guard].
type Options struct {
	Failures   int           // number of wrong credentials for one user after which an address is refused for this user
	MaxLockout time.Duration // longest duration of a refusal
}

// Multiples of Failures for an address with many users, and for a user at many addresses.
const (
	perAddress = 5
	perUser    = 10
)

// Sizes of the tables, in entries of about 40 bytes.
const (
	maxAddresses   = 1 << 20
	maxPairs       = 1 << 20
	maxUsers       = 1 << 16
	maxCredentials = 1 << 18
	maxKnown       = 1 << 16
)

const (
	firstRefusal = 15          // the first refusal lasts MaxLockout divided by this
	longestSame  = time.Minute // longest refusal of one repeated wrong credential
	patientFor   = 2           // number of failures without a delay
	minDelay     = 250 * time.Millisecond
	maxDelay     = 2 * time.Second
	maxDelayed   = 1024 // maximum number of delayed requests
	atOnce       = 4    // maximum number of new credentials of one address that are checked at once
)

// Guard counts wrong credentials. It is safe for concurrent use.
type Guard struct {
	options Options
	secret  [32]byte
	start   time.Time

	addresses, pairs, users, credentials *table
	known                                *set

	delayed chan struct{}
	mu      sync.Mutex
	flights map[key]*flight
}

// New returns a guard.
func New(o Options) *Guard {
	o.MaxLockout = max(o.MaxLockout, time.Second)
	kept := uint32(2*o.MaxLockout/time.Second) + 1 // longer than any refusal
	g := &Guard{
		options: o, start: time.Now(),
		addresses: newTable(maxAddresses, true, kept), pairs: newTable(maxPairs, false, kept),
		users: newTable(maxUsers, true, kept), credentials: newTable(maxCredentials, false, kept), known: newSet(maxKnown),
		delayed: make(chan struct{}, maxDelayed), flights: map[key]*flight{},
	}
	rand.Read(g.secret[:])
	return g
}

// Attempt is a request with a credential.
type Attempt struct {
	Address    netip.Addr
	User       string   // unique identity of the claimed user; "" if the credential identifies the user
	Credential []string // parts that must be right together
}

// Outcome is the result of an attempt.
type Outcome int

// The results of a check.
const (
	Unknown Outcome = iota // the check failed
	Right
	Wrong
)

// RefusedError is the error for an attempt that is refused without a check.
type RefusedError struct {
	Wait time.Duration // time until an attempt is checked again
}

func (r *RefusedError) Error() string {
	return fmt.Sprintf("too many wrong logins: refused for %v", r.Wait)
}

// Do calls check, which checks the credential. If the attempt is refused, it returns a [*RefusedError] instead. If the
// credential is wrong, Do may return after a delay. If such attempts are refused from now on, began is the duration of
// the refusal, otherwise 0. The only other error is that of ctx.
func (g *Guard) Do(ctx context.Context, a Attempt, check func() Outcome) (began time.Duration, err error) {
	k := g.keys(a)
	if g.known.has(k.credential) {
		switch check() {
		case Wrong: // it was revoked or has expired
			g.known.remove(k.credential)
			g.credentials.add(k.credential, g.now())
		}
		return 0, nil
	}
	if wait := g.refusal(k); wait > 0 { // before it waits for a slot for a check
		return 0, &RefusedError{wait}
	}
	leave, err := g.enter(ctx, k.address)
	if err != nil {
		return 0, err
	}
	began, delay, err := func() (began, delay time.Duration, err error) {
		defer leave()
		if wait := g.refusal(k); wait > 0 {
			return 0, 0, &RefusedError{wait}
		}
		switch check() {
		case Right:
			g.succeed(k)
		case Wrong:
			began, delay = g.fail(k)
		}
		return began, delay, nil
	}()
	if err != nil || delay == 0 {
		return began, err
	}
	return began, g.pause(ctx, delay)
}

// pause delays a response, unless too many responses are delayed already.
func (g *Guard) pause(ctx context.Context, d time.Duration) error {
	select {
	case g.delayed <- struct{}{}:
	default:
		return nil
	}
	defer func() { <-g.delayed }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keys identifies the counts that an attempt applies to.
type keys struct {
	address, pair, user, credential key
	named                           bool // the attempt has a user
}

func (g *Guard) keys(a Attempt) keys {
	address := Network(a.Address).String()
	return keys{
		address: g.key("address", address), pair: g.key("pair", address, a.User),
		credential: g.key("credential", append([]string{a.User}, a.Credential...)...),
		user:       g.key("user", a.User), named: a.User != "",
	}
}

// Network returns the network that counts as one address.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Addr has the zero Prefix
	return p
}

// key returns a hash of the parts and a secret of this process, so that attackers cannot find collisions or learn a
// credential from its hash.
func (g *Guard) key(what string, parts ...string) key {
	b := make([]byte, 0, 256)
	b = append(b, g.secret[:]...)
	for _, part := range append([]string{what}, parts...) {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return key(binary.BigEndian.Uint64(sum[:]))
}

// now returns the seconds since the guard was created.
func (g *Guard) now() uint32 { return uint32(time.Since(g.start) / time.Second) }

// refusal returns how long an attempt is refused from now on, or 0 if it is not.
func (g *Guard) refusal(k keys) time.Duration {
	now, n, longest := g.now(), g.options.Failures, g.options.MaxLockout
	wait := max(left(g.credentials.get(k.credential, now), now, n, min(longestSame, longest)), left(g.addresses.get(k.address, now), now, n*perAddress, longest))
	if !k.named {
		return wait
	}
	if g.users.get(k.user, now).count >= uint32(n*perUser) {
		n = 1
	}
	return max(wait, left(g.pairs.get(k.pair, now), now, n, longest))
}

// left returns the remaining time of an entry's refusal.
func left(e entry, now uint32, limit int, longest time.Duration) time.Duration {
	until := time.Duration(e.last)*time.Second + lasts(int(e.count)-limit, longest)
	return max(0, until-time.Duration(now)*time.Second)
}

// lasts returns the duration of a refusal, by the number of failures above the limit.
func lasts(over int, longest time.Duration) time.Duration {
	if over < 0 {
		return 0
	}
	return min(max(longest/firstRefusal, time.Second)<<min(over, 10), longest)
}

func (g *Guard) succeed(k keys) {
	const all = math.MaxUint32
	g.known.add(k.credential)
	now := g.now()
	g.credentials.lower(k.credential, now, all)
	g.addresses.lower(k.address, now, g.pairs.lower(k.pair, now, all))
}

// fail counts a wrong credential. It returns how long such attempts are refused from now on, and the delay of the
// response.
func (g *Guard) fail(k keys) (began, delay time.Duration) {
	now := g.now()
	again := g.credentials.add(k.credential, now).count > 1
	pair := g.pairs.get(k.pair, now)
	if !again {
		pair = g.pairs.add(k.pair, now)
		g.addresses.add(k.address, now)
		if k.named {
			g.users.add(k.user, now)
		}
	}
	if over := int(pair.count) - patientFor; over > 0 {
		delay = min(minDelay<<min(over-1, 10), maxDelay)
	}
	return g.refusal(k), delay
}

// flight limits the number of credentials of one address that are checked concurrently. Otherwise many guesses could
// all be checked before the first one has been counted.
type flight struct {
	places chan struct{}
	users  int
}

// enter waits for a slot for a check.
func (g *Guard) enter(ctx context.Context, address key) (leave func(), err error) {
	g.mu.Lock()
	f := g.flights[address]
	if f == nil {
		f = &flight{places: make(chan struct{}, atOnce)}
		g.flights[address] = f
	}
	f.users++
	g.mu.Unlock()
	gone := func() {
		g.mu.Lock()
		if f.users--; f.users == 0 {
			delete(g.flights, address)
		}
		g.mu.Unlock()
	}
	leave = func() { <-f.places; gone() }
	select {
	case f.places <- struct{}{}: // even if ctx is done: a credential that was sent counts
		return leave, nil
	default:
	}
	select {
	case f.places <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		gone()
		return nil, ctx.Err()
	}
}
