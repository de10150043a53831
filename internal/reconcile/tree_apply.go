package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// Options say how a tree is applied.
type Options struct {
	// Check stops after the plan: the Result says what would be done, and nothing is written.
	Check bool
	// Brief leaves Before and After out of the changes, for who does not show them: of a large tree they are most of the memory.
	Brief bool
	// Parallel is how many requests are under way at once; 0 is 32.
	Parallel int
	// Progress, when not nil, is told of each object that was written: how many are done, how many there are
	// to write, and what was done ("created host east/dfw/c1/web1"). It is first called with 0 of 0 and
	// "reading the fleet", then with 0 of total and "". It is never called by two goroutines at once.
	Progress func(done, total int, what string)
}

// defaultParallel is within what the API's servers bear well, as the inventory's streams are: the original answers one
// request at a time (Q31), so that the last of them waits no longer than some seconds; craton server brings the writes
// that wait together to disk together.
const defaultParallel = 32

// Result is what was done, or with Options.Check what would be.
type Result struct {
	Created, Updated, Unchanged int
	// Changes has one entry for each object of the tree, in its order, unchanged ones included.
	// After a failure the objects that were not reached are missing.
	Changes []Change
}

// Changed tells that something was, or would be, written.
func (r *Result) Changed() bool { return r.Created+r.Updated > 0 }

// ApplyTree makes the API's fleet what a tree says: it creates what is missing, updates what differs, leaves what is
// equal, and deletes nothing. Objects, variables, labels and fields that the tree does not mention stay as they are.
//
// The whole tree is compared with the API before anything is written. What the API cannot make true is an
// *Error that lists all of it, and then nothing is written. A failure while writing is a *WriteError beside the Result of what
// was done until then; applying the tree again goes on from there.
func (fl *Fleet) ApplyTree(ctx context.Context, t *Tree, o Options) (*Result, error) {
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if o.Progress == nil {
		o.Progress = func(int, int, string) {}
	}
	o.Progress(0, 0, "reading the fleet")
	s, err := fl.load(ctx, t, o.Parallel)
	if err != nil {
		if ctx.Err() != nil {
			err = interrupted(ctx)
		}
		return nil, fmt.Errorf("%w\nnothing was written; apply the file again", err)
	}
	pl, planner, err := planTree(t, s, o.Brief)
	if err != nil {
		return nil, err
	}
	if o.Check {
		return pl.result(func(*treeStep) bool { return true }), nil
	}
	w := &writer{Fleet: fl, planner: planner, options: o, done: map[*treeStep]bool{}}
	err = w.run(ctx, pl)
	return pl.result(func(st *treeStep) bool { return st.change.Action == Unchanged || w.done[st] }), err
}

func (p *treePlan) result(include func(*treeStep) bool) *Result {
	r := &Result{Changes: make([]Change, 0, len(p.steps))}
	for _, st := range p.steps {
		if !include(st) {
			continue
		}
		switch st.change.Action {
		case Created:
			r.Created++
		case Updated:
			r.Updated++
		default:
			r.Unchanged++
		}
		r.Changes = append(r.Changes, st.change)
	}
	return r
}

// WriteError is a run that stopped before everything was written.
type WriteError struct {
	Done  int     // objects that were written
	Total int     // objects that were to be written
	Errs  []error // what failed: one error, or some where requests were under way side by side
}

// Error says what failed, how far the run came and how to go on.
func (e *WriteError) Error() string {
	const most = 5 // of many requests side by side, all that were under way fail, and for one reason
	var lines []string
	for i, err := range e.Errs {
		if i == most && len(e.Errs) > most+1 {
			lines = append(lines, fmt.Sprintf("... and %d more", len(e.Errs)-i))
			break
		}
		lines = append(lines, err.Error())
	}
	lines = append(lines, fmt.Sprintf("stopped after %d of %d objects; what is written stays, apply the file again to go on from there", e.Done, e.Total))
	return strings.Join(lines, "\n")
}

// Unwrap gives the causes, such as *craton.Error or context.Canceled.
func (e *WriteError) Unwrap() []error { return e.Errs }

// writer carries a plan out.
type writer struct {
	*Fleet
	planner *planner
	options Options

	mu     sync.Mutex
	total  int
	done   map[*treeStep]bool
	failed []error
}

// run writes level by level; within a level requests go side by side. After a failure no further request is begun, but those
// under way are waited for: to cut them off would leave open whether they were carried out.
func (w *writer) run(ctx context.Context, pl *treePlan) error {
	for _, level := range pl.levels {
		w.total += len(level)
	}
	w.options.Progress(0, w.total, "")
	for _, level := range pl.levels {
		var g errgroup.Group
		g.SetLimit(w.options.Parallel)
		for _, st := range level {
			if w.stopped(ctx) {
				break
			}
			g.Go(func() error {
				if !w.stopped(ctx) {
					w.finish(st, w.write(ctx, st))
				}
				return nil
			})
		}
		_ = g.Wait() // failures are in w.failed
		if w.stopped(ctx) {
			return w.err(ctx)
		}
	}
	return nil
}

func (w *writer) stopped(ctx context.Context) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.failed) > 0 || ctx.Err() != nil && len(w.done) < w.total
}

func (w *writer) finish(st *treeStep, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failed = append(w.failed, fmt.Errorf("%s: %w", strings.TrimSpace(st.want.Noun+" "+st.want.Qualified()), err))
		return
	}
	w.done[st] = true
	w.options.Progress(len(w.done), w.total, strings.TrimSpace(fmt.Sprintf("%s %s %s", st.change.Action, st.want.Noun, st.change.Name)))
}

// err sums a stopped run up. An interruption is one cause, however many requests it met.
func (w *writer) err(ctx context.Context) error {
	e := &WriteError{Done: len(w.done), Total: w.total}
	for _, err := range w.failed {
		if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
			e.Errs = append(e.Errs, err)
		}
	}
	if ctx.Err() != nil {
		e.Errs = append(e.Errs, interrupted(ctx))
	}
	return e
}

func interrupted(ctx context.Context) error { return fmt.Errorf("interrupted: %w", context.Cause(ctx)) }

// write makes one object true: at most one request for the object itself, one for its variables and one for
// its labels.
func (w *writer) write(ctx context.Context, st *treeStep) error {
	if st.Step == nil { // the steps of a large tree are many times its size, so each is planned again when it is its turn
		var bad Problems
		w.planner.diff(st, &bad)
		if err := bad.Err(w.planner.name); err != nil {
			return err
		}
	}
	defer func() { st.Step = nil }()
	if st.Kind == schema.Project {
		_, err := w.collection(schema.Project).SetVariables(ctx, st.Before.ID(), st.Set)
		return err
	}
	var done Done
	if st.Create {
		err := w.create(ctx, st.Step, &done)
		switch {
		case err == nil:
			st.id = done.Object[KeyID]
			return w.label(ctx, st.Step, &done)
		case craton.IsConflict(err):
			if err := w.adopt(ctx, st, err); err != nil {
				return err
			}
		case craton.IsNotFound(err):
			// Q12: the original creates the object and then cannot find its parent.
			return fmt.Errorf("%w (the original server answers this also when it did create it, but its parent is in a project that this user cannot see)", err)
		default:
			return err
		}
	}
	done.Object = st.Before.Clone()
	if err := w.update(ctx, st.Step, &done); err != nil {
		if craton.IsNotFound(err) {
			return fmt.Errorf("was deleted meanwhile: %w", err)
		}
		return err
	}
	if err := w.vary(ctx, st.Step, &done); err != nil {
		return err
	}
	return w.label(ctx, st.Step, &done)
}

// adopt goes on with an object that somebody else created since the state was read: it is read once and compared
// anew. taken is the API's refusal to create it.
func (w *writer) adopt(ctx context.Context, st *treeStep, taken error) error {
	found, err := w.sameScope(ctx, st)
	if err != nil {
		return fmt.Errorf("%w; and what has the name cannot be read: %w", taken, err)
	}
	mine := func(r *Found) bool { return r.Kind != schema.Cloud || w.mine(r.Object) }
	i := slices.IndexFunc(found, func(r *Found) bool { return r.name() == st.want.Name && mine(r) })
	if i < 0 {
		// Names, labels and variable keys are compared by the database's collation on the original (Q25, Q15).
		for _, r := range found {
			if strings.EqualFold(r.name(), st.want.Name) && mine(r) {
				return fmt.Errorf("%w (the API has one by the name %s and takes no notice of upper and lower case; write the name as the API has it)", taken, r.name())
			}
		}
		return fmt.Errorf("%w (but there is none of the name; the original server says this too when two labels or two variables differ in upper and lower case or in accents only)", taken)
	}
	if incomplete(st.want, found[i]) {
		if err := w.complete(ctx, st.want, found[i]); err != nil {
			return err
		}
	}
	st.have, st.id = found[i], found[i].Object[KeyID]
	var bad Problems
	w.planner.diff(st, &bad)
	return bad.Err(w.planner.name)
}

// sameScope lists the few objects among which one of a step's scope and name must be.
func (w *writer) sameScope(ctx context.Context, st *treeStep) ([]*Found, error) {
	k, f := st.want.Kind, Filters{}
	if in := st.want.Scope(); in != nil {
		f[scopeKey(k)] = w.planner.steps[in].id
	}
	if levels := len(k.Scope); levels > 1 {
		// Not of clouds and regions: there it fails when two have the name, and takes notice of case (Q14).
		f["name"] = st.want.Name
	}
	return w.called(ctx, Space(k), f)
}
