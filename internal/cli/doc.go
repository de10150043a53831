// Package cli is the craton command line: its commands, their flags, and what they print. It keeps to
// python-cratonclient, byte for byte where that is not broken ([Differences], section 8 of the v1 contract).
//
// [Run] runs a command line; [RunAlone] runs another face of the program, such as the inventory, under its own name.
// Commands write data to standard output and everything else to standard error, and return their errors. Mistakes in
// the arguments show the usage that Python's argparse would show, and end with status 2, other errors with 1.
//
// # Commands of objects
//
// host-list is the verb list with the resource host. A resource is a kind of internal/schema
// and a literal of words (resources.go): the columns and options of its verbs in the order and the words of the original.
// Fields that no literal names get an option and a column as well. A verb (objects.go, list.go, vars.go, labels.go) is
// written once. Objects are not decoded: what the API answered is what is printed, with every member and every digit.
//
// An option (option.go) is a literal too, with the texts of argparse; its flag is declared when it is known which command is
// meant, because a process runs one of a hundred. Before pflag reads the arguments they are put in order (arrange.go), so
// that options may stand anywhere and --fields may take several words.
//
// Where an id is taken, lookup.go finds it for a name. print.go writes tables, JSON, YAML and CSV; exceptions.go puts errors
// into the original's words and adds what the server said; complete.go tells shells what may follow.
//
// # craton iotronic
//
// It is a program within the program, with settings, options and help of its own; its subcommands are made when it is meant. A
// kind (iotronic_kinds.go) is a resource of Ironic or Iotronic: which dialects have it, with which columns, and the
// collection of the client library that reads and changes it (iotronic_service.go). Verbs are written once there too. Before one
// runs, the server's dialect is known, and has the command (iotronic_dialects.go).
//
// # Other commands
//
// Each stands in files of its own name and is a cobra command. One that talks to a fleet declares the flags of
// addFleetFlags and runs by onFleet, which gives it a session: settings, client, streams, and the form of output.
package cli
