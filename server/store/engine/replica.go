package engine

import "context"

// Replica is a database that follows the one which takes writes, some time behind it, and is only read. It is safe for concurrent use.
type Replica interface {
	// Name is the database as messages call it, without secrets.
	Name() string

	// Probe tells what answers now.
	Probe(ctx context.Context) (ProbeResult, error)

	// Read is that of [Engine], and waits for nothing: it returns a [*SkippedError] where the database cannot be used now, or where
	// a statement failed. Only an error that no method of its [Tx] returned is returned as it is. ready is called once
	// before anything is read; its statements must be answered within a short time, and its error ends the read.
	Read(ctx context.Context, ready, run func(ctx context.Context, tx Tx) error) error

	// Reconnect closes the connections: the next ones may lead elsewhere.
	Reconnect()

	// Stats are counts since it was opened.
	Stats() Stats

	// Close waits for running reads.
	Close() error
}

// ProbeResult is what is seen of a [Replica].
type ProbeResult struct {
	Standby bool // it takes no writes, and replays those of another one
	Version int  // of the schema; 0: there are no tables of ours
}

// SkippedError says why a replica was not read.
type SkippedError struct {
	Why Cause
	Err error // of the engine; may be nil
}

// Cause is why a replica is passed by, in a word, as metrics have it.
type Cause string

// The causes of a [SkippedError].
const (
	CauseNoAnswer Cause = "no_answer" // nobody answers in time, or the connection was lost
	CauseBusy     Cause = "busy"      // all connections to it are at work
	CauseConflict Cause = "conflict"  // what it replays was in the way of what was read
)

func (p *SkippedError) Error() string {
	if p.Err != nil {
		return p.Err.Error()
	}
	return string(p.Why)
}

func (p *SkippedError) Unwrap() error { return p.Err }
