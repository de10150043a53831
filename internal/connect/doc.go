// Package connect turns settings into a client: it decides from CRATON_URL whether the API is reached over the network
// or runs inside this process on a SQLite file, and says what is missing when it cannot be reached at all. If Keystone
// authenticates the user ([UsesKeystone]), it signs in, caches the token for the user's other processes, and looks the
// API up in Keystone's catalogue unless CRATON_URL is set.
//
// [Iotronic] does the same for Ironic and Iotronic.
package connect
