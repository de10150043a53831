package ansible

import (
	"bufio"
	"fmt"
	"io"
	"slices"
)

// Graph determines how a tree of groups is written.
type Graph struct {
	Hosts   bool // list the hosts of each group, not only their number
	Unicode bool // draw with lines, instead of ASCII as in ansible-inventory --graph
}

// WriteGraph writes the tree of groups for people, each with the number of hosts in it and its descendants.
func (doc *Document) WriteGraph(w io.Writer, how Graph) error {
	t := &tree{doc: doc, how: how, w: bufio.NewWriter(w)}
	t.group(doc.all, "", "")
	return t.w.Flush()
}

type tree struct {
	doc *Document
	how Graph
	w   *bufio.Writer
}

// group writes a group and its contents: branch precedes its name, indent precedes the lines below.
func (t *tree) group(g *Group, branch, indent string) {
	unit := "hosts"
	if g.total == 1 {
		unit = "host"
	}
	_, _ = fmt.Fprintf(t.w, "%s@%s (%d %s)\n", branch, g.Name, g.total, unit)
	hosts := g.Hosts
	if !t.how.Hosts {
		hosts = nil
	}
	children := g.Children
	if t.doc.alone.total == 0 { // always present, and of no interest to people
		children = slices.DeleteFunc(slices.Clone(children), func(name string) bool { return name == t.doc.alone.Name })
	}
	left := len(children) + len(hosts)
	for _, name := range children {
		left--
		b, i := t.lines(left == 0)
		t.group(t.doc.find(name), indent+b, indent+i)
	}
	for _, h := range hosts {
		left--
		b, _ := t.lines(left == 0)
		_, _ = fmt.Fprintf(t.w, "%s%s%s\n", indent, b, t.doc.hosts.Name(int(h)))
	}
}

// lines returns the text before a member and before the lines below it.
func (t *tree) lines(last bool) (branch, indent string) {
	switch {
	case !t.how.Unicode:
		return "  |--", "  |"
	case last:
		return "└─ ", "   "
	}
	return "├─ ", "│  "
}
