package keystone_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/server/keystone"
)

func newValidator(t *testing.T, c keystone.Config) *keystone.Validator {
	t.Helper()
	v, err := keystone.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What a token says comes from Keystone.
func TestValidate(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	project, user := k.Project(t, "team"), k.User(t, "ann")
	k.Grant(t, user, project, "member")
	v := newValidator(t, keystone.Config{URL: strings.TrimSuffix(k.URL, "/v3"), CacheTime: time.Minute})

	admin, _, err := v.Validate(t.Context(), k.Token(t, k.AdminUser(t), k.AdminProject(t)))
	if err != nil {
		t.Fatal(err)
	}
	if !admin.AdminProject {
		t.Error("a token for the admin project does not say so")
	}
	token := k.Token(t, user, project)
	for _, wantFresh := range []bool{true, false} {
		got, fresh, err := v.Validate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		want := &keystone.Token{
			UserID: user.ID, UserName: user.Name, ProjectID: project.ID, ProjectName: project.Name,
			Roles: []string{"member", "reader"}, ExpiresAt: time.Now().Add(time.Hour),
		}
		slices.Sort(got.Roles)
		if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(5*time.Minute)); diff != "" {
			t.Errorf("the token (-want +got):\n%s", diff)
		}
		if fresh != wantFresh {
			t.Errorf("fresh is %v, want %v", fresh, wantFresh)
		}
	}
}

// The service's own credentials: which are good, and what the others are told.
func TestCredentials(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	project, service, powerless := k.Project(t, "service"), k.User(t, "craton"), k.User(t, "powerless")
	k.Grant(t, service, project, "service")
	k.Grant(t, powerless, project, "reader")
	app := k.ApplicationCredential(t, service, project, time.Time{})
	token := k.Token(t, k.AdminUser(t), k.AdminProject(t))

	withPassword := func(user openstacktest.User, password string) *keystone.Credentials {
		return &keystone.Credentials{Username: user.Name, Password: password, Project: project.Name, Domain: openstacktest.DomainName}
	}
	for name, c := range map[string]struct {
		credentials     *keystone.Credentials
		check, validate string // what the error says; "" for none
	}{
		"none":                         {nil, "", ""},
		"password":                     {withPassword(service, service.Password), "", ""},
		"application credential":       {&keystone.Credentials{ApplicationCredentialID: app.ID, ApplicationCredentialSecret: app.Secret}, "", ""},
		"wrong password":               {withPassword(service, "wrong"), "are not accepted", "are not accepted"},
		"wrong application credential": {&keystone.Credentials{ApplicationCredentialID: app.ID, ApplicationCredentialSecret: "wrong"}, "are not accepted", "are not accepted"},
		"without a role for it":        {withPassword(powerless, powerless.Password), "", "lack a role"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newValidator(t, keystone.Config{URL: k.URL, Credentials: c.credentials})
			says := func(what string, err error, want string) {
				t.Helper()
				switch {
				case want == "" && err != nil:
					t.Errorf("%s: %v", what, err)
				case want != "" && (!errors.Is(err, keystone.ErrCredentials) || !strings.Contains(err.Error(), want)):
					t.Errorf("%s: %v, want %s", what, err, want)
				case err != nil && strings.Contains(err.Error(), token):
					t.Errorf("%s: the error has the token: %v", what, err)
				}
			}
			says("check", v.Check(t.Context()), c.check)
			for range 2 {
				_, _, err := v.Validate(t.Context(), token)
				says("validate", err, c.validate)
			}
			if c.validate == "" {
				if _, _, err := v.Validate(t.Context(), "garbage"); !errors.Is(err, keystone.ErrInvalid) {
					t.Errorf("garbage: %v, want %v", err, keystone.ErrInvalid)
				}
			}
		})
	}
}

// The service signs in again when its own token has ended, once for all requests that find out together.
func TestServiceTokenEnds(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	project, service := k.Project(t, "service"), k.User(t, "craton")
	k.Grant(t, service, project, "service")
	target, err := url.Parse(k.URL)
	if err != nil {
		t.Fatal(err)
	}
	target.Path = ""
	proxy := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	var own []string // tokens that the service got
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Request.Method == http.MethodPost {
			mu.Lock()
			defer mu.Unlock()
			own = append(own, r.Header.Get("X-Subject-Token"))
		}
		return nil
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	v := newValidator(t, keystone.Config{URL: front.URL, Credentials: &keystone.Credentials{
		Username: service.Name, Password: service.Password, Project: project.Name, Domain: openstacktest.DomainName,
	}})
	token := k.Token(t, k.AdminUser(t), k.AdminProject(t))
	validate := func() {
		if _, _, err := v.Validate(t.Context(), token); err != nil {
			t.Error(err)
		}
	}
	validate()
	k.Revoke(t, own[0])
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(validate)
	}
	wg.Wait()
	validate()
	if len(own) != 2 {
		t.Errorf("the service signed in %d times, want 2", len(own))
	}
}

// Keystone behind https is verified, against the system's certificates or a file's.
func TestTLS(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	target, err := url.Parse(k.URL)
	if err != nil {
		t.Fatal(err)
	}
	target.Path = ""
	front := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(target))
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.StartTLS()
	t.Cleanup(front.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	token := k.Token(t, k.AdminUser(t), k.AdminProject(t))
	v := newValidator(t, keystone.Config{URL: front.URL, CAPath: ca})
	if err := v.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := v.Validate(t.Context(), token); err != nil {
		t.Error(err)
	}
	v = newValidator(t, keystone.Config{URL: front.URL})
	for what, err := range map[string]error{"check": v.Check(t.Context()), "validate": second(v.Validate(t.Context(), token))} {
		if err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s with a certificate that nobody vouches for: %v", what, err)
		}
	}
	if _, err := keystone.New(keystone.Config{URL: front.URL, CAPath: ca + "-missing"}); err == nil {
		t.Error("a missing file of certificates is no error")
	}
}

func second(_ *keystone.Token, _ bool, err error) error { return err }

func TestURL(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"http://k:5000":             "http://k:5000/v3",
		"http://k:5000/":            "http://k:5000/v3",
		"http://k:5000/v3":          "http://k:5000/v3",
		"https://k/identity/v3/":    "https://k/identity/v3",
		"https://k/identity":        "https://k/identity/v3",
		"":                          "",
		"k:5000":                    "",
		"ftp://k":                   "",
		"https://user:password@k":   "",
		"https://k/v3?debug=1":      "",
		"https:///v3":               "",
		"https://k:port":            "",
		"https://user%zz@k/\x00/v3": "",
	} {
		v, err := keystone.New(keystone.Config{URL: given})
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is taken for %s", given, v.URL())
		case want != "" && (err != nil || v.URL() != want):
			t.Errorf("%q: %v, want %s", given, err, want)
		case err != nil && strings.Contains(err.Error(), "password@"):
			t.Errorf("%q: the error has the password: %v", given, err)
		}
	}
}

// faulty stands for a Keystone out of order, or for something else at its address.
func faulty(t *testing.T, answer http.HandlerFunc) *keystone.Validator {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return newValidator(t, keystone.Config{URL: s.URL, CacheTime: time.Hour})
}

// What is no answer about the token is neither yes nor no, is not kept, and shows no token.
func TestFaults(t *testing.T) {
	t.Parallel()
	const token = "the-secret-token"
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"overloaded": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, token, http.StatusServiceUnavailable) },
		"broken":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, token, http.StatusInternalServerError) },
		"limited":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, token, http.StatusTooManyRequests) },
		"empty":      func(http.ResponseWriter, *http.Request) {},
		"web page":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>"+token) },
		"other JSON": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"token": {"user": {}}, "is": %q}`, token)
		},
		"half": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprintf(w, `{"token": {"user": {"id": "%s"`, token)
		},
		"hung up":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"elsewhere":      func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		"behind a login": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, token, http.StatusUnauthorized) },
		"forbidden":      func(w http.ResponseWriter, _ *http.Request) { http.Error(w, token, http.StatusForbidden) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			v := faulty(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				answer(w, r)
			})
			for n := range int32(2) {
				got, _, err := v.Validate(t.Context(), token)
				if err == nil || errors.Is(err, keystone.ErrInvalid) || got != nil {
					t.Fatalf("%+v, %v", got, err)
				}
				if strings.Contains(err.Error(), token) {
					t.Errorf("the error has the token: %v", err)
				}
				if asked.Load() < n+1 {
					t.Error("a failure was kept")
				}
			}
		})
	}
}

// A token does not follow a redirection to another host.
func TestRedirect(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host got %v", r.Header)
	}))
	t.Cleanup(other.Close)
	v := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusFound)
	})
	if _, _, err := v.Validate(t.Context(), "token"); err == nil || errors.Is(err, keystone.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

// Who goes away does not take the answer from who waits with it, and waits no longer itself.
func TestWaitTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		asked := 0
		v := newValidator(t, keystone.Config{URL: "http://keystone", CacheTime: time.Hour})
		v.SetTransport(func(*http.Request) (*http.Response, error) {
			asked++
			<-answer
			return response(http.StatusOK, validAnswer(time.Now().Add(time.Hour))), nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		gone, stays := make(chan error), make(chan error)
		go func() { gone <- second(v.Validate(ctx, "token")) }()
		synctest.Wait() // it has asked
		go func() { stays <- second(v.Validate(t.Context(), "token")) }()
		synctest.Wait() // it waits for the same answer
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who went away gets %v", err)
		}
		close(answer)
		if err := <-stays; err != nil {
			t.Errorf("who stayed gets %v", err)
		}
		if asked != 1 {
			t.Errorf("Keystone was asked %d times, want once", asked)
		}
	})
}

func validAnswer(expires time.Time) string {
	return fmt.Sprintf(`{"token": {"user": {"id": "u", "name": "ann"}, "expires_at": %q}}`, expires.UTC().Format("2006-01-02T15:04:05.000000Z"))
}

// How long answers are kept, to the moment.
func TestCacheTime(t *testing.T) {
	t.Parallel()
	type step struct {
		after time.Duration // since the first answer
		asks  bool
	}
	for name, c := range map[string]struct {
		valid   bool
		expires time.Duration // after the first answer
		steps   []step
	}{
		"valid":        {true, time.Hour, []step{{0, true}, {30*time.Second - 1, false}, {30 * time.Second, true}, {60*time.Second - 1, false}, {60 * time.Second, true}}},
		"expires soon": {true, 10 * time.Second, []step{{0, true}, {10*time.Second - 1, false}, {10 * time.Second, true}}},
		"has expired":  {true, -time.Second, []step{{0, true}, {0, true}}},
		"invalid":      {false, 0, []step{{0, true}, {5*time.Second - 1, false}, {5 * time.Second, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				asked := 0
				v := newValidator(t, keystone.Config{URL: "http://keystone", CacheTime: 30 * time.Second})
				v.SetTransport(func(*http.Request) (*http.Response, error) {
					asked++
					if !c.valid {
						return refusal(http.StatusUnauthorized), nil
					}
					return response(http.StatusOK, validAnswer(begin.Add(c.expires))), nil
				})
				for _, s := range c.steps {
					time.Sleep(time.Until(begin.Add(s.after)))
					before := asked
					if _, _, err := v.Validate(t.Context(), "token"); (err == nil) != c.valid {
						t.Fatalf("after %v: %v", s.after, err)
					}
					if got := asked > before; got != s.asks {
						t.Errorf("after %v: Keystone was asked: %v, want %v", s.after, got, s.asks)
					}
				}
			})
		})
	}
}

// A Keystone that says nothing holds nobody for ever.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		v := newValidator(t, keystone.Config{URL: "http://keystone"})
		v.SetTransport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		if _, _, err := v.Validate(t.Context(), "token"); err == nil || errors.Is(err, keystone.ErrInvalid) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A flood of wrong tokens takes neither memory nor the place of good ones.
func TestFlood(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	v := newValidator(t, keystone.Config{URL: "http://keystone", CacheTime: time.Hour})
	v.SetTransport(func(r *http.Request) (*http.Response, error) {
		asked.Add(1)
		if r.Header.Get("X-Subject-Token") != "good" {
			return refusal(http.StatusNotFound), nil
		}
		return response(http.StatusOK, validAnswer(time.Now().Add(time.Hour))), nil
	})
	if _, _, err := v.Validate(t.Context(), "good"); err != nil {
		t.Fatal(err)
	}
	for i := range keystone.MaxAnswers + 100 {
		if _, _, err := v.Validate(t.Context(), fmt.Sprint("wrong-", i)); !errors.Is(err, keystone.ErrInvalid) {
			t.Fatal(err)
		}
	}
	if valid, invalid := v.Kept(); valid != 1 || invalid != keystone.MaxAnswers {
		t.Errorf("%d good and %d wrong tokens are kept, want 1 and %d", valid, invalid, keystone.MaxAnswers)
	}
	before := asked.Load()
	if _, _, err := v.Validate(t.Context(), "good"); err != nil || asked.Load() != before {
		t.Errorf("the good token was forgotten: %v", err)
	}
}

func refusal(status int) *http.Response {
	return response(status, fmt.Sprintf(`{"error": {"code": %d, "message": "no"}}`, status))
}

func response(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}
