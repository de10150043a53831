// Package sqlite keeps a fleet in one file. It is the engine of an embedded
// store and of a small server: see [engine.Engine].
//
// # One file, many processes
//
// The file has a write-ahead log and synchronous=FULL: a write that returned
// survives kill -9 and a power cut. Writes of one process go through one
// goroutine that commits all that wait together in one transaction, with a
// savepoint for each, so many writers share one fsync. Processes wait for
// each other up to two minutes; SQLITE_BUSY never surfaces before that.
// Reads run side by side on a small pool of connections, each in a
// transaction that sees one moment.
//
// # What can happen to a file
//
// A file can be moved, replaced or written over under a running program: the
// guard notices, and nothing more is written ([Engine.Watch]). A log that
// grows while reads overlap is folded into the file ([Engine.Write] does it
// between two transactions). [Inspect] looks at a file from outside.
package sqlite
