// Package object is the commands of objects: list, show, create, update,
// delete, variables and labels of clouds, hosts and all other kinds, after
// python-cratonclient.
//
// A [Resource] is what the commands of one kind differ in. Fields, options and
// columns come from package schema; what is beside them are the words and
// orders that were recorded of the original. A verb is written once, for all
// resources. Names for ids are found by package reconcile.
package object
