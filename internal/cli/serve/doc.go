// Package serve implements `craton server`, which serves the Craton v1 API to a team, with TLS, with users of its own
// or Keystone's, until it is told to stop; and the commands for its database: `craton server bootstrap`, which creates
// the first user, `backup` and `restore`. [New] returns all of them.
package serve
