// Package postgres stores a fleet in PostgreSQL or a compatible database. It implements [engine.Engine] for
// installations with several servers.
//
// # Isolation
//
// A read is one REPEATABLE READ, READ ONLY transaction, and sees one snapshot.
//
// A write is one READ COMMITTED transaction, and any number of writes run concurrently. All writes change the row that
// assigns revisions. Each write does so last: it waits until the preceding write has committed, and continues with the
// value that it finds. At a stricter isolation level, this wait would end in a serialization failure for every writer
// but one. The store prevents the anomalies that a stricter level would detect: it locks the rows that its decisions
// depend on (FOR KEY SHARE, FOR NO KEY UPDATE, FOR UPDATE) until the commit, and each statement after such a wait sees
// the committed state.
//
// A write is retried after a deadlock, after a serialization failure (some compatible databases have them at every
// level), if the target of a foreign key is deleted between two statements, and if the connection is lost before the
// commit. If the connection is lost during the commit, the engine looks up the outcome.
//
// # Connection poolers
//
// The package works through a connection pooler in transaction mode. It does not use advisory locks, LISTEN, or session
// state that outlives a transaction, and does not rely on the order of sequences. The statements that create tables can
// run twice, separately from data. Statements are only prepared if there is no pooler (prepared.go).
//
// # Durability
//
// A write is acknowledged when it is on the disks of the primary and of its synchronous standbys. Concurrent writes
// wait for this together (settle.go).
//
// # Replicas
//
// Reads can use a standby ([Replica]), in the same kind of transaction. No read waits for a standby to become
// available: the primary is read instead.
package postgres
