// Package object implements the commands for objects: list, show, create, update, delete, variables and labels of
// clouds, hosts and all other kinds, modelled after python-cratonclient.
//
// host-list is the verb list for the resource host. A [Resource] consists of a kind of package schema and a literal
// with texts (resources.go): the columns and options of its verbs in the order and the words of the original. Fields
// that are not in the literal get an option and a column as well. A verb (objects.go, list.go, vars.go, labels.go,
// delete.go) is written once, for all resources. Objects are not decoded: the API's response is printed, with every
// member and every digit.
//
// lookup.go finds the id for a name wherever an id is accepted, with package reconcile; complete.go completes names in
// shells.
package object
