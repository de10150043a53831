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
		if e.Name != "" {
			b.WriteString(e.Name)
			if p.Line > 0 {
				fmt.Fprintf(&b, ":%d", p.Line)
			}
			b.WriteString(": ")
		}
		if p.Path != "" {
			b.WriteString(p.Path + ": ")
		}
		b.WriteString(p.Message)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n... and %d more", e.More)
	}
	return b.String()
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

// nearest is the known word that a misspelt one was meant to be, or "" when none is near.
func nearest(word string, known []string) string {
	best, least := "", 3
	if len(word) <= 3 {
		least = 2
	}
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters must be added, removed, replaced or swapped with their neighbour
// to make one word of the other.
func distance(a, b string) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	if len(x) > 64 || len(y) > 64 {
		return 64
	}
	before, row := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		next := make([]int, len(y)+1)
		next[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(y)]
}
