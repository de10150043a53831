package keystone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
)

// Error reports that Keystone refused a request, or could not be reached. It never contains a secret.
type Error struct {
	URL     string // Keystone's, without credentials
	Status  int    // HTTP status; 0 if there was no response, or an unusable one
	Message string // Keystone's own
	Hint    string // what to do next
	Err     error  // the cause, if there was no refusal
}

// Error says what was refused, and what to do next.
func (e *Error) Error() string { return advice.Join(e.Summary(), e.Hint) }

// Advice returns the Hint.
func (e *Error) Advice() string { return e.Hint }

// Summary returns the message without the Hint.
func (e *Error) Summary() string {
	s := "Keystone at " + e.URL
	switch {
	case e.Status != 0 && e.Err != nil:
		s += fmt.Sprintf(" %v: %d %s", e.Err, e.Status, http.StatusText(e.Status))
	case e.Err != nil:
		s += ": " + e.Err.Error()
	}
	if e.Message != "" {
		s += ": " + strings.TrimSuffix(e.Message, ".")
	}
	return s
}

// Unauthorized reports whether Keystone refused the credentials.
func (e *Error) Unauthorized() bool { return e.Status == http.StatusUnauthorized }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// EndpointNotFoundError reports a service that is not in the catalogue, or not with the region and interface.
type EndpointNotFoundError struct {
	URL     string     // Keystone's
	Want    Endpoint   // without a URL
	Catalog []Endpoint // all that there are
}

// Error lists what the catalogue has instead.
func (e *EndpointNotFoundError) Error() string {
	s := fmt.Sprintf("the catalogue of Keystone at %s has no %s endpoint of a service %q", e.URL, strings.ReplaceAll(e.Want.Interface, ",", " or "), e.Want.Type)
	if e.Want.Name != "" {
		s += fmt.Sprintf(" with the name %q", e.Want.Name)
	}
	if e.Want.Region != "" {
		s += fmt.Sprintf(" in region %q", e.Want.Region)
	}
	places := map[string][]string{}
	var types []string
	for _, c := range e.Catalog {
		if places[c.Type] == nil {
			types = append(types, c.Type)
		}
		place := c.Region + " " + c.Interface
		if e.Want.Name != "" && c.Type == e.Want.Type {
			place += fmt.Sprintf(" of %q", c.Name)
		}
		if !slices.Contains(places[c.Type], place) {
			places[c.Type] = append(places[c.Type], place)
		}
	}
	if len(types) == 0 {
		return s + "; it is empty"
	}
	if there := places[e.Want.Type]; there != nil {
		return s + ", only " + strings.Join(there, ", ")
	}
	slices.Sort(types)
	return s + "; it has " + strings.Join(types, ", ")
}

// failure returns the error for a failed request to Keystone.
func (a *Auth) failure(ctx context.Context, err error, refused string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	code, ok := errors.AsType[gophercloud.ErrUnexpectedResponseCode](err)
	if !ok {
		unsent, is := errors.AsType[*url.Error](err)
		if !is {
			return a.unexpectedResponse(err)
		}
		err = unsent.Err // the message has the URL already
		var timeout interface{ Timeout() bool }
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
			err = errors.New("no complete response in time")
		}
		return &Error{URL: redactURL(a.url()), Hint: "check auth_url (OS_AUTH_URL), the network and the certificates",
			Err: fmt.Errorf("cannot be reached: %w", rest.ConcealError(err, a.Secrets()...))}
	}
	e := &Error{URL: redactURL(a.url()), Status: code.Actual, Message: a.message(code.Body), Hint: refused, Err: errors.New("refuses to sign in " + a.userText() + a.scopeText())}
	switch code.Actual {
	case http.StatusUnauthorized:
		e.Hint = advice.Join(e.Hint, a.hint)
	case http.StatusNotFound:
		if a.request().method != Token {
			e.Hint = "check that auth_url (OS_AUTH_URL) is Keystone's address"
		}
	case http.StatusBadRequest, http.StatusForbidden:
		e.Hint = "check the parameters"
	default:
		e.Hint = "try again later, or ask the operators of Keystone"
		if code.Actual < 500 {
			e.Hint = "check that auth_url (OS_AUTH_URL) is Keystone's address"
		}
	}
	return e
}

// unexpectedResponse returns the error for a successful response that is not Keystone's.
func (a *Auth) unexpectedResponse(err error) error {
	return &Error{URL: redactURL(a.url()), Hint: "check that auth_url (OS_AUTH_URL) is Keystone's address", Err: fmt.Errorf("its response cannot be understood: %w", rest.ConcealError(err, a.Secrets()...))}
}

// message returns Keystone's own text in a response, or its beginning, without the secrets of the request, which it may
// repeat.
func (a *Auth) message(body []byte) string {
	var doc struct{ Error struct{ Message string } }
	if json.Unmarshal(body, &doc) == nil && doc.Error.Message != "" {
		return rest.Conceal(doc.Error.Message, a.Secrets()...)
	}
	return rest.Excerpt([]byte(rest.Conceal(string(rest.Start(body)), a.Secrets()...)))
}

// Secrets returns texts that errors must not contain: the credentials, the tokens, and a password in Keystone's URL.
func (a *Auth) Secrets() []string {
	c := a.config()
	secrets := []string{a.request().secret, c.Password, c.ApplicationCredentialSecret, c.Token}
	if t := a.current.Load(); t != nil {
		secrets = append(secrets, t.ID)
	}
	if u, err := url.Parse(a.url()); err == nil {
		secrets = append(secrets, rest.PasswordOf(u)...)
	}
	return secrets
}
