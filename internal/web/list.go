package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
	"github.com/craton-fleet/craton/internal/where"
)

// listPage is a page of a list.
type listPage struct {
	Kind    string          `json:"kind"`
	Where   string          `json:"where"`
	Objects []craton.Object `json:"objects"`
	Next    string          `json:"next"` // the marker of the page behind it; "" if there is none

	Of      *schema.Kind `json:"-"`
	Columns []string     `json:"-"`
	Rows    []listRow    `json:"-"`
	Marker  string       `json:"-"` // of this page
	Problem string       `json:"-"` // with the terms
	Chosen  bool         `json:"-"` // terms can choose
}

// searched is what terms come to of one word that somebody searches for; see [termsOf].
var searched = regexp.MustCompile(`^name=\*([^\s*?"=!,]+)\*$`)

// Word returns the word that was searched for in names, which may stand elsewhere; "" if terms were written.
func (d *listPage) Word() string {
	if m := searched.FindStringSubmatch(d.Where); m != nil {
		return m[1]
	}
	return ""
}

// InFile reports whether a fleet file can have objects of the kind.
func (d *listPage) InFile() bool { return d.Of != schema.User && d.Of != schema.Project }

// listRow is an object in a list.
type listRow struct {
	ID, Name string
	Inactive bool
	Cells    []listCell
	Labels   []string
}

// listCell is a field, or the place that one names.
type listCell struct{ Text, Collection, ID string }

// columns returns the fields of a kind's list, beside its name and labels.
func columns(k *schema.Kind) (keys []string) {
	for _, f := range k.Fields {
		if f.Type != schema.Flag && !slices.Contains(unlisted, f.Key) {
			keys = append(keys, f.Key)
		}
	}
	slices.SortStableFunc(keys, func(a, b string) int { // what it is before where it is
		return rank(k.Field(a)) - rank(k.Field(b))
	})
	return keys
}

func rank(f *schema.Field) int {
	if f.Type == schema.Reference {
		return 1
	}
	return 0
}

// unlisted are fields that only an object's own page shows.
var unlisted = []string{"note", "nss", "ip_block_type", "netmask", "vlan", "duplex", "link", "cdp", "security", "port", "speed", "vlans"}

// list returns a page of the objects of a kind that satisfy the terms where=, or the words q= of the search.
func (p *page) list(k *schema.Kind) (*view, error) {
	doc := &listPage{Kind: k.Name, Of: k, Columns: columns(k), Chosen: slices.Contains(where.Kinds, k), Marker: p.query.Get("marker"), Objects: []craton.Object{}}
	if q := strings.TrimSpace(p.query.Get("q")); q != "" {
		to := k.Path
		if p.twin {
			to += ".json"
		}
		return nil, &movedError{p.Href(to, "where", termsOf(q))}
	}
	v := &view{Title: plainPlural(k), Template: "list", Document: doc}
	doc.Where = strings.TrimSpace(p.query.Get("where"))
	words := []string{k.Name + "-list"}
	var terms *where.Where
	if doc.Where != "" {
		if !doc.Chosen {
			return nil, fail(http.StatusBadRequest, "lists of %ss take no terms", k.Noun())
		}
		var err error
		if terms, err = where.Parse(k, doc.Where); err != nil {
			if p.twin {
				return nil, fail(http.StatusBadRequest, "where: %s", err)
			}
			doc.Problem = err.Error()
			return v, nil
		}
		words = append(words, "--where", terms.String())
	}
	words = append(words, "--limit", strconv.Itoa(maxRows))
	if doc.Marker != "" {
		words = append(words, "--marker", doc.Marker)
	}
	v.Commands = []string{p.commandOf(k, words...)}
	if k == schema.User {
		doc.Columns = append([]string{keyRole}, doc.Columns...)
	}
	if doc.Marker != "" { // it may be wrong: then the API says so before the page begins
		if _, err := p.of(k).Collection(craton.Kind(k.Name)).Get(p.ctx, doc.Marker); craton.IsNotFound(err) {
			if err := p.readList(k, terms, doc); err != nil {
				return v, fail(http.StatusBadRequest, "the %s %s, after which this page begins, no longer exists", k.Noun(), doc.Marker)
			}
			return v, nil
		}
	}
	_, err := p.can()
	if (k == schema.User || k == schema.Project) && err == nil { // which not every role may read
		return v, p.loadList(k, terms, doc)
	}
	v.Load = func() error { return p.loadList(k, terms, doc) }
	return v, err
}

// loadList reads a page, and what it says of its objects.
func (p *page) loadList(k *schema.Kind, terms *where.Where, doc *listPage) error {
	if err := p.readList(k, terms, doc); err != nil {
		return err
	}
	if k == schema.User {
		if err := p.fillRoles(doc.Objects); err != nil {
			return err
		}
	}
	return p.fillRows(doc)
}

// keyRole is the member of users that says what they may do, and keySecret the one that the original server has their
// keys in.
const (
	keyRole   = "role"
	keyAdmin  = "is_admin" // of which the role says more
	keySecret = "api_key"
)

// fillRoles adds the roles to users, as far as the caller may know them, and removes what only the users themselves may
// know.
func (p *page) fillRoles(users []craton.Object) error {
	var ids []int
	for _, u := range users {
		id, _ := strconv.Atoi(u.ID())
		ids = append(ids, id)
	}
	roles, err := reconcile.Roles(p.ctx, p.now, ids)
	if err != nil {
		return err
	}
	for i, u := range users {
		delete(u, keySecret)
		role := string(roles[ids[i]])
		if role == "" && u.Text(keyAdmin) == "true" {
			role = string(craton.RoleAdmin)
		}
		if role != "" {
			u[keyRole] = json.RawMessage(strconv.Quote(role))
		}
	}
	return nil
}

// readList reads a page: the server's answer, or where it knows no terms, of all objects those that satisfy them.
func (p *page) readList(k *schema.Kind, terms *where.Where, doc *listPage) error {
	q := url.Values{"limit": {strconv.Itoa(maxRows)}}
	if k.Details {
		q.Set("details", "true")
	}
	if k.Inherits != nil {
		q.Set("resolved-values", "false")
	}
	if doc.Marker != "" {
		q.Set("marker", doc.Marker)
	}
	if !terms.IsAll() {
		can, err := p.can()
		if err != nil {
			return err
		}
		if !can.Has(where.Feature) {
			return p.matching(terms, doc)
		}
		q.Set(where.Feature, terms.String())
	}
	objects := p.of(k).Collection(craton.Kind(k.Name))
	found, err := objects.List(p.ctx, q)
	if err != nil {
		return err
	}
	for _, o := range found.Items {
		doc.Objects = append(doc.Objects, *o)
	}
	if len(doc.Objects) < maxRows {
		return nil
	}
	// The API has a next link on the last page too (contract §3.4): what is behind it is asked for.
	last := doc.Objects[maxRows-1].ID()
	if terms.AsksVariables() { // for which the fleet would be walked once more: the next page may be empty
		doc.Next = last
		return nil
	}
	q.Set("marker", last)
	q.Set("limit", strconv.Itoa(craton.MinLimit))
	if more, err := objects.List(p.ctx, q); err != nil || len(more.Items) > 0 {
		doc.Next = last
	}
	return nil
}

// matching finds a page of what satisfies terms on this side.
func (p *page) matching(terms *where.Where, doc *listPage) error {
	all, err := snapshot.Matching(p.ctx, p.client, terms)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(all, func(o *snapshot.Object) bool { return o.ID == doc.Marker }); i >= 0 {
		all = all[i+1:]
	}
	if len(all) > maxRows {
		all, doc.Next = all[:maxRows], all[maxRows-1].ID
	}
	for _, o := range all {
		doc.Objects = append(doc.Objects, o.Fields())
	}
	return nil
}

// fillRows makes rows of the objects, and names what they refer to.
func (p *page) fillRows(doc *listPage) error {
	names, err := p.names(doc.Of, doc.Objects)
	if err != nil {
		return err
	}
	for _, o := range doc.Objects {
		delete(o, "links")
		delete(o, "variables")
		row := listRow{ID: o.ID(), Name: o.Text(doc.Of.Title), Inactive: string(o["active"]) == "false", Labels: labelsOf(o)}
		for _, key := range doc.Columns {
			row.Cells = append(row.Cells, cell(doc.Of, key, o, names))
		}
		doc.Rows = append(doc.Rows, row)
	}
	return nil
}

func cell(k *schema.Kind, key string, o craton.Object, names map[reference]named) listCell {
	text, f := o.Text(key), k.Field(key)
	if f == nil || f.Type != schema.Reference || text == "" {
		return listCell{Text: text}
	}
	n := names[reference{f.To[0], text}]
	return listCell{n.name, n.collection, text}
}

// reference is an id, and the first of the kinds that it may be of.
type reference struct{ kind, id string }

// named is an object that a reference names.
type named struct{ name, collection string }

// nameStreams is how many requests for names are in progress at once.
const nameStreams = 8

// names reads what objects refer to, each once.
func (p *page) names(k *schema.Kind, objects []craton.Object) (map[reference]named, error) {
	return p.otherNames(k, objects, nil)
}

// otherNames returns names, but for those that are known.
func (p *page) otherNames(k *schema.Kind, objects []craton.Object, known map[reference]named) (map[reference]named, error) {
	n := &namesRead{page: p, found: map[reference]named{}}
	g, ctx := errgroup.WithContext(p.ctx)
	g.SetLimit(nameStreams)
	ids := map[string]*wantedNames{} // by the first kind
	for _, f := range k.Fields {
		if f.Type != schema.Reference {
			continue
		}
		of := ids[f.To[0]]
		if of == nil {
			of = &wantedNames{kinds: f.To}
			ids[f.To[0]] = of
		}
		for _, o := range objects {
			to := reference{f.To[0], o.Text(f.Key)}
			if _, known := n.found[to]; known {
				continue
			}
			n.found[to] = named{to.id, schema.ByName(to.kind).Path}
			at := slices.IndexFunc(f.To, func(kind string) bool { _, has := known[reference{kind, to.id}]; return has })
			switch {
			case at >= 0:
				n.found[to] = known[reference{f.To[at], to.id}]
			case to.id != "":
				of.ids = append(of.ids, to.id)
			}
		}
	}
	for _, of := range ids {
		many := false
		if len(of.ids) > fewNames {
			can, err := p.can()
			if err != nil {
				return nil, err
			}
			many = can.Has(where.Feature) && !slices.ContainsFunc(of.kinds, func(kind string) bool { return !slices.Contains(where.Kinds, schema.ByName(kind)) })
		}
		size := 1
		if many {
			size = craton.MaxLimit
		}
		for some := range slices.Chunk(of.ids, size) {
			g.Go(func() error {
				if many {
					return n.list(ctx, of.kinds, some)
				}
				return n.get(ctx, of.kinds, some[0])
			})
		}
	}
	return n.found, g.Wait()
}

// fewNames is how many objects are better asked for one by one, by their ids.
const fewNames = 2

// wantedNames are ids of objects of one of some kinds.
type wantedNames struct {
	kinds []string
	ids   []string
}

// namesRead are names on their way.
type namesRead struct {
	*page
	mu    sync.Mutex
	found map[reference]named // by the first kind
}

func (n *namesRead) have(first string, id, name string, of *schema.Kind) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.found[reference{first, id}] = named{name, of.Path}
}

// get reads one object.
func (n *namesRead) get(ctx context.Context, kinds []string, id string) error {
	for _, kind := range kinds {
		to := schema.ByName(kind)
		one, err := n.client.Collection(craton.Kind(kind)).Get(ctx, id)
		if craton.IsNotFound(err) || craton.IsForbidden(err) {
			continue
		}
		if err == nil {
			n.have(kinds[0], id, one.Text(to.Title), to)
		}
		return err
	}
	return nil
}

// list reads at most a page of objects at once.
func (n *namesRead) list(ctx context.Context, kinds, ids []string) error {
	left := len(ids)
	for _, kind := range kinds {
		to := schema.ByName(kind)
		q := url.Values{where.Feature: {"id=" + strings.Join(ids, ",")}, "limit": {strconv.Itoa(craton.MaxLimit)}}
		if to.Inherits != nil {
			q.Set("resolved-values", "false")
		}
		found, err := n.client.Collection(craton.Kind(kind)).List(ctx, q)
		if err != nil {
			return err
		}
		for _, one := range found.Items {
			n.have(kinds[0], one.ID(), one.Text(to.Title), to)
		}
		if left -= len(found.Items); left <= 0 {
			break
		}
	}
	return nil
}

func labelsOf(o craton.Object) (labels []string) {
	_ = json.Unmarshal(o["labels"], &labels) // none of what has none
	return labels
}

// termsOf returns the terms that somebody means who types into the search: terms as they are, and of other words
// addresses, or parts of names.
func termsOf(text string) string {
	if strings.ContainsAny(text, `=!"`) {
		return text
	}
	words := strings.Fields(text)
	for i, w := range words {
		if _, err := netip.ParsePrefix(w); err == nil {
			words[i] = "ip=" + w
		} else if _, err := netip.ParseAddr(w); err == nil {
			words[i] = "ip=" + w
		} else if strings.ContainsAny(w, "*?") {
			words[i] = "name=" + w
		} else {
			words[i] = "name=*" + w + "*"
		}
	}
	return strings.Join(words, " ")
}

// plainPlural returns the kind as a heading.
func plainPlural(k *schema.Kind) string {
	noun := k.Noun()
	return strings.ToUpper(noun[:1]) + noun[1:] + "s"
}
