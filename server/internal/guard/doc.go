// Package guard slows down clients that guess credentials, and no others.
//
// # What is counted
//
// A wrong credential counts for the address that sent it (IPv6: its /64), for the user that it was tried for, and for
// both together. The same wrong credential counts once, however often it is sent: a job with an old key guesses
// nothing. A credential that was right before, and was revoked or has expired, does not count at all.
//
// # What follows
//
//   - From the third wrong credential for a user from an address on, the response is delayed by up to two seconds. A delayed
//
// request has been checked already: it holds its own connection, and nothing that others wait for. At most 1,024
// requests are delayed at once; others get their response at once.
//   - After [Options.Failures] of them, this address is refused for this user without reading the database: for a fifteenth of
//
// [Options.MaxLockout] at first, and twice as long with each further one, up to MaxLockout.
//   - After five times as many, the address is refused for all users.
//   - After ten times as many for one user, from any addresses, each address is refused for that user after its first wrong
//
// credential.
//   - A wrong credential that is sent more often than Failures is refused without a check for up to a minute at a time.
//
// # Who is not affected
//
// A credential that was right before is checked again whatever its address or user has done, and so is the first one
// from an address without failures. What can be delayed is a right credential that is new to this process, from an
// address that is refused: for at most MaxLockout, since nothing prolongs a refusal while it lasts. When a new
// credential is right, the failures of its user at this address are forgotten, and only those: the owner of one right
// key cannot clear the counts of other users.
//
// # Memory
//
// Tables have a fixed size. Entries expire by time alone, twice MaxLockout after the last failure: no number of other
// addresses displaces an entry. Addresses for which there is no room share one count for each 256th of them. There is
// room for a million addresses.
package guard
