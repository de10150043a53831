package rest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/craton-fleet/craton/internal/value"
)

// secretsToHide are secrets with what encodings change.
var secretsToHide = []string{
	"s3cret-Pa55word", `a&b<c>"d'e`, `back\slash/and"quote`, "with a space", "grüße-für-alle", "emoji \U0001F511 key", "per%cent+plus=",
	"0123456789abcdef0123456789abcdef", "gAAAAABh_" + strings.Repeat("aZ0-_", 40) + "==", strings.Repeat("long", 400), "ends in a line\n",
}

// TestConceal: whatever form a server repeats a secret in, nothing of it is left.
func TestConceal(t *testing.T) {
	t.Parallel()
	quoted := func(s string) string { b, _ := json.Marshal(s); return strings.Trim(string(b), `"`) }
	plainJSON := func(s string) string { b, _ := value.Encode(s); return strings.Trim(strings.TrimSpace(string(b)), `"`) }
	byNumber := func(s string) string {
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune(s)) {
			fmt.Fprintf(&b, `\u%04X`, unit)
		}
		return b.String()
	}
	forms := map[string]func(string) string{
		"as it is": func(s string) string { return s }, "JSON": quoted, "JSON without HTML": plainJSON, "JSON twice": func(s string) string { return quoted(quoted(s)) },
		"JSON by number": byNumber, "Go": func(s string) string { return strings.Trim(strconv.QuoteToASCII(s), `"`) },
		"PHP":   func(s string) string { return strings.ReplaceAll(quoted(s), "/", `\/`) },
		"query": url.QueryEscape, "path": url.PathEscape, "query twice": func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		"HTML": html.EscapeString, "HTML in JSON": func(s string) string { return quoted(html.EscapeString(s)) },
		"HTML by number": func(s string) string {
			var b strings.Builder
			for _, r := range s {
				fmt.Fprintf(&b, "&#x%X;", r)
			}
			return b.String()
		},
		"bytes of Python": func(s string) string {
			var b strings.Builder
			for _, c := range []byte(s) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
			return b.String()
		},
		"base64":              func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64 for URLs":     func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		"Basic":               func(s string) string { return base64.StdEncoding.EncodeToString([]byte("deploy:" + s)) },
		"base64 of a request": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(`{"password":"` + s + `"}`)) },
		"hexadecimal":         func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		"characters of Python": func(s string) string {
			var b strings.Builder
			for _, r := range s {
				if r < 0x100 {
					fmt.Fprintf(&b, `\x%02x`, r)
				} else {
					fmt.Fprintf(&b, `\U%08x`, r)
				}
			}
			return b.String()
		},
		"a URL in HTML in JSON": func(s string) string { return quoted(html.EscapeString(url.QueryEscape(s))) },
		"in capitals":           strings.ToUpper,
	}
	for name, form := range forms {
		for _, secret := range secretsToHide {
			if secret = strings.TrimSpace(secret); name == "in capitals" && strings.Contains(secret, "ß") {
				continue
			}
			shown := form(secret)
			for _, text := range []string{shown, "before " + shown + " after", `{"error": {"message": "user deploy, password '` + shown + `', twice: ` + shown + `"}}`} {
				got := Conceal(text, secret)
				if strings.Contains(got, strings.TrimSpace(shown)) || !strings.Contains(got, Concealed) {
					t.Errorf("%s of %q: %s", name, secret, got)
				}
				if strings.HasPrefix(text, "before ") && got != "before "+Concealed+" after" {
					t.Errorf("%s of %q takes or leaves too much: %s", name, secret, got)
				}
			}
		}
	}
}

// TestConcealShort: a short secret is taken out where it stands for itself, and other words stay readable.
func TestConcealShort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ secret, text, want string }{
		{"a", `a user has "a" as a password`, `a user has "********" as a password`},
		{"a", `password=a&user=b`, `password=********&user=b`},
		{"a", `{\"password\": \"a\"}`, `{\"password\": \"********\"}`},
		{"a", `password%22%3A%22a%22`, `password%22%3A%22********%22`},
		{"a", `what a mess`, `what a mess`},
		{"12", `status: 12`, `status: ********`},
		{"key", `the keys of key`, `the keys of key`},
		{"pass", `pass: a password, pass`, `********: a password, ********`},
		{"pass", `%22pass%22, \u0022pass\u0022`, `%22********%22, \u0022********\u0022`},
		{"hunter2", `hunter22 hunter2`, `hunter22 ********`},
		{"", `nothing`, `nothing`},
		{"  ", `no  thing`, `no  thing`},
	} {
		if got := Conceal(c.text, c.secret); got != c.want {
			t.Errorf("%q in %s: %s", c.secret, c.text, got)
		}
	}
	if got := Conceal("abcdefghij and abcdefgh", "abcdefgh", "abcdefghij"); got != "******** and ********" {
		t.Errorf("one in another: %s", got)
	}
}

func FuzzConceal(f *testing.F) {
	for _, s := range secretsToHide {
		f.Add("x "+s, s)
	}
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := Conceal(text, secret)
		if len([]rune(strings.TrimSpace(secret))) >= anywhere && strings.TrimSpace(secret) != "" && strings.Contains(got, strings.TrimSpace(secret)) && !strings.Contains(Concealed, strings.TrimSpace(secret)) {
			t.Errorf("%q stays in %q", secret, got)
		}
	})
}

// TestBare: what is shown of a URL has no secret in it, whatever was written.
func TestBare(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"http://craton.example:7780":             "http://craton.example:7780",
		"https://craton.example/v1/":             "https://craton.example/v1/",
		"http://[::1]:7780":                      "http://[::1]:7780",
		"craton.example:7780":                    "craton.example:7780",
		"craton.example":                         "craton.example",
		"sqlite:dir/me@home.db":                  "sqlite:dir/me@home.db",
		"x.db":                                   "x.db",
		"":                                       "",
		"http://bob:SECRET@host":                 "http://********@host",
		"http://bob:SECRET@host:1/v1?a=SECRET#b": "http://********@host:1/v1",
		"http://host/v1?token=SECRET":            "http://host/v1",
		"http://host#SECRET":                     "http://host",
		"http://SECRET@host":                     "http://********@host",
		"http://bob:SE/CRET@host/v1":             "http://********@host/v1",
		"http://bob:SECRET@SECRET@host":          "http://********@host",
		"http://bob:SE#CR?ET@host":               "http://********@host",
		"http://bob:SECRET%40host":               "http://********@host",
		"http://bob:SECRET%2540host":             "http://********@host",
		"http://bob:SECRET word@host":            "http://********@host",
		"http://bob:SECRET@ho st:port":           "http://********@ho st:port",
		"ftp://bob:SECRET@host":                  "ftp://********@host",
		"postgres://bob:SECRET@db/craton":        "postgres://********@db/craton",
		"bob:SECRET@host":                        "********@host",
		"bob:SECRET@host/v1?x":                   "********@host/v1",
		"//bob:SECRET@host":                      "********@host",
		"http:/bob:SECRET@host":                  "********@host",
		"http://bob:SECRET":                      "********",
		"bob:SECRET":                             "********",
		"http://host:SECRET/v1":                  "********",
		" http://bob:SECRET@host ":               "http://********@host",
		"socks5://bob:SECRET@proxy:1":            "socks5://********@proxy:1",
		"sqlite://bob:SECRET@host/x":             "sqlite://********@host/x",
		"sqlite:http://bob:SECRET@host/x":        "sqlite:http://********@host/x",
		"sqlite:http://bob:SECRET@[::1":          "sqlite:http://********@[::1",
	} {
		got := Bare(raw)
		if got != want || strings.Contains(got, "SECRET") || strings.Contains(got, "CRET") {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
		if _, err := (Service{Library: "craton", Example: "https://x", Version: "/v1"}).Base(raw); err != nil && strings.Contains(err.Error(), "CRET") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestConcealError(t *testing.T) {
	inner := errors.New("malformed HTTP response \"hush\"")
	if err := ConcealError(errors.New("odd hush-hush"), "hush-hush"); err.Error() != "odd ********" {
		t.Error(err)
	}
	err := ConcealError(fmt.Errorf("cannot be reached: %w", inner), "hush-hush")
	if err.Error() != `cannot be reached: malformed HTTP response` || !errors.Is(err, inner) {
		t.Errorf("%v", err)
	}
	if other := errors.New("x"); ConcealError(other) != other || ConcealError(nil) != nil { //nolint:errorlint // the same, that is
		t.Error("an error without secrets is another")
	}
	for _, proxy := range []string{"http://bob:SECRET@[x", "bob:SECRET@proxy", "http://bob:SE CRET@proxy:1"} {
		t.Setenv("HTTPS_PROXY", proxy)
		if err := ConcealError(fmt.Errorf("invalid proxy address %q: parse %q: bad", proxy, "http://"+proxy)); strings.Contains(err.Error(), "CRET") {
			t.Errorf("%s: %v", proxy, err)
		}
	}
}
