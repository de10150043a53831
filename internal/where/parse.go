package where

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Error reports what is wrong with a term.
type Error struct {
	Term   string // as written
	Column int    // its position in the text, in characters from 1
	What   string // what is wrong, and what is allowed
}

func (e *Error) Error() string {
	if e.Term == "" {
		return e.What
	}
	return fmt.Sprintf("%s (column %d): %s", strconv.Quote(value.Brief(e.Term)), e.Column, e.What)
}

// Parse parses terms about objects of a kind. Its error is an *Error. No terms at all are an error too: to select all
// objects, use no terms option or name=*.
func Parse(k *schema.Kind, text string) (*Where, error) {
	switch {
	case len(text) > maxLength:
		return nil, &Error{What: fmt.Sprintf("it is longer than %d bytes", maxLength)}
	case value.CheckText(text) != nil:
		return nil, &Error{What: "it " + value.CheckText(text).Error()}
	case strings.TrimSpace(text) == "":
		return nil, &Error{What: "a term is missing, such as name=web-* or label=web"}
	}
	w := &Where{Kind: k}
	p := parser{kind: k, text: text}
	for p.blanks(); p.text[p.pos:] != ""; p.blanks() {
		if len(w.Terms) == MaxTerms {
			return nil, &Error{What: fmt.Sprintf("it has more than %d terms", MaxTerms)}
		}
		from := p.pos
		t, err := p.term()
		if err != nil {
			for p.pos < len(text) && !unicode.IsSpace(p.peek()) {
				p.next()
			}
			return nil, &Error{Term: text[from:p.pos], Column: utf8.RuneCountInString(text[:from]) + 1, What: err.Error()}
		}
		w.Terms = append(w.Terms, t)
	}
	return w, nil
}

type parser struct {
	kind   *schema.Kind
	text   string
	pos    int
	values int
}

// peek returns the next character, 0 at the end.
func (p *parser) peek() rune {
	if p.pos == len(p.text) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return r
}

func (p *parser) next() {
	_, n := utf8.DecodeRuneInString(p.text[p.pos:])
	p.pos += n
}

func (p *parser) take(token string) bool {
	if strings.HasPrefix(p.text[p.pos:], token) {
		p.pos += len(token)
		return true
	}
	return false
}

func (p *parser) blanks() {
	for p.pos < len(p.text) && unicode.IsSpace(p.peek()) {
		p.next()
	}
}

// ended reports whether the term ends here.
func (p *parser) ended() bool { return p.pos == len(p.text) || unicode.IsSpace(p.peek()) }

// word is one part of a name.
type word struct {
	text   string
	quoted bool
}

const (
	vars  = "vars"
	usage = "a term is name=value, name!=value, name or !name"
)

func (p *parser) term() (t Term, err error) {
	t.Not = p.take("!")
	if t.Not && (p.ended() || p.peek() == '!') {
		return t, fmt.Errorf("write ! only once, before a term, as in !label=web")
	}
	name, err := p.word()
	if err != nil {
		return t, err
	}
	scoped := false
	if p.take(":") {
		switch {
		case name.quoted || name.text != "own" && name.text != "resolved":
			return t, fmt.Errorf("a colon is allowed only after own and resolved; %s", usage)
		case p.ended():
			return t, fmt.Errorf("%s: must be followed by the name of a variable", name.text)
		}
		scoped, t.Own = true, name.text == "own"
		if name, err = p.word(); err != nil {
			return t, err
		}
	}
	names := []word{name}
	for p.take(".") {
		if p.ended() || strings.ContainsRune("=!.", p.peek()) {
			return t, fmt.Errorf(`a name is missing after the dot; quote a variable name that contains a dot: "v3.0"`)
		}
		one, err := p.word()
		if err != nil {
			return t, err
		}
		names = append(names, one)
	}
	if err := p.about(&t, names, scoped); err != nil {
		return t, err
	}
	switch {
	case p.ended():
		return t, p.alone(&t)
	case p.take("!="):
		if t.Not {
			return t, fmt.Errorf("it is negated twice: omit the first !, or write = instead of !=")
		}
		t.Not = true
	case !p.take("="):
		return t, p.unexpected()
	}
	for {
		v, err := p.value(&t)
		if err != nil {
			return t, err
		}
		if p.values++; p.values > MaxValues {
			return t, fmt.Errorf("it has more than %d values", MaxValues)
		}
		t.Values = append(t.Values, v)
		if p.ended() {
			return t, nil
		}
		if !p.take(",") {
			return t, p.unexpected()
		}
		if p.ended() {
			return t, fmt.Errorf("a value is missing after the comma: alternatives are written without spaces, as in name=web-*,db-*")
		}
	}
}

// unexpected returns the error for a term that neither ends nor continues.
func (p *parser) unexpected() error {
	switch r := p.peek(); r {
	case '&', '|', '(', ')':
		return fmt.Errorf("%q has no meaning: all terms must match, and alternatives are separated by commas, as in name=web-*,db-*", r)
	case '~', '<', '>':
		return fmt.Errorf("%q is not a comparison: %s", r, usage)
	case '*', '?':
		return fmt.Errorf("a name cannot contain %c: patterns are for values, as in name=web-*", r)
	case '"':
		return fmt.Errorf("a closing quote must be followed by a space, a comma, or more of the value")
	default:
		return fmt.Errorf("unexpected %q; %s; put names with other characters in double quotes", r, usage)
	}
}

// word reads one part of a name.
func (p *parser) word() (word, error) {
	if p.peek() == '"' {
		text, err := p.quoted()
		return word{text, true}, err
	}
	from := p.pos
	for !p.ended() && !strings.ContainsRune(keyEnds, p.peek()) && !isOdd(p.peek()) {
		p.next()
	}
	switch {
	case p.pos > from:
		return word{text: p.text[from:p.pos]}, nil
	case p.peek() == '=':
		return word{}, fmt.Errorf("the name is missing before =: terms are written without spaces, as in name=web-*")
	}
	return word{}, p.unexpected()
}

// quoted reads a text in double quotes.
func (p *parser) quoted() (string, error) {
	end := value.StringEnd(p.text, p.pos)
	if end == p.pos+1 || p.text[end-1] != '"' {
		p.pos = len(p.text)
		return "", fmt.Errorf("the closing quote is missing")
	}
	v, err := jsontext.Parse([]byte(p.text[p.pos:end]))
	p.pos = end
	switch {
	case err != nil:
		return "", fmt.Errorf(`in quotes, use the escapes of JSON, such as \" and \\`)
	case value.CheckText(v.Text) != nil:
		return "", fmt.Errorf("the text in quotes %w", value.CheckText(v.Text))
	}
	return v.Text, nil
}

// about determines what a term is about: names are the parts separated by dots.
func (p *parser) about(t *Term, names []word, scoped bool) error {
	first := names[0]
	marked := !first.quoted && first.text == vars
	if marked {
		if names = names[1:]; len(names) == 0 {
			return fmt.Errorf("the name of a variable is missing, as in vars.ntp")
		}
		first = names[0]
	}
	if !marked && !first.quoted {
		if done, err := p.field(t, first.text, scoped, len(names) > 1); done || err != nil {
			return err
		}
	}
	t.Key, t.marked = first.text, isReserved(p.kind, first.text)
	for _, name := range names[1:] {
		t.Path = append(t.Path, name.text)
	}
	return nil
}

// field returns the field that a word names, and refuses words that are probably not meant as variables.
func (p *parser) field(t *Term, name string, scoped, more bool) (done bool, err error) {
	f, known := fieldOf(p.kind, name)
	switch {
	case known && scoped:
		return false, fmt.Errorf("own: and resolved: are for variables, but %s is a field; for a variable of that name, write own:vars.%s", name, name)
	case known && more:
		return false, fmt.Errorf("the field %s has no parts; for a variable of that name, write vars.%s", name, name)
	case known:
		t.Field = f
		return true, nil
	case isSlip(name):
		return false, fmt.Errorf("all terms must match, without words between them: write alternatives as name=web-*,db-*, and ! for not; for a variable of that name, write vars.%s", name)
	case slices.Contains(reserved, name):
		return false, p.noField(name, nearest.Word(name, wordsOf(p.kind)))
	}
	if word := nearField(p.kind, name); word != "" {
		return false, p.noField(name, word)
	}
	return false, nil
}

func (p *parser) noField(name, near string) error {
	next := "fields are " + strings.Join(wordsOf(p.kind), ", ")
	if near != "" {
		next = fmt.Sprintf("did you mean %q?", near)
	}
	return advice.With(fmt.Errorf("a %[2]s has no field %[1]q; for a variable of that name, write vars.%[3]s", name, p.kind.Noun(), name), next)
}

// alone checks a name without a value.
func (p *parser) alone(t *Term) error {
	if t.IsVariable() || t.Field.May {
		return nil
	}
	example := map[FieldType]string{TextField: "web-*", AddressField: "10.20.0.0/16", FlagField: "true", IDField: "12", PlaceField: "dfw"}[t.Field.Type]
	if t.Field.Key == "device_type" {
		example = "server"
	}
	return fmt.Errorf("every %s has the field %s, so give a value: %[2]s=%s; for a variable of that name, write vars.%[2]s", p.kind.Noun(), t.Field.Word, example)
}

// value reads one alternative.
func (p *parser) value(t *Term) (v Value, err error) {
	switch r := p.peek(); {
	case p.ended() || r == ',':
		return v, fmt.Errorf(`a value is missing; for an empty text, write %s=""`, t.Name())
	case r == '\'':
		return v, fmt.Errorf(`put a value with spaces or commas in double quotes: %s="web 01"`, t.Name())
	case r == '=':
		return v, fmt.Errorf("write a single =")
	case (r == '[' || r == '{') && t.IsVariable():
		return p.json()
	}
	return p.read(t)
}

// json reads a list or an object.
func (p *parser) json() (v Value, err error) {
	x := jsontext.NewScanner(p.text[p.pos:])
	raw := x.Skip()
	got, err := jsontext.Parse([]byte(raw))
	if err != nil || raw == "" {
		return v, fmt.Errorf("it begins like JSON but is not valid JSON; put a text that begins with a bracket or brace in double quotes")
	}
	p.pos += len(raw)
	return Value{JSON: &got}, nil
}

// read reads a value that consists of characters, texts in quotes, and wildcards.
func (p *parser) read(t *Term) (v Value, err error) {
	place := t.Field.Type == PlaceField
	var plain strings.Builder // as written
	asked := false            // by quotes
	path := []Pattern{{}}
	for !p.ended() && p.peek() != ',' {
		last := &path[len(path)-1]
		switch r := p.peek(); {
		case r == '"':
			text, err := p.quoted()
			if err != nil {
				return v, err
			}
			asked = true
			if text != "" {
				last.add(part{text: text})
			}
			continue
		case isOdd(r):
			return v, fmt.Errorf(`write the character %s in double quotes, as \u%04x`, strconv.QuoteRuneToASCII(r), r)
		case place && r == '/':
			path = append(path, Pattern{})
		case r == '*' || r == '?':
			last.add(part{wild: byte(r)})
		default:
			last.add(part{text: string(r)})
		}
		plain.WriteRune(p.peek())
		p.next()
	}
	switch t.Field.Type {
	case 0:
		return variable(path[0], plain.String(), asked), nil
	case PlaceField:
		return p.place(t.Field, path)
	case TextField, LabelField:
		v.Pattern = path[0]
		return v, nil
	}
	text, ok := path[0].Literal()
	if !ok {
		return v, fmt.Errorf("the field %s does not take a pattern: %s", t.Field.Word, wants(t.Field.Type))
	}
	switch t.Field.Type {
	case AddressField:
		v.Range, ok = addresses(text)
	case FlagField:
		v.Flag, ok = text == "true", text == "true" || text == "false"
	case IDField:
		v.ID, err = strconv.ParseInt(text, 10, 64)
		ok = err == nil
	}
	if !ok {
		return v, fmt.Errorf("%s is not a valid value of the field %s: %s", strconv.Quote(value.Brief(text)), t.Field.Word, wants(t.Field.Type))
	}
	return v, nil
}

// wants describes the values of a field.
func wants(of FieldType) string {
	return map[FieldType]string{
		AddressField: "it must be an address such as 10.20.0.11, or a range such as 10.20.0.0/16", FlagField: "it must be true or false",
		IDField: "it must be a number",
	}[of]
}

// variable returns a value to compare variables with.
func variable(p Pattern, plain string, quoted bool) Value {
	text, ok := p.Literal()
	if !ok {
		return Value{Pattern: p}
	}
	v := jsontext.Value{Kind: jsontext.String, Text: text}
	if !quoted {
		v = scalar(plain)
	}
	return Value{JSON: &v}
}

// place checks the names of a place and its outer places.
func (p *parser) place(f Field, path []Pattern) (Value, error) {
	most := map[string]int{schema.Cloud.Name: 1, schema.Region.Name: 2}[f.Word]
	if most == 0 {
		most = 3
	}
	if len(path) > most {
		form := map[int]string{1: "write a cloud as its name alone", 2: "write a region as dfw or east/dfw", 3: "write it as name, region/name or cloud/region/name"}[most]
		return Value{}, fmt.Errorf("%s; put a name that contains a slash in double quotes", form)
	}
	for _, one := range path {
		if len(one.parts) == 0 {
			return Value{}, fmt.Errorf("a name is empty")
		}
	}
	return Value{Path: path}, nil
}

// addresses reads an address, or a range of addresses.
func addresses(text string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), a.Zone() == ""
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil
}
