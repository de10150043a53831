package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/output"
)

// New makes the craton command. The other faces of the program, such as the inventory, are given as extra.
func New(s output.Streams, version string, extra ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:   "craton",
		Short: "Fleet inventory for people who run Ansible",
		Long: `craton keeps a fleet of clouds, regions, cells and hosts, with variables at every level, and gives it to Ansible.

Where the fleet lives is said by CRATON_URL: sqlite:PATH for a file that this program reads itself, or the URL of a
Craton API, with OS_USERNAME, OS_PASSWORD (the API key) and OS_PROJECT_ID.`,
		Example: `  export CRATON_URL=sqlite:fleet.db
  craton apply fleet.yml                        load a fleet
  craton inventory --graph                      look at it
  ansible-playbook -i craton-inventory site.yml use it`,
		Version: version,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.AddCommand(newApply(s), newConfig(s), newServer(s))
	root.AddCommand(extra...)
	root.CompletionOptions.HiddenDefaultCmd = true
	return Prepare(root, s)
}

// Prepare gives a command, made here or by another face, the ways that all share: its streams, and errors that are
// returned and not printed.
func Prepare(cmd *cobra.Command, s output.Streams) *cobra.Command {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetIn(s.In)
	cmd.SetOut(s.Out)
	cmd.SetErr(s.Err)
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usageError{c, err} })
	return cmd
}

// usageError is a mistake in the arguments.
type usageError struct {
	cmd *cobra.Command
	err error
}

func (e usageError) Error() string {
	return e.err.Error() + "; see " + e.cmd.CommandPath() + " --help"
}

func (e usageError) Unwrap() error { return e.err }

// ExitCode is the status that a command's error ends the process with: 2 for a mistake in the arguments, else 1.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[usageError](err); ok || strings.HasPrefix(err.Error(), "unknown command ") {
		return 2
	}
	return 1
}

// exactArgs is cobra.ExactArgs with an error that names what is missing.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usageError{cmd, errors.New("missing " + strings.Join(names[len(args):], " "))}
		case len(args) > len(names):
			return usageError{cmd, errors.New("unexpected " + strings.Join(args[len(names):], " "))}
		}
		return nil
	}
}
