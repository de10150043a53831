package inventory

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
	t := &tree{doc: doc, how: how, w: bufio.NewWriter(w), byName: map[string]*group{}}
	top := &group{name: "all", total: len(doc.hosts)}
	for _, g := range doc.groups {
		t.byName[g.name] = g
		if !g.child {
			top.children = append(top.children, g.name)
		}
	}
	if len(doc.alone) > 0 {
		t.byName["ungrouped"] = &group{name: "ungrouped", hosts: doc.alone, total: len(doc.alone)}
		top.children = append(top.children, "ungrouped")
	}
	t.group(top, "", "")
	return t.w.Flush()
}

type tree struct {
	doc    *Document
	how    Graph
	w      *bufio.Writer
	byName map[string]*group
}

// group writes a group and what is in it: branch stands before its name, indent before the lines below.
func (t *tree) group(g *group, branch, indent string) {
	unit := "hosts"
	if g.total == 1 {
		unit = "host"
	}
	_, _ = fmt.Fprintf(t.w, "%s@%s (%d %s)\n", branch, g.name, g.total, unit)
	hosts := g.hosts
	if !t.how.Hosts {
		hosts = nil
	}
	left := len(g.children) + len(hosts)
	for _, name := range g.children {
		left--
		b, i := t.lines(left == 0)
		t.group(t.byName[name], indent+b, indent+i)
	}
	for _, h := range hosts {
		left--
		b, _ := t.lines(left == 0)
		_, _ = fmt.Fprintf(t.w, "%s%s%s\n", indent, b, t.doc.hosts[h].name)
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
