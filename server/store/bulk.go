package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/where"
)

// BulkParams describes a bulk edit of all objects that match Where.
type BulkParams struct {
	Where *where.Where

	Set     []Variable // variables to set
	Unset   []string   // variables to delete
	Update  Values     // columns to change
	Add     []string   // labels to add to devices
	Remove  []string   // labels to remove from devices
	Labels  []string   // with Exact: all labels that the devices have afterwards
	Exact   bool       // replace all labels with Labels
	Move    *Place     // where to move the objects
	Protect *bool      // protect or unprotect the objects
	Delete  bool       // delete the objects; the fields above do not apply

	Check    bool   // change nothing, only report
	Expected string // the expected [BulkResult.Matched], [BulkResult.Preview] or number of objects; "" for no expectation
}

// BulkResult describes what a bulk edit did, or would do.
type BulkResult struct {
	Count    int            // number of matching objects
	Matched  string         // identifies the set of matching objects
	Preview  string         // identifies the matching objects and their changes
	Changed  int            // number of objects that change; the other matching ones are already as requested
	Steps    []BulkStep     // the first objects that change, up to maxBulkSteps
	Effects  []Effect       // the changes, the most frequent first
	More     int            // number of effects and changes that are not listed
	Deletes  map[string]int // number of contents that are deleted too, by kind
	Affected []Affected     // effects on resolved variables; only with [BulkParams.Check]
	At       Cursor         // cursor of the write; zero if nothing was changed
}

// BulkStep identifies an object that changes.
type BulkStep struct{ Object, Path string }

// Effect is a change that several objects have in common.
type Effect struct {
	What          string // variable, field or label
	Name          string
	Before, After string // JSON, or the beginning of a long value; "" for none. A label's value is true
	Count         int
}

// Limits of a bulk edit and of its result.
const (
	maxBulk           = 50_000
	maxBulkSteps      = 100
	maxBulkEffects    = 100
	maxCountedEffects = 1000
	maxShownValue     = 2000 // bytes of a value
)

// Bulk changes all objects of e that match b.Where, in one transaction with one revision. Each object is changed like
// by an individual write, which can be refused for the same reasons; then no object is changed.
//
// It fails with [PreconditionFailed] if the matching objects, or their changes, are not as b.Expected describes.
func (s *Store) Bulk(ctx context.Context, e *Entity, sc Scope, b BulkParams) (*BulkResult, error) {
	var w *bulkRun
	err := s.writeLong(ctx, func(ctx context.Context, q *session) error {
		w = &bulkRun{session: q, e: e, sc: sc, BulkParams: b, done: &BulkResult{}, effects: map[effectKey]int{}, doing: sha256.New()}
		q.checked = map[referentKey]*scanner{}
		if err := w.run(ctx); err != nil {
			return err
		}
		if err := w.checkExpected(); err != nil {
			return err
		}
		if b.Check {
			return errCheckOnly
		}
		if len(q.log.held) == 0 && q.log.change == "" {
			return nil
		}
		if err := q.flush(ctx); err != nil {
			return err
		}
		w.done.At = Cursor{Revision: q.log.revision, Change: q.log.change}
		return nil
	})
	if errors.Is(err, errCheckOnly) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	w.summarize()
	return w.done, nil
}

// bulkRun is a bulk edit in progress.
type bulkRun struct {
	*session
	e  *Entity
	sc Scope
	BulkParams
	done     *BulkResult
	effects  map[effectKey]int
	doing    hash.Hash        // hash of all changes
	affected *affectedCounter // nil if not requested
}

type effectKey struct {
	what, name, before, after string
}

func (w *bulkRun) run(ctx context.Context) error {
	rows, err := w.lock(ctx)
	if err != nil {
		return err
	}
	w.done.Count, w.done.Matched = len(rows), matchedOf(w.e, rows)
	if w.Expected != "" && !strings.HasPrefix(w.Expected, previewMark) && w.Expected != w.done.Matched && w.Expected != fmt.Sprint(len(rows)) {
		return refuse(PreconditionFailed, "Other objects match than in the preview: %d %ss now. Check again.", len(rows), w.e.Name)
	}
	if w.Delete {
		return w.delete(ctx, rows)
	}
	if w.Check {
		if w.affected, err = w.newAffectedCounter(ctx, rows); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(rows, pieceRows) {
		if err := w.change(ctx, some); err != nil {
			return err
		}
	}
	if w.affected != nil {
		w.done.Affected, err = w.affected.find(ctx)
	}
	return err
}

// previewMark is the prefix of [BulkResult.Preview].
const previewMark = "preview-"

// checkExpected refuses an edit whose changes differ from the preview that the caller has seen.
func (w *bulkRun) checkExpected() error {
	fmt.Fprintf(w.doing, "%s %v", w.done.Matched, w.done.Deletes) // fmt prints maps in the order of their keys
	w.done.Preview = previewMark + hex.EncodeToString(w.doing.Sum(nil)[:16])
	if strings.HasPrefix(w.Expected, previewMark) && w.Expected != w.done.Preview {
		return refuse(PreconditionFailed, "The %ss, or their values, have changed since the preview. Check again.", w.e.Name)
	}
	return nil
}

// lock finds the matching rows and locks them. A concurrent write may change which rows match before they are locked,
// so lock repeats the search until it finds the same rows again.
func (w *bulkRun) lock(ctx context.Context) ([]Row, error) {
	const tries = 5
	for range tries {
		rows, err := w.matching(ctx)
		hold := w.lockClause(changing)
		if w.Delete || w.Move != nil {
			hold = w.lockClause(removing)
		}
		if err != nil || hold == "" {
			return rows, err
		}
		for some := range slices.Chunk(rows, 512) {
			ids := make([]any, len(some))
			for i, row := range some {
				ids[i] = row[w.e.Index(w.e.key)]
			}
			list, args := in(nil, ids)
			text := "SELECT count(*) FROM (SELECT 1 FROM " + w.e.Table + " t WHERE t." + w.e.key + " IN " + list + " ORDER BY t.created_at, t." + w.e.key + hold + ") held"
			if err := w.queueExec(ctx, text, args); err != nil {
				return nil, err
			}
		}
		again, err := w.matching(ctx)
		if err != nil {
			return nil, err
		}
		if matchedOf(w.e, again) == matchedOf(w.e, rows) {
			return again, nil
		}
	}
	return nil, refuse(Conflict, "The matching objects keep changing. Try again.")
}

func (w *bulkRun) matching(ctx context.Context) (rows []Row, err error) {
	v := &View{q: w.session, budget: lightViewBytes}
	err = v.Walk(ctx, w.e, w.sc, List{Where: w.Where, Sort: []string{"created_at", "id"}, Limit: 1000}, func(p *Page) error {
		if rows = append(rows, p.Rows...); len(rows) > maxBulk {
			return refuse(Invalid, "More than %d %ss match, which is the most that one edit can change. Add terms, such as region=NAME.", maxBulk, w.e.Name)
		}
		return nil
	})
	return rows, err
}

// matchedOf returns a text that identifies a set of rows.
func matchedOf(e *Entity, rows []Row) string {
	h := sha256.New()
	for _, row := range rows {
		h.Write([]byte(idText(row[e.Index(e.key)]) + "\n"))
	}
	return fmt.Sprintf("%d-%s", len(rows), hex.EncodeToString(h.Sum(nil)[:8]))
}

// change edits some rows.
func (w *bulkRun) change(ctx context.Context, rows []Row) error {
	e := w.e
	ids := make([]any, len(rows))
	for i, row := range rows {
		ids[i] = row[e.Index(e.key)]
	}
	var own map[any]hierarchy.Variables
	if len(w.Set)+len(w.Unset) > 0 {
		room := memoryBudget(fullViewBytes)
		var err error
		own, err = w.ownVariables(ctx, e, ids, &room)
		if errors.Is(err, errMemory) && len(rows) > 1 {
			half := len(rows) / 2
			return cmp.Or(w.change(ctx, rows[:half]), w.change(ctx, rows[half:]))
		}
		if errors.Is(err, errMemory) {
			all, allErr := w.ownOf(ctx, e, rows[0])
			own, err = map[any]hierarchy.Variables{ids[0]: all}, allErr
		}
		if err != nil {
			return err
		}
	}
	labels := make([][]string, len(rows))
	if e.IsDevice() && (w.Exact || len(w.Add)+len(w.Remove) > 0) {
		var err error
		if labels, err = w.labels(ctx, e, rows); err != nil {
			return err
		}
	}
	for i, row := range rows {
		changed, err := w.changeOne(ctx, row, own[ids[i]], labels[i])
		if err != nil {
			return err
		}
		if changed {
			if err := w.step(ctx, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// changeOne edits one row.
func (w *bulkRun) changeOne(ctx context.Context, row Row, own hierarchy.Variables, labels []string) (changed bool, err error) {
	e := w.e
	differs := func(now Row, asked func(column string) bool) {
		for i, c := range e.Columns {
			if asked(c.Name) && row[i] != now[i] {
				w.effect("field", c.Name, textOf(row[i]), textOf(now[i]))
				changed = true
			}
		}
		row = now
	}
	if w.Move != nil {
		now, err := w.move(ctx, e, row, *w.Move)
		if err != nil {
			return false, err
		}
		differs(now, func(column string) bool { return column == "cloud_id" || column == "region_id" || column == "cell_id" })
	}
	if len(w.Update) > 0 {
		now, err := w.update(ctx, e, row, w.Update)
		if err != nil {
			return false, err
		}
		differs(now, func(column string) bool { _, asked := w.Update[column]; return asked })
	}
	if w.Protect != nil && row.protected(e) != *w.Protect {
		if err := w.protect(ctx, e, row, *w.Protect); err != nil {
			return false, err
		}
		w.effect("field", protected, fmt.Sprint(!*w.Protect), fmt.Sprint(*w.Protect))
		changed = true
	}
	set, err := w.putVariables(ctx, e, row, own, w.Set)
	if err != nil {
		return false, err
	}
	for _, v := range set {
		before, _ := own.Find(v.Name)
		w.effect("variable", v.Name, before, v.Value)
		w.affected.note(row, v.Name)
		changed = true
	}
	gone, err := w.removeVariables(ctx, e, row, own, w.Unset)
	if err != nil {
		return false, err
	}
	for _, v := range gone {
		w.effect("variable", v.Name, v.Value, "")
		w.affected.note(row, v.Name)
		changed = true
	}
	if !e.IsDevice() {
		return changed, nil
	}
	add, remove := w.Add, w.Remove
	if w.Exact {
		add, remove = w.Labels, slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return slices.Contains(w.Labels, l) })
	}
	if len(add)+len(remove) == 0 {
		return changed, nil
	}
	after, err := w.changeLabels(ctx, e, row, labels, add, remove)
	if err != nil {
		return false, err
	}
	for _, l := range after {
		if !slices.Contains(labels, l) {
			w.effect("label", l, "", "true")
			changed = true
		}
	}
	for _, l := range labels {
		if !slices.Contains(after, l) {
			w.effect("label", l, "true", "")
			changed = true
		}
	}
	return changed, nil
}

// textOf returns a column's value as JSON.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return string(jsontext.AppendString(nil, v))
	}
	return fmt.Sprint(v)
}

// effect counts a change.
func (w *bulkRun) effect(what, name, before, after string) {
	fmt.Fprintln(w.doing, what, len(name), len(before), len(after), name+before+after)
	k := effectKey{what, name, brief(before), brief(after)}
	if _, known := w.effects[k]; !known && len(w.effects) == maxCountedEffects { // too many different values
		w.done.More++
		return
	}
	w.effects[k]++
}

// brief truncates a long value.
func brief(value string) string {
	if len(value) <= maxShownValue {
		return value
	}
	return string(jsontext.AppendString(nil, strings.ToValidUTF8(value[:200], "")+"..."))
}

// step adds a row that changes to the result.
func (w *bulkRun) step(ctx context.Context, row Row) error {
	w.done.Changed++
	fmt.Fprintf(w.doing, "%s\n", idText(row[w.e.Index(w.e.key)]))
	if len(w.done.Steps) >= maxBulkSteps {
		return nil
	}
	n, err := w.named(ctx, w.e, row)
	if err == nil {
		err = w.resolve(ctx, &n)
	}
	w.done.Steps = append(w.done.Steps, BulkStep{idText(row[w.e.Index(w.e.key)]), n.path})
	return err
}

// summarize sorts the effects, and limits their number.
func (w *bulkRun) summarize() {
	for k, n := range w.effects {
		w.done.Effects = append(w.done.Effects, Effect{k.what, k.name, k.before, k.after, n})
	}
	slices.SortFunc(w.done.Effects, func(a, b Effect) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.What, b.What), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Before, b.Before), cmp.Compare(a.After, b.After))
	})
	if n := len(w.done.Effects); n > maxBulkEffects {
		w.done.More += n - maxBulkEffects
		w.done.Effects = w.done.Effects[:maxBulkEffects]
	}
}

// delete deletes the rows, children before their parents.
func (w *bulkRun) delete(ctx context.Context, rows []Row) error {
	for _, row := range childrenFirst(w.e, rows) {
		if err := w.step(ctx, row); err != nil {
			return err
		}
		if err := w.session.delete(ctx, w.e, w.sc, row); err != nil {
			return err
		}
	}
	kind := w.e.of.Name
	w.done.Deletes = map[string]int{}
	for k, n := range w.log.deleted {
		if k != kind {
			w.done.Deletes[k] = n
		}
	}
	return nil
}

// childrenFirst sorts devices so that each of them is before its parent.
func childrenFirst(e *Entity, rows []Row) []Row {
	parent := e.Index("parent_id")
	if parent < 0 {
		return rows
	}
	key := e.Index(e.key)
	above := make(map[any]any, len(rows))
	for _, row := range rows {
		above[row[key]] = row[parent]
	}
	depth := make(map[any]int, len(rows))
	for _, row := range rows {
		n := 0
		for id := row[parent]; id != nil && n <= len(rows); n++ {
			up, among := above[id]
			if !among {
				break
			}
			id = up
		}
		depth[row[key]] = n
	}
	return slices.SortedStableFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(depth[b[key]], depth[a[key]]) })
}
