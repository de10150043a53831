package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// Save writes a plan that was made from a tree to a file, which [ReadPlan] can read. Before that, it reads what
// listings have left out of the objects that the plan changes: on the original server, that is one request for the
// labels of each device (Q15).
func (fl *Fleet) Save(ctx context.Context, p *Plan, w io.Writer, o Options) error {
	o = o.filled()
	f := &fit{Fleet: fl}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.Parallel)
	for _, st := range p.steps {
		r := st.have
		if st.change.Action == Unchanged || r == nil || r.Kind.Labels == schema.Unlabelled || r.Labels() != nil {
			continue
		}
		g.Go(func() (err error) {
			r.Object, err = f.labelled(ctx, r.Kind, r.Object)
			if st.Step != nil { // of a deletion
				st.Before = r.Object
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return readError(err)
	}
	return p.encode(w)
}

// labelled returns an object with its labels, which are read if they are not known.
func (fl *Fleet) labelled(ctx context.Context, k *schema.Kind, o Object) (Object, error) {
	if o.Labels() != nil {
		return o, nil
	}
	labels, err := fl.collection(k).Labels(ctx, o.ID())
	o = maps.Clone(o)
	o[KeyLabels] = append([]string{}, labels...)
	return o, err
}

// StaleError is the error for a plan that was made from another state of the fleet than the current one.
type StaleError struct {
	Reasons []Staleness // at most MaxProblems
	More    int         // the number of further ones

	all []Staleness
}

// Staleness is something that has changed since a plan was made.
type Staleness struct {
	What   string    // such as: the host east/dfw/web1 was changed (note, ntp)
	User   string    // the user who did it; "" if unknown
	Time   time.Time // when; zero if unknown
	Why    string    // the message of the write
	Kind   string    // the kind of the object: "host"
	Object string    // the name of the object with its places, as in the plan
	Done   bool      // the object is already as the plan would make it
}

// String returns a line without the time, which depends on the reader's time zone.
func (s Staleness) String() string {
	text := s.What
	if s.User != "" {
		text += " by " + s.User
	}
	if !s.Time.IsZero() {
		text += " at " + s.Time.UTC().Format(time.RFC3339)
	}
	if s.Why != "" {
		text += fmt.Sprintf(" (%q)", s.Why)
	}
	if s.Done {
		text += ", and is already as planned"
	}
	return text
}

// Error lists what has changed.
func (e *StaleError) Error() string {
	lines := []string{"the fleet has changed since the plan was made:"}
	for _, r := range e.Reasons {
		lines = append(lines, r.String())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("... and %d more", e.More))
	}
	return strings.Join(append(lines, "nothing was written; "+staleAdvice), "\n")
}

// staleAdvice is the advice for a stale plan.
const staleAdvice = "make a new plan"

// fit determines whether a saved plan still fits the fleet.
type fit struct {
	*Fleet
	plan    *Plan
	options *Options
	found   []outdated

	steps map[needKey]*treeStep // of existing objects
	needs map[needKey]*need
	made  map[string][]*treeStep // creates, moves and renames by the name that they need
	gone  []*treeStep            // deletions of containers
	place map[*treeStep]int      // the position of a step in the plan
}

// outdated is a reason, and the position in the plan of the object that it is about.
type outdated struct {
	Staleness
	at   int
	step *treeStep // the object was changed, possibly to what the step makes of it; nil: impossible, or already known
}

// add records a reason about the object of a step, or about something that the plan relies on, which has no step and
// comes last.
func (f *fit) add(st *treeStep, s Staleness) {
	if st != nil && s.Kind == "" {
		s.Kind, s.Object = st.change.Kind, cmp.Or(st.change.From, st.change.Name)
	}
	at, ok := f.place[st]
	if !ok {
		at = len(f.plan.steps)
	}
	f.found = append(f.found, outdated{Staleness: s, at: at})
}

// stale returns the error with all reasons, in the order of the plan, and for one object in that of the log; nil if
// there are none.
func (f *fit) stale(ctx context.Context) error {
	if f.found == nil {
		return nil
	}
	slices.SortStableFunc(f.found, func(a, b outdated) int {
		if c := cmp.Compare(a.at, b.at); c != 0 || a.at < len(f.plan.steps) {
			return c
		}
		return cmp.Compare(a.What, b.What)
	})
	shown := f.found[:min(len(f.found), MaxProblems)]
	f.markDone(ctx, shown)
	e := &StaleError{More: len(f.found) - len(shown)}
	for _, one := range shown {
		e.Reasons = append(e.Reasons, one.Staleness)
	}
	for _, one := range f.found {
		e.all = append(e.all, one.Staleness)
	}
	return e
}

// stillFits returns a *StaleError if anything that the plan changes or relies on has changed since it was made. It
// reads the change log, which also says who did it; without a log that reaches back far enough, it compares the objects
// themselves.
func (fl *Fleet) stillFits(ctx context.Context, p *Plan, o *Options) error {
	f := &fit{Fleet: fl, plan: p, options: o, steps: map[needKey]*treeStep{}, needs: map[needKey]*need{}, made: map[string][]*treeStep{}, place: make(map[*treeStep]int, len(p.steps))}
	if err := f.index(ctx); err != nil {
		return err
	}
	known := false
	if p.Revision != "" {
		logs, err := fl.has(ctx, "changes")
		if err != nil {
			return err
		}
		if logs {
			if known, err = f.log(ctx); err != nil {
				return err
			}
		}
	}
	if !known {
		f.found = nil
		if err := f.contents(ctx); err != nil {
			return err
		}
	}
	return f.stale(ctx)
}

// result returns the object as the step makes it, as far as the plan has it.
func (st *treeStep) result() Object {
	o := maps.Clone(st.After)
	if have := st.Before.Variables(); have != nil {
		have = maps.Clone(have)
		maps.Copy(have, st.Set)
		for _, key := range st.Unset {
			delete(have, key)
		}
		o[KeyVariables] = have
	}
	if have := st.Before.Labels(); have != nil {
		have = slices.DeleteFunc(slices.Concat(have, st.AddLabels), func(l string) bool { return slices.Contains(st.Drop, l) })
		o[KeyLabels] = have
	}
	return o
}

// markDone marks reasons about objects that were changed to exactly what the plan makes of them, possibly by an earlier
// run of the plan.
func (f *fit) markDone(ctx context.Context, shown []outdated) {
	done := map[*treeStep]bool{}
	for i := range shown {
		st := shown[i].step
		if st == nil || st.Remove || st.After == nil || st.Kind == schema.Project {
			continue
		}
		if _, known := done[st]; !known {
			now, err := f.Get(ctx, st.Kind, fmt.Sprint(st.id))
			if err == nil && now != nil {
				now, err = f.known(ctx, st, now)
			}
			done[st] = err == nil && now != nil && differences(st.Kind, st.result(), now) == nil
		}
		shown[i].Done = done[st]
	}
}

func (f *fit) index(ctx context.Context) error {
	for i, st := range f.plan.steps {
		f.place[st] = i
		k := st.Kind
		if k == schema.Project {
			own, err := f.OwnProject(ctx)
			if err != nil {
				return fmt.Errorf("the project cannot be read: %w", err)
			}
			st.id, st.Before[KeyID] = own[KeyID], own[KeyID]
		}
		if !st.Create {
			f.steps[needKey{Space(k), st.id}] = st
		}
		_, renamed := st.Update[k.Title]
		_, leaves := st.Move["region_id"] // names are unique within a region
		if st.Create || renamed || leaves {
			name := st.After.Text(k.Title)
			f.made[name] = append(f.made[name], st)
		}
		if st.Remove && Holds(k) {
			f.gone = append(f.gone, st)
		}
	}
	for i := range f.plan.needs {
		n := &f.plan.needs[i]
		f.needs[needKey{Space(schema.ByName(n.Kind)), n.ID}] = n
	}
	return nil
}

// log reads the changes since the plan. known is false if the log does not contain the plan's revision.
func (f *fit) log(ctx context.Context) (known bool, err error) {
	for c, err := range f.Client.Changes(ctx, craton.ChangeOptions{After: f.plan.Revision}) {
		if craton.StatusOf(err) == http.StatusGone || craton.StatusOf(err) == http.StatusBadRequest {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("the changes since the plan was made cannot be read: %w", err)
		}
		f.change(c)
	}
	return true, nil
}

// change examines one change of the log.
func (f *fit) change(c *craton.Change) {
	k := schema.ByName(c.Kind)
	if k == nil || k == schema.User {
		return
	}
	key := needKey{Space(k), value.ID(c.ID)}
	say := func(st *treeStep, format string, args ...any) {
		one := Staleness{What: fmt.Sprintf(format, args...), User: c.User, Time: c.Time.Time, Why: c.Message}
		if n := f.needs[key]; st == nil && n != nil {
			one.Kind, one.Object = k.Name, n.Name
		}
		f.add(st, one)
	}
	fields := changedFields(c)
	if st := f.steps[key]; st != nil {
		say(st, "the %s was %s%s", st.oldLabel(), past[c.Action], fields)
		if c.Action != "delete" {
			f.found[len(f.found)-1].step = st
		}
		return
	}
	renamed := c.Action == "update" && rawHas(c.After.Raw, k.Title)
	if n := f.needs[key]; n != nil && (c.Action == "delete" || c.Action == "move" || renamed) {
		say(nil, "the %s %s, on which the plan relies, was %s%s", k.Noun(), value.ShownPath(n.Name), past[c.Action], fields)
		return
	}
	if c.Action != "create" && c.Action != "move" && !renamed {
		return
	}
	for i := range c.Path { // names may contain slashes
		if i > 0 && c.Path[i-1] != '/' {
			continue
		}
		for _, st := range f.made[c.Path[i:]] {
			if Space(st.Kind) == Space(k) && strings.HasPrefix(c.Path, parentPrefix(st)) {
				if st.Create && c.Action == "create" && c.Path == value.RawPath(st.change.Name) && st.Kind == k {
					say(st, "the %s, which the plan creates, was created", st.called())
					return
				}
				say(st, "the name of the %s was taken by the %s %s, which was %s", st.called(), k.Noun(), value.ShownPath(c.Path), past[c.Action])
				return
			}
		}
	}
	for _, st := range f.gone {
		if strings.HasPrefix(c.Path, value.RawPath(st.change.Name)+"/") {
			say(st, "the %s %s, which would be deleted with the %s, was %s", k.Noun(), value.ShownPath(c.Path), st.called(), past[c.Action])
			return
		}
	}
}

// past are the actions of a change log in the past tense.
var past = map[string]string{"create": "created", "update": "changed", "delete": "deleted", "move": "moved"}

// parentPrefix returns the beginning of the paths of objects that could take a step's name.
func parentPrefix(st *treeStep) string {
	names := value.PathNames(st.change.Name)
	if names = names[:len(names)-1]; isDevice(st.Kind) && st.After["cell_id"] != nil && len(names) > 0 { // whose names are unique in the region, across its cells
		names = names[:len(names)-1]
	}
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names, "/") + "/"
}

// contents compares the objects themselves with the plan.
func (f *fit) contents(ctx context.Context) error {
	kinds := map[*schema.Kind]map[any]bool{}
	for key, st := range f.steps {
		if key.id != nil && st.Kind != schema.Project {
			addTo(kinds, st.Kind, key.id)
		}
	}
	for key, n := range f.needs {
		if f.steps[key] == nil {
			addTo(kinds, schema.ByName(n.Kind), key.id)
		}
	}
	for _, st := range f.plan.steps {
		if st.Kind == schema.Project {
			v, err := f.collection(schema.Project).Variables(ctx, st.Before.ID())
			if err != nil {
				return fmt.Errorf("the project's variables cannot be read: %w", err)
			}
			now := Object{KeyID: st.Before[KeyID], KeyVariables: v}
			if now, err = f.known(ctx, st, now); err != nil {
				return readError(err)
			}
			f.compare(st, now)
		}
	}
	for k, ids := range kinds {
		objects, err := f.objects(ctx, k, ids)
		if err != nil {
			return readError(err)
		}
		for id := range ids {
			key := needKey{Space(k), id}
			o := objects[id]
			if st := f.steps[key]; st != nil {
				if o != nil {
					if o, err = f.known(ctx, st, o); err != nil {
						return readError(err)
					}
				}
				f.compare(st, o)
				continue
			}
			n := f.needs[key]
			switch {
			case o == nil:
				f.add(nil, Staleness{Kind: k.Name, Object: n.Name, What: fmt.Sprintf("the %s %s, on which the plan relies, no longer exists", k.Noun(), value.ShownPath(n.Name))})
			case o.Text(k.Title) != n.Own, o[scopeKey(k)] != n.In && scopeKey(k) != "":
				f.add(nil, Staleness{Kind: k.Name, Object: n.Name, What: fmt.Sprintf("the %s %s, on which the plan relies, was renamed or moved", k.Noun(), value.ShownPath(n.Name))})
			}
		}
	}
	if err := f.checkNames(ctx); err != nil {
		return readError(err)
	}
	return f.checkContents(ctx)
}

func addTo(kinds map[*schema.Kind]map[any]bool, k *schema.Kind, id any) {
	if kinds[k] == nil {
		kinds[k] = map[any]bool{}
	}
	kinds[k][id] = true
}

// objects reads objects of a kind by their ids: one by one if they are few, or else with a listing of all.
func (f *fit) objects(ctx context.Context, k *schema.Kind, ids map[any]bool) (map[any]Object, error) {
	found := make(map[any]Object, len(ids))
	if len(ids) <= maxLookups {
		for id := range ids {
			o, err := f.Get(ctx, k, fmt.Sprint(id))
			if err != nil {
				return nil, err
			}
			if o != nil {
				found[id] = o
			}
		}
		return found, nil
	}
	var details Filters
	if k.Details {
		details = own
	}
	all, err := f.listAll(ctx, k, details, func(o Object) bool { return ids[o[KeyID]] })
	for _, o := range all {
		found[o[KeyID]] = o
	}
	return found, err
}

// known reads the parts of an object that the plan has: a listing leaves some of them out.
func (f *fit) known(ctx context.Context, st *treeStep, o Object) (_ Object, err error) {
	if st.Before.Labels() != nil {
		if o, err = f.labelled(ctx, st.Kind, o); err != nil {
			return nil, err
		}
	}
	if st.Before.Variables() != nil && o.Variables() == nil {
		if o[KeyVariables], err = f.variables(ctx, st.Kind, o); err != nil {
			return nil, err
		}
	}
	if _, told := st.Before[KeyProtected]; told {
		err = f.fillProtected(ctx, st.Kind, o)
	}
	return o, err
}

// compare records differences of an object, which is nil if it is gone.
func (f *fit) compare(st *treeStep, now Object) {
	if now == nil {
		f.add(st, Staleness{What: fmt.Sprintf("the %s no longer exists", st.oldLabel())})
		return
	}
	if differing := differences(st.Kind, st.Before, now); differing != nil {
		f.add(st, Staleness{What: fmt.Sprintf("the %s was changed (%s)", st.oldLabel(), advice.Enumerate(differing, maxDiffering)),
			Done: !st.Remove && st.After != nil && differences(st.Kind, st.result(), now) == nil})
	}
}

// differences names what differs in an object; what is not known is not compared.
func differences(k *schema.Kind, known, now Object) (names []string) {
	if known[k.Title] != nil && known[k.Title] != now[k.Title] {
		names = append(names, optionName)
	}
	for i := range k.Fields {
		f := &k.Fields[i]
		have, ok := known[f.Key]
		if _, told := now[f.Key]; ok && told && !Equal(f, have, now[f.Key]) {
			names = append(names, f.Option())
		}
	}
	if have, ok := known[KeyProtected]; ok && have != now[KeyProtected] {
		names = append(names, KeyProtected)
	}
	if have := known.Labels(); have != nil {
		a, b := slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(now.Labels()))
		if !slices.Equal(a, b) {
			names = append(names, KeyLabels)
		}
	}
	if have := known.Variables(); have != nil {
		keys := map[string]bool{}
		for key, text := range have {
			if is, ok := now.Variables()[key]; !ok || !equalJSON(text, is) {
				keys[key] = true
			}
		}
		for key := range now.Variables() {
			if _, ok := have[key]; !ok {
				keys[key] = true
			}
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			names = append(names, "variable "+PathName(key))
		}
	}
	return names
}

// checkNames searches for objects that have taken a name that the plan needs.
func (f *fit) checkNames(ctx context.Context) error {
	byPlace := map[needKey]map[string]*treeStep{} // of existing kinds and scopes
	for _, steps := range f.made {
		for _, st := range steps {
			scope, id := scopeKey(st.Kind), any(nil)
			if scope != "" {
				if id = st.After[scope]; id == nil {
					id = st.Before[scope]
				}
				if _, new := id.(*treeStep); new {
					continue
				}
			}
			key := needKey{Space(st.Kind), id}
			if byPlace[key] == nil {
				byPlace[key] = map[string]*treeStep{}
			}
			byPlace[key][st.After.Text(st.Kind.Title)] = st
		}
	}
	for key, names := range byPlace {
		filter := Filters{}
		if scope := scopeKey(key.space); scope != "" {
			filter[scope] = key.id
		}
		taken := func(o Object) bool {
			st := names[o.Text(key.space.Title)]
			return st != nil && (key.space != schema.Cloud || f.isOwn(o)) && (scopeKey(key.space) == "" || o[scopeKey(key.space)] == key.id) && o[KeyID] != st.id
		}
		for _, k := range append([]*schema.Kind{key.space}, sharingNames(key.space)...) {
			found, err := f.listAll(ctx, k, filter, taken)
			if err != nil {
				return err
			}
			for _, o := range found {
				f.add(names[o.Text(k.Title)], Staleness{What: fmt.Sprintf("the name of the %s was taken by the %s", names[o.Text(k.Title)].called(), Called(k, o))})
			}
		}
	}
	return nil
}

// checkContents searches for new objects in those to be deleted that the plan does not delete.
func (f *fit) checkContents(ctx context.Context) error {
	for _, st := range f.gone {
		for _, k := range st.Kind.Contents() {
			if k == schema.NetworkInterface { // deleted with their devices
				continue
			}
			key := st.Kind.ContentKey()
			found, err := f.listAll(ctx, k, Filters{key: st.id}, func(o Object) bool {
				other := f.steps[needKey{Space(k), o[KeyID]}]
				return o[key] == st.id && (other == nil || !other.Remove && other.Move == nil)
			})
			if err != nil {
				return readError(err)
			}
			for _, o := range found {
				f.add(st, Staleness{What: fmt.Sprintf("the %s is in the %s, and would be deleted with it", Called(k, o), st.called())})
			}
		}
	}
	return nil
}

// changedFields names the fields in a change of the log: " (note, variable ntp)".
func changedFields(c *craton.Change) string {
	if c.Action != "update" {
		return ""
	}
	keys := map[string]bool{}
	names := rawKeys(c.After.Raw)
	for _, name := range append(names, rawKeys(c.Before.Raw)...) {
		if name != KeyVariables && name != "hashed" && name != KeyUpdated {
			keys[name] = true
		}
	}
	for _, side := range []craton.Side{c.Before, c.After} {
		for key := range side.Variables {
			keys["variable "+PathName(key)] = true
		}
		for key := range side.Hashed {
			keys["variable "+PathName(key)] = true
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return " (" + advice.Enumerate(slices.Sorted(maps.Keys(keys)), maxDiffering) + ")"
}

// maxDiffering is the maximum number of differences of an object that are named.
const maxDiffering = 5

// rawKeys returns the members of one side of a change.
func rawKeys(side json.RawMessage) []string {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(side, &members) // null has none
	return slices.Collect(maps.Keys(members))
}

func rawHas(side json.RawMessage, key string) bool { return slices.Contains(rawKeys(side), key) }

// guard returns a context for a write of a saved plan to an object: it checks that the object is as it was, apart from
// changes by the plan itself, and makes the server refuse the write if it changes before.
func (w *writer) guard(ctx context.Context, st *treeStep, done *Done) (context.Context, error) {
	if !w.plan.Saved() {
		return ctx, nil
	}
	c := w.collection(st.Kind)
	raw, tag, err := c.GetTagged(ctx, st.Before.ID())
	if err != nil {
		return ctx, err
	}
	now, err := object(st.Kind, raw, http.MethodGet, c.Path()+"/"+st.Before.ID())
	if err != nil {
		return ctx, err
	}
	f := &fit{Fleet: w.Fleet}
	if now, err = f.known(ctx, st, now); err != nil {
		return ctx, err
	}
	if differing := differences(st.Kind, done.Object, now); differing != nil {
		return ctx, fmt.Errorf("was changed in the meantime (%s)", strings.Join(differing, ", "))
	}
	return craton.ContextIfUnchanged(ctx, tag), nil
}
