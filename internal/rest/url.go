package rest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/value"
)

// Service describes an API and its library, for errors.
type Service struct {
	Library string // the prefix of the library's own errors, such as "craton"
	Example string // what a URL of the API looks like
	Version string // the prefix of all its routes, such as "/v1"
}

// CallError is a mistake of the library's caller: an invalid URL or path, or a body that cannot be sent.
type CallError struct {
	Library string // begins the text
	Err     error
}

func (e *CallError) Error() string { return e.Library + ": " + e.Err.Error() }

// Unwrap returns the error without the library's name.
func (e *CallError) Unwrap() error { return e.Err }

// Base normalises a URL: with or without the version, with or without trailing slashes (the original clients turned
// "…/v1/" into "…/v1//v1", and cut "v", "1" and "/" off the end of a host name).
func (s Service) Base(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		// url.Error repeats the text, which may contain a password.
		return nil, &CallError{s.Library, advice.With(errors.New("the API's URL cannot be parsed"), "write it like "+s.Example)}
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		shown := ""
		if bare := Bare(raw); bare == strings.TrimSpace(raw) { // "user:password@host" parses as scheme "user"
			shown = fmt.Sprintf(" %q", raw)
		}
		return nil, &CallError{s.Library, advice.With(fmt.Errorf("the API's URL%s must begin with http:// or https://", shown), "write it like "+s.Example)}
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, &CallError{s.Library, fmt.Errorf("the API's URL %s must not have a query or fragment", BareURL(u))}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.Path = strings.TrimSuffix(u.Path, s.Version) + s.Version
	u.RawPath = ""
	return u, nil
}

// BareURL returns a URL without credentials, query and fragment, which must not appear in messages.
func BareURL(u *url.URL) string {
	bare := *u
	bare.User, bare.RawQuery, bare.Fragment, bare.RawFragment, bare.ForceQuery = nil, "", "", "", false
	return bare.String()
}

// Join joins an escaped path of the API to its base URL. Path elements that are empty or ".." are refused: they must
// never reach another resource.
func Join(base *url.URL, path string) (*url.URL, error) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil, fmt.Errorf("the path %q does not begin with a slash", path)
	}
	for el := range strings.SplitSeq(rest, "/") {
		plain, err := url.PathUnescape(el)
		if err != nil {
			return nil, errEscape(path)
		}
		if plain == "" || plain == "." || plain == ".." {
			return nil, fmt.Errorf("the path %q has an element that is empty, \".\" or \"..\"", path)
		}
	}
	u := *base
	u.RawPath = base.EscapedPath() + path
	p, err := url.PathUnescape(u.RawPath)
	if err != nil {
		return nil, errEscape(path)
	}
	u.Path = p
	return &u, nil
}

func errEscape(path string) error { return fmt.Errorf("the path %q is not escaped correctly", path) }

// Bare returns a user's URL for messages: without user, password, query and fragment, even if it is not a valid URL. A
// text that may be a password is [Concealed].
func Bare(raw string) string {
	text := strings.TrimSpace(raw)
	if path, ok := strings.CutPrefix(text, "sqlite:"); ok && !strings.HasPrefix(path, "//") {
		if strings.Contains(path, "://") { // a URL in place of a path
			return "sqlite:" + Bare(path)
		}
		return raw
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if ok {
		scheme += "://"
	} else {
		scheme, rest = "", text
	}
	after, user := rest, ""
	if at := userinfoEnd().FindAllStringIndex(rest, -1); at != nil {
		after, user = rest[at[len(at)-1][1]:], Concealed+"@"
		if scheme == "" && !plainAddress().MatchString(after) || strings.ContainsAny(scheme, "@?# \t") {
			return Concealed
		}
	}
	if end := strings.IndexAny(after, "?#"); end >= 0 {
		after = after[:end]
	}
	if user == "" && strings.Contains(rest, ":") && !plainAddress().MatchString(after) { // user:password, and nothing after it
		return Concealed
	}
	if scheme+user+after == text {
		return raw
	}
	return scheme + user + after
}

var (
	// userinfoEnd is the end of a user and password, which may be written by its number.
	userinfoEnd = value.LazyPattern(`(?i)@|%(?:25)*40`)
	// plainAddress matches HOST, HOST:PORT or [ADDRESS]:PORT, with a path.
	plainAddress = value.LazyPattern(`^(?:[^\s:/@\[\]]*|\[[0-9A-Za-z:.%]*\])(?::[0-9]*)?(?:/[^\s]*)?$`)
)

// proxyVariables are the variables with the proxies for requests.
var proxyVariables = []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"}

// withoutProxies removes the credentials of proxies from a text: net/http repeats a URL that it cannot use.
func withoutProxies(text string) string {
	for _, name := range proxyVariables {
		raw := os.Getenv(name)
		if raw == "" || Bare(raw) == raw {
			continue
		}
		for _, form := range []string{raw, strings.Trim(strconv.Quote(raw), `"`), "http://" + raw} {
			text = strings.ReplaceAll(text, form, Bare(raw))
		}
		if u, err := url.Parse(raw); err == nil {
			text = Conceal(text, PasswordOf(u)...)
		}
	}
	return text
}
