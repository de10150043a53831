// Package connect turns settings into a client: it decides from CRATON_URL whether the API is reached over the
// network or runs inside this process on a SQLite file, and says what is missing when it cannot be reached at all.
// [UsesKeystone] tells whether Keystone says who the user is; then it signs in, keeps the token for the user's other
// processes, and asks Keystone's catalogue where the API is if CRATON_URL does not say.
//
// [Iotronic] does the same for Ironic and Iotronic.
package connect
