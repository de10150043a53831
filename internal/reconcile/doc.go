// Package reconcile finds objects of a fleet, compares them with what is wanted, and makes them that. It is the engine
// of the modules, of fleet files and of the command line's look-ups.
//
// What is wanted of an object is a [Wanted]: only what somebody said, whoever it was. [Fleet.Plan] reads what is there
// and gives a [Step], which says all that is to be done; check mode, diff and the real run know nothing else, so they
// cannot disagree. [Fleet.Apply] carries it out.
//
// A [Tree] is many Wanteds within each other, such as a fleet file's. [Fleet.ApplyTree] compares all of it with the API
// before anything is written. Any Craton v1 API will do, the original server included. Reads are listings by pages; the
// number of requests does not grow with the objects beyond the pages, except on the original server, which shows labels
// one device at a time (Q15), and for interfaces whose variables are given. Writes go level by level (project, clouds,
// regions, cells, networks, devices below their parents, interfaces) and side by side within a level; each object takes
// one request, and at most one more each for its variables and its labels.
//
// Quirks of the v1 contract (§10) that it answers to: Q1 times, Q2 project ids in two spellings, Q3 addresses that come
// back normalised, Q4 speeds that come back as text, Q5 and Q6 (in the client library) updates of what is gone and
// duplicates answered with 500, Q8 by comparing own variables only, Q12 creates and listings that are not found because
// of a parent in another project, Q14 look-ups by name that fail, Q15 labels that are never shown, Q20 admins who see
// every tenant, Q25 names that differ in case only.
//
// Objects are known by internal/schema, and sent and read through the one untyped door of package craton. An [Object]
// is canonical: see there.
package reconcile
