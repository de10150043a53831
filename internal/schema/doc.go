// Package schema defines the kinds of objects of a fleet: their fields with types and limits, which fields are required
// or cannot change, where names are unique, what contains what, and from which places variables are inherited.
//
// It is the single source. The server's validation and columns, the client's types, the columns and options of the
// command line, fleet files, modules and inventories are derived from it or tested against it. A field is added here
// first; the tests of the faces then fail wherever the field is missing.
//
// The package has no texts for people, does no I/O and imports nothing of this repository. It follows the v1 contract
// (docs/reference): sections 2.1 to 2.5 for fields, 5.2 for inheritance, 6.2 and 6.3 for names and contents.
package schema
