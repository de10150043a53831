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

// Options say how a tree is planned and applied.
type Options struct {
	// Check stops after the plan: the Result says what would be done, and nothing is written.
	Check bool
	// Brief leaves Before and After out of the changes, for who does not show them: of a large tree they are most of
	// the memory.
	Brief bool
	// Move moves what the tree has in another place than the API; otherwise that is an error.
	Move bool
	// AllowDuplicates lets devices be created that have the name of another one in the inventory.
	AllowDuplicates bool
	// Inventory says what the names of devices in the inventory are.
	Inventory Naming
	// Set says which set the tree's objects belong to, and whether what is no longer in it is deleted.
	Set SetOptions
	// Effects finds out what becomes of the resolved variables of the hosts.
	Effects bool
	// Parallel is how many requests are in progress at once; 0 is 32.
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

// filled returns the options with what is not said.
func (o Options) filled() Options {
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if o.Progress == nil {
		o.Progress = func(int, int, string) {}
	}
	return o
}

// Result describes what was done, or with Options.Check what would be.
type Result struct {
	Counts
	// Joined is how many objects that were there already belong to the plan's set now.
	Joined int
	// Changes has one entry for each object of the plan, in its order, unchanged ones included.
	// After a failure the objects that were not reached are missing.
	Changes []Change
	// Effects are those of the whole plan; nil if nobody asked.
	Effects *Effects
}

// Changed reports whether anything was done: to an object, or to what belongs to a set.
func (r *Result) Changed() bool { return r.Counts.Changed() || r.Joined > 0 }

// ApplyTree makes the API's fleet what a tree says: it creates what is missing, updates what differs, leaves what is
// equal, and deletes nothing. Objects, variables, labels and fields that the tree does not mention stay as they are.
//
// The whole tree is compared with the API before anything is written. What the API cannot make true is an *Error that
// lists all of it, and then nothing is written. A failure while writing is a *WriteError beside the Result of what was
// done until then; applying the tree again goes on from there.
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

// PlanTree reads what a tree speaks of, and says what is to be done. It writes nothing. What the API cannot make true
// is an *Error that lists all of it.
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

// ApplyPlan carries a plan out. One that was read from a file is carried out as it is: before anything is written, it
// is an error of *StaleError if an object in it was changed since it was made, and with that nothing is written; what
// is changed while it is carried out stops it. Options.Check stops after that.
//
// A failure while writing is a *WriteError beside the Result of what was done until then.
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

// Result returns what a plan would come to.
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

// WriteError is a run that stopped before everything was written.
type WriteError struct {
	Done  int     // objects that were written
	Total int     // objects that were to be written
	Errs  []error // what failed: one error, or some where requests were in progress side by side
	Saved bool    // what was carried out is a plan that was read from a file
}

// Error says what failed, how far the run came and how to go on.
func (e *WriteError) Error() string {
	const most = 5 // of many requests side by side, all that were in progress fail, and for one reason
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

// writer carries a plan out.
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

// runWithSet runs the plan and updates its set.
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

// grace is how long requests that are in progress are waited for after an interruption.
const grace = 5 * time.Second

// ContextForWrites returns a context for requests that write: it ends some time after another one does, for the same
// cause. To cut them off would leave open whether they were carried out.
func ContextForWrites(ctx context.Context) (context.Context, func()) { return contextAfter(ctx, grace) }

// contextAfter returns a context that ends some time after another one does.
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

// run writes level by level; within a level requests go side by side. After a failure or an interruption no further
// request is begun, but those in progress are waited for: to cut them off would leave open whether they were carried
// out.
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

// err sums a stopped run up. An interruption is one cause, however many requests it met.
func (w *writer) err(ctx context.Context) error {
	e := &WriteError{Done: len(w.done), Total: w.total, Saved: w.plan.Saved()}
	for _, st := range w.plan.steps { // in the order of the file, whichever answer came first
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

// write makes one object true: at most one request each for its place, the object itself, its variables to set and to
// take away, and its labels.
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
	if st.Remove && !st.Create && Holds(st.Kind) { // what came into it since the fleet was read is nobody's to delete
		if err := w.isEmpty(ctx, st.Kind, st.Before); err != nil {
			return err
		}
	}
	done := Done{Object: st.Before.Clone()}
	if !w.plan.Saved() { // what is carried out as it is looks at the object before each write
		switch did, err := w.moveAndUpdate(ctx, st.Step, &done); {
		case craton.IsNotFound(err):
			return fmt.Errorf("was deleted meanwhile: %w", err)
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
			return fmt.Errorf("was changed meanwhile: %w", err)
		case craton.IsNotFound(err):
			return fmt.Errorf("was deleted meanwhile: %w", err)
		case err != nil:
			return err
		}
	}
	return nil
}

// createStep creates an object. adopted reports whether somebody else did: it is then to be compared, and changed.
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
		return false, fmt.Errorf("its name was taken meanwhile: %w", err)
	case craton.IsConflict(err):
		return true, w.adopt(ctx, st, err)
	case craton.IsNotFound(err):
		// Q12: the original creates the object and then cannot find its parent.
		return false, fmt.Errorf("%w (the original server also says this when it has created the object, but its parent is in a project that this user cannot see)", err)
	}
	return false, err
}

// adopt goes on with an object that somebody else created since the state was read: it is read once and compared
// again. taken is the API's refusal to create it.
func (w *writer) adopt(ctx context.Context, st *treeStep, taken error) error {
	found, err := w.sameScope(ctx, st)
	if err != nil {
		return fmt.Errorf("%w; and the object with that name cannot be read: %w", taken, err)
	}
	mine := func(r *Found) bool { return r.Kind != schema.Cloud || w.isOwn(r.Object) }
	i := slices.IndexFunc(found, func(r *Found) bool { return r.name() == st.want.Name && mine(r) })
	if i < 0 {
		// Names, labels and variable keys are compared by the database's collation on the original (Q25, Q15).
		for _, r := range found {
			if strings.EqualFold(r.name(), st.want.Name) && mine(r) {
				return fmt.Errorf("%w (the API has one called %s and ignores case; write the name as the API has it)", taken, r.name())
			}
		}
		return fmt.Errorf("%w (but there is no object with that name; the original server also says this when two labels or two variables differ only in case or accents)", taken)
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

// sameScope lists the few objects among which one of a step's scope and name must be.
func (w *writer) sameScope(ctx context.Context, st *treeStep) ([]*Found, error) {
	k, f := st.want.Kind, Filters{}
	if in := st.want.Scope(); in != nil {
		f[scopeKey(k)] = w.plan.planner.steps[in].id
	}
	if levels := len(k.Scope); levels > 1 {
		// Not of clouds and regions: there it fails when two have the name, and takes notice of case (Q14).
		f["name"] = st.want.Name
	}
	return w.called(ctx, Space(k), f)
}
