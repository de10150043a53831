package engine

import "context"

// Replica is a read-only database that follows the primary with a delay. It is safe for concurrent use.
type Replica interface {
	// Name returns the database's name for messages, without secrets.
	Name() string

	// Probe returns the state of the server that responds at the moment.
	Probe(ctx context.Context) (ProbeResult, error)

	// Read is [Engine.Read] without waiting: it returns a [*SkippedError] if the database cannot be used now, or if a
	// statement failed. Only an error that does not come from a method of its [Tx] is returned unchanged. ready is
	// called once before run. Its statements must succeed within a short time, and if it returns an error, run is not
	// called.
	Read(ctx context.Context, ready, run func(ctx context.Context, tx Tx) error) error

	// Reconnect closes the connections, because new ones may lead to another server.
	Reconnect()

	// Stats returns statistics since the replica was opened.
	Stats() Stats

	// Close waits for running reads, and closes the connections.
	Close() error
}

// ProbeResult is the state of a [Replica].
type ProbeResult struct {
	Standby bool // it does not accept writes, but replays those of another server
	Version int  // of the schema; 0 if there are no tables of Craton
}

// SkippedError is the error for a replica that could not be read.
type SkippedError struct {
	Why Cause
	Err error // of the engine; may be nil
}

// Cause is the reason why a replica was skipped, as metrics name it.
type Cause string

// The causes of a [SkippedError].
const (
	CauseUnreachable Cause = "no_answer" // it did not respond in time, or the connection was lost
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
