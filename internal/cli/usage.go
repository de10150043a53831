package cli

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/nearest"
)

// usageError is a mistake in the arguments: the usage of the command concerned is shown with it.
type usageError struct {
	usage string // line by line, with a newline at the end
	path  string // of the command: craton host-show
	text  string
}

func (e *usageError) Error() string { return e.path + ": error: " + e.text }

// mistake makes the error of a mistake in a command's arguments.
func mistake(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{usage: usageOf(cmd), path: cmd.CommandPath(), text: fmt.Sprintf(format, args...)}
}

// usageAnnotation holds the usage of a command that is not in its Use, the optional and the positional parts each on
// lines of their own.
const usageAnnotation = "usage"

// usageOf is a command's usage, wrapped as Python's argparse does.
func usageOf(cmd *cobra.Command) string {
	positional := strings.Fields(cmd.Use)[1:]
	var optional []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			optional = []string{"[<option> ...]"}
		}
	})
	if parts, ok := cmd.Annotations[usageAnnotation]; ok {
		before, after, _ := strings.Cut(parts, "\n\n")
		optional, positional = nonEmpty(strings.Split(before, "\n")), nonEmpty(strings.Split(after, "\n"))
	} else if cmd.HasSubCommands() && !cmd.Runnable() {
		positional = []string{"<subcommand>", "..."}
	}
	return wrapUsage(cmd.CommandPath(), optional, positional, terminalColumns())
}

func nonEmpty(words []string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}

// terminalColumns is how wide usage may be: what COLUMNS says, else 80.
func terminalColumns() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return 80
}

// wrapUsage writes a usage line; if it is too long, the parts stand below each other behind the program's name, the
// positional ones on lines of their own (argparse.HelpFormatter of Python 3.6).
func wrapUsage(path string, optional, positional []string, columns int) string {
	const prefix = "usage: "
	width := columns - 2
	whole := prefix + strings.Join(slices.Concat([]string{path}, optional, positional), " ")
	if len(whole) <= width {
		return whole + "\n"
	}
	lines := func(parts []string, indent, length int) (lines []string) {
		var line []string
		for _, part := range parts {
			if length+len(part) > width && line != nil {
				lines = append(lines, strings.Repeat(" ", indent)+strings.Join(line, " "))
				line, length = nil, indent
			}
			line = append(line, part)
			length += len(part) + 1
		}
		if line != nil {
			lines = append(lines, strings.Repeat(" ", indent)+strings.Join(line, " "))
		}
		return lines
	}
	var all []string
	switch indent := len(prefix) + len(path) + 1; {
	case 4*(len(prefix)+len(path)) > 3*width: // a long name has a line of its own
		indent = len(prefix)
		all = lines(slices.Concat(optional, positional), indent, indent)
		if len(all) > 1 {
			all = append(lines(optional, indent, indent), lines(positional, indent, indent)...)
		}
		all = slices.Insert(all, 0, path)
	case len(optional) > 0:
		all = lines(slices.Concat([]string{path}, optional), indent, len(prefix))
		all = append(all, lines(positional, indent, indent)...)
		all[0] = strings.TrimLeft(all[0], " ")
	default:
		all = lines(slices.Concat([]string{path}, positional), indent, len(prefix))
		all[0] = strings.TrimLeft(all[0], " ")
	}
	return prefix + strings.Join(all, "\n") + "\n"
}

// unrecognized is the error for an argument that a command does not have, or an option with what may be its value.
func unrecognized(cmd *cobra.Command, given ...string) error {
	text := "unrecognized arguments: " + strings.Join(given, " ")
	if name, ok := strings.CutPrefix(given[0], "--"); ok {
		if near := nearestFlag(cmd, name); near != "" {
			text += fmt.Sprintf("; did you mean --%s?", near)
		}
	}
	return mistake(cmd, "%s", text)
}

// nearestFlag is the flag that was probably meant: the only one that begins so, else the one nearest in spelling.
func nearestFlag(cmd *cobra.Command, name string) string {
	name, _, _ = strings.Cut(name, "=")
	var known, begin []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		known = append(known, f.Name)
		if strings.HasPrefix(f.Name, name) {
			begin = append(begin, f.Name)
		}
	})
	if len(begin) == 1 {
		return begin[0]
	}
	return nearest.Word(name, known)
}

// argument is how errors call a flag: -n/--name.
func argument(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + "/--" + f.Name
	}
	return "--" + f.Name
}

// exactArgs is cobra.ExactArgs with an error that names what is missing.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return mistake(cmd, "the following arguments are required: %s", strings.Join(names[len(args):], ", "))
		case len(args) > len(names):
			return unrecognized(cmd, args[len(names):]...)
		}
		return nil
	}
}
