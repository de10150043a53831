package ansible

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value/python"
)

// The replacements for a secret in output, as in AnsibleModule.
const (
	noLogValue = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" // for a value that is one
	noLogText  = "********"                            // for a part of a text
)

// shortSecret is the minimum length, in characters, of secrets that are also masked within words and numbers.
const shortSecret = 4

// secrets are the values that must not appear in output. Safe for concurrent use.
type secrets struct {
	mu    sync.Mutex
	texts map[string]bool
}

// add registers a text, unless it is empty.
func (s *secrets) add(text string) {
	if text == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts == nil {
		s.texts = make(map[string]bool)
	}
	s.texts[text] = true
	// A secret read from a file ends with a newline, which is mostly stripped later.
	if trimmed := strings.TrimSpace(text); trimmed != "" {
		s.texts[trimmed] = true
	}
}

// addValue registers every text and number in a JSON value. Booleans, nulls and the keys of a dict are not secrets.
func (s *secrets) addValue(v any) {
	switch v := v.(type) {
	case string:
		s.add(v)
	case json.Number:
		s.add(string(v))
		s.add(python.Number(string(v)))
	case []any:
		for _, e := range v {
			s.addValue(e)
		}
	case *dict:
		for _, e := range v.values {
			s.addValue(e)
		}
	}
}

// addKeys registers the values in a JSON value whose keys contain one of the words.
func (s *secrets) addKeys(v any, words []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			s.addKeys(e, words)
		}
	case *dict:
		for k, e := range v.values {
			if secretKey(k, words) {
				s.addValue(e)
			} else {
				s.addKeys(e, words)
			}
		}
	}
}

// secretKey reports whether a key contains one of the words.
func secretKey(key string, words []string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(key, strings.ToLower(word)) })
}

// masker returns a masker for the current secrets, nil if there are none. keep are keys that come from code and are not
// masked.
func (s *secrets) masker(keep map[string]bool) *masker {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.texts) == 0 {
		return nil
	}
	m := &masker{whole: make(map[string]bool), keep: keep}
	parts := make(map[string]bool)
	for text := range s.texts {
		m.whole[text] = true
		parts[text] = true
		if utf8.RuneCountInString(text) < shortSecret {
			continue
		}
		// The forms in which a secret is written within other texts: in URLs, in JSON, and quoted by Go and by Python.
		for _, form := range []string{
			url.QueryEscape(text),
			url.PathEscape(text),
			strings.Trim(string(appendString(nil, text)), `"`),
			strings.Trim(strconv.Quote(text), `"`),
			strings.Trim(python.Repr(text), `"'`),
			strings.ToValidUTF8(text, "\ufffd"),
		} {
			if form != "" {
				parts[form] = true
			}
		}
	}
	for text := range parts {
		m.parts = append(m.parts, part{text: text, short: utf8.RuneCountInString(text) < shortSecret})
	}
	sort.Slice(m.parts, func(i, j int) bool { return m.parts[i].text < m.parts[j].text })
	return m
}

// masker replaces secrets in values.
type masker struct {
	whole map[string]bool
	parts []part
	keep  map[string]bool
}

type part struct {
	text  string
	short bool
}

// value masks a JSON value: texts, numbers, and keys that are not in keep.
func (m *masker) value(v any) any {
	switch v := v.(type) {
	case string:
		return m.text(v)
	case json.Number:
		if m.number(string(v)) || m.number(python.Number(string(v))) {
			return noLogValue
		}
		return v
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = m.value(e)
		}
		return list
	case *dict:
		d := newDict()
		for _, k := range v.keys {
			d.set(m.key(k, d), m.value(v.values[k]))
		}
		return d
	}
	return v
}

// headers masks the titles of the two sides of a diff, or of each of a list of them.
func (m *masker) headers(diff any) {
	switch v := diff.(type) {
	case []any:
		for _, e := range v {
			m.headers(e)
		}
	case *dict:
		for _, k := range []string{"before_header", "after_header"} {
			if text, ok := v.values[k].(string); ok {
				v.set(k, m.text(text))
			}
		}
	}
}

// key masks a key; if two keys become equal, they are numbered.
func (m *masker) key(k string, d *dict) string {
	if m.keep[k] {
		return k
	}
	masked := m.text(k)
	if masked == k {
		return k
	}
	for n := 2; d.has(masked); n++ {
		masked = fmt.Sprintf("%s_%d", m.text(k), n)
	}
	return masked
}

func (m *masker) number(text string) bool {
	if m.whole[text] {
		return true
	}
	for _, p := range m.parts {
		if !p.short && strings.Contains(text, p.text) {
			return true
		}
	}
	return false
}

// text masks a text. Overlapping secrets are masked together, so that no part of one remains.
func (m *masker) text(s string) string {
	if m.whole[s] {
		return noLogValue
	}
	var hide []bool // by byte
	for _, p := range m.parts {
		for from := 0; ; {
			i := strings.Index(s[from:], p.text)
			if i < 0 {
				break
			}
			i += from
			end := i + len(p.text)
			from = i + 1
			if p.short && (wordBefore(s[:i]) || wordAfter(s[end:])) {
				continue
			}
			if hide == nil {
				hide = make([]bool, len(s))
			}
			for k := i; k < end; k++ {
				hide[k] = true
			}
		}
	}
	if hide == nil {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if !hide[i] {
			b.WriteByte(s[i])
		} else if i == 0 || !hide[i-1] {
			b.WriteString(noLogText)
		}
	}
	return b.String()
}

func wordBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return wordRune(r) && s != ""
}

func wordAfter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return wordRune(r) && s != ""
}

func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
