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
// # Cost
//
// A page of a listing takes a number of statements that does not depend on
// its rows: one for the rows, one for labels, one for the chains of parents
// and one for the variables of each level. In the default order (created_at,
// id) every page costs the same, first or last, also with a filter for
// region, cell, cloud, parent or label. Other orders sort what they filter.
// See match.go and candidates.go for the cost of a filter by variables.
package store
