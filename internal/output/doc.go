// Package output writes what the entry points print: data on standard output, everything else on standard error.
//
// [Streams] are the three standard streams as a value, so that commands can be tested. [Progress] is a line that is
// updated on a terminal, and not shown anywhere else. [WriteFile] writes a file atomically.
package output
