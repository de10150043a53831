// Package cli implements the craton command line: its root, and what belongs to none of its parts. It is compatible
// with python-cratonclient, byte for byte except where that is broken ([Differences], section 8 of the v1 contract).
//
// [Run] runs a command line; [RunAlone] runs another entry point of the program, such as the inventory, under its own
// name. Commands write data to standard output and everything else to standard error, and return their errors. Mistakes
// in the arguments show the usage that Python's argparse would show, and exit with status 2, other errors with 1.
//
// The parts are packages, from the bottom:
//
//   - argparse: programs, commands, options, usage, help, completion, manual pages
//   - show: tables, JSON, YAML and CSV
//   - run: the session of a command, errors in the original's words, how it ends
//   - object: the commands of clouds, hosts and all other kinds
//   - ironic: those of Ironic and Iotronic, a program within the program
//   - explain, doctor and serve: a command each
//
// This package itself contains apply and config, and the table of differences.
package cli
