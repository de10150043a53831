package engine

import "context"

// Replica is a read-only database that follows the primary with a delay. It is safe for concurrent use.
type Replica interface {
	// Name returns the name of the database in messages, without secrets.
	Name() string

	// Probe returns the state of the database that answers now.
	Probe(ctx context.Context) (ProbeResult, error)

	// Read is [Engine.Read] without waiting: it returns a [*SkippedError] if the database cannot be used now, or if a
	// statement failed. Only an error that does not come from a method of its [Tx] is returned as it is. ready is
	// called once before anything is read; its statements must be answered within a short time, and its error ends the
	// read.
	Read(ctx context.Context, ready, run func(ctx context.Context, tx Tx) error) error

	// Reconnect closes the connections: the next ones may lead to another server.
	Reconnect()

	// Stats returns statistics since the replica was opened.
	Stats() Stats

	// Close waits for running reads.
	Close() error
}

// ProbeResult is the state of a [Replica].
type ProbeResult struct {
	Standby bool // it accepts no writes, and replays those of another database
	Version int  // of the schema; 0 if there are no tables of Craton
}

// SkippedError is the error for a replica that was not read.
type SkippedError struct {
	Why Cause
	Err error // of the engine; may be nil
}

// Cause is why a replica was skipped, in a word, as in metrics.
type Cause string

// The causes of a [SkippedError].
const (
	CauseUnreachable Cause = "no_answer" // it did not answer in time, or the connection was lost
	CauseBusy        Cause = "busy"      // all connections to it are in use
	CauseConflict    Cause = "conflict"  // replaying a change conflicted with the read
)

func (p *SkippedError) Error() string {
	if p.Err != nil {
		return p.Err.Error()
	}
	return string(p.Why)
}

func (p *SkippedError) Unwrap() error { return p.Err }
