// Package argparse is a command line as Python's argparse, which users of
// python-cratonclient know, reads it: options, subcommands, usage lines, help
// and mistakes are those of argparse, word for word.
//
// A [Program] has subcommands: cobra's, or a [Command], whose options and
// arguments are data and are declared when it is known that the command is the
// one that is meant. Options may stand before the subcommand and behind it,
// as there.
//
//	p.Add(group)
//	err := p.Run(ctx, args)
//
// A mistake in the arguments is a [UsageError], made by [Mistake]: the usage
// of the command is shown with it. What stands where a subcommand should is
// met with the command that was probably meant. The scripts of
// [NewCompletion] ask the program for words, and evaluate nothing of a
// command line; manual pages are made of the same data.
package argparse
