// Package argparse is what Python's argparse, which users of
// python-cratonclient know, does with a mistake in the arguments: the usage of
// the command, wrapped as there, and a sentence in the same words.
//
//	return argparse.Mistake(cmd, "the following arguments are required: %s", "FILE")
//
// A command whose usage is more than cobra's Use has it in [UsageAnnotation].
package argparse
