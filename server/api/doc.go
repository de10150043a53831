// Package api serves the Craton v1 HTTP API over a [store.Store].
//
// # How it is built
//
// A [resource] is a kind of internal/schema, which knows its fields, and a
// literal of what only the wire has (resources.go): members that are echoed
// and not kept, list parameters in the order in which links repeat them,
// recorded messages. One generic handler serves all ten. What only some resources have stands
// beside it: labels (labels.go), the union of devices (devices.go), look-ups
// of one object by name (lookup.go), users (users.go) and the Ansible
// inventory (inventory.go). Beside v1 stand moves (move.go) and whole fleets
// (fleet.go): docs/reference/beside-v1.md.
//
// # A request's way
//
// Authentication comes before routing, routing before validation of the query
// (GET) or the JSON body (POST, PUT, DELETE), and that before the check of the
// caller's role (contract §2.1.1). Handlers return a reply or an error; one
// table turns errors into a status (errors.go).
//
// # Bodies
//
// Bodies are Python's json.dumps(indent=2, sort_keys=True): sorted keys, two
// spaces, non-ASCII escaped. They are appended to a pooled buffer straight
// from the rows (encode.go). A large one is made in a file, so that neither the
// database nor memory waits for a client (answer.go); a fleet is sent while it
// is made (stream.go). What a client can read compressed is (pack.go).
//
// What differs from the original server is listed in package server,
// [github.com/craton-fleet/craton/server.Differences].
package api
