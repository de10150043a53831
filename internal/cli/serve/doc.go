// Package serve is `craton server`: it serves the Craton v1 API to a team, with
// TLS, with users of its own or Keystone's, until it is told to end; and the
// commands for its database: `craton server bootstrap`, which makes the first
// user, `backup` and `restore`. [New] gives all.
package serve
