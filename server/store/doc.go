// Package store stores fleets in an SQL database. Each supported database is an engine in a package of its own: see
// package engine.
//
// # Entities
//
// An [Entity] describes one kind of object: its table, its columns, its foreign keys, and the places from which it
// inherits variables. It adds the properties of the tables to the definitions of internal/schema. [Store.List],
// [Store.Get], [Store.Create], [Store.Update] and [Store.Delete] work on any entity. There are also methods for
// variables ([Store.SetVariables]), labels ([Store.AddLabels]) and users ([Store.Authenticate]).
//
// An operation only sees objects in its [Scope]. A created object belongs to the scope's project. A foreign key must
// refer to an object of the same project that agrees with the other foreign keys.
//
// # Reads and writes
//
// A read sees one snapshot ([Store.View]). A write is atomic, and durable when it returns. Its function may be called
// several times. It locks the rows that its decisions depend on (type lockMode), so that concurrent writes have the
// same result as if they had run one after the other.
//
// # A replica
//
// Reads can use a replica ([Store.ViewBehind]), if the replica's snapshot includes the changes that the client must
// see. Data that a write or an authorization depends on are never read from a replica.
//
// # The change log
//
// A write records its effect on each object while its function runs (record.go). At the end of the transaction, all of
// these changes get one revision. Revisions are assigned by a single row, so that they are in the order of the commits.
// A write changes this row last, so that concurrent writes only wait for each other's commits. The context of a write
// has its author ([WithActor]).
//
// A view reads the log in the same snapshot as all other data ([View.Log], [View.Changes], [View.Newest]). [Store.Wait]
// waits for further changes, and [Store.Prune] deletes old ones.
//
// # Cost
//
// A write costs at most 1.25 times as much as without the log. The cost of a deletion grows with the object's contents,
// because the log stores their complete state. Its memory does not.
//
// The number of statements for a page of a listing does not depend on the number of rows: there is one for the rows,
// one for labels, one for the chains of parents, and one for the variables of each level. In the default order
// (created_at, id), all pages cost the same, even with a filter for a region, cell, cloud, parent or label. Other
// orders sort the matching rows. See match.go and candidates.go for the cost of a filter by variables.
package store
