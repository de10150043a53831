// Package store keeps a fleet in a SQL database: SQLite, in one file.
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
// # Cost
//
// A page of a listing takes a number of statements that does not depend on
// its rows: one for the rows, one for labels, one for the chains of parents
// and one for the variables of each level. In the default order (created_at,
// id) every page costs the same, first or last, also with a filter for
// region, cell, cloud, parent or label. Other orders sort what they filter.
// See match.go for the cost of a filter by variables.
//
// # Portability
//
// The SQL is kept to what PostgreSQL understands too, except for the schema,
// for the unary plus in [conditions.equal] and for craton_match.
package store
