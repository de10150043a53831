// Package iotronictest simulates Iotronic in tests: a server in the test's process that responds like the releases of
// 2016, 2017 and 2019 did, including their faults. Comments cite sections and quirks ("§2.5", "§6, 8") of the
// description of the Iotronic API that the client library follows.
//
//	server := iotronictest.Start(t, iotronictest.Boards2019)
//	fleet := server.Add("fleets", iotronictest.Object{"name": "roofs"})
//	server.Add("boards", iotronictest.Object{"name": "pi-01", "code": "c1", "fleet": fleet, "status": "online"})
//	client, err := iotronic.New(server.URL, iotronic.WithToken(iotronictest.Admin.Token))
//
// Objects created with Add belong to the project of [Admin] unless they name another one. UUIDs and times are the same
// in every run. A page has at most 1,000 objects; [MaxLimit] lowers that.
//
// Requests need the token of a [User]. With [NoAuth], they need no token: the headers X-Project-Id, X-User-Id and
// X-Roles identify the caller, who is [Admin] without them. [Server.Requests] returns the requests received so far, and
// [Server.Answer] sets a function that responds instead of the server, to simulate other failures.
//
// The parts of the API that change a board by calling it (plugins, services, ports) can only be read; a change fails as
// it does for a board that is not connected, or that does not reply.
package iotronictest
