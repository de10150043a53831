package ironic

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/iotronic"
)

// iotronicSections are the settings of all commands of craton iotronic; of those of CLI, only the format applies to it.
var iotronicSections = []settings.Section{settings.CLI.Only("format"), settings.Screen, settings.Iotronic, settings.SignIn}

// New returns craton iotronic. Its subcommands are created only if it runs.
func New(s output.Streams, v argparse.Version) *argparse.Program {
	root := &cobra.Command{
		Use:   "iotronic",
		Short: "List, show and change the nodes of Ironic and the boards of Iotronic",
		Long: `List, show and change the objects of Ironic and Iotronic, such as nodes, ports and drivers of Ironic, and boards, fleets and
plugins of Iotronic. The command detects which API the server has. A subcommand that does not exist for this API fails,
and names the one to use instead if there is one. The help of each subcommand names the APIs that it is for.

Set IOTRONIC_URL to the URL of the API, and OS_AUTH_TOKEN if the API requires a token. Or let Keystone's catalogue provide
the URL: set OS_CLOUD, or OS_AUTH_URL and credentials.`,
		Example: `  export IOTRONIC_URL=http://ironic.example:6385
  craton iotronic node-list --provision-state active
  craton iotronic node-show metal-01                      a name or a UUID
  craton iotronic node-update metal-01 extra/rack=b7      change it
  craton iotronic node-power metal-01 on --wait 60
  craton --format json iotronic node-list --all --detail  for programs; also yaml and csv`,
		Annotations: map[string]string{argparse.ProgramAnnotation: "yes", argparse.UsageAnnotation: "[--format {default,json,yaml,csv}]\n[--iotronic-url IOTRONIC_URL]\n" +
			"[--iotronic-cloud IOTRONIC_CLOUD]\n[--os-cloud OS_CLOUD]\n[<option> ...]\n\n<subcommand>\n..."},
	}
	p := &argparse.Program{
		Root: root, Streams: s, Version: v, Commands: map[string]*cobra.Command{}, Lazy: map[string]argparse.LazyCommand{},
		Shared: iotronicSections, TalksTo: "Ironic or Iotronic", About: "where the API is",
		Usual: []string{"format", "url", "cloud", "service_type", "dialect", "os_cloud", "auth_url", "username", "password", "project_name", "token"},
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().NFlag() > 0 {
			return argparse.Mistake(cmd, "the following arguments are required: <subcommand>")
		}
		p.Help(cmd)
		return nil
	}
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { p.Help(cmd) })
	p.Fill = func() {
		settings.AddFlags(root.Flags(), p.Shared...)
		if p.Completing {
			root.PersistentFlags().AddFlagSet(root.Flags()) // cobra completes no subcommands after other words
			argparse.CompleteSettings(root, p.Shared...)
		}
		for _, k := range kinds() {
			var group []*cobra.Command
			for _, c := range k.commands() {
				cmd := c.Cobra()
				cmd.Aliases = c.aliases
				for _, name := range append(c.aliases, c.Name) {
					p.Lazy[name] = c
				}
				group = append(group, cmd)
			}
			p.Add(group)
		}
		p.Add([]*cobra.Command{argparse.NewHelp(p)})
	}
	return p
}

// session is a running command of craton iotronic.
type session struct {
	show.Printer
	client  *iotronic.Client
	dialect iotronic.Dialect
}

// verb is a verb for a kind of objects of Ironic or Iotronic.
type verb struct {
	argparse.Command
	resource *object.Resource
	kind     *kind
	aliases  []string           // names in the Python clients
	only     []iotronic.Dialect // that have it; nil: those that have the kind
	does     func(context.Context, *session, *argparse.Call) error
	words    func(context.Context, *session, *argparse.Call) []string // nil, or finds the words that can follow the object
}

// dialects returns the dialects that have the command.
func (c *verb) dialects() []iotronic.Dialect {
	if c.only != nil {
		return c.only
	}
	return c.kind.dialects()
}

// text returns the command's help: what it does, which servers support it, and its other names.
func (c *verb) text() string {
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	var servers []string
	for _, d := range c.dialects() {
		servers = append(servers, titles[d])
	}
	text += "\n\nFor " + strings.Join(servers, ", ") + "."
	if c.aliases != nil {
		text += " Also called " + strings.Join(c.aliases, ", ") + "."
	}
	return text
}

func (c *verb) Define(cmd *cobra.Command, s output.Streams, completing bool) {
	called := c.Declare(cmd)
	settings.AddFlags(cmd.Flags(), iotronicSections...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := run.CheckFlags(cmd); err != nil {
			return err
		}
		t, err := openIotronic(cmd, s)
		if err != nil {
			return plainly(err)
		}
		defer t.client.CloseIdleConnections()
		if err = t.checkDialect(cmd.Context(), c); err == nil {
			err = c.does(cmd.Context(), t, called)
		}
		return c.explain(err)
	}
	if completing {
		c.complete(cmd, called, s)
	}
}

// openIotronic connects according to the settings. It sends nothing, unless the URL comes from Keystone.
func openIotronic(cmd *cobra.Command, s output.Streams) (*session, error) {
	v, err := settings.Load(cmd.Flags(), iotronicSections...)
	if err != nil {
		return nil, err
	}
	client, err := connect.Iotronic(v)
	if err != nil {
		return nil, err
	}
	return &session{Printer: show.Printer{Streams: s, Format: v.String("cli.format"), Title: fieldTitle}, client: client}, nil
}

// checkDialect detects the server's dialect, which must have the command.
func (t *session) checkDialect(ctx context.Context, c *verb) error {
	var err error
	if t.dialect, err = t.client.Dialect(ctx); err != nil || slices.Contains(c.dialects(), t.dialect) {
		return err
	}
	url, err := t.client.URL(ctx)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s does not exist here: %s is %s (dialect %s); %s", c.Name, url, titles[t.dialect], t.dialect, instead(c, t.dialect))
}
