// Package cli is the craton command line: its commands, their flags, and what they print.
//
// [New] makes the root command; each command stands in a file of its own name. Commands write data to standard
// output and everything else to standard error, and return their errors: the caller prints them and picks the
// exit status, 1 for failures and 2 for arguments that make no sense ([ExitCode]).
package cli
