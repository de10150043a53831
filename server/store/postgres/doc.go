// Package postgres stores a fleet in PostgreSQL, or in a database that is compatible with it. It is the engine for
// installations with several servers: see [engine.Engine].
//
// # Isolation
//
// A read is one REPEATABLE READ, READ ONLY transaction, and sees one snapshot.
//
// A write is one READ COMMITTED transaction, and any number of writes run concurrently. All writes change one row, which
// assigns revisions. Each write changes this row last, waits until the preceding write has committed, and continues with
// the value that it finds. With a stricter level, this wait would end in a serialization failure for every writer but
// one. The store prevents what a stricter level would detect: it locks the rows that its decisions depend on (FOR KEY
// SHARE, FOR NO KEY UPDATE, FOR UPDATE) until the commit, and every statement after such a wait sees what was committed.
//
// A write runs again after a deadlock, after a serialization failure (in databases that have them at every level), if
// the target of a foreign key is deleted between two statements, and if the connection is lost before the commit. If the
// connection is lost during the commit, the outcome is looked up.
//
// # Connection poolers
//
// The package works through a connection pooler in transaction mode. It uses no advisory locks, no session state that
// outlives a transaction, no LISTEN, and does not rely on the order of sequences. The statements that create tables can
// run twice, separately from data. Statements are prepared only if there is no pooler (prepared.go).
//
// # Durability
//
// A write is acknowledged when it is on the disk of the primary, and of the standbys that the database waits for.
// Concurrent writes wait for this together (settle.go).
//
// # Replicas
//
// A standby can be read ([Replica]), in the same kind of transaction. No read waits for a standby: if it is not
// available at once, the primary is read instead.
package postgres
