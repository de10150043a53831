// Package object is the commands of objects: list, show, create, update,
// delete, variables and labels of clouds, hosts and all other kinds, after
// python-cratonclient.
//
// host-list is the verb list with the resource host. A [Resource] is a kind of
// package schema and a literal of words (resources.go): the columns and
// options of its verbs in the order and the words of the original. Fields that
// no literal names get an option and a column as well. A verb (objects.go,
// list.go, vars.go, labels.go, delete.go) is written once, for all resources.
// Objects are not decoded: what the API answered is what is printed, with
// every member and every digit.
//
// Where an id is taken, lookup.go finds it for a name, by package reconcile;
// complete.go tells shells which names there are.
package object
