// Package sqlite stores a fleet in one file. It is the engine of embedded stores and of small servers: see
// [engine.Engine].
//
// # Concurrency
//
// The file has a write-ahead log and synchronous=FULL: a write that has returned survives kill -9 and a power failure.
// One goroutine of a process commits all pending writes together in one transaction, with a savepoint for each, so that
// concurrent writers share one fsync. Processes wait up to two minutes for each other before SQLITE_BUSY becomes an
// error. Reads run concurrently on a small pool of connections, each in a transaction that sees one snapshot.
//
// # Changes to the file
//
// If a file is moved, replaced or overwritten while a program has it open, the package detects this and writes nothing
// more ([Engine.Watch]). If the write-ahead log grows while reads overlap, [Engine.Write] copies it into the file between
// two transactions. [Inspect] examines a file without opening it as a store.
package sqlite
