package cli

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/ironic"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/plan"
	"github.com/craton-fleet/craton/internal/cli/protect"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/serve"
	"github.com/craton-fleet/craton/internal/cli/set"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/cli/undo"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

// Version is the program's version and build.
type Version = argparse.Version

// newProgram returns the craton command. Other entry points of the program, such as the inventory, are passed as extra.
func newProgram(s output.Streams, v Version, extra []*cobra.Command) *argparse.Program {
	var version bool
	root := &cobra.Command{
		Use:   "craton",
		Short: "Fleet inventory for Ansible",
		Long: `craton manages a fleet of clouds, regions, cells and hosts, with variables that hosts inherit, and is its Ansible inventory.

Set CRATON_URL to the fleet's location: sqlite:PATH for a file that needs no server, or the URL of a Craton API, with
OS_USERNAME, OS_PASSWORD (the API key) and OS_PROJECT_ID.`,
		Example: `  export CRATON_URL=sqlite:fleet.db
  craton apply fleet.yml                        load a fleet
  craton host-list --region dfw                 inspect it, by ids or names
  craton host-vars-set web-01 ntp=10.0.0.1      change it
  craton --format json host-show web-01         for programs; also yaml and csv
  ansible-playbook -i "$(command -v craton-inventory)" site.yml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				_, err := io.WriteString(s.Out, v.Release+"\n")
				return err
			}
			return argparse.Mistake(cmd, "the following arguments are required: <subcommand>")
		},
		Annotations: map[string]string{argparse.UsageAnnotation: "[--version]\n[--format {default,json,yaml,csv}]\n[--craton-url CRATON_URL]\n" +
			"[--craton-version CRATON_VERSION]\n[--os-project-id OS_PROJECT_ID]\n[--os-username OS_USERNAME]\n[--os-password OS_PASSWORD]\n" +
			"[<option> ...]\n\n<subcommand>\n..."},
	}
	// cobra's own is not used: its template would link text/template into the binary, and with it every exported method
	// of all packages, which reflection could call: a tenth of the binary's size.
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.Flags().SortFlags = false
	run.AddFleetFlags(root)
	p := &argparse.Program{
		Root: root, Streams: s, Version: v, Commands: map[string]*cobra.Command{}, Lazy: map[string]argparse.LazyCommand{},
		Shared: []settings.Section{settings.CLI, settings.Screen, settings.Connection}, TalksTo: "a fleet", About: "location of the fleet",
		// Options of the original.
		Usual: []string{"format", "verbose", "url", "craton_version", "project_id", "username", "password"},
	}
	for _, r := range object.Resources() {
		var group []*cobra.Command
		for _, c := range r.Commands() {
			p.Lazy[c.Name] = c
			group = append(group, c.Cobra())
		}
		p.Add(group)
	}
	iotronicProgram := ironic.New(s, v)
	p.Inner = map[string]*argparse.Program{iotronicProgram.Root.Name(): iotronicProgram}
	more := slices.Concat([]*cobra.Command{plan.New(s), plan.NewApply(s), set.New(s), undo.New(s), protect.New(s), protect.NewUnprotect(s), newConfig(s), serve.New(s), iotronicProgram.Root}, extra, []*cobra.Command{argparse.NewCompletion(s), newVersion(s, v.Whole)})
	argparse.SayMistakes(more)
	for _, cmd := range more {
		if slices.Contains([]string{"plan", "config", "inventory", "iotronic-inventory", "explain", "export", "find", "history", "diff"}, cmd.Name()) {
			argparse.Page(cmd)
		}
	}
	help := argparse.NewHelp(p)
	p.Add(more, []*cobra.Command{help})
	root.SetHelpCommand(help)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { p.Help(cmd) })
	root.CompletionOptions.DisableDefaultCmd = true
	argparse.Prepare(root, s)
	root.SetFlagErrorFunc(p.FlagError)
	return p
}

// Run runs the craton command line, and returns the exit status: 0 for success, 1 for a failure, 2 for a mistake in the
// arguments. Errors are printed. Other entry points of the program are passed as extra.
func Run(ctx context.Context, args []string, s output.Streams, v Version, extra ...*cobra.Command) int {
	if slices.Equal(args, []string{"--version"}) { // without creating a hundred commands first
		_, _ = io.WriteString(s.Out, v.Release+"\n")
		return 0
	}
	p := newProgram(s, v, extra)
	if err := p.Run(ctx, args); err != nil {
		return run.Report(s.Err, err)
	}
	return 0
}

// ManPages returns the manual pages of the complete program: craton.1, and one for each subcommand, by file name. Other
// entry points of the program are passed as extra.
func ManPages(v Version, extra ...*cobra.Command) map[string]string {
	return newProgram(output.Streams{}, v, extra).Pages()
}

// RunAlone runs one entry point of the program under its own name, for other programs: an error is one line.
func RunAlone(ctx context.Context, cmd *cobra.Command, args []string, s output.Streams) int {
	argparse.Prepare(cmd, s)
	cmd.SetArgs(args)
	status := 1
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		status = 2
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	if err := cmd.ExecuteContext(ctx); err != nil {
		_, _ = io.WriteString(s.Err, cmd.Name()+": "+show.Clean(output.OneLine(err))+"\n")
		return status
	}
	return 0
}

func newVersion(s output.Streams, whole string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, commit and Go version",
		Args:  argparse.ExactArgs(),
		// Global options are allowed before it, and ignored.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(s.Out, "craton "+whole+"\n")
			return err
		},
	}
}
