// Package postgres keeps a fleet in PostgreSQL, or in what speaks its protocol.
// It is the engine of a server that one machine is not enough for: see
// [engine.Engine].
//
// # Isolation
//
// A read is one REPEATABLE READ, READ ONLY transaction: one snapshot.
//
// A write is one READ COMMITTED transaction, and any number run side by side.
// READ COMMITTED, because there is one row that all writes change: the one that
// gives out revisions. Each changes it last, waits for the one before until that
// is committed, and then goes on from the value that it finds. In a stricter
// level the wait would end in a serialization failure for every writer but one.
// What a stricter level would notice, the store prevents: it holds the rows that
// it decides by (FOR KEY SHARE, FOR NO KEY UPDATE, FOR UPDATE) until the commit,
// and every statement after such a wait sees what the one before has committed.
//
// Deadlocks, serialization failures (of databases that have them in every
// level), a foreign key whose target went between two statements, and
// connections that are lost before the commit make a write run again. When a
// connection is lost during the commit, the outcome is looked up.
//
// # What is not used
//
// No advisory lock, no state of a session that outlives a transaction, no
// LISTEN, no meaning in sequences; tables are made by statements that can run
// twice, apart from data. So a pooler may stand in between, in transaction mode.
// Statements are prepared only where none does: see prepared.go.
//
// # Durable, and many at once
//
// A write is acknowledged when it is on the disk, and on the standbys that the
// database waits for. Writes that come together wait for that together: see
// settle.go.
//
// # Replicas
//
// A standby can be read ([Replica]), in the same transactions. Nothing waits for
// one: whoever cannot have it at once is told so, and reads the database itself.
package postgres
