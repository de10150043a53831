package undo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/internal/when"
)

// options are those of the command.
type options struct{ yes, check, force, omitHashed bool }

// New returns the command `craton undo`.
func New(s output.Streams) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "undo REVISION|REQUEST",
		Short: "Reverse a write: restore what it deleted, revert what it changed",
		Long: `Reverse one write, or all writes of one request: created objects are deleted, deleted objects are restored with their
ids, labels, variables, parents and interfaces, and updates are reverted. Everything is undone in one transaction, or nothing
is. An undo is itself a write, and can be undone.

The command shows what it will do and asks for confirmation; without a terminal, --yes is required. If an affected object
was changed again since, the undo is refused; with --force, it reverts the later changes too. "craton history" shows
revisions, and with --format json also the ids of requests.

This requires a change log, which craton server and CRATON_URL=sqlite:PATH have.`,
		Example: `  craton undo 4711             show what it would do, and ask for confirmation
  craton undo 4711 --check     only show it
  craton undo 4711 --yes       for scripts
  craton undo req-0b5e1f2a-3c4d-4e5f-8a6b-7c8d9e0f1a2b`,
		Args: argparse.ExactArgs("REVISION|REQUEST"),
		RunE: run.OnFleet(s, connect.ReadOnly, func(ctx context.Context, s *run.Session, args []string) error {
			return undo(ctx, s, args[0], o)
		}),
	}
	run.AddFleetFlags(cmd)
	run.RefuseAt(cmd.Flags(), "undo makes changes, and the past cannot be changed")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask for confirmation")
	cmd.Flags().BoolVar(&o.check, "check", false, "show what would be done without doing it")
	cmd.Flags().BoolVar(&o.force, "force", false, "also revert later changes")
	cmd.Flags().BoolVar(&o.omitHashed, "omit-hashed", false, "leave values unchanged that the change log keeps only as a hash")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

func undo(ctx context.Context, s *run.Session, what string, o options) error {
	u := craton.UndoOptions{Check: true, Force: o.force, OmitHashed: o.omitHashed}
	if at, err := when.ParseAt(what, time.Now()); err == nil && at.Revision != "" {
		u.Revision = at.Revision
	} else {
		u.RequestID = what
	}
	plan, err := s.Client.Undo(ctx, u)
	if err != nil {
		return refused(err, what)
	}
	for i := range plan.Undone { // what was shown is done, even if the interrupted request continues
		u.Revision = plan.Undone[i].Revision
	}
	if len(plan.Undone) != 1 {
		u.Revision = ""
	}
	text := s.Format == show.FormatTable
	if text || !o.check {
		out := s.Err // for the confirmation
		if text && o.check {
			out = s.Out
		}
		if _, err := io.WriteString(out, overview(show.AppearanceOf(out), plan)); err != nil {
			return err
		}
	}
	hindered := len(plan.Conflicts) > 0 && !o.force
	if !text && (o.check || len(plan.Steps) == 0 && !hindered) {
		if err := printDocument(s, plan); err != nil {
			return err
		}
	}
	switch {
	case len(plan.Steps) == 0 && len(plan.Conflicts) > 0:
		return errors.New("the objects have been changed since, and nothing is left to undo")
	case hindered && o.check:
		return errors.New("the objects have been changed since, so nothing would be undone: --force reverts later changes too, where possible")
	case hindered:
		return errors.New("the objects have been changed since, so nothing was undone: --force reverts later changes too, where possible")
	case o.check || len(plan.Steps) == 0:
		return nil
	}
	if !o.yes {
		if err := run.Confirm(s.Streams, "", "Undo?", "Nothing was undone: confirm with --yes", "nothing was undone"); err != nil {
			return err
		}
	}
	u.Check = false
	if u.Revision != "" {
		u.RequestID = ""
	}
	done, err := s.Client.Undo(ctx, u)
	if err != nil {
		return refused(err, what)
	}
	if !text {
		return printDocument(s, done)
	}
	number, _, _ := strings.Cut(done.Revision, "-")
	_, err = fmt.Fprintf(s.Out, "Undone, as revision %s: %s.\n", number, sum(done.Counts, doneWords))
	return err
}

// refused returns the server's reason in the words of the command line.
func refused(err error, what string) error {
	if e, ok := errors.AsType[*craton.Error](err); ok && e.Status == http.StatusNotFound && !e.Foreign && e.Message == "Not Found" {
		return run.NewWordedError("", fmt.Sprintf("There is no revision %q. `craton history` shows them.", what), "", err)
	}
	if at, wrong := when.ParseAt(what, time.Now()); craton.IsNotFound(err) && (wrong != nil || at.Revision == "") {
		return run.NewWordedError("", fmt.Sprintf("%q is not a revision, such as 12, and the change log has no request with that id. `craton history` shows the revisions, and with --format json the requests.", what), "", err)
	}
	return run.PastError(err, http.StatusBadRequest, http.StatusNotFound)
}

// The words for the actions of an undo, before and after it.
var (
	planWords = map[string]string{"create": "to restore", "delete": "to delete", "update": "to revert", "move": "to move back"}
	doneWords = map[string]string{"create": "restored", "delete": "deleted", "update": "reverted", "move": "moved back"}
)

// sum counts objects by action.
func sum(counts map[string]int, words map[string]string) string {
	var parts []string
	for _, action := range []string{"create", "delete", "update", "move"} {
		n := counts[action]
		if n == 0 {
			continue
		}
		parts = append(parts, show.Count(n, "object", "objects")+" "+words[action])
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// shownSteps is the maximum number of objects that are listed.
const shownSteps = 40

// overview describes what an undo would do.
func overview(look show.Appearance, u *craton.UndoResult) string {
	var b strings.Builder
	for _, w := range u.Undone {
		number, _, _ := strings.Cut(w.Revision, "-")
		fmt.Fprintf(&b, "%s %s by %s", look.Bold("Undo of revision "+number), when.Format(w.Time.Local()), show.Clean(w.User))
		if w.Message != "" {
			fmt.Fprintf(&b, ": %s", show.Clean(w.Message))
		}
		b.WriteByte('\n')
	}
	wide := 0
	steps := u.Steps[:min(len(u.Steps), shownSteps)]
	name := func(s craton.UndoStep) string { return show.Object(schema.Noun(s.Kind), s.Path) }
	for _, s := range steps {
		wide = max(wide, table.Width(name(s)))
	}
	for _, s := range steps {
		line, what := "  "+look.Action(s.Action, name(s)), changed(s)
		if what != "" && s.Action != "create" && s.Action != "delete" {
			line += strings.Repeat(" ", wide-table.Width(name(s))) + "  " + what
		}
		b.WriteString(line + "\n")
	}
	if more := total(u) - len(steps); more > 0 {
		b.WriteString(look.Dim(fmt.Sprintf("  and %d more", more)) + "\n")
	}
	for _, c := range u.Conflicts {
		b.WriteString(look.Red("  ! "+show.Clean(c)) + "\n")
	}
	if u.MoreConflicts > 0 {
		b.WriteString(look.Red(fmt.Sprintf("  ! and %d more", u.MoreConflicts)) + "\n")
	}
	for _, l := range u.Left {
		b.WriteString(look.Dim("  unchanged: "+show.Clean(l)) + "\n")
	}
	fmt.Fprintf(&b, "In total: %s.\n", sum(u.Counts, planWords))
	return b.String()
}

// changed lists what changes in an object.
func changed(s craton.UndoStep) string {
	var parts []string
	for _, f := range s.Fields {
		parts = append(parts, show.Clean(f))
	}
	if s.Labels {
		parts = append(parts, "labels")
	}
	if len(s.Keys) > 0 {
		keys := make([]string, len(s.Keys))
		for i, k := range s.Keys {
			keys[i] = show.Name(k)
		}
		noun := "variables "
		if len(keys) == 1 {
			noun = "variable "
		}
		parts = append(parts, noun+strings.Join(keys, ", "))
	}
	return strings.Join(parts, "; ")
}
