// Package hierarchy resolves variables: which levels an object has, and which of them supplies a variable.
//
// An object has its own variables and those of the levels above it: its parents, its cell, region and cloud, and its
// project, as the schema says for its kind. Of all levels with a variable the nearest supplies it, whole and whatever
// its value, null included; the others are shadowed. Values are never merged into each other (v1 contract §5.2, §5.3).
//
// The server, the inventories, explain and fleet files all use it. Only the server's SQL repeats it, where the
// variables of an object are too many to be held in memory.
package hierarchy
