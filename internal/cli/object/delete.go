package object

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/python"
	"github.com/craton-fleet/craton/internal/walk"
)

// Options for deletes with contents.
var (
	YesOption    = argparse.Option{Long: "yes", Kind: argparse.SwitchOption, Help: "do not ask for confirmation"}
	DryRunOption = argparse.Option{Long: "dry-run", Kind: argparse.SwitchOption, Help: "show what would be deleted without deleting it"}
)

func deleteVerb(r *Resource) *Command {
	options := []argparse.Option{YesOption, DryRunOption}
	if r.holds == nil && r.secret == "" {
		options = nil // nothing needs confirmation
	}
	return r.bulkVerb(&Command{
		Command: argparse.Command{Name: "delete", Short: "Delete a " + r.Noun(), Long: r.deleteLong(), Target: true, Options: options, Example: exampleOf(r.Name + "-delete")},
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			what := "Failed to delete " + r.Noun() + " " + c.Target
			id, err := s.find(ctx, c.Target, nil, r)
			if err != nil {
				return run.Wrapped(err, what)
			}
			if err := s.mayDelete(ctx, r, id, c); err != nil || c.Given("dry-run") {
				return err
			}
			if err := s.collection(r).Delete(ctx, id); err != nil {
				return run.Wrapped(err, what)
			}
			s.Say("%s %s was successfully deleted.", r.Capital(), c.Target)
			return nil
		},
	}, func(*Session, context.Context, *argparse.Call) (craton.BulkEdit, error) {
		return craton.BulkEdit{Delete: true}, nil
	})
}

// deleteLong describes what is deleted with the object.
func (r *Resource) deleteLong() string {
	const asks = "On a terminal, the command asks for confirmation; elsewhere it requires --yes. --dry-run shows what would be deleted."
	switch {
	case r.secret != "":
		return "Delete a " + r.Noun() + ". To delete your own user, confirm it on a terminal, or give --yes. The last root user cannot be deleted."
	case r.holds == nil:
		return ""
	}
	contents := "contents: " + listOf(r.containedNouns(), "and")
	if len(r.holds) == 1 {
		contents = r.containedNouns()[0]
	}
	what := fmt.Sprintf("Delete a %s and its %s, with all variables and labels.", r.Noun(), contents)
	return strings.Join(python.Wrap(what, 120, nil), "\n") + "\n" + asks
}

func (r *Resource) containedNouns() []string {
	nouns := make([]string, len(r.holds))
	for i, k := range r.holds {
		nouns[i] = k.Noun() + "s"
	}
	return nouns
}

// listOf returns a list in a sentence: a, b and c.
func listOf(words []string, last string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
}

// mayDelete asks for confirmation if a delete affects more than was named, or if the user has requested that; nil means
// yes.
func (s *Session) mayDelete(ctx context.Context, r *Resource, id string, c *argparse.Call) error {
	if c.Given("yes") && !c.Given("dry-run") || r.holds == nil && r.secret == "" {
		return nil
	}
	var goes []string
	counted, err := s.contents(ctx, r, id)
	if _, dead := errors.AsType[*craton.ConnectionError](err); dead {
		return err
	}
	if err != nil {
		return run.NewWordedError("", fmt.Sprintf("Cannot find out what the %s contains, so nothing was deleted; --yes deletes it without checking.", r.Noun()), run.AsOriginal(err).Error(), err)
	}
	for _, n := range counted {
		if n.N > 0 || n.More {
			goes = append(goes, n.String())
		}
	}
	subject := r.Noun() + " " + c.Target
	self, err := s.isCaller(ctx, r, id)
	if c.Given("dry-run") && err == nil {
		return s.dryRun(ctx, r, id, subject, counted, self)
	}
	switch {
	case err != nil:
		return err
	case self:
		return Consent(s.Streams, fmt.Sprintf("This command signs in as the %s.", subject))
	case goes != nil:
		return Consent(s.Streams, fmt.Sprintf("The %s is not empty; this would be deleted with it: %s.", subject, strings.Join(goes, ", ")))
	}
	return nil
}

// dryRun prints what a delete would do: in words, or as a document with what would be deleted too by kind, and what
// prevents it.
func (s *Session) dryRun(ctx context.Context, r *Resource, id, subject string, counted []Amount, self bool) error {
	var with []string
	contents := map[string]int{}
	for _, n := range counted {
		if n.N > 0 || n.More {
			with, contents[n.Kind.key] = append(with, n.String()), n.N
		}
	}
	o, err := s.send(ctx, http.MethodGet, r.at(id), nil)
	gone := craton.IsNotFound(err)
	if err != nil && !gone {
		return err
	}
	hindrance := ""
	switch {
	case gone:
	case self:
		hindrance = "this command signs in as this user, so --yes is required"
	case r.secret != "":
		hindrance = "the server refuses to delete the last root user"
	case r.labels:
		child, err := s.childOf(ctx, id)
		if err != nil {
			return err
		}
		if child != "" {
			hindrance = fmt.Sprintf("the server refuses this while it is the parent of %s", child)
		}
	}
	if !gone {
		kept, err := s.protectionHint(ctx, r, id)
		if err != nil {
			return err
		}
		if kept != "" {
			hindrance = kept
		}
	}
	if s.Format != show.FormatTable {
		doc := map[string]any{"kind": r.Name, "id": json.RawMessage(cmp.Or(o.Get(keyID).Raw, "null")), "name": o.Get(r.nameKey()).Str, "deletes": !gone, "with": contents, "but": hindrance}
		return s.PrintObject(gjson.ParseBytes(jsonOf(doc)))
	}
	switch {
	case gone:
		s.Say("There is no %s: nothing would be deleted.", subject)
		return nil
	case with != nil:
		subject += " with " + listOf(with, "and")
	}
	if hindrance != "" {
		subject += "; but " + hindrance
	}
	s.Say("Would delete %s.", subject)
	return nil
}

// childOf describes a device that has another as its parent, which prevents its deletion; "" if there is none.
func (s *Session) childOf(ctx context.Context, id string) (string, error) {
	page, err := s.Client.Page(ctx, "/devices", url.Values{keyParent: {id}})
	if err != nil {
		return "", err
	}
	for _, list := range []struct{ key, noun string }{{"hosts", "host"}, {"network-devices", "network device"}} {
		if first := gjson.GetBytes(page.Body, "devices."+list.key+".0"); first.Exists() {
			return fmt.Sprintf("%s %s (id %s)", list.noun, first.Get("name").Str, first.Get(keyID).Raw), nil
		}
	}
	return "", nil
}

// jsonOf returns the JSON of a document of ours.
func jsonOf(doc any) []byte {
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err) // texts and numbers can always be encoded
	}
	return text
}

// Consent asks for confirmation of a delete. If nobody can answer, the error says what to do.
func Consent(s output.Streams, why string) error {
	return run.Confirm(s, why, "Delete?", "Nothing was deleted: confirm with --yes; --dry-run shows what would be deleted", "nothing was deleted")
}

// isCaller reports whether an object is the user as which the command signs in.
func (s *Session) isCaller(ctx context.Context, r *Resource, id string) (bool, error) {
	name := s.Settings.String("username")
	if r.secret == "" || name == "" {
		return false, nil
	}
	o, err := s.send(ctx, http.MethodGet, r.at(id), nil)
	if err != nil || o.Get(r.nameKey()).Str != name {
		if craton.IsNotFound(err) { // deleting it succeeds
			err = nil
		}
		return false, err
	}
	own, err := s.Project(ctx)
	return own != "" && value.SameUUID(o.Get(keyProject).Str, own), err
}

// MaxCounted is the maximum number of objects of a kind that are counted: a question must not take longer than the
// delete.
const MaxCounted = 10_000

// Amount is the number of objects of a kind that are deleted too.
type Amount struct {
	Kind *Resource
	N    int
	More bool // there may be more: not all were read
}

func (a Amount) String() string {
	text := strconv.Itoa(a.N) + " " + a.Kind.Noun()
	if a.N != 1 {
		text += "s"
	}
	if a.More {
		text = "at least " + text
	}
	return text
}

// contents counts what the API deletes along with an object (contract §6.3).
func (s *Session) contents(ctx context.Context, r *Resource, id string) (all []Amount, err error) {
	devices := map[string]bool{} // by id
	progress := output.NewProgress(s.Err)
	defer progress.Done()
	for _, k := range r.holds {
		inside := func(o gjson.Result) bool { return o.Get(r.holdKey).String() == id }
		q := url.Values{}
		switch {
		case slices.Contains(k.places, r.holdKey):
			q.Set(r.holdKey, id)
		case slices.Contains(k.places, keyDevice): // of the devices in it
			if len(devices) == 0 {
				continue
			}
			inside = func(o gjson.Result) bool { return devices[o.Get(keyDevice).String()] }
		case r.uuid:
			inside = func(o gjson.Result) bool { return value.SameUUID(o.Get(r.holdKey).String(), id) }
		}
		count := Amount{Kind: k}
		count.More, err = s.each(ctx, k, q, progress, func() { count.N = 0 }, func(o gjson.Result) {
			if inside(o) {
				count.N++
				if k.labels {
					devices[o.Get(keyID).String()] = true
				}
			}
		})
		if err != nil {
			return nil, err
		}
		all = append(all, count)
	}
	return all, nil
}

// each visits the first objects of a listing; more reports whether there are others. A listing is restarted if
// necessary.
func (s *Session) each(ctx context.Context, r *Resource, q url.Values, progress *output.Progress, begin func(), visit func(gjson.Result)) (more bool, err error) {
	q = withParameter(q, "limit", strconv.Itoa(craton.MaxLimit))
	err = walk.Retry(craton.IsMarkerGone, func() error {
		begin()
		more = false
		looked, seen := 0, map[string]bool{}
		for page, err := range s.Client.Pages(ctx, r.path, q) {
			if err != nil {
				return err
			}
			items, err := r.items(page.Body)
			if err != nil {
				return err
			}
			for _, o := range items {
				if id := o.Get(keyID).Raw; !seen[id] {
					seen[id] = true
					visit(o)
				}
			}
			looked += len(items)
			progress.Show(looked, 0, r.Noun()+"s")
			if page.Last() {
				return nil
			}
			if more = looked >= MaxCounted; more {
				return nil
			}
		}
		return nil
	})
	return more, err
}
