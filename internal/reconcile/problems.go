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

// MaxProblems is the maximum number of problems that an Error lists; a file with more of them usually has one cause.
const MaxProblems = 20

// Problem is one fault in a tree of wanted objects, such as a fleet file, or something that a plan refuses to do.
type Problem struct {
	File    string // "" is the file that the Error names
	Line    int    // in the file, from 1; 0 if the fleet was passed as data
	Path    string // such as clouds[east].regions[dfw].hosts[web1].ip_address; "" is the file itself
	Message string // what is wrong, and what to do

	Reason Reason // for programs
	Kind   string // of the refused object: "host"; "" if it is not about an object
	Object string // its name with its places, such as east/dfw/web1
	Other  string // the same for the conflicting object; "" for none
	Do     string // what to do, the end of Message; "" if Message has no such part
}

// Reason is the machine-readable reason for a refusal.
type Reason string

// The reasons.
const (
	ReasonInvalid      Reason = "invalid"       // the file is invalid
	ReasonUnreadable   Reason = "unreadable"    // the file cannot be read
	ReasonDuplicate    Reason = "duplicate"     // another object has the name, in the file or in the inventory
	ReasonLookalike    Reason = "lookalike"     // another object has a name that looks the same
	ReasonElsewhere    Reason = "elsewhere"     // it is in another place, and moves were not requested
	ReasonUnchangeable Reason = "unchangeable"  // the API cannot change it
	ReasonOtherKind    Reason = "other-kind"    // the object with the name has another kind
	ReasonUnknown      Reason = "unknown"       // it refers to an object that does not exist
	ReasonAmbiguous    Reason = "ambiguous"     // it refers to a name that several objects have
	ReasonCircular     Reason = "circular"      // it would be its own ancestor
	ReasonUnsupported  Reason = "unsupported"   // the server does not support it
	ReasonForbidden    Reason = "forbidden"     // the caller does not have the permission
	ReasonOtherSet     Reason = "other-set"     // it belongs to another set
	ReasonProtected    Reason = "protected"     // it is protected from deletion
	ReasonNeeded       Reason = "needed"        // an object that is not deleted is in it, or refers to it
	ReasonDeletes      Reason = "allow-deletes" // so many deletions have not been allowed
	ReasonStale        Reason = "stale"         // the fleet has changed since the plan was made
	ReasonOtherFleet   Reason = "other-fleet"   // the plan is for another fleet, or another project
)

// Reasons are all reasons.
var Reasons = []Reason{
	ReasonInvalid, ReasonUnreadable, ReasonDuplicate, ReasonLookalike, ReasonElsewhere, ReasonUnchangeable, ReasonOtherKind, ReasonUnknown, ReasonAmbiguous, ReasonCircular,
	ReasonUnsupported, ReasonForbidden, ReasonOtherSet, ReasonProtected, ReasonNeeded, ReasonDeletes, ReasonStale, ReasonOtherFleet,
}

// refusal is a change that a plan refuses.
type refusal struct {
	reason Reason
	of     *Wanted // its object, with kind and place; nil: kind and object are set
	kind   *schema.Kind
	object string
	other  string
	what   string // is wrong
	do     string
}

// refuse adds a refusal at a place in the file.
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

// AddDuplicate adds that an object, or one of its keys, occurs twice.
func (p *Problems) AddDuplicate(w *Wanted, line int, path, other, what, do string) {
	p.refuse(line, path, refusal{reason: ReasonDuplicate, of: w, other: other, what: what, do: do})
}

// Error lists everything that is wrong with a tree of wanted objects, or that the API cannot do, in the order of the
// tree. If it is returned, nothing was written.
type Error struct {
	Name     string    // of the file; "" if the fleet was passed as data
	Problems []Problem // at most 20
	More     int       // the number of further problems

	all []Problem
}

// Refusals returns, for programs, everything that prevents a tree from being applied: from an *[Error], a
// *[RefusedError] or a *[StaleError]; nil for any other error.
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

// Error returns one line per problem: "FILE:LINE: PATH: what is wrong; what to do".
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

// In returns the problem as a line, with the name of its file.
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

// Problems collects problems.
type Problems struct {
	List []Problem
	File string // the file of the following problems, if there are several
}

// Add adds a problem.
func (p *Problems) Add(line int, path, format string, args ...any) {
	p.List = append(p.List, Problem{File: p.File, Line: line, Path: path, Message: fmt.Sprintf(format, args...)})
}

// Err returns an *Error, or nil if there are no problems.
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

// someOfEach returns MaxProblems of the problems, in their order: the first ones of each file, so that a file with many
// problems does not hide the others.
func someOfEach(all []Problem) []Problem {
	nth, place := make([]int, len(all)), map[string]int{} // the number of each problem within its file
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

// PathName returns a name for use in a path: in quotes if it would be ambiguous, and shortened if it is long.
func PathName(name string) string {
	name = value.Brief(name)
	odd := func(c rune) bool { return c == '[' || c == ']' || c == '"' || c == ' ' || !unicode.IsGraphic(c) }
	if name == "" || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}
