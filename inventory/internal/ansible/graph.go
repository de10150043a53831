package ansible

import (
	"bufio"
	"fmt"
	"io"
)

// Graph says how a tree of groups is written.
type Graph struct {
	Hosts   bool // list the hosts of each group, not only how many they are
	Unicode bool // draw with lines; else with the ASCII of ansible-inventory --graph
}

// WriteGraph writes the tree of groups for people, each with the number of hosts in it and below.
func (doc *Document) WriteGraph(w io.Writer, how Graph) error {
	t := &tree{doc: doc, how: how, w: bufio.NewWriter(w)}
	t.group(doc.top(), "", "")
	return t.w.Flush()
}

type tree struct {
	doc *Document
	how Graph
	w   *bufio.Writer
}

// group writes a group and what is in it: branch stands before its name, indent before the lines below.
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
	left := len(g.Children) + len(hosts)
	for _, name := range g.Children {
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

// lines are what stands before a member and before the lines below it.
func (t *tree) lines(last bool) (branch, indent string) {
	switch {
	case !t.how.Unicode:
		return "  |--", "  |"
	case last:
		return "└─ ", "   "
	}
	return "├─ ", "│  "
}
