// Package follow reports changes of a fleet as they happen, with the hosts whose variables each change alters. It
// implements the command `craton changes`, which the event source craton.fleet.changes of Event-Driven Ansible runs;
// docs/eda.md is the guide for its users.
//
//	err := follow.Run(ctx, client, follow.Options{After: cursor, MaxHosts: 1000}, func(line follow.Line) error {
//		...
//	})
//
// # Affected hosts
//
// A change affects the hosts whose resolved variables it alters. `craton history HOST` shows the same changes as events
// with variables. A change of a region's variable does not affect a host that overrides it, nor a host whose cell
// overrides it.
//
// To determine the affected hosts without a request for each change, the package keeps a [fleet] in memory: which
// object inherits from which, and a hash of the value of each variable. The fleet is read once, as it was at the
// cursor, and then updated from the change log. Each change is therefore compared with the fleet at its own revision,
// however late the change is read.
//
// # Delivery
//
// Changes are delivered in order and at least once. Each [Line] contains the cursor from which to continue without
// missing a change. The cursor is always after a complete write, because only then is the fleet in a state that can be
// read again. A caller that stops within a write of many objects receives all changes of that write again.
//
// # Failures
//
// After the start, no failure of a server ends the run: the failure is logged and the request is retried. If the change
// log no longer has the cursor, this is reported as a reset of the change log, and the run continues from the current
// state.
package follow
