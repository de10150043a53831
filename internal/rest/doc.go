// Package rest contains what the client libraries of this module share: a base URL that requests never leave, retries,
// TLS, credentials for each attempt, responses that are read completely, and errors without secrets.
//
// It is independent of any API. A library sets a [Config] and a [Policy] of which requests may be repeated, and creates
// its own typed errors from what [Client.Do] returns: a response of any status, or a [*TransportError].
package rest
