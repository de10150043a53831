package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

// gcPercent is how much the heap may grow before garbage is collected, in percent of what is in use. It also sets the size
// of the heap before the first collection, here 32 MB: up to some 10,000 hosts there is none at all.
const gcPercent = 800

// Command makes the command `craton inventory`, which is also what runs as craton-inventory. On success it writes
// nothing to standard error, because Ansible shows that as an error; on failure it writes nothing to standard output
// and returns an error of one line.
func Command(s output.Streams) *cobra.Command {
	r := run{streams: s}
	cmd := &cobra.Command{
		Use:   "inventory (--list | --host NAME | --graph)",
		Short: "Give the fleet to Ansible as a dynamic inventory",
		Long: `Give the fleet to Ansible as a dynamic inventory: hosts with their merged variables, in groups of clouds, regions,
cells, labels and device types. Every flag but the first ones is a setting, with an environment variable and a place
in the configuration file under "inventory:". Lists are separated by commas.`,
		Example: `  craton inventory --graph
  craton inventory --list --regions dfw --labels web,db --pretty
  craton inventory --host web-01 --pretty
  ansible-playbook -i craton-inventory site.yml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.BoolVar(&r.list, "list", false, "write the whole inventory, as Ansible asks for it")
	fs.StringVar(&r.host, "host", "", "write the variables of the host `NAME`")
	fs.BoolVar(&r.graph, "graph", false, "write the tree of groups with the numbers of their hosts")
	fs.BoolVar(&r.hosts, "hosts", false, "with --graph: the hosts too")
	fs.BoolVar(&r.pretty, "pretty", false, "indent the JSON for people")
	fs.StringVar(&r.output, "output", "", "write to `FILE`, whole or not at all, instead of standard output")
	settings.AddFlags(fs, settings.Connection, settings.Inventory)
	cmd.MarkFlagsMutuallyExclusive("list", "host", "graph")
	return cmd
}

// run is one run of the command.
type run struct {
	streams       output.Streams
	list, graph   bool
	hosts, pretty bool
	host, output  string
}

func (r *run) run(cmd *cobra.Command) (err error) {
	one := cmd.Flags().Changed("host")
	switch {
	case !r.list && !r.graph && !one:
		return errors.New("say what to write: --list, --host NAME or --graph")
	case r.hosts && !r.graph:
		return errors.New("--hosts goes with --graph; did you mean --host NAME or --list?")
	case r.pretty && r.graph:
		return errors.New("--pretty is for JSON, not for --graph")
	}
	v, err := settings.Load(cmd.Flags(), settings.Connection, settings.Inventory)
	if err != nil {
		return err
	}
	o, err := FromSettings(v)
	if err != nil {
		return err
	}
	// The process lives for one document, and page bodies, the most of what it reads, are used again: collecting seldom
	// saves a sixth of its processor time and costs a tenth more memory, at 100,000 hosts too.
	debug.SetGCPercent(gcPercent)
	ctx := cmd.Context()
	client, done, err := connect.Client(ctx, v, connect.ReadOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if one {
		host, err := Host(ctx, client, o, r.host)
		if err != nil {
			return err
		}
		return r.write(func(w io.Writer) error { return writeJSON(w, host, r.pretty) })
	}
	f, err := Load(ctx, client, o)
	if err != nil {
		return err
	}
	doc, err := Build(f, o)
	if err != nil {
		return err
	}
	return r.write(func(w io.Writer) error {
		if r.graph {
			return doc.WriteGraph(w, Graph{Hosts: r.hosts, Unicode: r.output == "" && output.IsTerminal(r.streams.Out)})
		}
		return doc.Write(w, r.pretty)
	})
}

// write writes to the file that was asked for, or to standard output. Variables may be secrets, so only the owner
// may read the file.
func (r *run) write(write func(io.Writer) error) error {
	if r.output == "" {
		output.WidenPipe(r.streams.Out)
		return write(r.streams.Out)
	}
	return output.WriteFile(r.output, 0o600, write)
}

// writeJSON writes compact JSON with a newline at its end.
func writeJSON(w io.Writer, compact []byte, pretty bool) error {
	var b bytes.Buffer
	if pretty {
		if err := json.Indent(&b, compact, "", "  "); err != nil {
			return err
		}
	} else {
		b.Write(compact)
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}
