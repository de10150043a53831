// Package postgrestest runs real PostgreSQL servers for tests.
//
//	func TestHosts(t *testing.T) {
//		t.Parallel()
//		s, err := server.Open(t.Context(), postgrestest.Database(t), server.Options{Create: true})
//		...
//	}
//
// The servers run the programs of Debian's package, on free ports of the loopback address, in temporary directories.
// They do not read or change the machine's configuration or its own servers. CRATON_TEST_POSTGRES_BIN is the directory
// of other programs (initdb, postgres), such as those of a newer PostgreSQL. The programs refuse to run as root, so
// root's tests run them as the user postgres.
//
// # Shared and separate servers
//
// [Database] creates a database on a server that all tests of a package share. The server starts with the first
// database, in about a second, and does not wait for the disk. [Start] starts a separate server for a test that stops
// or kills it, or needs another configuration. [Bounced] and [Bouncer] do the same with a pgbouncer in transaction mode
// in front of the server. [Server.Standby] starts a standby of a server.
//
// Databases belong to the role [Role], which is not a superuser.
//
// When the test process ends, for any reason, its servers are stopped and their directories removed: a small watcher
// process notices that its pipe to the test process is closed.
//
// # Missing packages
//
// If a program is missing, the test is skipped with the name of the Debian package that it needs. If the environment
// has CRATON_TEST_POSTGRES=required, as in .ci/run, which installs the packages, the test fails instead.
package postgrestest
