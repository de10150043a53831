package api

import (
	"fmt"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/python"
	"github.com/craton-fleet/craton/internal/where"
	"github.com/craton-fleet/craton/server/internal/varquery"
	"github.com/craton-fleet/craton/server/store"
)

// The parameters of every list (contract §2.1.3).
var paging = []param{
	{name: "limit", kind: integer, min: minLimit, max: maxLimit}, {name: "marker", kind: str}, {name: "sort_keys", kind: str}, {name: "sort_dir", kind: str},
}

// Limits of a page (contract §3.1): others are refused, not clamped.
const (
	defaultLimit = 30
	minLimit     = 10
	maxLimit     = 100
)

// query is a validated query string: the parameters that have a value, in the order of the schema.
type query struct {
	given []argument
	paged bool
}

// argument is a parameter with its value.
type argument struct {
	param
	text    string // as links show it
	set     bool   // by the caller, not by default
	number  int64
	boolean bool
}

func (q query) get(name string) (argument, bool) {
	i := slices.IndexFunc(q.given, func(a argument) bool { return a.name == name })
	if i < 0 {
		return argument{}, false
	}
	return q.given[i], true
}

func (q query) text(name string) string {
	a, _ := q.get(name)
	return a.text
}

func (q query) flag(name string) bool {
	a, _ := q.get(name)
	return a.boolean
}

// parseQuery validates a query string against the parameters that a GET
// knows. Of a repeated parameter only the first occurrence counts.
func parseQuery(raw string, known []param, paged bool) (query, error) {
	names, values := splitQuery(raw)
	q := query{paged: paged}
	if paged {
		known = append(slices.Clone(known), paging...)
	}
	var messages, unknown []string
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, python.Repr(name)+": "+python.Repr(values[name]))
		if !slices.ContainsFunc(known, func(p param) bool { return p.name == name }) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		messages = append(messages, unexpected(unknown))
		if len(known) == 0 {
			messages = append(messages, "{"+strings.Join(pairs, ", ")+"} has too many properties")
		}
	}
	for _, p := range known {
		text, ok := values[p.name]
		if !ok && p.fallback == "" {
			continue
		}
		a := argument{param: p, text: text, set: ok}
		if !ok {
			a.text = p.fallback
		}
		if message := a.convert(); message != "" {
			messages = append(messages, message)
		}
		q.given = append(q.given, a)
	}
	return q, invalid(messages)
}

// splitQuery returns the names in order and the first value of each.
func splitQuery(raw string) (names []string, values map[string]string) {
	values = map[string]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		if _, again := values[name]; !again {
			names = append(names, name)
			values[name] = value
		}
	}
	return names, values
}

// occurrences returns how many times a query has a parameter.
func occurrences(raw, name string) (n int) {
	for pair := range strings.SplitSeq(raw, "&") {
		if key, _, _ := strings.Cut(pair, "="); unescape(key) == name {
			n++
		}
	}
	return n
}

// unescape is lenient, like Werkzeug: an invalid escape stands for itself, and U+FFFD for what is not UTF-8.
func unescape(s string) string { return strings.ToValidUTF8(unescapeBytes(s), "\uFFFD") }

func unescapeBytes(s string) string {
	if t, err := url.QueryUnescape(s); err == nil {
		return t
	}
	return strings.ReplaceAll(s, "+", " ")
}

// checkEncoding refuses values that are not UTF-8 of the parameters that the original server does not have, which would
// match nothing; of a route that it does not have, these are all.
func checkEncoding(raw, route string) error {
	for pair := range strings.SplitSeq(raw, "&") {
		name, text, _ := strings.Cut(pair, "=")
		if !utf8.ValidString(unescapeBytes(text)) {
			switch name = unescape(name); {
			case name == paramWhere, name == "at", name == "concealed", !isOriginal(route):
				return fail(http.StatusBadRequest, "%s: the value is not UTF-8; give it as UTF-8, percent-encoded", name)
			}
		}
	}
	return nil
}

// convert sets the argument's typed value, or returns a message.
func (a *argument) convert() string {
	switch a.kind {
	case boolean:
		switch strings.ToLower(a.text) {
		case "n", "no", "false", "0", "":
			a.text = "False"
		default: // "off" and "bogus" too (contract §2.1.2)
			a.text, a.boolean = "True", true
		}
	case integer:
		n, ok := new(big.Int).SetString(strings.TrimPrefix(a.text, "+"), 10)
		if !ok || strings.Contains(a.text, "_") || strings.HasPrefix(a.text, "+-") {
			return fmt.Sprintf("%s is not an integer (parameter '%s')", python.Repr(a.text), a.name)
		}
		a.text = n.String()
		switch {
		case n.IsInt64():
			a.number = n.Int64()
		case n.Sign() > 0:
			a.number = math.MaxInt64 // no id is as large: finds nothing
		default:
			a.number = math.MinInt64
		}
	}
	switch {
	case a.max > 0 && a.number < a.min:
		return fmt.Sprintf("%s is less than the minimum of %d", a.text, a.min)
	case a.max > 0 && a.number > a.max:
		return fmt.Sprintf("%s is greater than the maximum of %d", a.text, a.max)
	case a.name == "sort_dir" && a.text != "asc" && a.text != "desc":
		return fmt.Sprintf("%s is not one of ['asc', 'desc']", python.Repr(a.text))
	}
	return ""
}

// paramWhere is the parameter by which lists and other requests about many objects select these; see package where.
const paramWhere = "where"

// where returns the terms of the query for objects of a kind, nil for none. Links have them in canonical form.
func (q query) where(k *schema.Kind) (*where.Where, error) {
	i := slices.IndexFunc(q.given, func(a argument) bool { return a.name == paramWhere })
	if i < 0 {
		return &where.Where{Kind: k}, nil
	}
	w, err := where.Parse(k, q.given[i].text)
	if err != nil {
		return nil, fail(400, "where: %s", err)
	}
	q.given[i].text = w.String()
	return w, nil
}

// listing converts the query to the store's parameters for a kind, without variables.
func (q query) listing(k *schema.Kind) (store.List, error) {
	l := store.List{Limit: defaultLimit, Sort: []string{"created_at", "id"}, Marker: q.text("marker")}
	if a, ok := q.get("limit"); ok {
		l.Limit = int(a.number)
	}
	if a, ok := q.get("sort_keys"); ok {
		// Every single blank or comma is a separator: "a, b" has an empty key.
		l.Sort = strings.Split(strings.ReplaceAll(a.text, " ", ","), ",")
	}
	if a, ok := q.get("marker"); ok && a.text == "" {
		return l, &store.MarkerNotFoundError{Marker: ""}
	}
	l.Descending = q.text("sort_dir") == "desc"
	l.VarsOfAll = q.flag("resolved-values")
	for _, a := range q.given {
		if a.column != "" {
			l.Filters = append(l.Filters, store.Filter{Column: a.column, Value: a.value()})
		}
	}
	if a, ok := q.get("label"); ok {
		l.Label, l.HasLabel = a.text, true
		if !storable(a.text) {
			l.Filters = append(l.Filters, store.Filter{Column: "id", Value: store.Impossible})
		}
	}
	if a, ok := q.get("vars"); ok {
		var err error
		if l.Vars, err = varquery.Parse(a.text); err != nil {
			return l, fail(400, "%s", err)
		}
	}
	var err error
	l.Where, err = q.where(k)
	return l, err
}

// value returns the value that the filter's column must equal.
func (a argument) value() any {
	switch {
	case a.kind == integer:
		return a.number
	case a.kind == boolean:
		return a.boolean
	case a.kind == address:
		if ip, ok := value.ParseAddress(a.text); ok {
			return ip
		}
		return store.Impossible
	case strings.HasSuffix(a.column, "_id"):
		if n, err := strconv.ParseInt(a.text, 10, 64); err == nil {
			return n
		}
		return store.Impossible
	case !storable(a.text):
		return store.Impossible
	}
	return a.text
}
