package object

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/walk"
	"github.com/craton-fleet/craton/internal/where"
)

func listVerb(r *Resource) *Command {
	return &Command{
		Command: argparse.Command{Name: "list", Short: "List " + r.Noun() + "s", Options: r.List, Example: exampleOf(r.Name + "-list")},
		reads:   true,
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			fields, err := r.columns(c)
			if err != nil {
				return err
			}
			q, err := s.query(ctx, r, c, fields)
			if err != nil {
				return err
			}
			terms, err := r.terms(c)
			if err != nil {
				return err
			}
			objects, next, err := s.listWhere(ctx, r, q, c.Given("all"), terms)
			if err != nil {
				return withHint(err, http.StatusBadRequest, filterHint(q.Get("vars")))
			}
			if err := s.fillLabels(ctx, r, objects, fields); err != nil {
				return err
			}
			if slices.Contains(fields, roleOption) {
				some, err := s.fillRoles(ctx, r, objects)
				if err != nil {
					return err
				}
				if !some && !c.Given("fields") { // the server has none
					fields = slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return f == roleOption })
				}
			}
			if slices.Contains(fields, where.KeyProtected) {
				if err := s.fillProtected(ctx, r, objects); err != nil {
					return err
				}
			}
			for i := range objects {
				objects[i] = r.guard(objects[i])
			}
			if c.Given("fields") { // region_id selects the id
				err = s.PrintList(objects, fields)
			} else {
				err = s.PrintView(objects, fields, show.View{Names: s.names(ctx, r, objects, fields), Narrow: !c.Given("detail")})
			}
			if err != nil {
				return err
			}
			return s.sayMore(ctx, r, len(objects), next)
		},
	}
}

// filterHint returns what to do about a filter by variables that the API refuses; "" if that is not recognisable.
func filterHint(vars string) string {
	for term := range strings.SplitSeq(vars, ",") {
		path, value, ok := strings.Cut(term, ":")
		if !ok {
			if path, value, ok = strings.Cut(term, "="); !ok {
				continue
			}
		} else if gjson.Valid(value) {
			continue
		}
		if !gjson.Valid(value) {
			value = string(JSONText(strings.Trim(value, `"'`)))
		}
		return fmt.Sprintf("text must be in double quotes, protected from the shell by single quotes: --vars '%s:%s'", path, value)
	}
	return ""
}

// sayMore says that a list is incomplete, if it is. The API has no count, and a next link even on the last page
// (contract §3.4), so the next object is requested.
func (s *Session) sayMore(ctx context.Context, r *Resource, shown int, next url.Values) error {
	if next == nil {
		return nil
	}
	const least = "10" // the smallest page
	page, err := s.Client.Page(ctx, r.path, withParameter(next, "limit", least))
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		s.SayMore(shown, "more may follow")
		return nil
	}
	if items, err := r.items(page.Body); err != nil || len(items) > 0 {
		s.SayMore(shown, "more follow")
	}
	return nil
}

// columns returns the fields of a list. It makes the checks of contract §8.3.5, in their order.
func (r *Resource) columns(c *argparse.Call) ([]string, error) {
	if limit := c.Text("limit"); strings.HasPrefix(limit, "-") {
		return nil, run.CommandError("Invalid limit specified. Expected non-negative limit, got %s", limit)
	}
	fields := r.Fields
	if c.Given("fields") {
		fields = c.All("fields")
	}
	if c.Given("detail") {
		if !slices.Equal(fields, r.Fields) {
			return nil, run.CommandError("Cannot specify both --fields and --detail.")
		}
		fields = r.full()
	}
	for _, f := range fields {
		if !slices.Contains(r.Columns(), f) {
			return nil, BadField(f, r.Columns())
		}
	}
	if key := c.Text("sort-key"); c.Given("sort-key") && !slices.Contains(r.full(), strings.ToLower(key)) {
		return nil, r.badSort(key, r.full())
	}
	return fields, nil
}

// BadField returns the error for a field that lists do not have: the original's line, followed by the available fields.
func BadField(field string, fields []string) error {
	more := "Fields are: " + strings.Join(fields, ", ")
	if near := nearest.Word(field, fields); near != "" {
		more = fmt.Sprintf("Did you mean %s? ", near) + more
	}
	return run.NewWordedError("cratonclient.exceptions.CommandError", fmt.Sprintf(`Invalid field "%s"`, field), "\n"+more, nil)
}

// query returns the parameters of a list.
func (s *Session) query(ctx context.Context, r *Resource, c *argparse.Call, fields []string) (url.Values, error) {
	refs, err := s.references(ctx, r.List, c)
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	for i := range r.List {
		o := &r.List[i]
		switch text := c.Text(o.Long); {
		case o.Kind == argparse.ReferenceOption:
			if id := refs[o.Key]; id != "" && (id != "0" || !r.zeroIsNone) {
				q.Set(o.Key, id)
			}
		case o.Key != "" && text != "":
			q.Set(o.Key, text)
		}
	}
	for _, name := range []string{"limit", "marker"} {
		if c.Given(name) {
			q.Set(name, c.Text(name))
		}
	}
	if c.Given("all") {
		q.Set("limit", strconv.Itoa(craton.MaxLimit))
	}
	if c.Values["vars"] != nil && c.Values["vars"].Kind == argparse.WordsOption && c.Given("vars") {
		q.Set("vars", strings.Join(c.All("vars"), ","))
	}
	if c.Values["sort-dir"] != nil {
		q.Set("sort_dir", cmp.Or(c.Text("sort-dir"), "asc"))
	}
	if c.Given("sort-key") {
		// Without the id as second key, objects with equal keys are lost between pages (Q13).
		keys := strings.ToLower(c.Text("sort-key"))
		if keys != keyID {
			keys += "," + keyID
		}
		q.Set("sort_keys", keys)
	}
	if c.Values["descendants"] != nil {
		q.Set("descendants", map[bool]string{true: "True", false: "False"}[c.Given("descendants")])
	}
	if r.details && (c.Given("detail") || slices.Contains(fields, keyVariables) || slices.Contains(fields, keyLabels)) {
		q.Set("details", "true")
	}
	return q, nil
}

// list reads the objects of a listing, one page or all, each once, as received. next are the parameters of the next
// page; nil if there is none.
func (s *Session) list(ctx context.Context, r *Resource, q url.Values, all bool) (objects []gjson.Result, next url.Values, err error) {
	if !all {
		page, err := s.Client.Page(ctx, r.path, q)
		if err == nil {
			objects, err := r.items(page.Body)
			if most := cmp.Or(askedLimit(q), defaultLimit); err != nil || len(objects) < most {
				return objects, nil, err
			}
			return objects, nextOf(gjson.GetBytes(page.Body, "links")), nil
		}
		if status := craton.StatusOf(err); status != http.StatusInternalServerError && status != http.StatusNotFound {
			return nil, nil, err
		}
		// walk handles the errors that these may mean, and reads smaller pages if the original fails on large ones
		// (Q8).
	}
	progress := output.NewProgress(s.Err)
	defer progress.Done()
	gone := func(err error) bool { return craton.IsMarkerGone(err) && q.Get("marker") == "" }
	err = walk.Retry(gone, func() (err error) {
		objects, next, err = s.walk(ctx, r, q, all, progress)
		return err
	})
	return objects, next, err
}

// defaultLimit is the API's page size.
const defaultLimit = 30

// askedLimit returns the page size in a query; 0 if there is none.
func askedLimit(q url.Values) int {
	n, _ := strconv.Atoi(q.Get("limit"))
	return n
}

// nextOf returns the parameters in a page's next link; nil if it has none.
func nextOf(links gjson.Result) url.Values {
	for _, l := range links.Array() {
		if u, err := url.Parse(l.Get("href").Str); err == nil && l.Get("rel").Str == "next" {
			return u.Query()
		}
	}
	return nil
}

// walk reads pages until there are no more, or as many objects as one page should have.
func (s *Session) walk(ctx context.Context, r *Resource, q url.Values, all bool, progress *output.Progress) (objects []gjson.Result, next url.Values, err error) {
	most := 0
	if !all {
		most = cmp.Or(askedLimit(q), defaultLimit)
		q = withParameter(q, "limit", strconv.Itoa(most))
	}
	seen := map[string]bool{}
	for page, err := range s.Client.Pages(ctx, r.path, q) {
		if err != nil {
			return nil, nil, err
		}
		items, err := r.items(page.Body)
		if err != nil {
			return nil, nil, err
		}
		for _, o := range items {
			if id := o.Get(keyID).Raw; !seen[id] {
				seen[id] = true
				objects = append(objects, o)
			}
		}
		progress.Show(len(objects), 0, r.Noun()+"s")
		if most > 0 && len(objects) >= most {
			next = nextOf(gjson.GetBytes(page.Body, "links"))
			if len(objects) > most { // the rest of this page follows
				next = withParameter(next, "marker", objects[most-1].Get(keyID).String())
			}
			return objects[:most], next, nil
		}
	}
	return objects, nil, nil
}

func withParameter(q url.Values, name, text string) url.Values {
	with := url.Values{name: {text}}
	for k, v := range q {
		if k != name {
			with[k] = v
		}
	}
	return with
}

// items returns the objects of a list body; for devices, hosts come first. Each has a name, even if it is empty.
func (r *Resource) items(body []byte) ([]gjson.Result, error) {
	list := gjson.GetBytes(body, r.key) // a copy
	var items []gjson.Result
	switch {
	case list.IsObject():
		items = slices.Concat(list.Get("hosts").Array(), list.Get("network-devices").Array())
	case list.IsArray():
		items = list.Array()
	default:
		return nil, fmt.Errorf("GET %s: the response is not a Craton v1 response: it has no list %q; check that the URL is that of a Craton API", r.path, r.key)
	}
	for i, o := range items {
		if o.Get(r.nameKey()).Type != gjson.String {
			return nil, fmt.Errorf("GET %s: the response is not a Craton v1 response: row %d of its list %q, with the id %s, has no name; `craton doctor` checks the API", r.path, i+1, r.key, o.Get(keyID).Raw)
		}
	}
	return items, nil
}

// labelStreams is the number of concurrent requests for labels.
const labelStreams = 8

// fillLabels reads the labels of a list that the original leaves out.
func (s *Session) fillLabels(ctx context.Context, r *Resource, objects []gjson.Result, fields []string) error {
	if !r.labels || !slices.Contains(fields, keyLabels) {
		return nil
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(labelStreams)
	for i, o := range objects {
		if o.Get(keyLabels).Exists() {
			continue
		}
		g.Go(func() error {
			labels, err := s.collection(r).Labels(gctx, o.Get(keyID).Raw)
			if craton.IsNotFound(err) { // deleted meanwhile
				return nil
			}
			if err != nil {
				return err
			}
			text, err := json.Marshal(append([]string{}, labels...))
			if err != nil {
				return err
			}
			objects[i] = With(o, keyLabels, string(text))
			return nil
		})
	}
	return g.Wait()
}
