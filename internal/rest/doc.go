// Package rest holds what the client libraries of this module share: one base URL that requests never leave, sending
// with retries, TLS, credentials for each try, answers that are read to their end, and errors without secrets.
//
// It knows no API. A library sets a [Config] and a [Policy] of what may be repeated, and makes its own typed
// errors of what [Client.Do] gives: a response of any status, or a [*TransportError].
package rest
