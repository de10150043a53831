// Package ironic implements `craton iotronic`: the commands for Ironic and Iotronic, modelled after their Python
// clients. [New] returns the program with its subcommands.
//
// A kind of objects is data, with the columns of each dialect; the server's dialect is detected, and the error for a
// command that it lacks names an alternative. Options, tables and lists are those of the other commands (packages
// argparse, show and object).
package ironic
