// Package store keeps a fleet in an SQL database. The databases are engines, each in a package: see package engine.
//
// # Entities
//
// An [Entity] describes one kind of object as data: its table, its columns, its foreign keys and what it inherits
// variables from. It combines internal/schema with what only the tables have. [Store.List], [Store.Get],
// [Store.Create], [Store.Update] and [Store.Delete] work on any entity. In addition there are variables
// ([Store.SetVariables]), labels ([Store.AddLabels]) and users ([Store.Authenticate]).
//
// Every operation takes a [Scope], and sees nothing outside of it. A created object belongs to the scope's project, and
// a foreign key must refer to an object of the same project that agrees with the other foreign keys.
//
// # Reads and writes
//
// A read sees one snapshot ([Store.View]). A write is durable when it returns, and is done completely or not at all.
// Its function may run again when it is interrupted. It locks what its decisions depend on (type lockMode), so that
// concurrent writes have the same result as if they had run one after the other.
//
// # A replica
//
// A replica can serve reads too ([Store.ViewBehind]), if the transaction that reads has the change that the client must
// see. Data that a write or an authorization depends on is never read from it.
//
// # The change log
//
// A write records what it does to each object while its function runs (record.go). At its end, in the same transaction,
// all of it gets one revision. One row assigns revisions, so that their order is that of the commits. It is changed
// last, so that concurrent writes wait for each other no longer than a commit takes. The author of a write is in the
// context ([WithActor]).
//
// A view reads the log in the same snapshot as everything else ([View.Log], [View.Changes], [View.Newest]).
// [Store.Wait] waits for more, and [Store.Prune] deletes old changes.
//
// # Cost
//
// A write costs at most 1.25 times what it would cost without the log. A delete costs more for each object in its
// contents, since the log has all of them completely; memory does not grow with their number.
//
// A page of a listing takes a number of statements that does not depend on its rows: one for the rows, one for labels,
// one for the chains of parents and one for the variables of each level. In the default order (created_at, id) every
// page costs the same, first or last, also with a filter for region, cell, cloud, parent or label. Other orders sort
// the rows that match. See match.go and candidates.go for the cost of a filter by variables.
package store
