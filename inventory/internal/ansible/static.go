package ansible

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/yaml11"
)

// WriteStatic writes the document as a static inventory, a YAML file that Ansible reads without this program, with the
// same result: nested groups, and each host with its variables where it occurs first. Strings that Ansible must not
// execute have the tag !unsafe, because Ansible trusts the contents of files.
//
// If a host's name has a special meaning in such a file, that is an error, and nothing is written.
func (doc *Document) WriteStatic(w io.Writer, comment string) error {
	for i := range doc.hosts.Len() {
		if err := checkStaticName(doc.hosts.Name(i)); err != nil {
			return err
		}
	}
	s := static{doc: doc, out: bufio.NewWriterSize(w, 64<<10), hosts: make([]bool, doc.hosts.Len()), groups: map[string]bool{}}
	for line := range strings.Lines(comment) {
		_, _ = s.out.WriteString("# " + line)
	}
	s.group(doc.all, 0)
	return s.out.Flush()
}

// checkStaticName refuses names in which Ansible would split off a port if they are in a file.
func checkStaticName(name string) error {
	if strings.Contains(name, ":") && !ipv6().MatchString(name) {
		return advice.With(fmt.Errorf("the host %q cannot be in an inventory file: what follows its colon would be read as a port", name), "rename it, or set hostname to ip_address")
	}
	return nil
}

// static is a static inventory that is being written.
type static struct {
	doc    *Document
	out    *bufio.Writer
	hosts  []bool          // hosts whose variables have been written
	groups map[string]bool // groups that have been written
	line   []byte
	vars   []byte
}

// staticStyle converts marks to YAML tags.
var staticStyle = yaml11.Style{Tagged: func(object string) (tag, text string, ok bool) {
	const shortest = len(`{"":""}`)
	if len(object) < shortest+len(MarkUnsafe) && len(object) < shortest+len(MarkVault) {
		return "", "", false
	}
	members := 0
	gjson.Parse(object).ForEach(func(key, value gjson.Result) bool {
		members++
		switch {
		case value.Type != gjson.String:
			tag = ""
		case key.Str == MarkUnsafe:
			tag, text = "!unsafe", value.Str
		case key.Str == MarkVault:
			tag, text = "!vault", value.Str
		}
		return members < 2 && tag != ""
	})
	return tag, text, members == 1 && tag != ""
}}

// group writes a group whose key begins in a column.
func (s *static) group(g *Group, column int) {
	if s.groups[g.Name] {
		s.member(column, g.Name, "{}")
		return
	}
	s.groups[g.Name] = true
	if len(g.Hosts)+len(g.Children)+len(g.Vars) == 0 {
		s.member(column, g.Name, "{}")
		return
	}
	s.key(column, g.Name)
	inner, within := column+yaml11.Indent, column+2*yaml11.Indent
	if len(g.Vars) > 0 {
		s.vars = AppendVariables(s.vars[:0], g.Vars.All(), s.doc.trust)
		s.member(inner, "vars", jsontext.Text(s.vars))
	}
	if len(g.Children) > 0 {
		s.key(inner, "children")
		for _, name := range g.Children {
			s.group(s.doc.find(name), within)
		}
	}
	if len(g.Hosts) > 0 {
		s.key(inner, "hosts")
		for _, i := range g.Hosts {
			variables := "{}"
			if !s.hosts[i] {
				s.hosts[i] = true
				s.vars = s.doc.hosts.AppendVariables(s.vars[:0], int(i))
				variables = jsontext.Text(s.vars)
			}
			s.member(within, s.doc.hosts.Name(int(i)), variables)
		}
	}
}

func (s *static) key(column int, key string) {
	s.line = append(s.line[:0], strings.Repeat(" ", column)...)
	s.write(append(yaml11.AppendKey(s.line, column, key), '\n'))
}

func (s *static) member(column int, key, json string) {
	s.write(staticStyle.AppendMember(s.line[:0], column, key, json))
}

// write writes the buffer. An error stays in the writer, and Flush returns it.
func (s *static) write(line []byte) {
	_, _ = s.out.Write(line)
	s.line = line
}
