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

// listPage is a page of a listing.
type listPage struct {
	Kind    string          `json:"kind"`
	Where   string          `json:"where"`
	Objects []craton.Object `json:"objects"`
	Next    string          `json:"next"` // marker of the next page; "" if there is none

	Of      *schema.Kind `json:"-"`
	Columns []string     `json:"-"`
	Rows    []listRow    `json:"-"`
	Marker  string       `json:"-"` // marker of this page
	Problem string       `json:"-"` // the mistake in the terms
	Chosen  bool         `json:"-"` // the kind supports terms
}

// searched matches the term that [termsOf] makes of a single search word.
var searched = regexp.MustCompile(`^name=\*([^\s*?"=!,]+)\*$`)

// Word returns the word that was searched for in names, so that the page can offer a search of everything. It returns
// "" if the user wrote terms.
func (d *listPage) Word() string {
	if m := searched.FindStringSubmatch(d.Where); m != nil {
		return m[1]
	}
	return ""
}

// InFile reports whether a fleet file can contain objects of the kind.
func (d *listPage) InFile() bool { return d.Of != schema.User && d.Of != schema.Project }

// listRow is an object in a list.
type listRow struct {
	ID, Name string
	Inactive bool
	Cells    []listCell
	Labels   []string
}

// listCell is a field, or the place that the field refers to.
type listCell struct{ Text, Collection, ID string }

// columns returns the fields in a kind's list, except name and labels.
func columns(k *schema.Kind) (keys []string) {
	for _, f := range k.Fields {
		if f.Type != schema.Flag && !slices.Contains(detailFields, f.Key) {
			keys = append(keys, f.Key)
		}
	}
	slices.SortStableFunc(keys, func(a, b string) int { // other fields before references to places
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

// detailFields are fields that only an object's own page shows.
var detailFields = []string{"note", "nss", "ip_block_type", "netmask", "vlan", "duplex", "link", "cdp", "security", "port", "speed", "vlans"}

// list returns a page of the objects of a kind that match the terms of the parameter where, or the search words of the
// parameter q.
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
	if doc.Marker != "" { // the marker may be invalid: the API refuses it before the page begins
		if _, err := p.of(k).Collection(craton.Kind(k.Name)).Get(p.ctx, doc.Marker); craton.IsNotFound(err) {
			if err := p.readList(k, terms, doc); err != nil {
				return v, fail(http.StatusBadRequest, "the %s %s, after which this page begins, no longer exists", k.Noun(), doc.Marker)
			}
			return v, nil
		}
	}
	_, err := p.can()
	if (k == schema.User || k == schema.Project) && err == nil { // not every role may read these kinds
		return v, p.loadList(k, terms, doc)
	}
	v.Load = func() error { return p.loadList(k, terms, doc) }
	return v, err
}

// loadList reads a page and fills its rows.
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

// keyRole is a user's field for the role. keySecret is the field in which the original server returns API keys.
const (
	keyRole   = "role"
	keyAdmin  = "is_admin" // redundant: the role says more
	keySecret = "api_key"
)

// fillRoles adds the roles to users if the caller may read them, and removes the fields that only the user may read.
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

// readList reads a page. If the server does not support terms, it reads all objects and matches them here.
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
	// The API has a next link on the last page too (contract §3.4), so request one object after the page.
	last := doc.Objects[maxRows-1].ID()
	if terms.AsksVariables() { // do not read the fleet once more: the next page may be empty
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

// matching reads all objects and fills the page with those that match the terms.
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

// fillRows adds rows for the objects, with the names of the objects that they refer to.
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

// reference is an id and the first of the kinds that it can refer to.
type reference struct{ kind, id string }

// named is the object of a reference.
type named struct{ name, collection string }

// nameStreams is the maximum number of concurrent requests for names.
const nameStreams = 8

// names reads the objects that other objects refer to, each once.
func (p *page) names(k *schema.Kind, objects []craton.Object) (map[reference]named, error) {
	return p.otherNames(k, objects, nil)
}

// otherNames is like names, but skips the known ones.
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

// fewNames is the maximum number of objects that are read one by one.
const fewNames = 2

// wantedNames are ids of objects, each of one of the kinds.
type wantedNames struct {
	kinds []string
	ids   []string
}

// namesRead collects the names that concurrent requests return.
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

// get reads one object, which can be of any of the kinds.
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

// list reads objects from a listing, at most one page of it.
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
	_ = json.Unmarshal(o["labels"], &labels) // an object without labels has none
	return labels
}

// termsOf returns the terms for a search text. It returns terms unchanged, and makes terms on addresses or parts of
// names from other words.
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

// plainPlural returns the plural of a kind's noun for a heading.
func plainPlural(k *schema.Kind) string {
	noun := k.Noun()
	return strings.ToUpper(noun[:1]) + noun[1:] + "s"
}
