// Package connect turns settings into a client: it decides from CRATON_URL whether the API is reached over the
// network or runs inside this process on a SQLite file, and says what is missing when it cannot be reached at all.
package connect
