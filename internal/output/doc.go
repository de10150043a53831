// Package output writes what the entry points print: data on standard output, everything else on standard error.
//
// [Streams] are the three standard streams as a value, so that commands can be run in tests. [Progress] is a line
// that moves on a terminal and nothing elsewhere. [WriteFile] writes a file whole or not at all.
package output
