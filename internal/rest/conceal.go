package rest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/value"
)

// Concealed replaces a secret.
const Concealed = "********"

// Lengths of secrets in characters. A short one also occurs in other words.
const (
	anywhere = 8 // from here on it is also concealed within words, and in any case
	asWord   = 4 // from here on as a word, below only in quotes or after = and :
)

// nested is the maximum number of encodings of a text within each other that are decoded.
const nested = 3

// Conceal removes secrets from a text that somebody else has written, such as the error of a server that repeats the
// request: unchanged, and as encoded in JSON, URLs, HTML, Python, base64 and hexadecimal digits, even nested.
func Conceal(text string, secrets ...string) string {
	var hidden []span
	var texts []decoded
	for _, secret := range secrets {
		if secret = strings.TrimSpace(secret); secret == "" {
			continue
		}
		if texts == nil {
			texts = readings(text)
		}
		for i := range texts {
			hidden = append(hidden, texts[i].find(secret)...)
		}
	}
	if hidden == nil {
		return text
	}
	slices.SortFunc(hidden, func(a, b span) int { return a.begin - b.begin })
	var b strings.Builder
	end := 0
	for _, h := range hidden {
		if h.begin >= end {
			b.WriteString(text[end:h.begin] + Concealed)
		}
		end = max(end, h.end)
	}
	return b.String() + text[end:]
}

// span is a part of a text.
type span struct{ begin, end int }

// decoded is a decoded text, with the position of each byte in the original.
type decoded struct {
	bytes []byte
	at    []int // one more than bytes
}

// readings returns a text itself, and its decodings.
func readings(text string) []decoded {
	first := decoded{bytes: []byte(text), at: make([]int, len(text)+1)}
	for i := range first.at {
		first.at[i] = i
	}
	all, seen := []decoded{first}, map[string]bool{text: true}
	for from, level := 0, 0; level < nested; level++ {
		to := len(all)
		for ; from < to; from++ {
			for _, d := range decoders {
				if next := all[from].decode(d); next.bytes != nil && !seen[string(next.bytes)] {
					seen[string(next.bytes)] = true
					all = append(all, next)
				}
			}
		}
	}
	return all
}

// decoder decodes one encoded character at the start of a text; length 0 means none.
type decoder struct {
	begins byte
	read   func(text []byte) (as []byte, length int)
}

var decoders = []decoder{
	{'\\', func(text []byte) ([]byte, int) { return backslash(text, false) }},
	{'\\', func(text []byte) ([]byte, int) { return backslash(text, true) }},
	{'%', func(text []byte) ([]byte, int) {
		if len(text) < 3 {
			return nil, 0
		}
		return number(text[1:3], 16, true, 3)
	}},
	{'&', entity},
}

// decode returns the text with everything decoded that a decoder accepts; without bytes if that is nothing.
func (t *decoded) decode(d decoder) decoded {
	if bytes.IndexByte(t.bytes, d.begins) < 0 {
		return decoded{}
	}
	out := decoded{bytes: make([]byte, 0, len(t.bytes)), at: make([]int, 0, len(t.at))}
	for i := 0; i < len(t.bytes); {
		as, length := t.bytes[i:i+1], 1
		if t.bytes[i] == d.begins {
			if other, n := d.read(t.bytes[i:]); n > 0 {
				as, length = other, n
			}
		}
		for range as {
			out.at = append(out.at, t.at[i])
		}
		out.bytes = append(out.bytes, as...)
		i += length
	}
	out.at = append(out.at, t.at[len(t.bytes)])
	return out
}

// number returns the character or byte for a number.
func number(digits []byte, base int, oneByte bool, length int) ([]byte, int) {
	n, err := strconv.ParseUint(string(digits), base, 32)
	switch {
	case err != nil || n > utf8.MaxRune:
		return nil, 0
	case oneByte:
		return []byte{byte(n)}, length
	}
	return utf8.AppendRune(nil, rune(n)), length
}

// backslash decodes a backslash escape of JSON, Go, Python and others. \x stands for a byte, or a character.
func backslash(text []byte, bytesByNumber bool) ([]byte, int) {
	if len(text) < 2 {
		return nil, 0
	}
	switch c := text[1]; c {
	case 'n', 'r', 't':
		return []byte{' '}, 2
	case 'x':
		if len(text) >= 4 {
			return number(text[2:4], 16, bytesByNumber, 4)
		}
	case 'U':
		if len(text) >= 10 {
			return number(text[2:10], 16, false, 10)
		}
	case 'u':
		if r, n := value.DecodeEscape(text); n > 0 {
			return utf8.AppendRune(nil, r), n
		}
	case '"', '\'', '\\', '/', '`', '&', '<', '>', '=', ' ':
		return []byte{c}, 2
	}
	return nil, 0
}

// entity reads what HTML writes with a name or a number.
func entity(text []byte) ([]byte, int) {
	const longest = 12
	end := bytes.IndexByte(text[:min(len(text), longest)], ';')
	if end < 0 {
		return nil, 0
	}
	written := string(text[:end+1])
	if as := html.UnescapeString(written); as != written {
		return []byte(strings.ReplaceAll(as, "\u00a0", " ")), end + 1
	}
	return nil, 0
}

// find finds a secret.
func (t *decoded) find(secret string) (found []span) {
	length := utf8.RuneCountInString(secret)
	plain := func(b []byte) []byte { // of the same length
		b = bytes.Clone(b)
		for i, c := range b {
			switch {
			case c == '+' || c == '\n' || c == '\r' || c == '\t':
				b[i] = ' '
			case 'A' <= c && c <= 'Z' && length >= anywhere:
				b[i] = c + 'a' - 'A'
			}
		}
		return b
	}
	text, wanted := plain(t.bytes), plain([]byte(secret))
	for from := 0; ; {
		i := bytes.Index(text[from:], wanted)
		if i < 0 {
			break
		}
		begin := from + i
		end := begin + len(wanted)
		if length >= anywhere || isOwnWord(t.bytes[:begin], t.bytes[end:], length >= asWord) {
			found = append(found, span{t.at[begin], t.at[end]})
		}
		from = begin + 1
	}
	if length >= asWord {
		for _, form := range encoded(secret) {
			for _, at := range form.FindAllIndex(t.bytes, -1) {
				found = append(found, span{t.at[at[0]], t.at[at[1]]})
			}
		}
	}
	return found
}

// isOwnWord reports whether what stands between two texts is a word of its own; a shorter one must also be somebody's value.
func isOwnWord(before, after []byte, word bool) bool {
	if word {
		last, _ := utf8.DecodeLastRune(before)
		next, _ := utf8.DecodeRune(after)
		return (len(before) == 0 || !letter(last)) && (len(after) == 0 || !letter(next))
	}
	begin := bytes.TrimRight(before, " ")
	return len(begin) > 0 && strings.IndexByte("\"'`=:>", begin[len(begin)-1]) >= 0 &&
		(len(after) == 0 || strings.IndexByte("\"'`<&,;})] \\\n\t", after[0]) >= 0)
}

func letter(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// encoded returns patterns of texts that a secret is somewhere within: base64 and hexadecimal digits.
func encoded(secret string) (forms []*regexp.Regexp) {
	const letters = `[A-Za-z0-9+/_=-]*`
	for shift := range 3 { // how many bytes of the last group of three stand before it
		core := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		// What depends on neighbours is left out.
		core = core[[]int{0, 2, 3}[shift]:]
		if (shift+len(secret))%3 != 0 {
			core = core[:len(core)-1]
		}
		if len(core) < asWord {
			continue
		}
		core = strings.NewReplacer("+", "[+-]", "/", "[/_]").Replace(core)
		forms = append(forms, regexp.MustCompile(letters+core+letters))
	}
	return append(forms, regexp.MustCompile(`(?i)`+hex.EncodeToString([]byte(secret))))
}

// secretsOf returns the secrets that a request was sent with.
func secretsOf(r *http.Request) (secrets []string) {
	if r == nil {
		return nil
	}
	for _, name := range []string{"X-Auth-Token", "X-Subject-Token", "X-Service-Token"} {
		secrets = append(secrets, r.Header.Values(name)...)
	}
	for _, value := range r.Header.Values("Authorization") {
		_, credentials, _ := strings.Cut(value, " ")
		secrets = append(secrets, credentials)
	}
	if _, password, ok := r.BasicAuth(); ok {
		secrets = append(secrets, password)
	}
	return append(secrets, PasswordOf(r.URL)...)
}

// PasswordOf returns the password in a URL, if it has one.
func PasswordOf(u *url.URL) []string {
	if u == nil || u.User == nil {
		return nil
	}
	if password, ok := u.User.Password(); ok {
		return []string{password}
	}
	return []string{u.User.Username()} // a token
}

// secretHolder is an Auth that says what must not be shown.
type secretHolder interface{ Secrets() []string }

// secrets returns all that the client knows.
func (c *Client) secrets() []string {
	secrets := PasswordOf(c.base)
	if s, ok := c.auth.(secretHolder); ok {
		secrets = append(secrets, s.Secrets()...)
	}
	return secrets
}

// Conceal takes the secrets that the request was sent with out of what the answer says.
func (r *Response) Conceal(text string) string {
	if text == "" {
		return ""
	}
	return Conceal(text, append(secretsOf(r.sent), r.secrets...)...)
}

// ConcealError is like [Response.Conceal], for what is wrong with the response.
func (r *Response) ConcealError(err error) error {
	return ConcealError(err, append(secretsOf(r.sent), r.secrets...)...)
}

// ConcealError returns an error without secrets, and without those of the proxies in the environment.
func ConcealError(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	text := withoutProxies(Conceal(notHTTP().ReplaceAllString(err.Error(), "$1"), secrets...))
	if text == err.Error() {
		return err
	}
	return &concealedError{text, err}
}

// notHTTP is what net/http says of an answer that is none, with a part of it, which may be a part of a secret.
var notHTTP = value.LazyPattern(`(malformed (?:HTTP|MIME)(?: [a-z]+)*)(?::| ").*`)

type concealedError struct {
	text string
	err  error
}

func (e *concealedError) Error() string { return e.text }
func (e *concealedError) Unwrap() error { return e.err }
