// Package store keeps a fleet in a SQL database. The databases are its
// engines, packages beside it: see package engine.
//
// # Entities
//
// An [Entity] describes one kind of object as data: its table, its columns,
// its foreign keys and what it inherits variables from, made of internal/schema
// and what only the tables have. [Store.List],
// [Store.Get], [Store.Create], [Store.Update] and [Store.Delete] work on any of
// them. Beside these stand variables ([Store.SetVariables]), labels
// ([Store.AddLabels]) and users ([Store.Authenticate]).
//
// Every operation takes a [Scope]: outside it nothing exists. What is created
// belongs to the scope's project, and a foreign key must name something of
// the same project that agrees with the other foreign keys.
//
// # Reads and writes
//
// A read sees one moment ([Store.View]). A write that returned is durable, and
// is done whole or not at all. Its function may run again, whenever something
// comes in between; what it decides by, it holds (type hold), so that writes
// which run side by side come out as if they had run one after the other.
//
// # A replica
//
// A database that follows may answer reads too ([Store.ViewBehind]): where the
// transaction that reads has the very change that whoever asks must see. What
// decides a write, and who may do what, is never read there.
//
// # The change log
//
// Every write records what it does to each object while its function runs
// (record.go). At its end, in the same transaction, all of it gets one revision:
// one row gives these out, so that their order is that of the commits, and it
// is touched last, so that writes side by side wait for each other no longer
// than a commit takes. Who writes is in the context ([WithActor]).
//
// A view reads the log in the moment in which it reads everything else
// ([View.Log], [View.Changes], [View.Newest]). [Store.Wait] waits for more, and
// [Store.Prune] forgets.
//
// # Cost
//
// A write costs at most 1.25 times what it would without the log. A delete costs
// more for each thing that it takes along, since the log has all of them whole;
// memory does not grow with their number.
//
// A page of a listing takes a number of statements that does not depend on
// its rows: one for the rows, one for labels, one for the chains of parents
// and one for the variables of each level. In the default order (created_at,
// id) every page costs the same, first or last, also with a filter for
// region, cell, cloud, parent or label. Other orders sort what they filter.
// See match.go and candidates.go for the cost of a filter by variables.
package store
