// Package postgrestest runs real PostgreSQL servers for tests.
//
//	func TestHosts(t *testing.T) {
//		t.Parallel()
//		s, err := server.Open(t.Context(), postgrestest.Database(t), server.Options{Create: true})
//		...
//	}
//
// The servers are those of Debian's package, on free ports of the loopback
// address, in temporary directories. Nothing of the machine's configuration,
// and no server that it may run itself, is read or changed. CRATON_TEST_POSTGRES_BIN
// names the folder of other programs (initdb, postgres), such as those of a newer
// PostgreSQL. They refuse to run as root: tests of root run them as the user postgres.
//
// # Shared and own
//
// [Database] makes a database on one server for all tests of a package, which
// starts with the first that asks, in about a second, and does not wait for
// the disk. [Start] starts another one for one test, that wants to stop or
// kill it, or to have it configured differently. [Bounced] and [Bouncer] are
// likewise a pgbouncer before them, in transaction mode. [Server.Standby] is another
// server, which follows.
//
// Databases belong to the role [Role], which is no superuser.
//
// A server ends, and its directory goes, when the test process does, however
// that ends: a small watcher holds a pipe to it.
//
// # Where a package is missing
//
// The test is skipped, saying which Debian package it needs. With
// CRATON_TEST_POSTGRES=required in the environment, as in .ci/run, which installs
// them, the test fails instead.
package postgrestest
