// Package schema defines the kinds of objects of a fleet: their fields with types and limits, what is required and what
// never changes, in what their names are unique, what contains what, and from where variables are inherited.
//
// It is the single source: the server's validation and columns, the client's types, the columns and options of the
// command line, fleet files, modules and inventories are made from it or tested against it. A field is added here
// first; the tests of the faces then show what else must know it.
//
// The package holds no texts for people, does no I/O and imports nothing of
// this repository. It follows the v1 contract (docs/reference): sections 2.1
// to 2.5 for fields, 5.2 for inheritance, 6.2 and 6.3 for names and contents.
package schema
