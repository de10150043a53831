package argparse

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Kind is what argparse needs to know about the kind of objects that arguments name.
type Kind interface {
	// Positional returns the argument that names an object: <host>.
	Positional() string
	// Columns returns all fields that a list of them can show.
	Columns() []string
}

// Command is a subcommand with its arguments, possibly for a kind of objects, as host-show.
type Command struct {
	Of      Kind   // the kind of its objects
	Name    string // host-show
	Short   string // one line for help
	Long    string // further lines for its own help; may be ""
	Example string
	Options []Option
	Target  bool         // has a positional argument, the object
	More    []Positional // arguments after it
	Rest    bool         // takes any words after them
	Instead string       // an option with which the required ones may be missing; "" for none
	Many    string       // an option that replaces the object, and selects several; "" for none
	Terms   []string     // how terms of a TermsOption can begin
	Paged   bool         // its output may be longer than a screen
}

// Positional is a positional argument that is not an object.
type Positional struct {
	Name    string   // <power-state>
	Choices []string // the allowed values; nil for any
	Asked   bool     // possible values are queried for completion
}

// positionals returns the positional arguments in a usage line.
func (c *Command) positionals() (names []string) {
	if c.Target {
		names = append(names, c.Of.Positional())
	}
	for _, a := range c.More {
		names = append(names, a.Name)
	}
	if c.Rest {
		names = append(names, "...")
	}
	return names
}

// AnyWords reports whether words after the positional arguments are taken unchanged.
func (c *Command) AnyWords() bool { return c.Rest }

// Cobra returns the command without flags. They are added by define once it is known that this command runs: a process
// runs one of a hundred.
func (c *Command) Cobra() *cobra.Command {
	use := strings.Join(append([]string{c.Name}, c.positionals()...), " ")
	return &cobra.Command{Use: use, Short: c.Short, Long: c.Long, Example: c.Example,
		Args: cobra.ArbitraryArgs, Run: func(*cobra.Command, []string) {}}
}

// Declare declares the command's own arguments, and returns where their values are found when it runs.
func (c *Command) Declare(cmd *cobra.Command) *Call {
	called := &Call{Values: addOptions(cmd.Flags(), c.Options)}
	var optional []string
	for i := range c.Options {
		optional = append(optional, c.Options[i].Usage()...)
	}
	cmd.Annotations = map[string]string{UsageAnnotation: strings.Join(optional, "\n") + "\n\n" + strings.Join(c.positionals(), "\n")}
	if c.Paged {
		Page(cmd)
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error { return c.arguments(cmd, called, args) }
	cmd.Run = nil
	return called
}

// arguments makes the checks that argparse makes after reading all arguments.
func (c *Command) arguments(cmd *cobra.Command, called *Call, args []string) error {
	var missing []string
	for i := range c.Options {
		if o := &c.Options[i]; o.Required && !called.Given(o.Long) && !called.Given(c.Instead) {
			missing = append(missing, o.Argument())
		}
	}
	names := c.positionals()
	if c.Rest {
		names = names[:len(names)-1]
	}
	target := c.Target && !called.Given(c.Many)
	if target != c.Target {
		names = names[1:]
	}
	missing = append(missing, names[min(len(args), len(names)):]...)
	if len(missing) > 0 {
		return Mistake(cmd, "the following arguments are required: %s", strings.Join(missing, ", "))
	}
	if target {
		called.Target, args = args[0], args[1:]
		if called.Target == "" {
			return Mistake(cmd, "argument %s: expected an id or a name", c.Of.Positional())
		}
	}
	for i, a := range c.More {
		if a.Choices != nil && !slices.Contains(a.Choices, args[i]) {
			return Mistake(cmd, "argument %s: %s", a.Name, InvalidChoice(args[i], a.Choices))
		}
	}
	if !c.Rest && len(args) > len(c.More) {
		return Unrecognized(cmd, args[len(c.More):]...)
	}
	called.Words = args
	return nil
}
