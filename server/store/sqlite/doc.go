// Package sqlite stores a fleet in an SQLite file. It implements [engine.Engine] for standalone use and small servers.
//
// # Concurrency
//
// The file has a write-ahead log and synchronous=FULL, so that a write that has returned survives kill -9 and a power
// failure. One goroutine per process commits all pending writes in one transaction, with a savepoint for each, so that
// concurrent writers share an fsync. Processes wait up to two minutes for each other before SQLITE_BUSY becomes an
// error. Reads run concurrently on a small pool of connections, each in a transaction that sees one snapshot.
//
// # Changes to the file
//
// If an open file is moved, replaced or overwritten, the package detects this and stops writing ([Engine.Watch]). If
// the write-ahead log grows because reads always overlap, [Engine.Write] copies it into the file between two
// transactions. [Inspect] examines a file without opening it as a store.
package sqlite
