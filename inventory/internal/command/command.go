package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// Face is what one inventory's command says of itself.
type Face struct {
	Use, Short, Long, Example string
	Sections                  []settings.Section
	// Open looks at the settings, and connects; nothing needs to be read yet. keepMappings is of its options.
	Open func(ctx context.Context, v *settings.Values, keepMappings bool) (*Source, error)
}

// Source is an inventory that can be read.
type Source struct {
	Document func(ctx context.Context) (*ansible.Document, error)
	// Host gives the object of one host's variables, compact.
	Host  func(ctx context.Context, name string) ([]byte, error)
	Close func() error
}

// gcPercent is how much the heap may grow before garbage is collected, in percent of what is in use. It also sets the size
// of the heap before the first collection, here 32 MB: up to some 10,000 hosts there is none at all.
const gcPercent = 800

// New makes the command.
func New(face *Face, s output.Streams) *cobra.Command {
	r := run{face: face, streams: s}
	cmd := &cobra.Command{
		Use: face.Use, Short: face.Short, Long: face.Long, Example: face.Example,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return connect.Advised(r.run(cmd)) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.BoolVar(&r.list, "list", false, "write the whole inventory, as Ansible asks for it")
	fs.StringVar(&r.host, "host", "", "write the variables of the host `NAME`")
	fs.BoolVar(&r.graph, "graph", false, "write the tree of groups with the numbers of their hosts")
	fs.BoolVar(&r.hosts, "hosts", false, "with --graph: the hosts too")
	fs.BoolVar(&r.pretty, "pretty", false, "indent the JSON for people")
	fs.BoolVar(&r.keepMappings, "keep-mappings", false, "leave dictionaries what they are whatever their keys, for a reader that executes no keys: not ansible-core before 2.19")
	fs.StringVar(&r.output, "output", "", "write to `FILE`, whole or not at all, instead of standard output")
	settings.AddFlags(fs, face.Sections...)
	cmd.MarkFlagsMutuallyExclusive("list", "host", "graph")
	return cmd
}

// run is one run of the command.
type run struct {
	face          *Face
	streams       output.Streams
	list, graph   bool
	hosts, pretty bool
	keepMappings  bool
	host, output  string
}

func (r *run) run(cmd *cobra.Command) (err error) {
	one := cmd.Flags().Changed("host")
	switch {
	case !r.list && !r.graph && !one:
		return errors.New("say what to write: --list, --host NAME or --graph")
	case r.hosts && !r.graph:
		return advice.With(errors.New("--hosts goes with --graph"), "did you mean --host NAME or --list?")
	case r.keepMappings && r.graph:
		return errors.New("--keep-mappings is for JSON, not for --graph")
	case r.pretty && r.graph:
		return errors.New("--pretty is for JSON, not for --graph")
	}
	v, err := settings.Load(cmd.Flags(), r.face.Sections...)
	if err != nil {
		return err
	}
	for i := range r.face.Sections {
		if section := &r.face.Sections[i]; strings.HasSuffix(section.Name, "inventory") {
			if err := section.CheckVariables(os.Environ()); err != nil {
				return err
			}
		}
	}
	// The process lives for one document, and page bodies, the most of what it reads, are used again: collecting seldom
	// saves a sixth of its processor time and costs a tenth more memory, at 100,000 hosts too.
	debug.SetGCPercent(gcPercent)
	ctx := cmd.Context()
	source, err := r.face.Open(ctx, v, r.keepMappings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if one {
		host, err := source.Host(ctx, r.host)
		if err != nil {
			return err
		}
		return r.write(func(w io.Writer) error { return writeJSON(w, host, r.pretty) })
	}
	doc, err := source.Document(ctx)
	if err != nil {
		return err
	}
	return r.write(func(w io.Writer) error {
		if r.graph {
			return doc.WriteGraph(w, ansible.Graph{Hosts: r.hosts, Unicode: r.output == "" && output.IsTerminal(r.streams.Out)})
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
