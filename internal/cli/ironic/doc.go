// Package ironic is `craton iotronic`: the commands of Ironic and Iotronic,
// after their Python clients. [New] gives the program of its subcommands.
//
// A kind of objects is data, with the columns of each dialect; which dialect a
// server speaks is asked, and a command that it lacks says what there is
// instead. Options, tables and lists are those of the other commands (packages
// argparse, show and object).
package ironic
