package web

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
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

// listRow is an object in a list.
type listRow struct {
	ID, Name string
	Inactive bool
	Cells    []listCell
	Labels   []string
}

// listCell is a field, or the place that one names.
type listCell struct{ Text, Collection, ID string }

// columns are the fields of a kind's list, beside its name and labels.
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

// list is a page of the objects of a kind that satisfy the terms where=, or the words q= of the search.
func (p *page) list(k *schema.Kind) (*view, error) {
	doc := &listPage{Kind: k.Name, Of: k, Columns: columns(k), Chosen: slices.Contains(where.Kinds, k), Marker: p.query.Get("marker"), Objects: []craton.Object{}}
	if q := strings.TrimSpace(p.query.Get("q")); q != "" {
		to := k.Path
		if p.twin {
			to += ".json"
		}
		return nil, &moved{p.Href(to, "where", termsOf(q))}
	}
	v := &view{Title: plainPlural(k), Template: "list", Document: doc}
	doc.Where = strings.TrimSpace(p.query.Get("where"))
	words := []string{k.Name + "-list"}
	var terms *where.Where
	if doc.Where != "" {
		if !doc.Chosen {
			return nil, fail(http.StatusBadRequest, "%ss are not chosen by terms", k.Noun())
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
	if err := p.readList(k, terms, doc); err != nil {
		return nil, err
	}
	if k == schema.User {
		if err := p.fillRoles(doc.Objects); err != nil {
			return nil, err
		}
		doc.Columns = append([]string{keyRole}, doc.Columns...)
	}
	return v, p.fillRows(doc)
}

// keyRole is the member of users that tells what they may do, and keySecret the one that the original server has their keys in.
const (
	keyRole   = "role"
	keyAdmin  = "is_admin" // of which the role tells more
	keySecret = "api_key"
)

// fillRoles gives users their roles, as far as the API tells the caller, and takes away what only they may know.
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
		can, err := p.client.Capabilities(p.ctx)
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

// named is what a reference names.
type named struct{ name, collection string }

// nameStreams is how many objects are read at once for their names.
const nameStreams = 8

// names reads what objects refer to, each once.
func (p *page) names(k *schema.Kind, objects []craton.Object) (map[reference]named, error) {
	found := map[reference]named{}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(p.ctx)
	g.SetLimit(nameStreams)
	for _, f := range k.Fields {
		if f.Type != schema.Reference {
			continue
		}
		for _, o := range objects {
			of := reference{f.To[0], o.Text(f.Key)}
			mu.Lock()
			_, known := found[of]
			if !known {
				found[of] = named{of.id, schema.ByName(of.kind).Path}
			}
			mu.Unlock()
			if known || of.id == "" {
				continue
			}
			g.Go(func() error {
				for _, kind := range f.To {
					to := schema.ByName(kind)
					one, err := p.client.Collection(craton.Kind(kind)).Get(ctx, of.id)
					if craton.IsNotFound(err) || craton.IsForbidden(err) {
						continue
					}
					if err != nil {
						return err
					}
					mu.Lock()
					found[of] = named{one.Text(to.Title), to.Path}
					mu.Unlock()
					return nil
				}
				return nil
			})
		}
	}
	return found, g.Wait()
}

func labelsOf(o craton.Object) (labels []string) {
	_ = json.Unmarshal(o["labels"], &labels) // none of what has none
	return labels
}

// termsOf are the terms that somebody means who types into the search: terms as they are, and of other words addresses, or parts
// of names.
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

// plainPlural is the kind as a heading.
func plainPlural(k *schema.Kind) string {
	noun := k.Noun()
	return strings.ToUpper(noun[:1]) + noun[1:] + "s"
}
