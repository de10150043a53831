package ansible

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value"
)

// Subset is a parsed --limit of Ansible, if names alone decide which hosts it selects: names and wildcards of hosts and
// groups, joined, intersected (&) and excluded (!).
type Subset struct {
	union     pattern   // a host must match one of these
	intersect []pattern // a host must match each of these
	exclude   pattern   // a host must match none of these
}

// pattern has words of which any may match.
type pattern struct {
	words []string // names
	globs []glob
}

// glob is a word with * and ?, as Python's fnmatch reads it.
type glob struct {
	text string
	*regexp.Regexp
}

// ParseSubset parses --limit as Ansible does. The error is the reason why names alone do not decide it, or why releases
// of Ansible may disagree about it: then all hosts are passed to Ansible, which reports errors itself.
func ParseSubset(text string) (*Subset, error) {
	words, err := splitPattern(text)
	if err != nil {
		return nil, err
	}
	s := &Subset{}
	for _, word := range words {
		if word[0] == '@' {
			return nil, fmt.Errorf("%q is a file", word)
		}
		into, name := &s.union, word
		switch word[0] {
		case '!':
			into, name = &s.exclude, word[1:]
		case '&':
			s.intersect = append(s.intersect, pattern{})
			into, name = &s.intersect[len(s.intersect)-1], word[1:]
		}
		switch {
		case name == "":
			return nil, fmt.Errorf("%q has no name", word)
		case name[0] == '~':
			return nil, fmt.Errorf("%q is a regular expression", word)
		case strings.ContainsAny(name, "[]"):
			return nil, fmt.Errorf("%q has brackets", word)
		case strings.ContainsAny(name[:1], "!&@"):
			return nil, fmt.Errorf("%q is not the name of a host", word)
		case strings.ContainsAny(name, "*?"):
			expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(name))
			compiled, err := regexp.Compile(`^(?s:` + expression + `)$`)
			if err != nil {
				return nil, fmt.Errorf("the wildcard %q is too long", word)
			}
			into.globs = append(into.globs, glob{name, compiled})
		default:
			into.words = append(into.words, name)
		}
	}
	if len(s.union.words)+len(s.union.globs) == 0 { // then Ansible begins with all hosts
		s.union.words = []string{all}
	}
	return s, nil
}

// splitPattern splits a pattern as Ansible does (split_host_pattern): at commas if there are any, otherwise at colons,
// unless it is an address or a name with a port.
func splitPattern(text string) ([]string, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("it is not UTF-8")
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return nil, errors.New("it has a control character")
	}
	var words []string
	switch {
	case strings.Contains(text, ","):
		words = strings.Split(text, ",")
		for i := range words {
			words[i] = strings.TrimSpace(words[i])
		}
	case !strings.Contains(text, ":") || isParsable(text):
		words = []string{text}
	case strings.Contains(text, "::") || strings.Count(text, ":") >= 6 || strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }):
		return nil, errors.New("it may be an address, or a list separated by colons")
	default:
		words = strings.Split(text, ":")
	}
	words = slices.DeleteFunc(words, func(word string) bool { return word == "" })
	for _, word := range words {
		if strings.ContainsFunc(word, unicode.IsSpace) {
			return nil, fmt.Errorf("%q contains a space", word)
		}
	}
	if len(words) == 0 {
		return nil, errors.New("it is empty")
	}
	return words, nil
}

// OnlyHosts returns the subset for an inventory whose groups may have other hosts that it does not know: only names of
// hosts are reliable, because each selects that host whatever else has the name. Intersections and exclusions are left
// to Ansible, because they only remove hosts.
func (s *Subset) OnlyHosts() (*Subset, error) {
	if len(s.union.globs) > 0 {
		return nil, fmt.Errorf("%q may match groups from other inventories or plays", s.union.globs[0].text)
	}
	for _, word := range s.union.words {
		if IsAlways(word) || IsController(word) {
			return nil, fmt.Errorf("%q may come from other inventories or plays", word)
		}
	}
	return &Subset{union: pattern{words: s.union.words}}, nil
}

// Covers returns lists of names. For each list, a selected host has one of its names, or is in a group with one of
// them. There may be no lists.
func (s *Subset) Covers() (covers [][]string) {
	for _, p := range append([]pattern{s.union}, s.intersect...) {
		if len(p.globs) == 0 {
			covers = append(covers, p.words)
		}
	}
	return covers
}

// IsController reports whether a name is one that Ansible uses for the machine on which it runs. None of our hosts has
// such a name.
func IsController(name string) bool { return slices.Contains(controller, name) }

// Select returns which hosts are selected, by their names and by their groups. An error says which word selects nothing
// known, or that no host is left: Ansible may know groups that a play creates, and prints its own message.
func (s *Subset) Select(hosts Hosts, groups []*Group) ([]bool, error) {
	m := &matcher{hosts: hosts, groups: map[string]*Group{}}
	for _, g := range groups {
		m.groups[g.Name] = g
	}
	selected, unknown := m.match(s.union)
	if unknown != "" {
		return nil, fmt.Errorf("no host or group of Craton is called %q", unknown)
	}
	for _, p := range s.intersect {
		also, _ := m.match(p)
		for i := range selected {
			selected[i] = selected[i] && also[i]
		}
	}
	not, _ := m.match(s.exclude)
	for i := range selected {
		selected[i] = selected[i] && !not[i]
	}
	if !slices.Contains(selected, true) && !slices.ContainsFunc(s.union.words, IsController) {
		return nil, errors.New("it selects no host of Craton")
	}
	return selected, nil
}

// matcher matches patterns against hosts and groups.
type matcher struct {
	hosts  Hosts
	groups map[string]*Group
}

// match returns which hosts a pattern matches, and a word of it that matches nothing.
func (m *matcher) match(p pattern) (matched []bool, unknown string) {
	matched = make([]bool, m.hosts.Len())
	found := map[string]bool{}
	for _, word := range p.words {
		found[word] = found[word] || IsController(word)
	}
	names := func(name string) (any bool) {
		if _, wanted := found[name]; wanted {
			found[name], any = true, true
		}
		for _, g := range p.globs {
			if g.MatchString(name) {
				found[g.text], any = true, true
			}
		}
		return any
	}
	for name, g := range m.groups {
		if names(name) {
			m.mark(matched, g)
		}
	}
	if names(all) {
		for i := range matched {
			matched[i] = true
		}
	}
	if names(ungrouped) {
		for i, grouped := range m.grouped() {
			matched[i] = matched[i] || !grouped
		}
	}
	for i := range matched {
		if names(m.hosts.Name(i)) {
			matched[i] = true
		}
	}
	for _, word := range p.words {
		if !found[word] {
			return matched, word
		}
	}
	for _, g := range p.globs {
		if !found[g.text] {
			return matched, g.text
		}
	}
	return matched, ""
}

// mark marks the hosts in a group and its descendants.
func (m *matcher) mark(matched []bool, g *Group) {
	for _, i := range g.Hosts {
		matched[i] = true
	}
	for _, child := range g.Children {
		m.mark(matched, m.groups[child])
	}
}

// grouped returns the hosts that are in a group.
func (m *matcher) grouped() []bool {
	in := make([]bool, m.hosts.Len())
	for _, g := range m.groups {
		for _, i := range g.Hosts {
			in[i] = true
		}
	}
	return in
}

// GroupWord returns the only word from which GroupName makes this group name with a kind's prefix, if there is only
// one.
func GroupWord(form GroupNames, prefix, name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, prefix+"_")
	if !ok || rest == "" {
		return "", false
	}
	word := rest
	if form == Exact {
		word = escaped().ReplaceAllStringFunc(rest, func(s string) string {
			return string([]byte{unhex(s[1])<<4 | unhex(s[2])})
		})
	} else if strings.Contains(rest, "_") { // a character that can stand for others
		return "", false
	}
	return word, utf8.ValidString(word) && GroupName(form, prefix, word) == name
}

var escaped = value.LazyPattern(`_[0-9a-f]{2}`)

func unhex(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}
