// Package server is a Craton v1 API server on SQLite or PostgreSQL.
//
// # Use
//
//	s, err := server.Open(ctx, "sqlite:/var/lib/craton/fleet.db", server.Options{Create: true})
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	b, err := s.Bootstrap(ctx) // the first project and root user; once
//	...
//	http.ListenAndServe("127.0.0.1:7780", s.Handler())
//
// [Server.Handler] is the API for a network: clients authenticate with X-Auth-User, X-Auth-Token and X-Auth-Project
// (local authentication, contract §1.2). [Server.KeystoneHandler] is the same API with tokens of OpenStack's Keystone.
// [Server.Embedded] is the same API for use within the process: without credentials, since the database file is
// protected by its permissions.
//
// # Roles
//
// A reader reads what belongs to its project, a member also changes it. A project's admin also reads the project itself
// and manages its users. Root may do everything in every project; [Server.Bootstrap] creates the first root user.
// Nothing of one project is visible in another. A user can have several API keys, each with its own, narrower role.
// With Keystone, the token's roles decide ([keystone.Roles]).
//
// # Wrong keys
//
// Clients that guess keys or tokens are slowed down, and refused for a while; others are not affected ([Logins]).
// Behind proxies named in [Options], the client is the one in their header.
//
// # The database
//
// With SQLite the database is one file with a write-ahead log. Any number of processes can use it at once. A write is
// durable when it is acknowledged. The schema has a version; a newer program migrates the database when it opens it, an
// older one refuses it.
//
// # What it does not do
//
// TLS, listening and stopping belong to the caller's [net/http.Server].
//
// # Differences from the original server
//
// [Differences] lists everything in which this server differs from the original Craton, with the reason. There are no
// other differences: a test replays recorded exchanges with the original server and compares every byte.
package server
