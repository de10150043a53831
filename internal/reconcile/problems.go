package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// MaxProblems is how many problems an Error lists; a file with more of them usually has one cause.
const MaxProblems = 20

// Problem is one thing that is wrong with a tree of wanted objects, such as a fleet file, or that a plan refuses to do.
type Problem struct {
	File    string // "" is the one that the Error names
	Line    int    // in the file, from 1; 0 when the fleet was given as data
	Path    string // such as clouds[east].regions[dfw].hosts[web1].ip_address; "" is the whole file
	Message string // what is wrong, and what to do

	Reason Reason // for programs
	Kind   string // of the object that is refused: "host"; "" where it is about none
	Object string // its name with all that holds it, such as east/dfw/web1
	Other  string // likewise that of the object that is in the way; "" for none
	Do     string // what to do, as Message ends; "" where Message alone says it
}

// Reason is why something is refused, as programs know it.
type Reason string

// The reasons.
const (
	ReasonInvalid      Reason = "invalid"       // what the file says cannot be
	ReasonUnreadable   Reason = "unreadable"    // the file cannot be read
	ReasonDuplicate    Reason = "duplicate"     // another object has the name, in the file or in the inventory
	ReasonLookalike    Reason = "lookalike"     // another object has a name that reads the same
	ReasonElsewhere    Reason = "elsewhere"     // it stands in another place, and nobody has said that it is to be moved
	ReasonUnchangeable Reason = "unchangeable"  // the API cannot change it
	ReasonOtherKind    Reason = "other-kind"    // what has the name is of another kind
	ReasonUnknown      Reason = "unknown"       // it refers to what is not there
	ReasonAmbiguous    Reason = "ambiguous"     // it refers to what several may be
	ReasonCircular     Reason = "circular"      // it would be its own parent
	ReasonUnsupported  Reason = "unsupported"   // the server cannot do it
	ReasonForbidden    Reason = "forbidden"     // the caller may not do it
	ReasonOtherSet     Reason = "other-set"     // it belongs to another set
	ReasonProtected    Reason = "protected"     // it is protected from being deleted
	ReasonNeeded       Reason = "needed"        // something that stays is in it, or refers to it
	ReasonDeletes      Reason = "allow-deletes" // nobody has said that so many may be deleted
	ReasonStale        Reason = "stale"         // the fleet is not as it was when the plan was made
	ReasonOtherFleet   Reason = "other-fleet"   // the plan is for another fleet, or another project
)

// Reasons are all of them.
var Reasons = []Reason{
	ReasonInvalid, ReasonUnreadable, ReasonDuplicate, ReasonLookalike, ReasonElsewhere, ReasonUnchangeable, ReasonOtherKind, ReasonUnknown, ReasonAmbiguous, ReasonCircular,
	ReasonUnsupported, ReasonForbidden, ReasonOtherSet, ReasonProtected, ReasonNeeded, ReasonDeletes, ReasonStale, ReasonOtherFleet,
}

// refusal is a change of an object that a plan refuses.
type refusal struct {
	reason Reason
	of     *Wanted // whose Kind and place it is; nil: kind and object say it
	kind   *schema.Kind
	object string
	other  string
	what   string // is wrong
	do     string
}

// refuse adds what a plan refuses to do at a place of the file.
func (p *Problems) refuse(line int, path string, r refusal) {
	if r.of != nil {
		r.kind, r.object = r.of.Kind, r.of.Qualified()
	}
	one := Problem{File: p.File, Line: line, Path: path, Message: advice.Join(r.what, r.do), Reason: r.reason, Object: r.object, Other: r.other, Do: r.do}
	if strings.HasSuffix(r.what, "?") {
		one.Message = r.what + " " + r.do
	}
	if r.kind != nil {
		one.Kind = r.kind.Name
	}
	p.List = append(p.List, one)
}

// AddDuplicate adds that an object, or what is said of it, is there twice.
func (p *Problems) AddDuplicate(w *Wanted, line int, path, other, what, do string) {
	p.refuse(line, path, refusal{reason: ReasonDuplicate, of: w, other: other, what: what, do: do})
}

// Error lists everything that is wrong with a tree of wanted objects, or that cannot be made true by the API,
// in its order. Nothing was written when it is returned.
type Error struct {
	Name     string    // of the file; "" when the fleet was given as data
	Problems []Problem // at most 20
	More     int       // how many further problems there are

	all []Problem
}

// Refusals returns all that keeps a tree from being carried out, for programs: of an *[Error], of a *[RefusedError], or
// of a *[StaleError]; none of another error.
func Refusals(err error) []Problem {
	if e, ok := errors.AsType[*Error](err); ok {
		all := slices.Clone(e.all)
		if all == nil {
			all = slices.Clone(e.Problems)
		}
		for i := range all {
			all[i].File = cmp.Or(all[i].File, e.Name)
			all[i].Reason = cmp.Or(all[i].Reason, ReasonInvalid)
		}
		return all
	}
	if e, ok := errors.AsType[*RefusedError](err); ok {
		return []Problem{e.Problem}
	}
	if e, ok := errors.AsType[*StaleError](err); ok {
		all := make([]Problem, len(e.all))
		for i, s := range e.all {
			all[i] = Problem{Message: advice.Join(s.String(), staleAdvice), Reason: ReasonStale, Kind: s.Kind, Object: s.Object, Do: staleAdvice}
		}
		return all
	}
	return nil
}

// Error returns one line a problem: "FILE:LINE: PATH: what is wrong; what to do".
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

// In returns the problem as a line, with the name of the file it is in.
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
	p.List = append(p.List, Problem{File: p.File, Line: line, Path: path, Message: fmt.Sprintf(format, args...)})
}

// Err returns an *Error, or nil when nothing is wrong.
func (p *Problems) Err(name string) error {
	if len(p.List) == 0 {
		return nil
	}
	slices.SortStableFunc(p.List, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	e := &Error{Name: name, Problems: p.List, all: p.List}
	if len(e.Problems) > MaxProblems {
		e.More = len(e.Problems) - MaxProblems
		e.Problems = someOfEach(e.Problems)
	}
	return e
}

// someOfEach returns MaxProblems of the problems, in their order: of several files the first ones of each, so that a
// file with many does not hide the others.
func someOfEach(all []Problem) []Problem {
	nth, place := make([]int, len(all)), map[string]int{} // which one of its file each is
	order := make([]int, len(all))
	for i, p := range all {
		nth[i], order[i] = place[p.File], i
		place[p.File]++
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(nth[a], nth[b]) })
	order = order[:MaxProblems]
	slices.Sort(order)
	some := make([]Problem, len(order))
	for i, at := range order {
		some[i] = all[at]
	}
	return some
}

// PathName returns a name as it stands in a path: in quotes when it would be misread, of a long one only the beginning.
func PathName(name string) string {
	name = value.Brief(name)
	odd := func(c rune) bool { return c == '[' || c == ']' || c == '"' || c == ' ' || !unicode.IsGraphic(c) }
	if name == "" || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}
