package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/craton-fleet/craton/internal/value"
)

// MaxProblems is how many problems an Error lists; a file with more of them usually has one cause.
const MaxProblems = 20

// Problem is one thing that is wrong with a tree of wanted objects, such as a fleet file.
type Problem struct {
	File    string // "" is the one that the Error names
	Line    int    // in the file, from 1; 0 when the fleet was given as data
	Path    string // such as clouds[east].regions[dfw].hosts[web1].ip_address; "" is the whole file
	Message string // what is wrong, and what to do
}

// Error lists everything that is wrong with a tree of wanted objects, or that cannot be made true by the API,
// in its order. Nothing was written when it is returned.
type Error struct {
	Name     string    // of the file; "" when the fleet was given as data
	Problems []Problem // at most 20
	More     int       // how many further problems there are
}

// Error is one line a problem: "FILE:LINE: PATH: what is wrong; what to do".
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.In(e.Name))
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n... and %d more", e.More)
	}
	return b.String()
}

// In is the problem as a line, with the name of the file it is in.
func (p Problem) In(name string) string {
	var b strings.Builder
	name = cmp.Or(p.File, name)
	if name != "" {
		b.WriteString(name)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.Message
}

// Problems collects what is wrong.
type Problems struct {
	List []Problem
	File string // that what is added next is in, where there are several
}

// Add adds a problem.
func (p *Problems) Add(line int, path, format string, args ...any) {
	p.List = append(p.List, Problem{p.File, line, path, fmt.Sprintf(format, args...)})
}

// Err is an *Error, or nil when nothing is wrong.
func (p *Problems) Err(name string) error {
	if len(p.List) == 0 {
		return nil
	}
	slices.SortStableFunc(p.List, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	e := &Error{Name: name, Problems: p.List}
	if len(e.Problems) > MaxProblems {
		e.More = len(e.Problems) - MaxProblems
		e.Problems = e.Problems[:MaxProblems]
	}
	return e
}

// PathName is a name as it stands in a path: in quotes when it would be misread, of a long one only the beginning.
func PathName(name string) string {
	name = value.Brief(name)
	odd := func(c rune) bool { return c == '[' || c == ']' || c == '"' || c == ' ' || !unicode.IsGraphic(c) }
	if name == "" || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}
