package ansible

import (
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Hosts are the hosts of a document, sorted by name.
type Hosts interface {
	Len() int
	Name(i int) string
	// AppendVariables appends the object of a host's variables. It is called for several hosts at once.
	AppendVariables(dst []byte, i int) []byte
}

// Document is an inventory that is ready to be written: all names are decided, and only writing can fail.
type Document struct {
	hosts  Hosts
	groups []*Group
	all    *Group // has only children: Ansible gives its variables to the machine on which it runs too
	alone  *Group
	trust  Trust
}

// NewDocument returns a document with hosts and the groups of a Grouper.
func NewDocument(hosts Hosts, groups []*Group, trust Trust) *Document {
	doc := &Document{hosts: hosts, groups: groups, trust: trust}
	doc.findAlone()
	doc.all = doc.top()
	return doc
}

// Size returns the number of hosts in the document, and of groups; groups that always exist do not count.
func (doc *Document) Size() (hosts, groups int) {
	for _, g := range doc.groups {
		if g.Setting != "" {
			groups++
		}
	}
	return doc.hosts.Len(), groups
}

// HostName returns the name of one of its hosts, which are sorted.
func (doc *Document) HostName(i int) string { return doc.hosts.Name(i) }

// Host returns the object of one host's variables, compact.
func (doc *Document) Host(i int) []byte { return doc.hosts.AppendVariables(nil, i) }

// The groups that Ansible always has.
const (
	all       = "all"
	ungrouped = "ungrouped"
)

// findAlone finds hosts in no group. Ansible ignores hosts that occur only in hostvars (contract A3), so they are
// listed in the group ungrouped, which always exists, as in Ansible, so that all has a child.
func (doc *Document) findAlone() {
	grouped := make([]bool, doc.hosts.Len())
	for _, g := range doc.groups {
		for _, i := range g.Hosts {
			grouped[i] = true
		}
	}
	doc.alone = &Group{Name: ungrouped}
	for i, in := range grouped {
		if in {
			continue
		}
		doc.alone.Hosts = append(doc.alone.Hosts, int32(i))
		doc.alone.total++
	}
}

// appendGroup appends the object of a group. It has a list of hosts, even an empty one, unless it has other members:
// Ansible treats an empty group as a host, and refuses null (contract A3).
func (doc *Document) appendGroup(dst []byte, g *Group) []byte {
	dst = append(dst, '{')
	if len(g.Children) > 0 {
		dst = append(dst, `"children":`...)
		dst = append(AppendNames(dst, g.Children), ',')
	}
	if len(g.Hosts) > 0 || len(g.Children)+len(g.Vars) == 0 {
		dst = append(dst, `"hosts":`...)
		dst = append(doc.appendHosts(dst, g.Hosts), ',')
	}
	if len(g.Vars) > 0 {
		dst = append(dst, `"vars":`...)
		dst = append(AppendVariables(dst, g.Vars.All(), doc.trust), ',')
	}
	dst[len(dst)-1] = '}'
	return dst
}

func (doc *Document) appendHosts(dst []byte, hosts []int32) []byte {
	dst = append(dst, '[')
	for i, h := range hosts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendUTF8(dst, doc.hosts.Name(int(h)))
	}
	return append(dst, ']')
}

// Write writes the document as JSON, with a newline at its end: {"_meta": {"hostvars": {HOST: variables}}, GROUP:
// {children, hosts, vars}}, all sorted by name. pretty indents it as encoding/json does; otherwise each host and group
// is a line. It encodes one host at a time, so the complete document is never in memory.
func (doc *Document) Write(w io.Writer, pretty bool) error { return doc.write(w, pretty, nil) }

// Place is the position of the object of a host's variables in a document, or in a part of one.
type Place struct {
	End  int64 // behind it
	Size int
}

// Copier are Hosts of which some have the same text in a document that was written before.
type Copier interface {
	Hosts
	// Copied returns the lines of host i and of the hosts that follow it in both documents, without the separators at
	// both ends, and the position of each; without places, host i must be encoded.
	Copied(i int) (lines io.Reader, places []Place)
}

// WriteNoting writes the document, not indented, and calls note with the position of each host in order.
func (doc *Document) WriteNoting(w io.Writer, note func(Place)) error {
	return doc.write(w, false, note)
}

func (doc *Document) write(w io.Writer, pretty bool, note func(Place)) error {
	out := newWriter(w, pretty)
	out.open("_meta")
	out.open("hostvars")
	if c, ok := doc.hosts.(Copier); ok && !pretty && note != nil {
		if err := out.copied(c, note); err != nil {
			return err
		}
	} else {
		for name, variables := range doc.encodedHosts() {
			out.member(name, variables)
			if note != nil {
				note(Place{out.at, len(variables)})
			}
		}
	}
	out.close()
	out.close()
	var buf []byte
	group := func(g *Group) {
		buf = doc.appendGroup(buf[:0], g)
		out.member(g.Name, buf)
	}
	always := []*Group{doc.all, doc.alone}
	for _, g := range doc.groups {
		for len(always) > 0 && g.Name > always[0].Name {
			group(always[0])
			always = always[1:]
		}
		group(g)
	}
	for _, g := range always {
		group(g)
	}
	return out.end()
}

// encodeAhead is the number of hosts that are encoded at a time: enough to make the cost of handing them over
// negligible.
const encodeAhead = 64

// encodedHosts returns the hosts' names and the objects of their variables, in order; an object is valid until the next
// one. All processors encode, a few hosts ahead of the writer, into buffers that are reused.
func (doc *Document) encodedHosts() iter.Seq2[string, []byte] {
	type part struct {
		text []byte
		ends []int
	}
	return func(yield func(string, []byte) bool) {
		hosts := doc.hosts.Len()
		processors := runtime.GOMAXPROCS(0)
		free := make(chan *part, processors+1)
		for range cap(free) {
			free <- &part{}
		}
		parts := make(chan chan *part, cap(free)) // in order; never full
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			defer close(parts)
			for from := 0; from < hosts; from += encodeAhead {
				var p *part
				select {
				case p = <-free:
				case <-stop:
					return
				}
				encoded := make(chan *part, 1)
				parts <- encoded
				go func() {
					p.text, p.ends = p.text[:0], p.ends[:0]
					for i := from; i < min(from+encodeAhead, hosts); i++ {
						p.text = doc.hosts.AppendVariables(p.text, i)
						p.ends = append(p.ends, len(p.text))
					}
					encoded <- p
				}()
			}
		}()
		next := 0
		for encoded := range parts {
			p, from := <-encoded, 0
			for _, end := range p.ends {
				if !yield(doc.hosts.Name(next), p.text[from:end]) {
					return
				}
				next, from = next+1, end
			}
			free <- p
		}
	}
}

// top returns the groups above all other groups, with at least one child. Ansible makes every group a child of all in
// the end, but only after all sources were read: with these groups, group_vars/all already applies to sources after
// this one, such as a constructed file.
func (doc *Document) top() *Group {
	top := &Group{Name: all, total: doc.hosts.Len()}
	for _, g := range doc.groups {
		if !g.child {
			top.Children = append(top.Children, g.Name)
		}
	}
	top.Children = append(top.Children, doc.alone.Name)
	slices.Sort(top.Children)
	return top
}

// find returns a group by its name.
func (doc *Document) find(name string) *Group {
	if name == doc.alone.Name {
		return doc.alone
	}
	i, _ := slices.BinarySearchFunc(doc.groups, name, func(g *Group, name string) int { return strings.Compare(g.Name, name) })
	return doc.groups[i]
}
