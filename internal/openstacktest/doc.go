// Package openstacktest runs real OpenStack services for tests.
//
//	func TestMembersWorkInTheirOwnProject(t *testing.T) {
//		t.Parallel()
//		k := openstacktest.StartKeystone(t)
//		project, user := k.Project(t, "team"), k.User(t, "ann")
//		k.Grant(t, user, project, "member")
//		token := k.Token(t, user, project)
//		...
//	}
//
// The services are those of Debian's packages, run by Debian's Python on a free port of the loopback address, as the
// user of the tests, in a temporary directory. Nothing of the machine's configuration is read or changed.
//
// # Shared and own
//
// [StartKeystone] starts one Keystone for all tests of a package, with the first that asks; [NewKeystone] starts
// another one for one test that wants it configured differently. A start takes about two seconds of one core. The
// database is prepared once, takes about six seconds, and is kept in .cache of the repository.
//
// [StartIronic] and [StartIronicBehindKeystone] do the same for Ironic, the API and a conductor with fake hardware in
// one process, which starts as fast; [NewIronic] for one test, [RunIronic] for a program that is none. A page has at
// most [IronicPageSize] objects there, unless [IronicPages] says otherwise.
//
// Tests that share a service run at the same time, so whatever is made there
// gets a name of its own: the given one with a number behind it.
//
// [Ironic.SDK] is openstacksdk at work on an Ironic, and [Ironic.IronicClient] python-ironicclient, the clients of
// OpenStack itself: what a program of ours has done they read, and the other way round. python-ironicclient is there
// where make newest-ironic has installed it, and the test is skipped elsewhere.
//
// A service ends, and its directory goes, when the test process does, however
// that ends: a small watcher holds a pipe to it.
//
// [NewRedfish] is a machine that is managed by Redfish, sushy-tools' fake one, for an Ironic with [IronicRedfish]; the
// machine itself says what it was told and what it is. It is there where make newest-ironic has installed sushy-tools,
// and the test is skipped elsewhere.
//
// # Where a package is missing
//
// The test is skipped, saying which Debian package it needs. With CRATON_TEST_KEYSTONE=required and
// CRATON_TEST_IRONIC=required in the environment, as in .ci/run, which installs them, the test fails instead.
package openstacktest
