package rest

import (
	"fmt"
	"net/url"
	"strings"
)

// Service names an API and the library that speaks to it, for errors.
type Service struct {
	Library string // begins the library's own errors, such as "craton"
	Example string // what a URL of the API looks like
	Version string // the path that all its routes begin with, such as "/v1"
}

// Base normalises what users write: with or without the version, with or without trailing slashes (the original
// clients turned "…/v1/" into "…/v1//v1", and cut "v", "1" and "/" off the end of a host name).
func (s Service) Base(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		// url.Error repeats the text, which may hold a password.
		return nil, fmt.Errorf("%s: the API's URL cannot be parsed; write it like %s", s.Library, s.Example)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		shown := ""
		if !strings.Contains(raw, "@") { // "user:password@host" parses as scheme "user"
			shown = fmt.Sprintf(" %q", raw)
		}
		return nil, fmt.Errorf("%s: the API's URL%s must begin with http:// or https://; write it like %s", s.Library, shown, s.Example)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s: the API's URL %s must have no query and no fragment", s.Library, BareURL(u))
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.Path = strings.TrimSuffix(u.Path, s.Version) + s.Version
	u.RawPath = ""
	return u, nil
}

// BareURL is an address without credentials, query and fragment: each may hold what belongs in no message.
func BareURL(u *url.URL) string {
	bare := *u
	bare.User, bare.RawQuery, bare.Fragment, bare.RawFragment, bare.ForceQuery = nil, "", "", "", false
	return bare.String()
}

// Join joins an escaped path of the API to its base URL. Path elements that are empty or that climb are refused:
// an id of "" or ".." must never reach another resource.
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

func errEscape(path string) error { return fmt.Errorf("the path %q is not well escaped", path) }
