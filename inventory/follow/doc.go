// Package follow reports changes of a fleet as they happen, and the hosts whose variables they alter: the command
// `craton changes`, which the event source craton.fleet.changes of Event-Driven Ansible runs. docs/eda.md is the guide
// for its users.
//
//	err := follow.Run(ctx, client, follow.Options{After: cursor, MaxHosts: 1000}, func(line follow.Line) error {
//		...
//	})
//
// # Which hosts
//
// The hosts of a change are those whose resolved variables it changed: what `craton history HOST` shows as events with
// variables. A region's variable that a cell or a host has too is no change for these. To know that without a request
// for each change, a [fleet] is kept in memory: who inherits from whom, and of each variable a hash of its value. It is
// read once, as it was at the cursor, and goes on with the log itself, so that each change is judged by the fleet of
// its own revision, however late it is read.
//
// # At least once, in order
//
// Each [Line] names the place of the log from which to go on so that nothing is missed. It is behind a whole write,
// since only that is a state of the fleet that can be read again: who goes on within a write of many objects is told
// all of it once more.
//
// # What cannot be reached
//
// Once it has begun, nothing that a server does ends it: it says on its log that it cannot be reached and tries again.
// A place that the log does not know any more is told as a change of the log itself, and it goes on from the present.
package follow
