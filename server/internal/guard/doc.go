// Package guard holds up those who guess credentials, and nobody else.
//
// # What is counted
//
// A wrong credential counts for the address that sent it (IPv6: its /64), for
// the user that it was tried for, and for the two together. The same wrong
// credential counts once, however often it is sent: a job with an old key
// guesses nothing. One that has been right before, and is not any more, does not
// count at all: it was revoked, or has expired.
//
// # What follows
//
//   - From the third wrong credential for a user from an address on, the answer
//     takes longer, up to two seconds. Whoever waits has been looked up already:
//     it holds a connection of its own, and nothing that others wait for. No more
//     than 1,024 requests wait at once; others are answered at once.
//   - [Options.Failures] of them have the two together refused, without a look
//     into the database: for a fifteenth of [Options.Longest] at first, and twice
//     as long with each further one, up to Longest.
//   - Five times as many have the address refused for all users.
//   - Ten times as many for one user, from any addresses, have each address refused
//     for that user after its first.
//   - A wrong credential that comes more often than Failures is refused without a look
//     for up to a minute at a time.
//
// # Who is not held up
//
// A credential that has been right is looked up again whatever its address or
// its user has done, and so is the first one from an address that has not failed.
// What can be held up is a right credential that is new to this process, from an
// address which is refused: for Longest at most, since nothing prolongs a refusal
// while it lasts. When a new credential is right, what its user has failed at this
// address is forgotten, and only that: who has one right key cannot clear the
// counts of others' by it.
//
// # Memory
//
// Tables have a fixed size. What is in them leaves by time alone, twice Longest after the last
// failure: no number of other addresses pushes an entry out. Addresses for which there is no
// room share one count for each 256th of them. A million addresses have room.
package guard
