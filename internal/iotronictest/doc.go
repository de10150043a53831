// Package iotronictest is Iotronic in a test: a server in this process that answers as the real ones of three times
// did, faults included. Sections and quirks are those of the description of the Iotronic API that the client library is
// written to ("§2.5", "§6, 8").
//
//	server := iotronictest.Start(t, iotronictest.Boards2019)
//	fleet := server.Add("fleets", iotronictest.Object{"name": "roofs"})
//	server.Add("boards", iotronictest.Object{"name": "pi-01", "code": "c1", "fleet": fleet, "status": "online"})
//	client, err := iotronic.New(server.URL, iotronic.WithToken(iotronictest.Admin.Token))
//
// What Add makes belongs to the project of [Admin] unless it says otherwise. UUIDs and times are the same
// in every run. A page has 1,000 objects at most; [MaxLimit] makes pages smaller.
//
// Requests need the token of a [User]; [NoAuth] makes a server that takes none, whose callers are what their headers
// X-Project-Id, X-User-Id and X-Roles say, or [Admin]. What was asked for is in [Server.Requests], and
// [Server.Answer] answers requests in the server's place, for failures that it does not have on its own.
//
// The parts of the API that change boards by calling them (plugins, services, ports) are there for reading, and for
// the refusal that a board gets which is not connected.
package iotronictest
