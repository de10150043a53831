// Package server is a Craton v1 API server on SQLite.
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
// [Server.Handler] is the API for a network: clients authenticate with
// X-Auth-User, X-Auth-Token and X-Auth-Project (local authentication, the v1
// contract §1.2). [Server.KeystoneHandler] is the same API behind OpenStack's
// Keystone, whose tokens clients send. [Server.Embedded] is the same API for
// the process that has the file: no credentials, because the file's
// permissions guard it.
//
// # Roles
//
// A reader reads what belongs to its project, a member also changes it. A
// project's admin also reads the project itself and manages its users. Root does
// everything in every project; [Server.Bootstrap] makes the first root user.
// Nothing of one project is visible in another. A user may have several API
// keys, each with a role of its own that is narrower. Behind Keystone the roles
// of the token decide ([keystone.Roles]).
//
// # Wrong keys
//
// Who guesses keys or tokens is slowed, and refused for a while; others are not
// held up ([Logins]). Behind proxies that [Options] names, the client is the
// one that their header tells.
//
// # The file
//
// The database is one SQLite file with a write-ahead log. Any number of
// processes may use it at once. A write that was answered is durable. The
// format has a version; a newer program upgrades the file when it opens it,
// an older one refuses it.
//
// # What it does not do
//
// TLS, listening and stopping belong to the caller's [net/http.Server].
//
// # Differences from the original
//
// [Differences] lists everything in which this server differs from the
// original Craton, with the reason. Nothing else does: a test replays
// recorded exchanges with the original and compares every byte.
package server
