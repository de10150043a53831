package argparse

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/settings"
)

// UsageError is a mistake in the arguments, which is shown with the usage of the command.
type UsageError struct {
	Usage string // line by line, with a newline at the end
	Path  string // of the command: craton host-show
	Text  string
}

func (e *UsageError) Error() string { return e.Path + ": error: " + e.Text }

// Mistake returns the error for a mistake in a command's arguments.
func Mistake(cmd *cobra.Command, format string, args ...any) error {
	return &UsageError{Usage: UsageOf(cmd), Path: cmd.CommandPath(), Text: fmt.Sprintf(format, args...)}
}

// usageMistake is a mistake in the arguments that a command itself finds, before it writes anything.
type usageMistake struct{ text string }

func (m *usageMistake) Error() string { return m.text }

// Misused returns the error of a command that finds a mistake in its arguments while it runs, before it writes
// anything. [Program.Run] converts it to a [UsageError].
func Misused(format string, args ...any) error { return &usageMistake{fmt.Sprintf(format, args...)} }

// asMistake converts errors from Misused, and errors for invalid values of settings' flags, to mistakes in a command's
// arguments.
func asMistake(cmd *cobra.Command, err error) error {
	if _, misused := errors.AsType[*usageMistake](err); misused {
		return Mistake(cmd, "%s", err)
	}
	if _, wrong := errors.AsType[*settings.FlagError](err); wrong {
		return Mistake(cmd, "%s", err)
	}
	return err
}

// UsageAnnotation is the usage of a command whose Use does not contain it, with the optional and the positional parts
// on separate lines.
const UsageAnnotation = "usage"

// UsageOf returns a command's usage, wrapped as Python's argparse does.
func UsageOf(cmd *cobra.Command) string {
	positional := strings.Fields(cmd.Use)[1:]
	var optional []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			optional = []string{"[<option> ...]"}
		}
	})
	if parts, ok := cmd.Annotations[UsageAnnotation]; ok {
		before, after, _ := strings.Cut(parts, "\n\n")
		optional, positional = nonEmpty(strings.Split(before, "\n")), nonEmpty(strings.Split(after, "\n"))
	} else if cmd.HasSubCommands() && !cmd.Runnable() {
		positional = []string{"<subcommand>", "..."}
	}
	return WrapUsage(cmd.CommandPath(), optional, positional, TerminalColumns())
}

func nonEmpty(words []string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}

// TerminalColumns returns the width for usage: COLUMNS, or else 80.
func TerminalColumns() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return 80
}

// WrapUsage writes a usage line; if it is too long, it is broken and indented under the program's name, with positional
// arguments on separate lines (HelpFormatter of Python 3.6).
func WrapUsage(path string, optional, positional []string, columns int) string {
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
	case 4*(len(prefix)+len(path)) > 3*width: // a long name has its own line
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

// renamed are options of OpenStack's own clients that have other names here.
var renamed = map[string]string{
	"os-ironic-api-version": "iotronic-api-version", "ironic-api-version": "iotronic-api-version", "os-baremetal-api-version": "iotronic-api-version",
	"os-iotronic-api-version": "iotronic-api-version", "ironic-url": "iotronic-url", "os-endpoint": "iotronic-url", "os-url": "iotronic-url",
	"os-service-endpoint": "iotronic-url", "os-endpoint-override": "iotronic-url", "os-baremetal-endpoint-override": "iotronic-url",
	"os-auth-token": "os-token", "os-tenant-name": "os-project-name", "os-tenant-id": "os-project-id",
}

// Unrecognized returns the error for an argument that a command does not have, or an option with what may be its value.
func Unrecognized(cmd *cobra.Command, given ...string) error {
	text := "unrecognized arguments: " + strings.Join(given, " ")
	if name, ok := strings.CutPrefix(given[0], "--"); ok {
		former, _, _ := strings.Cut(name, "=")
		if now := renamed[former]; now != "" && cmd.Flag(now) != nil {
			return Mistake(cmd, "%s; use --%s instead", text, now)
		}
		switch near := nearestFlag(cmd, name); near {
		case "":
		case name: // the option exists, so -- precedes it
			text += "; options must come before --"
		default:
			text += fmt.Sprintf("; did you mean --%s?", near)
		}
	}
	return Mistake(cmd, "%s", text)
}

// nearestFlag returns the flag that was probably meant: the only one with that prefix, or else the most similar one.
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

// Argument returns the name of a flag in errors: -n/--name.
func Argument(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + "/--" + f.Name
	}
	return "--" + f.Name
}

// ExactArgs returns cobra.ExactArgs with an error that names what is missing.
func ExactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return Mistake(cmd, "the following arguments are required: %s", strings.Join(names[len(args):], ", "))
		case len(args) > len(names):
			return Unrecognized(cmd, args[len(names):]...)
		}
		return nil
	}
}
