package craton_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// tickets are credentials of which the API takes the second only.
type tickets struct {
	mu      sync.Mutex
	current string
	refused []string // what Renew was told
	none    bool     // there are no others
	err     error
}

func (a *tickets) Authenticate(_ context.Context, r *http.Request) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.Header.Set("X-Auth-Token", a.current)
	return nil
}

func (a *tickets) Renew(_ context.Context, refused *http.Request) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused = append(a.refused, refused.Header.Get("X-Auth-Token"))
	if a.none || a.err != nil {
		return false, a.err
	}
	a.current = "second"
	return true, nil
}

const (
	bodyExpired = `{"message": "The request could not be authenticated.", "status": 401}`
	bodyRole    = `{"message": "This action requires the 'admin' role", "status": 401}`
)

func TestRenew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		auth    *tickets
		method  string
		accepts string // the ticket that the API takes
		answer  string // to others
		sent    []string
		refused []string
		want    string // part of the error
		is      func(error) bool
	}{
		"expired":                {&tickets{}, "GET", "second", bodyExpired, []string{"first", "second"}, []string{"first"}, "", nil},
		"expired before a write": {&tickets{}, "POST", "second", bodyExpired, []string{"first {\"a\":\"<b>\"}", "second {\"a\":\"<b>\"}"}, []string{"first"}, "", nil},
		"good":                   {&tickets{}, "GET", "first", bodyExpired, []string{"first"}, nil, "", nil},
		"refused again":          {&tickets{}, "GET", "third", bodyExpired, []string{"first", "second"}, []string{"first"}, "could not be authenticated", craton.IsUnauthenticated},
		"a role is missing":      {&tickets{}, "GET", "second", bodyRole, []string{"first"}, nil, "requires the 'admin' role", craton.IsForbidden}, // Q19
		"there are no others":    {&tickets{none: true}, "GET", "second", bodyExpired, []string{"first"}, []string{"first"}, "could not be authenticated", craton.IsUnauthenticated},
		"no others to be had": {&tickets{err: errors.New("the user is gone")}, "GET", "second", bodyExpired, []string{"first"}, []string{"first"},
			"cannot authenticate: the user is gone", func(err error) bool { _, ok := errors.AsType[*craton.AuthError](err); return ok }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			auth := c.auth
			auth.current = "first"
			mux, client := newServer(t, craton.WithAuth(auth))
			var sent []string
			mux.HandleFunc("/v1/x", func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				ticket := r.Header.Get("X-Auth-Token")
				sent = append(sent, strings.TrimSpace(ticket+" "+string(body)))
				if ticket == c.accepts {
					reply(w, http.StatusOK, `{}`)
				} else {
					reply(w, http.StatusUnauthorized, c.answer)
				}
			})
			var body any
			if c.method == "POST" {
				body = map[string]string{"a": "<b>"}
			}
			_, err := client.Do(t.Context(), c.method, "/x", nil, body)
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !c.is(err)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if diff := cmp.Diff(c.sent, sent); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.refused, auth.refused); diff != "" {
				t.Error(diff)
			}
		})
	}
}
