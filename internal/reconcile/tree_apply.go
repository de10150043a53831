package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// Options determine how a tree is planned and applied.
type Options struct {
	// Check stops after the plan: the Result describes what would be done, and nothing is written.
	Check bool
	// Brief leaves Before and After out of the changes, for callers that do not show them: for a large tree they take
	// most of the memory.
	Brief bool
	// Move moves objects that the tree has in another place than the API; without it, that is an error.
	Move bool
	// AllowDuplicates allows creating devices with the inventory name of another device.
	AllowDuplicates bool
	// Inventory determines the names of devices in the inventory.
	Inventory Naming
	// Set determines the set of the tree's objects, and whether objects that are no longer in the tree are deleted.
	Set SetOptions
	// Effects determines the effects on the resolved variables of hosts.
	Effects bool
	// Parallel is the number of concurrent requests; 0 is 32.
	Parallel int
	// Progress, if not nil, is called for each object that was written: with the number of objects done, the number to
	// write, and what was done ("created host east/dfw/c1/web1"). It is first called with 0 of 0 and "reading the
	// fleet", then with 0 of total and "". It is never called by two goroutines at once.
	Progress func(done, total int, what string)
}

// defaultParallel suits the servers of the API, like the number of the inventory's streams: the original handles one
// request at a time (Q31), so the last one waits for a few seconds at most; craton server commits concurrent writes
// together.
const defaultParallel = 32

// filled returns the options with defaults for what is not set.
func (o Options) filled() Options {
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if o.Progress == nil {
		o.Progress = func(int, int, string) {}
	}
	return o
}

// Result describes what was done or, with Options.Check, what would be done.
type Result struct {
	Counts
	// Joined is the number of existing objects that were added to the plan's set.
	Joined int
	// Changes has one entry for each object of the plan, in its order, including unchanged ones. After a failure,
	// objects that were not reached are missing.
	Changes []Change
	// Effects are those of the complete plan; nil if not requested.
	Effects *Effects
}

// Changed reports whether anything was changed: an object, or the contents of a set.
func (r *Result) Changed() bool { return r.Counts.Changed() || r.Joined > 0 }

// ApplyTree changes the API's fleet to match a tree: it creates missing objects, updates those that differ, leaves
// equal ones alone, and deletes nothing. Objects, variables, labels and fields that the tree does not mention stay as
// they are.
//
// The complete tree is compared with the API before anything is written. If the API cannot do something, it returns an
// *Error that lists all problems, and nothing is written. If a write fails, it returns a *WriteError in addition to the
// Result of what was done before; applying the tree again continues from there.
func (fl *Fleet) ApplyTree(ctx context.Context, t *Tree, o Options) (*Result, error) {
	p, err := fl.PlanTree(ctx, t, o)
	if err != nil {
		return nil, err
	}
	if o.Check {
		return p.Result(), nil
	}
	return fl.ApplyPlan(ctx, p, o)
}

// PlanTree reads the objects that a tree mentions, and plans changes. It writes nothing. If the API cannot do
// something, it returns an *Error that lists all problems.
func (fl *Fleet) PlanTree(ctx context.Context, t *Tree, o Options) (*Plan, error) {
	o = o.filled()
	o.Progress(0, 0, "reading the fleet")
	reading := func(err error) error {
		if ctx.Err() != nil {
			err = interrupted(ctx)
		}
		return fmt.Errorf("%w\nnothing was written; apply the file again", err)
	}
	l, err := fl.load(ctx, t, &o)
	if err != nil {
		return nil, reading(err)
	}
	p, err := planTree(t, l.state, &o)
	if err != nil {
		return nil, err
	}
	sets := l.planSet
	if o.Set.Name == "" {
		sets = l.findSets
	}
	if err := sets(ctx, p); err != nil {
		if wrong := (*Error)(nil); errors.As(err, &wrong) {
			return nil, err
		}
		return nil, reading(err)
	}
	if o.Effects {
		if p.Effects, err = l.effects(ctx, p); err != nil {
			return nil, reading(err)
		}
	}
	return p, nil
}

// ApplyPlan applies a plan. A saved plan is applied exactly: if an object in it has changed since it was made,
// ApplyPlan returns a *StaleError before anything is written; a change during the run stops it. Options.Check stops
// after these checks.
//
// If a write fails, it returns a *WriteError in addition to the Result of what was done before.
func (fl *Fleet) ApplyPlan(ctx context.Context, p *Plan, o Options) (*Result, error) {
	o = o.filled()
	w := &writer{Fleet: fl, plan: p, options: o, done: map[*treeStep]bool{}, failed: map[*treeStep]error{}}
	if p.Set != nil && p.Set.Refused != nil {
		return nil, &RefusedError{*p.Set.Refused}
	}
	if p.Saved() {
		o.Progress(0, 0, "reading the fleet")
		if err := fl.stillFits(ctx, p, &o); err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("%w\nnothing was written", interrupted(ctx))
			}
			return nil, err
		}
	}
	if o.Check {
		return p.Result(), nil
	}
	err := w.runWithSet(ctx)
	r := p.result(func(st *treeStep) bool { return st.change.Action == Unchanged || w.done[st] })
	r.Joined = w.joined
	return r, err
}

// Result returns what applying a plan would do.
func (p *Plan) Result() *Result {
	r := p.result(func(*treeStep) bool { return true })
	r.Joined = p.Set.Joining()
	return r
}

func (p *Plan) result(include func(*treeStep) bool) *Result {
	r := &Result{Counts: p.counts, Changes: make([]Change, 0, len(p.steps)), Effects: p.Effects}
	for _, st := range p.steps {
		if !include(st) {
			continue
		}
		*r.Of(st.change.Action)++
		r.Changes = append(r.Changes, st.change)
	}
	return r
}

// WriteError is the error of a run that stopped before everything was written.
type WriteError struct {
	Done  int     // the number of objects that were written
	Total int     // the number of objects to write
	Errs  []error // the causes: one error, or several from concurrent requests
	Saved bool    // the plan was read from a file
}

// Error says what failed, how far the run got, and how to continue.
func (e *WriteError) Error() string {
	const most = 5 // if the server fails, all concurrent requests do, for the same reason
	var lines []string
	for i, err := range e.Errs {
		if i == most && len(e.Errs) > most+1 {
			lines = append(lines, fmt.Sprintf("... and %d more", len(e.Errs)-i))
			break
		}
		lines = append(lines, err.Error())
	}
	next := "apply the file again to continue from there"
	if e.Saved {
		next = "make a new plan to continue from there"
	}
	lines = append(lines, fmt.Sprintf("stopped after %d of %d objects; what was written stays; %s", e.Done, e.Total, next))
	return strings.Join(lines, "\n")
}

// Unwrap returns the causes, such as *craton.Error or context.Canceled.
func (e *WriteError) Unwrap() []error { return e.Errs }

// writer applies a plan.
type writer struct {
	*Fleet
	plan    *Plan
	options Options

	mu     sync.Mutex
	total  int
	done   map[*treeStep]bool
	failed map[*treeStep]error
	joined int // objects that were added to the plan's set
}

// runWithSet applies the plan and updates its set.
func (w *writer) runWithSet(ctx context.Context) error {
	set := w.plan.Set
	if set == nil {
		return w.run(ctx)
	}
	if err := set.join(ctx, w.Fleet); err != nil {
		return fmt.Errorf("%w\nnothing was written", err)
	}
	if set.File == "" {
		w.joined = set.Joining()
		ctx = craton.ContextWithSet(ctx, set.Name)
	}
	err := w.run(ctx)
	made, gone := craton.Members{}, craton.Members{}
	for st := range w.done {
		switch st.change.Action {
		case Created:
			addMember(made, schema.ByName(st.change.Kind), st.id)
		case Deleted:
			addMember(gone, schema.ByName(st.change.Kind), st.id)
		}
	}
	forgotten := set.saveMembers(w.Fleet, made, gone)
	if forgotten == nil {
		w.joined = set.Joining()
	}
	return errors.Join(err, forgotten)
}

// grace is how long requests in progress may continue after an interruption.
const grace = 5 * time.Second

// ContextForWrites returns a context for requests that write. It ends some time after another one, with the same cause:
// if requests were cut off, it would be unknown whether they were executed.
func ContextForWrites(ctx context.Context) (context.Context, func()) { return contextAfter(ctx, grace) }

// contextAfter returns a context that ends some time after another one.
func contextAfter(ctx context.Context, by time.Duration) (context.Context, func()) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(by):
			cancel(context.Cause(ctx))
		case <-longer.Done():
		}
	})
	return longer, func() { stop(); cancel(nil) }
}

// run writes level by level, with concurrent requests within a level. After a failure or an interruption, no new
// request is sent, but those in progress are waited for: if they were cut off, it would be unknown whether they were
// executed.
func (w *writer) run(ctx context.Context) error {
	levels := w.plan.levels()
	for _, level := range levels {
		w.total += len(level)
	}
	w.options.Progress(0, w.total, "")
	writing, stop := ContextForWrites(ctx)
	defer stop()
	for _, level := range levels {
		var g errgroup.Group
		g.SetLimit(w.options.Parallel)
		for _, st := range level {
			if w.stopped(ctx) {
				break
			}
			g.Go(func() error {
				if !w.stopped(ctx) {
					w.finish(st, w.write(writing, st))
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
		w.failed[st] = fmt.Errorf("%s: %w", st.called(), err)
		return
	}
	w.done[st] = true
	w.options.Progress(len(w.done), w.total, string(st.change.Action)+" "+st.called())
}

// err summarizes a stopped run. An interruption is one cause, however many requests it affected.
func (w *writer) err(ctx context.Context) error {
	e := &WriteError{Done: len(w.done), Total: w.total, Saved: w.plan.Saved()}
	for _, st := range w.plan.steps { // in the order of the file, independent of the order of responses
		err := w.failed[st]
		if err == nil {
			continue
		}
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

// write applies the step of one object, with at most one request each for its place, the object itself, variables to
// set and to delete, and labels.
func (w *writer) write(ctx context.Context, st *treeStep) error {
	if st.Step == nil {
		var bad Problems
		w.plan.planner.diff(st, &bad)
		if err := bad.Err(w.plan.planner.name); err != nil {
			return err
		}
	}
	if !w.plan.Saved() {
		defer func() { st.Step = nil }()
	}
	if st.Create {
		adopted, err := w.createStep(ctx, st)
		if err != nil || !adopted {
			return err
		}
	}
	if st.Remove && !st.Create && Holds(st.Kind) { // objects that were added after the fleet was read must not be deleted
		if err := w.isEmpty(ctx, st.Kind, st.Before); err != nil {
			return err
		}
	}
	done := Done{Object: st.Before.Clone()}
	if !w.plan.Saved() { // a saved plan checks the object before each write
		switch did, err := w.moveAndUpdate(ctx, st.Step, &done); {
		case craton.IsNotFound(err):
			return fmt.Errorf("was deleted in the meantime: %w", err)
		case did || err != nil:
			return err
		}
	}
	for _, part := range parts {
		if !part.has(st.Step) {
			continue
		}
		on, err := w.guard(ctx, st, &done)
		if err == nil {
			err = part.do(w.Fleet, on, st.Step, &done)
		}
		switch {
		case w.plan.Saved() && craton.StatusOf(err) == http.StatusPreconditionFailed:
			return fmt.Errorf("was changed in the meantime: %w", err)
		case craton.IsNotFound(err):
			return fmt.Errorf("was deleted in the meantime: %w", err)
		case err != nil:
			return err
		}
	}
	return nil
}

// createStep creates an object. adopted reports whether somebody else has created it meanwhile; it must then be
// compared and updated.
func (w *writer) createStep(ctx context.Context, st *treeStep) (adopted bool, err error) {
	var done Done
	err = w.create(ctx, st.Step, &done)
	switch {
	case err == nil:
		st.id = done.Object[KeyID]
		for _, part := range laterParts {
			if part.has(st.Step) && err == nil {
				err = part.do(w.Fleet, ctx, st.Step, &done)
			}
		}
		return false, err
	case craton.IsConflict(err) && w.plan.Saved():
		return false, fmt.Errorf("its name was taken in the meantime: %w", err)
	case craton.IsConflict(err):
		return true, w.adopt(ctx, st, err)
	case craton.IsNotFound(err):
		// Q12: the original server creates the object and then fails to find its parent.
		return false, fmt.Errorf("%w (the original server also says this when it has created the object, but its parent is in a project that this user cannot see)", err)
	}
	return false, err
}

// adopt continues with an object that somebody else has created since the state was read: it is read once and compared
// again. taken is the API's refusal to create it.
func (w *writer) adopt(ctx context.Context, st *treeStep, taken error) error {
	found, err := w.sameScope(ctx, st)
	if err != nil {
		return fmt.Errorf("%w; and the object with that name cannot be read: %w", taken, err)
	}
	mine := func(r *Found) bool { return r.Kind != schema.Cloud || w.isOwn(r.Object) }
	i := slices.IndexFunc(found, func(r *Found) bool { return r.name() == st.want.Name && mine(r) })
	if i < 0 {
		// The original server compares names, labels and keys of variables by the database's collation (Q25, Q15).
		for _, r := range found {
			if strings.EqualFold(r.name(), st.want.Name) && mine(r) {
				return fmt.Errorf("%w (the API has one called %s and ignores case; write the name as the API has it)", taken, r.name())
			}
		}
		return fmt.Errorf("%w (but no object has that name; the original server also says this when two labels or two variables differ only in case or accents)", taken)
	}
	if incomplete(st.want, found[i]) {
		if err := w.complete(ctx, st.want, found[i]); err != nil {
			return err
		}
	}
	st.have, st.id = found[i], found[i].Object[KeyID]
	var bad Problems
	w.plan.planner.diff(st, &bad)
	return bad.Err(w.plan.planner.name)
}

// sameScope lists the few objects that may have a step's scope and name.
func (w *writer) sameScope(ctx context.Context, st *treeStep) ([]*Found, error) {
	k, f := st.want.Kind, Filters{}
	if in := st.want.Scope(); in != nil {
		f[scopeKey(k)] = w.plan.planner.steps[in].id
	}
	if levels := len(k.Scope); levels > 1 {
		// Not for clouds and regions: the request fails if two have the name, and is case-sensitive (Q14).
		f["name"] = st.want.Name
	}
	return w.called(ctx, Space(k), f)
}
