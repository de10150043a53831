package where

import (
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// Pattern is a text in which * stands for any text and ? for one character.
type Pattern struct {
	parts []part
}

// part is a part of a pattern: a text, or a wildcard.
type part struct {
	text string
	wild byte // '*', '?', or 0 for a text
}

// Literal returns a pattern that matches only one text.
func Literal(text string) Pattern {
	if text == "" {
		return Pattern{}
	}
	return Pattern{[]part{{text: text}}}
}

// add appends a part; several * in a row are one.
func (p *Pattern) add(one part) {
	if n := len(p.parts); n > 0 {
		last := &p.parts[n-1]
		if one.wild == 0 && last.wild == 0 {
			last.text += one.text
			return
		}
		if one.wild == '*' && last.wild == '*' {
			return
		}
	}
	p.parts = append(p.parts, one)
}

// Literal returns the only text that the pattern matches, if it has no wildcard.
func (p Pattern) Literal() (text string, ok bool) {
	switch {
	case len(p.parts) == 0:
		return "", true
	case len(p.parts) == 1 && p.parts[0].wild == 0:
		return p.parts[0].text, true
	}
	return "", false
}

// Translate writes the pattern in another language, given its * and ?, and a function for texts.
func (p Pattern) Translate(many, one string, literal func(string) string) string {
	var b strings.Builder
	for _, each := range p.parts {
		switch each.wild {
		case '*':
			b.WriteString(many)
		case '?':
			b.WriteString(one)
		default:
			b.WriteString(literal(each.text))
		}
	}
	return b.String()
}

// Match reports whether a text matches. It takes no longer than the product of both lengths.
func (p Pattern) Match(text string) bool {
	if literal, ok := p.Literal(); ok {
		return text == literal
	}
	parts, star, mark := p.parts, []part(nil), ""
	for {
		if len(parts) > 0 {
			switch next := parts[0]; {
			case next.wild == '*':
				if parts = parts[1:]; len(parts) == 0 {
					return true
				}
				star, mark = parts, text
				continue
			case next.wild == '?' && text != "":
				_, n := utf8.DecodeRuneInString(text)
				parts, text = parts[1:], text[n:]
				continue
			case next.wild == 0 && strings.HasPrefix(text, next.text):
				parts, text = parts[1:], text[len(next.text):]
				continue
			}
		} else if text == "" {
			return true
		}
		if star == nil || mark == "" { // the last * takes one character more
			return false
		}
		_, n := utf8.DecodeRuneInString(mark)
		mark = mark[n:]
		if star[0].wild == 0 { // and everything up to the next required part
			at := strings.Index(mark, star[0].text)
			if at < 0 {
				return false
			}
			mark = mark[at:]
		}
		parts, text = star, mark
	}
}

// signs returns the parts of JSON that every matching text, in quotes, contains.
func (p Pattern) signs() (pieces []string) {
	for i, each := range p.parts {
		if each.wild != 0 {
			continue
		}
		quoted := string(jsontext.AppendString(nil, each.text))
		from, to := 1, len(quoted)-1
		if i == 0 {
			from = 0
		}
		if i == len(p.parts)-1 {
			to = len(quoted)
		}
		pieces = append(pieces, quoted[from:to])
	}
	if pieces == nil {
		return []string{`"`}
	}
	return pieces
}

// starts returns the beginnings of the JSON of matching texts, and of lists that may contain one; none if it begins
// with a wildcard.
func (p Pattern) starts() []jsontext.Start {
	if text, ok := p.Literal(); ok {
		return jsontext.Value{Kind: jsontext.String, Text: text}.Starts()
	}
	if p.parts[0].wild != 0 {
		return nil
	}
	quoted := string(jsontext.AppendString(nil, p.parts[0].text))
	return []jsontext.Start{{Text: quoted[:len(quoted)-1]}, jsontext.List}
}
