package object

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/where"
)

// bulkOptions returns the options with which a command changes all objects that match terms.
func (r *Resource) bulkOptions() []argparse.Option {
	return []argparse.Option{
		r.whereOption("instead of one object: all that match these terms"),
		{Long: "yes", Kind: argparse.SwitchOption, Help: "with --where: do not ask for confirmation"},
		{Long: "dry-run", Kind: argparse.SwitchOption, Help: "with --where: show what would be done without doing it"},
	}
}

// bulkVerb returns a command for many objects, given the one for a single object.
func (r *Resource) bulkVerb(c *Command, edit func(s *Session, ctx context.Context, c *argparse.Call) (craton.BulkEdit, error)) *Command {
	if !r.chosen() || r.kind.View {
		return c
	}
	for _, o := range r.bulkOptions() {
		if !slices.ContainsFunc(c.Options, func(has argparse.Option) bool { return has.Long == o.Long }) {
			c.Options = append(slices.Clone(c.Options), o)
		}
	}
	one := c.run
	c.Many = WhereOption.Long
	c.run = func(ctx context.Context, s *Session, call *argparse.Call) error {
		if !call.Given(WhereOption.Long) {
			for _, o := range []string{"yes", "dry-run"} {
				if call.Given(o) && c.Name != r.Name+"-delete" {
					return argparse.Misused("%s", "argument --"+o+": only allowed with argument --where")
				}
			}
			return one(ctx, s, call)
		}
		terms, err := r.terms(call)
		if err != nil {
			return err
		}
		e, err := edit(s, ctx, call)
		if err != nil {
			return err
		}
		e.Kind, e.Where = craton.Kind(r.Name), terms.String()
		return s.bulk(ctx, &bulk{resource: r, terms: terms, edit: e}, call.Given("yes"), call.Given("dry-run"))
	}
	return c
}

// bulk is an edit of many objects.
type bulk struct {
	resource *Resource
	terms    *where.Where
	edit     craton.BulkEdit
	objects  []*snapshot.Object    // if the server does not support bulk edits
	hashes   func(key string) bool // reports the variables whose values are not shown
	paths    map[pointer]string    // the objects to which the ids in effects refer
}

// pointer is an id under the key of a field.
type pointer struct{ key, id string }

// maxPaths is the maximum number of ids for which an overview shows names.
const maxPaths = 32

// replaceIDs finds the names of the ids that an overview shows. Others keep their id.
func (s *Session) replaceIDs(ctx context.Context, b *bulk, d *craton.BulkResult) {
	fl, err := s.fleet(ctx)
	if err != nil {
		return
	}
	b.paths = map[pointer]string{}
	for _, e := range d.Effects[:min(shownEffects, len(d.Effects))] {
		f := b.resource.reference(&e)
		if f == nil {
			continue
		}
		for _, raw := range []json.RawMessage{e.Before, e.After} {
			at := pointer{f.Key, textOf(raw)}
			if _, known := b.paths[at]; at.id != "" && !known && len(b.paths) < maxPaths {
				b.paths[at] = fl.PathOf(ctx, f, at.id)
			}
		}
	}
}

// reference returns the field of an effect if it is a reference; nil otherwise.
func (r *Resource) reference(e *craton.BulkEffect) *schema.Field {
	if f := r.kind.Field(e.Name); e.What == "field" && f != nil && f.Type == schema.Reference {
		return f
	}
	return nil
}

// Messages about an interrupted edit.
const (
	interruptedBefore = "nothing was changed"
	interruptedWrite  = "the edit was made completely or not at all, but no response arrived: `craton history --limit 1` shows which; run the same command again to continue"
)

// bulk shows what an edit does, asks for confirmation, and executes it.
func (s *Session) bulk(ctx context.Context, b *bulk, yes, dry bool) error {
	known, shown, err := s.predict(ctx, b, !yes || dry)
	if err != nil {
		return err
	}
	if shown != nil {
		text := s.Format == show.FormatTable
		switch {
		case dry && !text:
			return s.printBulk(shown)
		case dry:
			return s.print(b.overview(show.AppearanceOf(s.Out), shown, "would "))
		case shown.Changed == 0:
			return s.done(b, shown)
		case !yes:
			if err := s.askBulk(b, shown); err != nil {
				return err
			}
		}
		b.edit.Check, b.edit.Expect = false, cmp.Or(shown.Preview, shown.Matched)
	}
	ctx, stop := run.Interruptible(ctx)
	defer stop()
	writing, end := reconcile.ContextForWrites(ctx)
	defer end()
	if !known {
		if err := s.eachOfMany(ctx, writing, b); err != nil {
			return err
		}
		return s.done(b, shown)
	}
	done, err := s.edited(writing, b, known)
	if err != nil && ctx.Err() != nil && craton.StatusOf(err) == 0 {
		return run.Interrupted(ctx, interruptedWrite)
	}
	if craton.IsConflict(err) && b.edit.Expect != "" {
		return run.NewWordedError("", "Nothing was changed.", run.AsOriginal(err).Error(), err)
	}
	if err != nil {
		return err
	}
	return errors.Join(s.done(b, done), run.Interrupted(ctx, "the interrupt came too late: the edit was made"))
}

// predict returns what an edit would do, if that is requested, or if the server does not support bulk edits: known
// reports whether it does.
func (s *Session) predict(ctx context.Context, b *bulk, asked bool) (known bool, shown *craton.BulkResult, err error) {
	ctx, stop := run.Interruptible(ctx)
	defer stop() // before the confirmation, which may take long
	defer func() {
		if i := run.Interrupted(ctx, interruptedBefore); i != nil {
			err = i
		}
	}()
	can, err := s.Client.Capabilities(ctx)
	if err != nil {
		return false, nil, err
	}
	known = can.Has(reconcile.FeatureBulk)
	b.hashes = can.Hashes
	if !known {
		if b.objects, err = s.Matching(ctx, b.terms); err != nil {
			return known, nil, err
		}
	}
	if known && !asked {
		return known, nil, nil
	}
	b.edit.Check = true
	if shown, err = s.edited(ctx, b, known); err == nil && s.Format == show.FormatTable {
		s.replaceIDs(ctx, b, shown)
	}
	return known, shown, err
}

// edited sends an edit, or a preview of it, and returns the server's result.
func (s *Session) edited(ctx context.Context, b *bulk, known bool) (*craton.BulkResult, error) {
	if !known {
		return b.predict(), nil
	}
	d, err := s.Client.Bulk(ctx, b.edit)
	if err == nil {
		b.conceal(d)
	}
	return d, err
}

// conceal hides secrets: their values were not requested.
func (b *bulk) conceal(d *craton.BulkResult) {
	for i := range d.Effects {
		e := &d.Effects[i]
		for _, side := range []*json.RawMessage{&e.Before, &e.After} {
			if e.What == "variable" && *side != nil && b.hashes(e.Name) {
				*side = json.RawMessage(Concealed)
			}
		}
	}
}

// Concealed replaces a value that is not shown, as JSON.
const Concealed = `"********"`

// askBulk shows what would be done, and asks for confirmation. If nobody can answer, nothing is done.
func (s *Session) askBulk(b *bulk, shown *craton.BulkResult) error {
	what := b.count(shown.Changed)
	if with := b.with(shown); with != "" {
		what += " with " + with
	}
	if output.IsTerminal(s.In) && output.IsTerminal(s.Err) {
		if _, err := fmt.Fprint(s.Err, b.overview(show.AppearanceOf(s.Err), shown, "would ")); err != nil {
			return err
		}
		return run.Confirm(s.Streams, "", b.question(), "", "nothing was changed")
	}
	return run.Confirm(s.Streams, fmt.Sprintf("%s would %s.", what, b.verb()), b.question(), "Nothing was changed: confirm with --yes; --dry-run shows the changes", "nothing was changed")
}

func (b *bulk) question() string {
	if b.edit.Delete {
		return "Delete them?"
	}
	return "Change them?"
}

func (b *bulk) verb() string {
	if b.edit.Delete {
		return "be deleted"
	}
	return "change"
}

// count returns the number of objects of the resource, in words.
func (b *bulk) count(n int) string { return Amount{Kind: b.resource, N: n}.String() }

// done says what was done.
func (s *Session) done(b *bulk, done *craton.BulkResult) error {
	if s.Format != show.FormatTable {
		return s.printBulk(done)
	}
	switch {
	case done.Count == 0:
		return s.print(fmt.Sprintf("No %s matches %s.\n", b.resource.Noun(), show.Clean(b.terms.String())))
	case done.Changed == 0:
		return s.print(fmt.Sprintf("Nothing to do: %s already as requested.\n", map[bool]string{true: "the matching object is", false: fmt.Sprintf("all %d matching objects are", done.Count)}[done.Count == 1]))
	}
	verb := "Changed"
	if b.edit.Delete {
		verb = "Deleted"
	}
	line := verb + " " + b.count(done.Changed)
	if with := b.with(done); with != "" {
		line += " with " + with
	}
	if left := done.Count - done.Changed; left > 0 {
		line += fmt.Sprintf("; %d more %s already as requested", left, map[bool]string{true: "was", false: "were"}[left == 1])
	}
	if number, _, _ := strings.Cut(done.Revision, "-"); number != "" {
		line += ", as revision " + number + ": `craton undo " + number + "` reverts it"
	}
	return s.print(line + ".\n")
}

func (s *Session) print(text string) error {
	_, err := fmt.Fprint(s.Out, text)
	return err
}

// printBulk writes the result for programs.
func (s *Session) printBulk(done *craton.BulkResult) error {
	if s.Format != show.FormatCSV {
		return show.WriteDocument(s.Out, s.Format, done)
	}
	rows := [][]string{{"what", "name", "before", "after", "count"}}
	for _, e := range done.Effects {
		rows = append(rows, []string{e.What, e.Name, string(e.Before), string(e.After), strconv.Itoa(e.Count)})
	}
	return show.WriteCSV(s.Out, rows)
}

// with describes what else a delete removes, in words.
func (b *bulk) with(done *craton.BulkResult) string {
	var parts []string
	for _, k := range b.resource.holds {
		if n := done.With[k.Name]; n > 0 {
			parts = append(parts, Amount{Kind: k, N: n}.String())
		}
	}
	return listOf(parts, "and")
}

// Limits of the overview of an edit.
const (
	shownNames   = 5
	shownEffects = 20
)

// overview describes an edit.
func (b *bulk) overview(look show.Appearance, d *craton.BulkResult, mood string) string {
	if d.Count == 0 {
		return fmt.Sprintf("No %s matches %s.\n", b.resource.Noun(), show.Clean(b.terms.String()))
	}
	var text strings.Builder
	head := b.count(d.Count)
	match := map[bool]string{true: " matches ", false: " match "}[d.Count == 1]
	text.WriteString(look.Bold(head) + match + show.Clean(b.terms.String()))
	if left := d.Count - d.Changed; left > 0 {
		fmt.Fprintf(&text, ", and %d %s already as requested", left, map[bool]string{true: "is", false: "are"}[left == 1])
	}
	text.WriteString(".\n")
	if d.Changed == 0 {
		return text.String()
	}
	var names []string
	for _, o := range d.Objects[:min(shownNames, len(d.Objects))] {
		names = append(names, show.Path(o.Path))
	}
	list := strings.Join(names, ", ")
	if more := d.Changed - len(names); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	if b.edit.Delete {
		line := "  - " + list
		if with := b.with(d); with != "" {
			line += "; with " + with
		}
		text.WriteString(look.Red(line) + "\n")
		return text.String()
	}
	fmt.Fprintf(&text, "%s %s%s:\n", capitalised(b.count(d.Changed)), mood+"change: ", list)
	rows := b.effectRows(d.Effects[:min(shownEffects, len(d.Effects))])
	wide := [2]int{}
	for _, row := range rows {
		for i := range wide {
			wide[i] = max(wide[i], table.Width(row[i]))
		}
	}
	for _, row := range rows {
		what := row[1]
		if room := look.Width - wide[0] - 20; look.Width > 0 && wide[1] > room {
			what = table.Shorten(what, max(room, minEffectWidth))
			wide[1] = min(wide[1], max(room, minEffectWidth))
		}
		fmt.Fprintf(&text, "  %s %s  %s  %s\n", row[3], look.Bold(table.Pad(row[0], wide[0])), table.Pad(what, wide[1]), look.Dim(row[2]))
	}
	if more := len(d.Effects) - len(rows) + d.More; more > 0 {
		fmt.Fprintf(&text, "  and %d more\n", more)
	}
	of := "of the " + b.resource.Noun()
	if d.Changed > 1 {
		of = "of these " + strings.TrimPrefix(b.count(d.Changed), strconv.Itoa(d.Changed)+" ")
	}
	for _, a := range d.Affected {
		if b.resource.kind.Labels == schema.Unlabelled { // the edited object itself has it
			text.WriteString(show.Inherited(a.Name, of, a.Hosts, a.NetworkDevices, a.Shadowed) + "\n")
		}
	}
	return text.String()
}

func capitalised(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// minEffectWidth is the minimum width of a change, however narrow the terminal is.
const minEffectWidth = 20

// effectRows returns changes as rows: of what, from what to what, on how many objects, and a sign.
func (b *bulk) effectRows(effects []craton.BulkEffect) (rows [][4]string) {
	const short = 60
	for _, e := range effects {
		name, sign := show.Name(e.Name), "~"
		if e.What == "label" {
			name = "label " + name
		}
		side := func(raw json.RawMessage) string { return table.Shorten(show.Clean(string(raw)), short) }
		if f := b.resource.reference(&e); f != nil {
			name = f.Option()
			side = func(raw json.RawMessage) string {
				if path := b.paths[pointer{f.Key, textOf(raw)}]; path != "" {
					return table.Shorten(show.Path(path), short)
				}
				return cmp.Or(show.Clean(textOf(raw)), "none")
			}
		}
		what := side(e.Before) + " -> " + side(e.After)
		switch {
		case e.Before == nil && e.What == "label":
			sign, what = "+", ""
		case e.After == nil && e.What == "label":
			sign, what = "-", ""
		case e.Before == nil:
			sign, what = "+", side(e.After)
		case e.After == nil:
			sign, what = "-", side(e.Before)
		}
		rows = append(rows, [4]string{name, what, "on " + strconv.Itoa(e.Count), sign})
	}
	return rows
}

// predict returns what an edit does, for a server without bulk edits.
func (b *bulk) predict() *craton.BulkResult {
	d := &craton.BulkResult{Count: len(b.objects)}
	effects := map[string]*craton.BulkEffect{}
	for _, o := range b.objects {
		all := b.effectsOn(o)
		if len(all) == 0 && !b.edit.Delete {
			continue
		}
		d.Changed++
		id, _ := strconv.Atoi(o.ID)
		d.Objects = append(d.Objects, craton.BulkObject{ID: id, Path: o.Place()})
		for _, e := range all {
			key := string(jsonOf([]any{e.What, e.Name, e.Before, e.After}))
			if effects[key] == nil {
				effects[key] = &e
			}
			effects[key].Count++
		}
	}
	for _, e := range effects {
		d.Effects = append(d.Effects, *e)
	}
	slices.SortFunc(d.Effects, func(a, b craton.BulkEffect) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(string(jsonOf(a)), string(jsonOf(b)))
	})
	return d
}

// effectsOn returns the changes of one object.
func (b *bulk) effectsOn(o *snapshot.Object) (all []craton.BulkEffect) {
	add := func(what, name string, before, after json.RawMessage) {
		all = append(all, craton.BulkEffect{What: what, Name: name, Before: before, After: after})
	}
	for _, v := range hierarchy.Of(b.edit.Variables) {
		before, has := o.Own().Find(v.Name)
		switch {
		case !has:
			add("variable", v.Name, nil, json.RawMessage(v.Value))
		case !value.EqualJSON([]byte(before), []byte(v.Value)):
			add("variable", v.Name, json.RawMessage(before), json.RawMessage(v.Value))
		}
	}
	for _, key := range b.edit.RemoveVariables {
		if before, has := o.Own().Find(key); has {
			add("variable", key, json.RawMessage(before), nil)
		}
	}
	for key, v := range b.edit.Update {
		if after := jsonOf(v); o.Field(key) != textOf(after) {
			add("field", key, jsonOf(o.Field(key)), after)
		}
	}
	now := b.labelsOf(o.Labels())
	yes := json.RawMessage("true")
	for _, l := range now {
		if !slices.Contains(o.Labels(), l) {
			add("label", l, nil, yes)
		}
	}
	for _, l := range o.Labels() {
		if !slices.Contains(now, l) {
			add("label", l, yes, nil)
		}
	}
	return all
}

// textOf returns JSON in the form of snapshots.
func textOf(raw []byte) string {
	if v := gjson.ParseBytes(raw); v.Type == gjson.String {
		return v.Str
	} else if v.Type != gjson.Null {
		return v.Raw
	}
	return ""
}

// labelsOf returns a device's labels after the edit.
func (b *bulk) labelsOf(labels []string) []string {
	if b.edit.Labels != nil {
		return *b.edit.Labels
	}
	now := slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return slices.Contains(b.edit.RemoveLabels, l) })
	for _, l := range b.edit.AddLabels {
		if !slices.Contains(now, l) {
			now = append(now, l)
		}
	}
	return now
}

// eachOfMany edits one object after the other, and says how far it got. writing outlasts an interruption of ctx.
func (s *Session) eachOfMany(ctx, writing context.Context, b *bulk) error {
	progress := output.NewProgress(s.Err)
	defer progress.Done()
	done := 0
	for _, o := range b.objects {
		if len(b.effectsOn(o)) == 0 && !b.edit.Delete {
			continue
		}
		past := map[bool]string{true: "deleted", false: "changed"}[b.edit.Delete]
		if ctx.Err() != nil {
			return run.Interrupted(ctx, fmt.Sprintf("%d of %s were %s; run the same command again to continue", done, b.count(len(b.objects)), past))
		}
		if err := s.editOne(writing, b, o); err != nil {
			return run.NewWordedError("", fmt.Sprintf("%s %s was not %s, after %d of %d that were: the server cannot make the edit in one write. Run the same command again to continue.",
				b.resource.Capital(), o.Place(), past, done, len(b.objects)), run.AsOriginal(err).Error(), err)
		}
		done++
		progress.Show(done, len(b.objects), b.resource.Noun()+"s")
	}
	return nil
}

// editOne edits one object with the requests of the single commands.
func (s *Session) editOne(ctx context.Context, b *bulk, o *snapshot.Object) error {
	r, of := b.resource, s.collection(b.resource)
	if b.edit.Delete {
		err := of.Delete(ctx, o.ID)
		if craton.IsNotFound(err) {
			err = nil
		}
		return err
	}
	var errs []error
	step := func(is bool, do func() error) {
		if is && errors.Join(errs...) == nil {
			errs = append(errs, do())
		}
	}
	path := r.at(o.ID) + "/variables"
	step(len(b.edit.Update) > 0, func() error {
		_, err := s.put(ctx, r, o.ID, b.edit.Update)
		return err
	})
	step(len(b.edit.RemoveVariables) > 0, func() error {
		_, err := s.Client.Do(ctx, http.MethodDelete, path, nil, b.edit.RemoveVariables)
		return err
	})
	step(len(b.edit.Variables) > 0, func() error {
		_, err := s.Client.Do(ctx, http.MethodPut, path, nil, b.edit.Variables)
		return err
	})
	step(b.edit.Labels != nil, func() error {
		_, err := of.SetLabels(ctx, o.ID, *b.edit.Labels...)
		return err
	})
	step(len(b.edit.RemoveLabels) > 0, func() error { return of.RemoveLabels(ctx, o.ID, b.edit.RemoveLabels...) })
	step(len(b.edit.AddLabels) > 0, func() error {
		_, err := of.AddLabels(ctx, o.ID, b.edit.AddLabels...)
		return err
	})
	return errors.Join(errs...)
}
