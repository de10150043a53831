package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
)

// command is a verb with a resource.
type command struct {
	resource *resource
	name     string // host-show
	short    string // one line for help
	long     string // more for its own help; may be ""
	example  string
	options  []option
	target   bool // has a positional argument, the object
	rest     bool // takes any words behind it
	creates  bool // may make the database of a sqlite: URL
	run      func(context.Context, *session, *call) error
}

// cobra makes the bare command. The flags come with define, when it is known that it is the one that is meant: a
// process runs one of a hundred.
func (c *command) cobra() *cobra.Command {
	use := c.name
	if c.target {
		use += " " + c.resource.positional()
	}
	if c.rest {
		use += " ..."
	}
	return &cobra.Command{Use: use, Short: c.short, Long: c.long, Example: c.example,
		Args: cobra.ArbitraryArgs, Run: func(*cobra.Command, []string) {}}
}

// define makes the command complete; completing tells that a shell asks for words.
func (c *command) define(cmd *cobra.Command, s output.Streams, completing bool) {
	values := addOptions(cmd.Flags(), c.options)
	addFleetFlags(cmd)
	var optional, positional []string
	for i := range c.options {
		optional = append(optional, c.options[i].usage()...)
	}
	if c.target {
		positional = append(positional, c.resource.positional())
	}
	if c.rest {
		positional = append(positional, "...")
	}
	cmd.Annotations = map[string]string{usageAnnotation: strings.Join(optional, "\n") + "\n\n" + strings.Join(positional, "\n")}
	called := &call{values: values}
	cmd.Args = func(cmd *cobra.Command, args []string) error { return c.arguments(cmd, called, args) }
	mode := connect.ReadOnly
	if c.creates {
		mode = connect.Create
	}
	cmd.Run = nil
	cmd.RunE = onFleet(s, mode, func(ctx context.Context, run *session, _ []string) error { return c.run(ctx, run, called) })
	if completing {
		c.complete(cmd, called, s)
	}
}

// arguments checks what argparse checks when it has read all arguments.
func (c *command) arguments(cmd *cobra.Command, called *call, args []string) error {
	var missing []string
	for i := range c.options {
		if o := &c.options[i]; o.required && !called.given(o.long) {
			missing = append(missing, o.argument())
		}
	}
	if c.target && len(args) == 0 {
		missing = append(missing, c.resource.positional())
	}
	if len(missing) > 0 {
		return mistake(cmd, "the following arguments are required: %s", strings.Join(missing, ", "))
	}
	if c.target {
		called.target, args = args[0], args[1:]
		if called.target == "" {
			return mistake(cmd, "argument %s: expected an id or a name", c.resource.positional())
		}
	}
	if !c.rest && len(args) > 0 {
		return unrecognized(cmd, args...)
	}
	called.words = args
	return nil
}
