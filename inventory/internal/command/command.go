package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// Face is what differs between the inventory commands.
type Face struct {
	Use, Short, Long, Example string
	Sections                  []settings.Section
	// Subset is set if the inventory can be limited to what Ansible's --limit selects.
	Subset bool
	// Open checks the settings, and connects; it need not read anything yet.
	Open func(ctx context.Context, v *settings.Values, asked Request) (*Source, error)
}

// Request is the flags that are not settings.
type Request struct {
	KeepMappings bool
	Subset       string // Ansible's --limit
	SubsetBeside bool   // there are other inventories, or groups that Ansible creates
}

// Source is an inventory that can be read.
type Source struct {
	Document func(ctx context.Context) (*ansible.Document, error)
	// List returns what --list writes, which may be cached from an earlier run; nil: it is the Document.
	List func(ctx context.Context) (*Listing, error)
	// Host returns the object of one host's variables, compact.
	Host func(ctx context.Context, name string) ([]byte, error)
	// Note returns a text for standard error after a document, if any.
	Note  func() string
	Close func() error
}

// Listing is a complete inventory, as --list writes it.
type Listing struct {
	Write func(w io.Writer) error
	Note  string // a text for standard error after it was written, which may be determined only then; "" is none
	Close func() // releases it, whether it was written or not
}

// gcPercent is how much the heap may grow before a garbage collection, in percent of what is in use. It also sets the
// size of the heap before the first collection, here 32 MB: up to some 10,000 hosts there is none at all.
const gcPercent = 800

// New returns the command.
func New(face *Face, s output.Streams) *cobra.Command {
	r := run{face: face, streams: s}
	cmd := &cobra.Command{
		Use: face.Use, Short: face.Short, Long: face.Long, Example: face.Example,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return connect.Advised(r.run(cmd)) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.BoolVar(&r.list, "list", false, "print the whole inventory; Ansible uses this")
	fs.StringVar(&r.host, "host", "", "print the variables of the host `NAME`")
	fs.BoolVar(&r.graph, "graph", false, "print the group tree with the number of hosts in each group")
	fs.BoolVar(&r.hosts, "hosts", false, "with --graph: include hosts")
	fs.BoolVar(&r.pretty, "pretty", false, "indent the JSON")
	fs.BoolVar(&r.asked.KeepMappings, "keep-mappings", false, "keep dictionaries with suspicious keys as dictionaries, for readers that do not execute keys; not safe with ansible-core before 2.19")
	if face.Subset {
		fs.StringVar(&r.asked.Subset, "subset", "", "with --list or --graph and the setting limit: select the hosts that match PATTERN, the `PATTERN` of Ansible's --limit, which the collection's plugin passes on; if all hosts are read instead, standard error says why")
		fs.BoolVar(&r.asked.SubsetBeside, "subset-beside", false, "with --subset: Ansible has other inventories or creates groups, so only host names in the pattern are reliable")
	}
	fs.StringVar(&r.output, "output", "", "write to `FILE` atomically instead of standard output")
	settings.AddFlags(fs, append(slices.Clone(face.Sections), settings.Screen)...)
	cmd.MarkFlagsMutuallyExclusive("list", "host", "graph")
	return cmd
}

// run is one run of the command.
type run struct {
	face          *Face
	streams       output.Streams
	list, graph   bool
	hosts, pretty bool
	asked         Request
	host, output  string
}

func (r *run) run(cmd *cobra.Command) (err error) {
	one := cmd.Flags().Changed("host")
	switch {
	case !r.list && !r.graph && !one:
		return errors.New("give one of --list, --host NAME or --graph")
	case r.hosts && !r.graph:
		return advice.With(errors.New("--hosts needs --graph"), "did you mean --host NAME or --list?")
	case one && (r.asked.Subset != "" || r.asked.SubsetBeside):
		return errors.New("--subset needs --list or --graph")
	case r.asked.KeepMappings && r.graph:
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
	// The process exists for one document, and the bodies of pages, most of what it reads, are reused: fewer
	// collections save a sixth of the processor time and take a tenth more memory, even with 100,000 hosts.
	debug.SetGCPercent(gcPercent)
	ctx := cmd.Context()
	source, err := r.face.Open(ctx, v, r.asked)
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
	if r.list && !r.pretty && source.List != nil {
		return r.writeListing(ctx, cmd.Name(), source)
	}
	doc, err := source.Document(ctx)
	if err != nil {
		return err
	}
	if source.Note != nil {
		if note := source.Note(); note != "" {
			_, _ = fmt.Fprintln(r.streams.Err, note)
		}
	}
	return r.write(func(w io.Writer) error {
		if r.graph {
			return doc.WriteGraph(w, ansible.Graph{Hosts: r.hosts, Unicode: r.output == "" && output.IsTerminal(r.streams.Out)})
		}
		return doc.Write(w, r.pretty)
	})
}

func (r *run) writeListing(ctx context.Context, name string, source *Source) error {
	l, err := source.List(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := r.write(l.Write); err != nil {
		return err
	}
	if l.Note != "" {
		_, err = io.WriteString(r.streams.Err, name+": "+l.Note+"\n")
	}
	return err
}

// write writes to the requested file, or to standard output. Variables may be secrets, so only the owner can read the
// file.
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
