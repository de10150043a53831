// Package reconcile finds objects of a fleet, compares them with what is wanted, and makes them that. It is the engine of the
// modules, of fleet files and of the command line's look-ups.
//
// What is wanted of an object is a [Wanted]: only what somebody said, whoever it was. [Fleet.Plan] reads what is there and gives
// a [Step], which says all that is to be done; check mode, diff and the real run know nothing else, so they cannot disagree.
// [Fleet.Apply] carries it out.
//
// Objects are known by internal/schema, and sent and read through the one untyped door of package craton. An [Object] is
// canonical: see there.
package reconcile
