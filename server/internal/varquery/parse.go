package varquery

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// syntaxError is an error with the message of the original server.
type syntaxError string

func (r syntaxError) Error() string { return string(r) }

// Errors of [Parse], with the messages of the original server (contract §4).
const (
	ErrPath  = syntaxError("The query contains an invalid JSON Path expression.")
	ErrValue = syntaxError("An invalid JSON value was specified.")
)

// MaxTerms is the maximum number of terms in a filter. Each term needs a lookup for every object, and databases limit
// the depth of expressions.
const MaxTerms = 100

// Term is the condition that the variable Key has a matching value.
type Term struct {
	Key   string
	steps []step
	want  jsontext.Value
}

// step is one leg of a path below the variable's value.
type step struct {
	kind  stepKind
	name  string // name of a member
	index int    // index of an element
}

type stepKind uint8

const (
	member stepKind = iota
	anyMember
	element
	anyElement
)

// Parse parses a filter. Of several terms with the same path, only the last one is used. It fails with [ErrPath],
// [ErrValue], or an error that describes another problem.
func Parse(expr string) ([]Term, error) {
	var terms []Term
	at := map[string]int{}
	for piece := range strings.SplitSeq(expr, ",") {
		path, value, ok := strings.Cut(piece, ":")
		if !ok {
			return nil, fmt.Errorf("the vars filter needs <path>:<json value> pairs separated by commas, but %q has no colon", piece)
		}
		term, err := parsePath(path)
		if err != nil {
			return nil, err
		}
		if term.want, err = jsontext.Parse([]byte(value)); err != nil {
			return nil, ErrValue
		}
		if i, again := at[path]; again {
			terms[i] = term
			continue
		}
		if len(terms) == MaxTerms {
			return nil, fmt.Errorf("the vars filter has more than %d terms, which is the limit", MaxTerms)
		}
		at[path] = len(terms)
		terms = append(terms, term)
	}
	return terms, nil
}

// parsePath parses <key>[<step>...]. It ignores blanks between tokens.
func parsePath(path string) (Term, error) {
	p := pathParser{text: path}
	key, ok := p.name(true)
	if !ok {
		return Term{}, ErrPath
	}
	term := Term{Key: key}
	for p.blanks(); p.text != ""; p.blanks() {
		s, ok := p.step()
		if !ok {
			return Term{}, ErrPath
		}
		term.steps = append(term.steps, s)
	}
	return term, nil
}

type pathParser struct{ text string }

func (p *pathParser) blanks() { p.text = strings.TrimLeft(p.text, " \t") }

func (p *pathParser) take(token string) bool {
	p.blanks()
	rest, ok := strings.CutPrefix(p.text, token)
	p.text = rest
	return ok
}

func (p *pathParser) step() (step, bool) {
	if p.take(".") {
		if p.take("*") {
			return step{kind: anyMember}, true
		}
		if name, ok := p.name(false); ok {
			return step{kind: member, name: name}, true
		}
		if !strings.HasPrefix(p.text, "[") { // foo.[0] is foo[0]
			return step{}, false
		}
	}
	if !p.take("[") {
		return step{}, false
	}
	s := step{kind: anyElement}
	if !p.take("*") {
		p.blanks()
		n := 0
		for n < len(p.text) && p.text[n] >= '0' && p.text[n] <= '9' {
			n++
		}
		index, err := strconv.Atoi(p.text[:n])
		if err != nil {
			return step{}, false
		}
		p.text = p.text[n:]
		s = step{kind: element, index: index}
	}
	return s, p.take("]")
}

// name parses a bare or quoted name. Only the first name, the key, may contain an @: the others become a MySQL path,
// whose bare names cannot contain it.
func (p *pathParser) name(first bool) (string, bool) {
	p.blanks()
	if strings.HasPrefix(p.text, `"`) {
		return p.quoted()
	}
	n := 0
	for n < len(p.text) {
		c := p.text[n]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '@' && first
		if !letter && (n == 0 || c < '0' || c > '9') {
			break
		}
		n++
	}
	name := p.text[:n]
	p.text = p.text[n:]
	return name, n > 0 && name != "where" // a keyword of the path language
}

func (p *pathParser) quoted() (string, bool) {
	var b strings.Builder
	for i := 1; i < len(p.text); i++ {
		switch c := p.text[i]; c {
		case '"':
			p.text = p.text[i+1:]
			return b.String(), true
		case '\\':
			if i++; i < len(p.text) {
				b.WriteByte(p.text[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
