// Package guard slows down clients that guess credentials, without affecting other clients.
//
// # What is counted
//
// A wrong credential counts for the address that sent it (for IPv6, its /64 network), for the user it was sent for, and
// for the pair of both. Repetitions of the same wrong credential are counted once, so that a job with an old key is not
// mistaken for a client that guesses. A credential that was right before, and was revoked or has expired, is not
// counted.
//
// # What happens
//
//   - From the third wrong credential for one user and address on, the response is delayed by up to two seconds. A
//     delayed request has already been checked, so it only occupies its own connection. At most 1,024 requests are
//     delayed at once; others get their response immediately.
//   - After [Options.Failures] wrong credentials, this address is refused for this user without reading the database: for
//     a fifteenth of [Options.MaxLockout] at first, and twice as long with each further wrong credential, up to
//     MaxLockout.
//   - After five times as many, the address is refused for all users.
//   - After ten times as many for one user, from any addresses, each address is refused for that user after its first
//     wrong credential.
//   - If one wrong credential is sent more often than Failures, it is refused without a check for up to a minute at a
//     time.
//
// # Clients that are not affected
//
// A credential that was right before is always checked again, regardless of the counts for its address or user. The
// first credential from an address without failures is always checked too. A right credential is only refused if it is
// new to this process and comes from a refused address. Such a refusal lasts at most MaxLockout, and further requests
// do not extend it. When a new credential is right, only the failures of its user at this address are cleared, so that
// the owner of one right key cannot clear the counts of other users.
//
// # Memory
//
// The tables have a maximum size. An entry expires when twice MaxLockout has passed since its last failure. New entries
// never displace it before. There is room for a million addresses. Further addresses share 256 counts.
package guard
