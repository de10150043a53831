// Package api serves the Craton v1 HTTP API of a [store.Store].
//
// # How it is built
//
// A [resource] is a kind of internal/schema, which defines its fields, and a literal of what exists only in the API
// (resources.go): members that are echoed and not stored, list parameters in the order in which links repeat them,
// recorded messages. One generic handler serves all ten resources. What only some of them have is separate: labels
// (labels.go), the union of devices (devices.go), lookups of one object by name (lookup.go), users (users.go) and the
// Ansible inventory (inventory.go). Features that v1 does not have, such as moves (move.go) and whole fleets
// (fleet.go), are described in docs/reference/beside-v1.md.
//
// # Processing of a request
//
// Authentication comes before routing, routing before validation of the query (GET) or the JSON body (POST, PUT,
// DELETE), and that before the check of the caller's role (contract §2.1.1). Handlers return a response or an error;
// one table maps errors to a status (errors.go).
//
// # Bodies
//
// Bodies are Python's json.dumps(indent=2, sort_keys=True): sorted keys, two spaces, non-ASCII escaped. They are
// appended to a pooled buffer straight from the rows (encode.go). A large one is written to a file, so that neither the
// database nor memory waits for a client (answer.go); a fleet is sent while it is read (stream.go). Responses are
// compressed if the client accepts that (pack.go).
//
// The differences from the original server are listed in package server,
// [github.com/craton-fleet/craton/server.Differences].
package api
