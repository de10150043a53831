// Package hierarchy resolves variables: from which places an object inherits, and which of them supplies a variable.
//
// An object has its own variables and those of the places above it: its parents, its cell, region and cloud, and its
// project, as the schema defines for its kind. The nearest place with a variable supplies the complete value, even
// null; the values of the other places are shadowed. Values are never merged with each other (v1 contract §5.2, §5.3).
//
// The server, the inventories, explain and fleet files all use this package. Only the server's SQL implements the same
// rules again, for objects with too many variables to have in memory.
package hierarchy
