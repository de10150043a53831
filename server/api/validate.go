package api

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/value/python"
	"github.com/craton-fleet/craton/server/store"
)

// maxLinks is how many links a body may have. They are shown once, and not stored.
const maxLinks = 100

// readBody parses the request's JSON. Only a JSON content type makes a body:
// any other counts as none, which reads as null (contract §2.1.4).
func (c *call) readBody() (jsontext.Value, error) {
	t, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if t != "application/json" && (!strings.HasPrefix(t, "application/") || !strings.HasSuffix(t, "+json")) {
		return jsontext.Value{Kind: jsontext.Null}, nil
	}
	data, err := c.readAll()
	if err != nil {
		return jsontext.Value{}, err
	}
	v, err := c.parse(data)
	var at *value.Fault
	switch {
	case errors.As(err, &at):
		return v, fail(http.StatusBadRequest, "The body cannot be stored: %s (%s).", at.Err, at.Path)
	case errors.Is(err, jsontext.ErrNotFinite), errors.Is(err, jsontext.ErrTooDeep), errors.Is(err, jsontext.ErrTooMany):
		return v, fail(http.StatusBadRequest, "The body cannot be stored: %s.", err)
	case errors.Is(err, errOverload), c.r.Context().Err() != nil:
		return v, err
	case err != nil:
		return v, errBadJSON
	}
	return v, nil
}

// parse makes values of a body that is JSON, when there is room for them.
func (c *call) parse(data []byte) (jsontext.Value, error) {
	d, err := jsontext.Scan(data)
	if err != nil {
		return jsontext.Value{}, err
	}
	if n := int64(d.Values()) * perValue; n > smallBody {
		release, err := c.budget.values.take(c.r.Context(), n)
		if err != nil {
			return jsontext.Value{}, err
		}
		c.hold(release)
	}
	return d.Value()
}

// readAll reads the body as far as the limit and the budget go. Only the first part of a large one comes without a
// share of the budget, and whoever has a share must send the rest in time.
func (c *call) readAll() ([]byte, error) {
	limit, size := c.limits.Body, c.r.ContentLength
	if size > limit {
		drain(c.r)
		return nil, bodyTooLarge(sizeText(size), limit)
	}
	first := int64(smallBody)
	if size >= 0 {
		first = min(first, size)
	}
	data := make([]byte, first, first+1)
	n, err := io.ReadFull(c.r.Body, data)
	data = data[:n]
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if size < 0 || int64(n) == size {
			return data, nil // it was chunked, and is short
		}
		return nil, errBadJSON
	case err != nil:
		return nil, errBadJSON
	case int64(n) == size:
		return data, nil
	}
	if size < 0 {
		size = limit
	}
	release, err := c.budget.bodies.take(c.r.Context(), size)
	if err != nil {
		return nil, err
	}
	c.hold(release)
	control := http.NewResponseController(c.w)
	_ = control.SetReadDeadline(time.Now().Add(stallTimeout + time.Duration(size/slowestRate)*time.Second)) // in one process there is none
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	rest := bytes.NewBuffer(make([]byte, 0, size+2*bytes.MinRead)) // or it would grow to see the end
	rest.Write(data)
	if _, err := rest.ReadFrom(io.LimitReader(c.r.Body, limit-int64(n)+1)); err != nil {
		return nil, errBadJSON
	}
	if int64(rest.Len()) > limit {
		drain(c.r)
		return nil, bodyTooLarge("more than "+sizeText(limit), limit)
	}
	return rest.Bytes(), nil
}

// checker collects what is wrong with a body.
type checker struct{ messages []string }

func (k *checker) add(format string, args ...any) {
	k.messages = append(k.messages, fmt.Sprintf(format, args...))
}

func (k *checker) err() error { return invalid(k.messages) }

// isType checks a value's JSON type and says so in the original's words.
func (k *checker) isType(v jsontext.Value, name string, kinds ...jsontext.Kind) bool {
	if slices.Contains(kinds, v.Kind) {
		return true
	}
	k.add("%s is not of type '%s'", python.Short(v), name)
	return false
}

// role checks the name of a role.
func (k *checker) role(v jsontext.Value) (role schema.Role) {
	if k.isString(v) {
		var ok bool
		if role, ok = schema.ParseRole(v.Text); !ok {
			k.add("%s is not one of ['%s']", python.Short(v), strings.Join(schema.Roles(), "', '"))
		}
	}
	return role
}

func (k *checker) isObject(v jsontext.Value) bool { return k.isType(v, "object", jsontext.Object) }
func (k *checker) isArray(v jsontext.Value) bool  { return k.isType(v, "array", jsontext.Array) }
func (k *checker) isString(v jsontext.Value) bool { return k.isType(v, "string", jsontext.String) }

// maxNamed is how many names a message lists.
const maxNamed = 50

// unexpected words the refusal of unknown members.
func unexpected(names []string) string {
	quoted := make([]string, 0, min(len(names), maxNamed+1))
	for i, n := range names {
		if i == maxNamed {
			quoted = append(quoted, fmt.Sprintf("and %d more", len(names)-maxNamed))
			break
		}
		quoted = append(quoted, python.Short(n))
	}
	verb := "was"
	if len(names) > 1 {
		verb = "were"
	}
	return fmt.Sprintf("Additional properties are not allowed (%s %s unexpected)", strings.Join(quoted, ", "), verb)
}

// storable reports whether every database can hold the text.
func storable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// isText checks that a string may be what it is for: check is the rule for it.
func (k *checker) isText(what, s string, limit int, check func(string) error) bool {
	if err := check(s); err != nil {
		k.add("the %s %s", what, err)
		return false
	}
	if limit > 0 && utf8.RuneCountInString(s) > limit {
		k.add("the %s has %d characters, at most %d are possible", what, utf8.RuneCountInString(s), limit)
		return false
	}
	return true
}

// checkValue finds what the value of a variable may not hold.
func checkValue(v jsontext.Value) error {
	switch v.Kind {
	case jsontext.String:
		return value.CheckText(v.Text)
	case jsontext.Float, jsontext.Integer:
		return value.CheckNumber(v.Text)
	}
	for i := range v.Items {
		if err := checkValue(v.Items[i]); err != nil {
			return value.At(i, err)
		}
	}
	for i := range v.Members {
		m := &v.Members[i]
		if err := cmp.Or(value.CheckText(m.Key), checkValue(m.Value)); err != nil {
			return value.In(m.Key, err)
		}
	}
	return nil
}

// input is what a valid body asks for.
type input struct {
	store.CreateParams
	echoes []jsontext.Member // to be shown once
	links  []jsontext.Value  // likewise, among the generated ones
	given  store.Values      // values as sent where the answer shows them so
}

// readInput validates a POST or PUT body against r's fields.
func (c *call) readInput(r *resource, accept use) (*input, error) {
	body, err := c.readBody()
	if err != nil {
		return nil, err
	}
	in := &input{CreateParams: store.CreateParams{Values: store.Values{}}, given: store.Values{}}
	if accept == inUpdate && (body.Kind == jsontext.Null || body.Kind == jsontext.Array) {
		return in, nil // an empty update (contract §2.1.4)
	}
	k := &checker{}
	if !k.isObject(body) {
		return nil, k.err()
	}
	var unknown []string
	for _, m := range body.Members {
		i := slices.IndexFunc(r.fields, func(f field) bool { return f.name == m.Key && f.use&accept != 0 })
		if i < 0 {
			unknown = append(unknown, m.Key)
			continue
		}
		in.take(k, r.fields[i], m, accept)
	}
	k.name(r, in.Values)
	if len(unknown) > 0 {
		k.add("%s", unexpected(unknown))
	}
	for _, f := range r.fields {
		if _, ok := body.Get(f.name); !ok && accept == inCreate && f.use&required != 0 {
			k.add("'%s' is a required property", f.name)
		}
	}
	return in, k.err()
}

// name checks what an object is to be called from now on.
func (k *checker) name(r *resource, values store.Values) {
	if name, given := values[r.Title].(string); given {
		if err := value.CheckForm(name); err != nil {
			k.add("%s: it %s", r.Title, err)
		}
	}
}

// take checks one member and files it where it belongs.
func (in *input) take(k *checker, f field, m jsontext.Member, accept use) {
	v := m.Value
	var stored any
	switch f.kind {
	case integer:
		if accept == inUpdate && f.use&nullable != 0 {
			if v.Kind == jsontext.Null {
				in.Values[f.name] = nil
				return
			}
			if v.Kind != jsontext.Integer {
				k.add("%s is not valid under any of the given schemas", python.Short(v))
				return
			}
		}
		if !k.isType(v, "integer", jsontext.Integer) {
			return
		}
		n, err := parseInt64(v.Text)
		if err != nil {
			k.add("%s: %s does not fit 64 bits", f.name, v.Text)
			return
		}
		stored = n
		in.given[f.name] = n
	case boolean:
		if !k.isType(v, "boolean", jsontext.True, jsontext.False) {
			return
		}
		stored = v.Kind == jsontext.True
	case str, longText, address, uuid:
		if !k.isString(v) {
			return
		}
		limit, check := schema.MaxText, value.CheckWord
		switch {
		case f.kind == longText:
			limit, check = 0, value.CheckText
		case f.kind == str && f.use&required != 0:
			check = value.CheckName
		}
		if !k.isText(f.name, v.Text, limit, check) {
			return
		}
		if f.kind == longText && len(v.Text) > schema.MaxLongText {
			k.add("the %s has %d bytes, at most %d are possible", f.name, len(v.Text), schema.MaxLongText)
		}
		stored = v.Text
		if f.kind == address {
			ip, ok := value.ParseAddress(v.Text)
			if !ok {
				k.add("%s: %s is not an IPv4 or IPv6 address", f.name, python.Short(v))
			}
			stored = ip
		}
		if f.kind == uuid {
			id, ok := value.ParseUUID(v.Text)
			if !ok {
				k.add("%s: %s is not a valid UUID", f.name, python.Short(v))
			}
			stored = id
		}
	case roleName:
		in.Values[f.name] = k.role(v).String()
	case object:
		in.Variables = k.variables(v)
		return
	case strs:
		set := k.strings(v, f.name, value.CheckNew)
		if f.use&echo == 0 {
			in.Labels = set
			return
		}
	case noItems:
		if k.isArray(v) && len(v.Items) > 0 {
			k.add("%s cannot be created along with it: send an empty array or leave '%s' out", f.name, f.name)
		}
	case linkList:
		in.links = k.links(v)
		return
	}
	if f.use&echo != 0 {
		in.echoes = append(in.echoes, m)
		return
	}
	in.Values[f.name] = stored
}

// variables checks an object of variables and returns it sorted, in
// canonical text. The store has limits for all that an object has together.
func (k *checker) variables(v jsontext.Value) []store.Variable {
	if !k.isObject(v) || !k.isFew(len(v.Members), store.DefaultLimits.Keys, "variables") {
		return nil
	}
	set := make([]store.Variable, 0, len(v.Members))
	var odd []string
	for _, m := range v.Members {
		if m.Key == "" || m.Key[0] == '\n' {
			odd = append(odd, m.Key)
			continue
		}
		if err := value.CheckNew(m.Key); err != nil {
			k.add("the variable's key %s %s", value.Join("", m.Key), err)
			continue
		}
		if !k.isText("variable's key", m.Key, schema.MaxText, value.CheckName) {
			continue
		}
		if err := value.In(m.Key, checkValue(m.Value)); err != nil {
			k.add("the variable %s", err)
			continue
		}
		set = append(set, store.Variable{Name: m.Key, Value: m.Value.Compact()})
	}
	if len(odd) > 0 {
		slices.Sort(odd)
		verb := "does"
		if len(odd) > 1 {
			verb = "do"
		}
		odd = odd[:min(len(odd), maxNamed)]
		for i, key := range odd {
			odd[i] = python.Short(key)
		}
		k.add("%s %s not match any of the regexes: '^.+'", strings.Join(odd, ", "), verb)
	}
	slices.SortFunc(set, func(a, b store.Variable) int { return strings.Compare(a.Name, b.Name) })
	return set
}

// isFew checks how many there are of something.
func (k *checker) isFew(n, most int, what string) bool {
	if n > most {
		k.add("there are %d %s, at most %d are possible", n, what, most)
	}
	return n <= most
}

// strings checks an array of strings, each by a rule.
func (k *checker) strings(v jsontext.Value, what string, check func(string) error) []string {
	if !k.isArray(v) || !k.isFew(len(v.Items), store.DefaultLimits.Labels, what) {
		return nil
	}
	var set []string
	for _, item := range v.Items {
		if k.isString(item) && k.isText("text in "+what, item.Text, schema.MaxText, check) {
			set = append(set, item.Text)
		}
	}
	return set
}

// links checks an array of {href, rel}.
func (k *checker) links(v jsontext.Value) []jsontext.Value {
	if !k.isArray(v) || !k.isFew(len(v.Items), maxLinks, "links") {
		return nil
	}
	for _, item := range v.Items {
		if !k.isObject(item) {
			continue
		}
		for _, name := range []string{"href", "rel"} {
			if text, ok := item.Get(name); !ok {
				k.add("'%s' is a required property", name)
			} else {
				k.isString(text)
			}
		}
	}
	return v.Items
}
