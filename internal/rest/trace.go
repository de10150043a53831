package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/craton-fleet/craton/internal/value"
)

// Trace prints each attempt of each request to a stream: one line, or the headers and bodies too. Secrets are removed:
// those in headers, URLs and bodies by their names, and wherever they occur in later output. It is safe for concurrent
// use.
type Trace struct {
	w     io.Writer
	whole bool

	mu     sync.Mutex
	number int             // of the last request
	hidden map[string]bool // secrets that were seen
}

// NewTrace prints to w; whole adds headers and bodies.
func NewTrace(w io.Writer, whole bool) *Trace {
	return &Trace{w: w, whole: whole, hidden: map[string]bool{}}
}

type traceKey struct{}

// ContextWithTrace returns a context whose requests, of all clients of this package, are traced.
func ContextWithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// Maximum sizes of a printed body, and of its part that is examined, in bytes.
const (
	maxTracedBody  = 4 << 10
	maxScannedBody = 64 << 10
)

// sendTraced sends a request, and traces it if its context says so.
func sendTraced(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	t, _ := r.Context().Value(traceKey{}).(*Trace)
	if t == nil {
		return next.RoundTrip(r)
	}
	about := t.printRequest(r)
	resp, err := next.RoundTrip(r)
	if err != nil {
		t.print(about.prefix() + "failed after " + about.duration() + ": " + t.conceal(ConcealError(err).Error()))
		return resp, err
	}
	about.answer = resp
	resp.Body = &tracedBody{ReadCloser: resp.Body, of: about}
	return resp, nil
}

// exchange is a request and its response.
type exchange struct {
	trace  *Trace
	number int
	begun  time.Time
	answer *http.Response

	request *http.Request
}

func (e *exchange) duration() string {
	return time.Since(e.begun).Round(time.Millisecond / 10).String()
}

// prefix returns the beginning of a line about a request: [3] GET http://craton.example:7780/v1/hosts?limit=30 ...
func (e *exchange) prefix() string {
	return fmt.Sprintf("[%d] %s %s ", e.number, e.request.Method, e.trace.url(e.request.URL))
}

// printRequest prints a request before it is sent.
func (t *Trace) printRequest(r *http.Request) *exchange {
	t.learn(secretsOf(r)...)
	t.mu.Lock()
	t.number++
	e := &exchange{trace: t, request: r, number: t.number, begun: time.Now()}
	t.mu.Unlock()
	if !t.whole {
		return e
	}
	lines := append([]string{fmt.Sprintf("[%d] > %s %s", e.number, r.Method, t.url(r.URL))}, t.headers(e.number, ">", r.Header)...)
	if r.Body != nil && r.Body != http.NoBody {
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err != nil { // the next one says so
			r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), &failingReader{err}))
		}
		lines = append(lines, t.body(e.number, ">", r.URL, body[:min(len(body), maxScannedBody)], len(body))...)
	}
	t.print(lines...)
	return e
}

// failingReader is a reader that fails.
type failingReader struct{ err error }

func (f *failingReader) Read([]byte) (int, error) { return 0, f.err }

// tracedBody prints a response after it was read.
type tracedBody struct {
	io.ReadCloser
	of    *exchange
	n     int
	start []byte
	once  sync.Once
}

func (b *tracedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.n += n; b.of.trace.whole && len(b.start) < maxScannedBody {
		b.start = append(b.start, p[:min(n, maxScannedBody-len(b.start))]...)
	}
	if err != nil {
		b.once.Do(b.print)
	}
	return n, err
}

func (b *tracedBody) Close() error {
	b.once.Do(b.print)
	return b.ReadCloser.Close()
}

// requestIDs are the headers with the ids of requests.
var requestIDs = []string{"X-Openstack-Request-Id", "Openstack-Request-Id", "X-Compute-Request-Id"}

func (b *tracedBody) print() {
	e, resp, t := b.of, b.of.answer, b.of.trace
	line := e.prefix() + fmt.Sprintf("%d, %s, %d bytes", resp.StatusCode, e.duration(), b.n)
	for _, name := range requestIDs {
		if id := resp.Header.Get(name); id != "" {
			line += ", " + t.conceal(id)
			break
		}
	}
	if !t.whole {
		t.print(line)
		return
	}
	for name, values := range resp.Header {
		if secretHeader(name) {
			t.learn(values...)
		}
	}
	lines := append([]string{fmt.Sprintf("[%d] < %s", e.number, strings.TrimPrefix(line, fmt.Sprintf("[%d] ", e.number)))}, t.headers(e.number, "<", resp.Header)...)
	if coding := resp.Header.Get("Content-Encoding"); coding != "" {
		lines = append(lines, fmt.Sprintf("[%d] < (%s)", e.number, coding))
	} else if b.n > 0 {
		lines = append(lines, t.body(e.number, "<", e.request.URL, b.start, b.n)...)
	}
	t.print(lines...)
}

// print writes lines in one write.
func (t *Trace) print(lines ...string) {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(value.Escape(line) + "\n")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = io.WriteString(t.w, b.String())
}

// conceal removes known secrets.
func (t *Trace) conceal(text string) string {
	t.mu.Lock()
	known := slices.Collect(maps.Keys(t.hidden))
	t.mu.Unlock()
	text = Conceal(text, known...)
	return assigned().ReplaceAllString(userOf().ReplaceAllString(text, "$1"+Concealed+"@"), "$1"+Concealed)
}

var (
	// userOf matches the user and the password in a URL.
	userOf = value.LazyPattern(`(?i)([a-z][a-z0-9+.-]*://)[^/\s"'<>@]*@`)
	// assigned matches a secret in a query, a form, or a configuration.
	assigned = value.LazyPattern(`(?i)([\w.-]*(?:` + strings.Join(secretWords, "|") + `)[\w.-]*=)[^&\s"'<>*]+`)
)

// learn remembers secrets.
func (t *Trace) learn(secrets ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range secrets {
		t.hidden[s] = true
	}
}

// url returns a URL without credentials, and without secret query parameters.
func (t *Trace) url(u *url.URL) string {
	query := u.Query()
	for name, values := range query {
		for i, v := range values {
			if secretName(name) || secretName(v) { // of filters by variables
				values[i] = Concealed
			}
		}
	}
	shown := BareURL(u)
	if u.Host == embeddedHost {
		shown = u.EscapedPath()
	}
	if len(query) > 0 {
		shown += "?" + strings.ReplaceAll(query.Encode(), url.QueryEscape(Concealed), Concealed)
	}
	return t.conceal(shown)
}

// embeddedHost is the name of a server in this process, which is not shown.
const embeddedHost = "embedded"

// headers returns lines of headers.
func (t *Trace) headers(number int, sign string, h http.Header) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			switch u, err := url.Parse(v); {
			case secretHeader(name):
				v = Concealed
			case (name == "Location" || name == "Content-Location") && err == nil:
				v = t.url(u)
			case name == "Location" || name == "Content-Location":
				v = Concealed
			default:
				v = t.conceal(v)
			}
			lines = append(lines, fmt.Sprintf("[%d] %s %s: %s", number, sign, name, v))
		}
	}
	return lines
}

// secretHeader reports whether a header contains a secret.
func secretHeader(name string) bool {
	switch name = strings.ToLower(name); name {
	case "www-authenticate", "proxy-authenticate", "x-auth-user", "x-auth-project":
		return false
	}
	return secretName(name) || strings.Contains(name, "auth") || strings.Contains(name, "cookie") || strings.HasSuffix(name, "-key")
}

// secretWords are words that occur in the names of secrets.
var secretWords = []string{"passw", "passphrase", "passcode", "_pass", "secret", "token", "credential", "api_key", "apikey", "private_key", "privatekey", "become_pass"}

// secretName reports whether a name marks a value that is not shown: in fields of users and of Keystone, and in
// variables.
func secretName(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	return name == "pass" || name == "key_hash" || slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}

// body returns a line about a body, from its beginning.
func (t *Trace) body(number int, sign string, u *url.URL, start []byte, length int) []string {
	text := ""
	if trimmed := bytes.TrimSpace(start); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		s := scrubber{text: trimmed, signsIn: strings.HasSuffix(u.Path, "/auth/tokens")}
		text = s.scrub()
		t.learn(s.secrets...)
	} else {
		text = strings.ToValidUTF8(string(start), "\uFFFD")
	}
	text = t.conceal(text)
	if len(text) > maxTracedBody || length > len(start) {
		text = strings.ToValidUTF8(text[:min(len(text), maxTracedBody)], "") + fmt.Sprintf("… (%d bytes)", length)
	}
	return []string{fmt.Sprintf("[%d] %s %s", number, sign, text)}
}

// scrubber removes secrets, by the names of members, from JSON that may be truncated.
type scrubber struct {
	text    []byte
	signsIn bool         // it is a request or response of Keystone: there, a password is an object that contains its user
	secrets []string     // that were found
	about   map[int]bool // the starts of objects with a member that names a secret variable
	out     strings.Builder
	levels  []scrubLevel
	name    string // the name of the current member; "" in a list
	hide    bool   // its value is a secret
	isName  bool   // a member's name comes
}

// scrubLevel is an object or a list that is open.
type scrubLevel struct {
	object bool
	begin  int
	name   string
	hide   bool // everything in it is secret
}

// scrub reads the text twice: the name of a variable may come after its value.
func (s *scrubber) scrub() string {
	s.about = map[int]bool{}
	for range 2 {
		s.out.Reset()
		s.levels, s.name, s.hide, s.isName = nil, "", false, false
		for i := 0; i < len(s.text); {
			i = s.next(i)
		}
	}
	return s.out.String()
}

// next takes one token.
func (s *scrubber) next(i int) int {
	top := scrubLevel{}
	if n := len(s.levels); n > 0 {
		top = s.levels[n-1]
	}
	switch c := s.text[i]; c {
	case '{', '[':
		s.levels = append(s.levels, scrubLevel{c == '{', i, s.name, top.hide || s.about[i] || s.hide && !s.signsIn})
		s.hide, s.name, s.isName = false, "", c == '{'
	case '}', ']':
		s.levels = s.levels[:max(len(s.levels)-1, 0)]
		s.hide, s.isName = false, false
	case ',':
		s.hide, s.name, s.isName = false, "", top.object
	case ':':
		s.isName = false
	case ' ', '\t', '\r', '\n':
		return i + 1 // on one line
	default:
		return s.scalar(i, top)
	}
	s.out.WriteByte(s.text[i])
	return i + 1
}

// scalar processes a name or a value.
func (s *scrubber) scalar(i int, top scrubLevel) int {
	end := i + 1
	if s.text[i] == '"' {
		for end < len(s.text) && s.text[end] != '"' {
			if s.text[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(s.text))
	} else {
		for end < len(s.text) && !bytes.ContainsRune([]byte(",:]} \t\r\n\""), rune(s.text[end])) {
			end++
		}
	}
	token := string(s.text[i:end])
	plain := strings.Trim(token, `"`)
	_ = json.Unmarshal([]byte(token), &plain) // if it is a complete text
	switch {
	case s.isName:
		s.name = plain
		s.hide = secretName(plain) || s.signsIn && plain == "id" && top.name == "token"
	case (s.hide || top.hide) && token != "null" && !(s.about[top.begin] && secretName(plain) && (s.name == "key" || s.name == "name")):
		if token[0] == '"' && len(plain) > asWord {
			s.secrets = append(s.secrets, plain)
		}
		token = `"` + Concealed + `"`
	case (s.name == "key" || s.name == "name") && secretName(plain) && top.object && !s.signsIn: // of a variable, with the value next to it
		s.about[top.begin] = true
	}
	s.out.WriteString(token)
	return end
}
