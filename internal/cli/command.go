package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
)

// Kind is what argparse knows of a kind of objects that arguments name.
type Kind interface {
	// Positional is the argument that names an object: <host>.
	Positional() string
	// Columns are all fields that a list of them can show.
	Columns() []string
}

// Command is a subcommand with its arguments: of a kind of objects, as host-show is.
type Command struct {
	of      Kind   // the kind of its objects
	name    string // host-show
	short   string // one line for help
	long    string // more for its own help; may be ""
	example string
	options []option
	target  bool         // has a positional argument, the object
	more    []positional // arguments behind it
	rest    bool         // takes any words behind them
	instead string       // an option with which the required ones may be missing; "" for none
}

// positional is a positional argument that is no object.
type positional struct {
	name    string   // <power-state>
	choices []string // the only values; nil for any
}

// positionals are the positional arguments in a usage line.
func (c *Command) positionals() (names []string) {
	if c.target {
		names = append(names, c.of.Positional())
	}
	for _, a := range c.more {
		names = append(names, a.name)
	}
	if c.rest {
		names = append(names, "...")
	}
	return names
}

// anyWords tells that words behind the positional arguments are taken as they stand.
func (c *Command) anyWords() bool { return c.rest }

// cobra makes the bare command. The flags come with define, when it is known that it is the one that is meant: a
// process runs one of a hundred.
func (c *Command) cobra() *cobra.Command {
	use := strings.Join(append([]string{c.name}, c.positionals()...), " ")
	return &cobra.Command{Use: use, Short: c.short, Long: c.long, Example: c.example,
		Args: cobra.ArbitraryArgs, Run: func(*cobra.Command, []string) {}}
}

// declare declares the command's own arguments, and gives where they are found when it runs.
func (c *Command) declare(cmd *cobra.Command) *call {
	called := &call{values: addOptions(cmd.Flags(), c.options)}
	var optional []string
	for i := range c.options {
		optional = append(optional, c.options[i].usage()...)
	}
	cmd.Annotations = map[string]string{argparse.UsageAnnotation: strings.Join(optional, "\n") + "\n\n" + strings.Join(c.positionals(), "\n")}
	cmd.Args = func(cmd *cobra.Command, args []string) error { return c.arguments(cmd, called, args) }
	cmd.Run = nil
	return called
}

// arguments checks what argparse checks when it has read all arguments.
func (c *Command) arguments(cmd *cobra.Command, called *call, args []string) error {
	var missing []string
	for i := range c.options {
		if o := &c.options[i]; o.required && !called.given(o.long) && !called.given(c.instead) {
			missing = append(missing, o.argument())
		}
	}
	names := c.positionals()
	if c.rest {
		names = names[:len(names)-1]
	}
	missing = append(missing, names[min(len(args), len(names)):]...)
	if len(missing) > 0 {
		return argparse.Mistake(cmd, "the following arguments are required: %s", strings.Join(missing, ", "))
	}
	if c.target {
		called.target, args = args[0], args[1:]
		if called.target == "" {
			return argparse.Mistake(cmd, "argument %s: expected an id or a name", c.of.Positional())
		}
	}
	for i, a := range c.more {
		if a.choices != nil && !slices.Contains(a.choices, args[i]) {
			return argparse.Mistake(cmd, "argument %s: %s", a.name, invalidChoice(args[i], a.choices))
		}
	}
	if !c.rest && len(args) > len(c.more) {
		return argparse.Unrecognized(cmd, args[len(c.more):]...)
	}
	called.words = args
	return nil
}
