// Package argparse parses a command line like Python's argparse, which users of python-cratonclient know: options,
// subcommands, usage lines, help and error messages are those of argparse, word for word.
//
// A [Program] has subcommands: commands of cobra, or a [Command], whose options and arguments are data and are declared
// only if the command runs. Options may precede or follow the subcommand, as in argparse.
//
//	p.Add(group)
//	err := p.Run(ctx, args)
//
// A mistake in the arguments is a [UsageError], made by [Mistake], which is shown with the usage of the command. The
// error for an unknown subcommand suggests the one that was probably meant. The scripts of [NewCompletion] ask the
// program for words, and evaluate nothing of a command line; manual pages are generated from the same data.
package argparse
