package iotronic_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/keystone"
)

// tokenWatch notes the tokens of requests.
type tokenWatch struct {
	mu     sync.Mutex
	tokens []string
}

func (w *tokenWatch) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.tokens = append(w.tokens, r.Header.Get("X-Auth-Token"))
	w.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

func (w *tokenWatch) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tokens[len(w.tokens)-1]
}

// TestKeystone: credentials of the document, a catalogue, and a real Ironic behind it.
func TestKeystone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	i, k := openstacktest.StartIronicBehindKeystone(t)
	admin, project := k.AdminUser(t), k.AdminProject(t)
	region := k.Service(t, "baremetal", i.URL)
	both := k.Service(t, "iot", i.URL+"/v1") // as who had both would have it; README registers it without /v1
	nowhere := k.Service(t, "fleet_management", i.URL)
	byName := keystone.Config{AuthURL: strings.TrimSuffix(k.URL, "/v3") + "/", Username: admin.Name, Password: admin.Password, ProjectName: project.Name, Region: region}
	class, want := i.Nodes(t, openstacktest.IronicPageSize+3, k.Token(t, admin, project))

	all, err := nodeNames(t, newClient(t, "", iotronic.WithKeystone(byName), iotronic.WithRetries(20)),
		iotronic.NodeListOptions{ResourceClass: class, Detail: true, Paging: iotronic.Paging{SortKey: "name"}})
	if diff := cmp.Diff(want, all); err != nil || diff != "" {
		t.Errorf("more than a page: %v\n%s", err, diff)
	}

	read := func(c *iotronic.Client) error { return second(c.Nodes.Get(ctx, want[0])) }
	with := func(change func(*keystone.Config)) *iotronic.Client {
		config := byName
		change(&config)
		return newClient(t, "", iotronic.WithKeystone(config))
	}
	for name, c := range map[string]*iotronic.Client{
		"names": with(func(*keystone.Config) {}),
		"ids": with(func(c *keystone.Config) {
			c.Username, c.UserID, c.ProjectName, c.ProjectID = "", admin.ID, "", project.ID
		}),
		"iot":                with(func(c *keystone.Config) { c.Region = both }),
		"internal":           with(func(c *keystone.Config) { c.Interface = "internalURL" }),
		"service type":       newClient(t, "", iotronic.WithKeystone(inRegion(byName, nowhere)), iotronic.WithServiceType("x", "fleet_management")),
		"endpoint":           newClient(t, i.URL+"/", iotronic.WithKeystone(keystone.Config{AuthURL: k.URL, Username: admin.Name, Password: admin.Password, ProjectName: project.Name})),
		"endpoint and token": newClient(t, i.URL, iotronic.WithToken(k.Token(t, admin, project))),
	} {
		if err := read(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if url, err := c.URL(ctx); err != nil || url != i.URL+"/v1" {
			t.Errorf("%s: %s, %v", name, url, err)
		}
	}

	// Where the catalogue has both types, iot counts, unless the other is asked for.
	boards := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.NoAuth())
	ofBoth := k.Service(t, "baremetal", i.URL)
	k.ServiceIn(t, ofBoth, "iot", boards.URL)
	for want, c := range map[iotronic.Dialect]*iotronic.Client{
		iotronic.DialectBoards: with(func(c *keystone.Config) { c.Region = ofBoth }),
		iotronic.DialectIronic: newClient(t, "", iotronic.WithKeystone(inRegion(byName, ofBoth)), iotronic.WithServiceType("baremetal")),
	} {
		if got, err := c.Dialect(ctx); err != nil || got != want {
			t.Errorf("of both types %v, %v; want %v", got, err, want)
		}
	}

	member := k.User(t, "ann")
	team := k.Project(t, "team")
	k.Grant(t, member, team, "member")
	for name, tt := range map[string]struct {
		c  *iotronic.Client
		is func(error) bool
		no func(error) bool
	}{
		"wrong password":     {with(func(c *keystone.Config) { c.Password = "wrong" }), is[*iotronic.AuthorizationFailureError], nil},
		"unauthenticated":    {with(func(c *keystone.Config) { c.Password = "wrong" }), iotronic.IsUnauthenticated, iotronic.IsNotFound},
		"no project":         {with(func(c *keystone.Config) { c.ProjectName = "nothing" }), iotronic.IsUnauthenticated, is[*iotronic.ConnectionError]},
		"another type":       {newClient(t, "", iotronic.WithKeystone(byName), iotronic.WithServiceType("iot")), is[*iotronic.EndpointNotFoundError], nil},
		"not in the region":  {with(func(c *keystone.Config) { c.Region = nowhere }), is[*iotronic.EndpointNotFoundError], nil},
		"endpoint class":     {with(func(c *keystone.Config) { c.Region = nowhere }), is[*iotronic.EndpointError], iotronic.IsUnauthenticated},
		"no such token":      {newClient(t, i.URL, iotronic.WithToken("nonsense")), is[*iotronic.UnauthorizedError], iotronic.IsForbidden},
		"no token":           {newClient(t, i.URL), iotronic.IsUnauthenticated, iotronic.IsWrongDialect},
		"Keystone not there": {with(func(c *keystone.Config) { c.AuthURL = "http://127.0.0.1:1" }), is[*iotronic.AuthorizationFailureError], iotronic.IsUnauthenticated},
	} {
		if name == "Keystone not there" {
			tt.c = newClient(t, "", iotronic.WithKeystone(keystone.Config{AuthURL: "http://127.0.0.1:1", Username: "u", Password: "p"}, keystone.WithRetries(0)))
		}
		err := read(tt.c)
		if err == nil || !tt.is(err) || !is[iotronic.Error](err) || tt.no != nil && tt.no(err) {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
	mine := with(func(c *keystone.Config) {
		c.Username, c.Password, c.ProjectName = member.Name, member.Password, team.Name
	})
	if err := second(mine.Nodes.Create(ctx, iotronic.NodeCreate{Driver: openstacktest.IronicDriver})); !iotronic.IsForbidden(err) || !is[*iotronic.ForbiddenError](err) {
		t.Errorf("a member creates: %v", err)
	}
}

func inRegion(c keystone.Config, region string) keystone.Config {
	c.Region = region
	return c
}

// TestRenew: a token that ends is replaced, and what it was for is sent once more, a create too.
func TestRenew(t *testing.T) {
	t.Parallel()
	i, k := openstacktest.StartIronicBehindKeystone(t)
	admin, project := k.AdminUser(t), k.AdminProject(t)
	for name, call := range map[string]func(context.Context, *iotronic.Client) error{
		"list": func(ctx context.Context, c *iotronic.Client) error {
			return second(c.Nodes.List(ctx, iotronic.NodeListOptions{}))
		},
		"create": func(ctx context.Context, c *iotronic.Client) error {
			return second(c.Nodes.Create(ctx, iotronic.NodeCreate{Driver: openstacktest.IronicDriver, Name: "renewed"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watch := &tokenWatch{}
			c := newClient(t, i.URL, iotronic.WithTransport(watch), iotronic.WithKeystone(keystone.Config{
				AuthURL: k.URL, Username: admin.Name, Password: admin.Password, ProjectID: project.ID,
			}))
			if _, err := c.Nodes.List(t.Context(), iotronic.NodeListOptions{}); err != nil {
				t.Fatal(err)
			}
			before := watch.last()
			k.Revoke(t, before)
			if err := call(t.Context(), c); err != nil || watch.last() == before {
				t.Errorf("%v; another token: %v", err, watch.last() != before)
			}
		})
	}
	// A token that was given is not replaced.
	token := k.Token(t, admin, project)
	c := newClient(t, i.URL, iotronic.WithToken(token))
	if _, err := c.Nodes.List(t.Context(), iotronic.NodeListOptions{}); err != nil {
		t.Fatal(err)
	}
	k.Revoke(t, token)
	if _, err := c.Nodes.List(t.Context(), iotronic.NodeListOptions{}); !iotronic.IsUnauthenticated(err) || !is[*iotronic.UnauthorizedError](err) {
		t.Errorf("error %v", err)
	}
}
