package fleetfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems is how many problems an Error lists; a file with more of them usually has one cause.
const maxProblems = 20

// Problem is one thing that is wrong with a fleet file.
type Problem struct {
	Line    int    // in the file, from 1; 0 when the fleet was given as data
	Path    string // such as clouds[east].regions[dfw].hosts[web1].ip_address; "" is the whole file
	Message string // what is wrong, and what to do
}

// Error lists everything that is wrong with a fleet file, or that cannot be made true by the API,
// in the order of the file. Nothing was written when it is returned.
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
		b.WriteString(p.in(e.Name))
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n... and %d more", e.More)
	}
	return b.String()
}

// in is the problem as a line, with the name of the file it is in.
func (p Problem) in(name string) string {
	var b strings.Builder
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

// problems collects what is wrong.
type problems struct{ list []Problem }

func (p *problems) add(line int, path, format string, args ...any) {
	p.list = append(p.list, Problem{line, path, fmt.Sprintf(format, args...)})
}

// err is an *Error, or nil when nothing is wrong.
func (p *problems) err(name string) error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	e := &Error{Name: name, Problems: p.list}
	if len(e.Problems) > maxProblems {
		e.More = len(e.Problems) - maxProblems
		e.Problems = e.Problems[:maxProblems]
	}
	return e
}
