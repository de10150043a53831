package keystone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/craton-fleet/craton/internal/value"
)

// token is a token with Keystone's description. Its fields with JSON tags are cached.
type token struct {
	ID       string     `json:"id"`
	Expires  time.Time  `json:"expires"` // by this machine's clock
	Renew    time.Time  `json:"renew"`   // when it is to be replaced
	Identity Identity   `json:"identity"`
	Catalog  []Endpoint `json:"catalog"`

	got      time.Time // when this process got it
	cached   bool      // another process made it
	replaces bool      // a refused one
}

// Endpoint is one URL of a service in Keystone's catalogue.
type Endpoint struct {
	Type      string `json:"type"` // of the service: identity, compute, fleet_management
	Name      string `json:"name"` // of the service; distinguishes several of one type
	Region    string `json:"region"`
	Interface string `json:"interface"` // public, internal or admin; if it is wanted, several separated by commas
	URL       string `json:"url"`
}

// early is how long before its expiry a token is replaced: enough for one request with its retries, but at most a tenth
// of its lifetime.
const early = 2 * time.Minute

// usesTokenAsIs reports whether the given token is used unchanged, and not exchanged for another.
func (r *request) usesTokenAsIs() bool {
	return r.method == Token && *r.opts.Scope == gophercloud.AuthScope{}
}

// client returns a client for Keystone.
func (a *Auth) client(token string) *gophercloud.ServiceClient {
	provider := &gophercloud.ProviderClient{HTTPClient: *a.http}
	provider.SetToken(token)
	return &gophercloud.ServiceClient{ProviderClient: provider, Endpoint: a.url(), Type: "identity"}
}

// signIn signs in.
func (a *Auth) signIn(ctx context.Context) (*token, error) {
	asked := a.now()
	opts := a.request().opts
	result := tokens.Create(ctx, a.client(""), &opts)
	if result.Err != nil {
		return nil, a.failure(ctx, result.Err, a.refusal())
	}
	t, err := a.extract(asked, result)
	if err == nil {
		err = a.checkProject(t)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// describe requests the description of an existing token.
func (a *Auth) describe(ctx context.Context, id string) (*token, error) {
	asked := a.now()
	result := tokens.Get(ctx, a.client(id), id)
	if result.Err != nil {
		return nil, a.failure(ctx, result.Err, a.refusal())
	}
	return a.extract(asked, result)
}

// timestamp is a time in a response of Keystone.
type timestamp struct{ time.Time }

func (s *timestamp) UnmarshalJSON(text []byte) (err error) {
	var word string
	if err = json.Unmarshal(text, &word); err == nil {
		s.Time, err = ParseTime(word)
	}
	return err
}

// ParseTime parses a time as Keystone writes it: RFC 3339 but, if the token of an application credential expires with
// the credential, without its zone, which is UTC.
func ParseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if utc, zoneless := time.Parse("2006-01-02T15:04:05", text); zoneless == nil {
			return utc, nil
		}
	}
	return t, err
}

// extract reads Keystone's description of a token.
func (a *Auth) extract(asked time.Time, result interface {
	ExtractTokenID() (string, error)
	ExtractInto(any) error
}) (*token, error) {
	var body struct {
		ExpiresAt timestamp `json:"expires_at"`
		IssuedAt  timestamp `json:"issued_at"`
		User      tokens.User
		Project   *tokens.Project
		Domain    *tokens.Domain
		System    map[string]any
		Roles     []tokens.Role
		Catalog   []tokens.CatalogEntry
	}
	id, err := result.ExtractTokenID()
	if err == nil {
		err = result.ExtractInto(&body)
	}
	if err == nil && (id == "" || body.ExpiresAt.IsZero()) {
		err = errors.New("there is no token in it")
	}
	if err != nil {
		return nil, a.unexpectedResponse(err)
	}
	if body.Project == nil && body.Domain == nil && body.System == nil {
		return nil, &Error{URL: redactURL(a.url()), Hint: "set project_id (OS_PROJECT_ID) or project_name (OS_PROJECT_NAME)",
			Err: fmt.Errorf("the token of %s is not for a project", a.userText())}
	}
	// Keystone's clock may differ from ours, so only the length of the token's lifetime is used.
	life := body.ExpiresAt.Sub(body.IssuedAt.Time)
	if a.request().usesTokenAsIs() { // it began long ago
		life = body.ExpiresAt.Sub(asked)
	}
	t := &token{ID: id, Expires: asked.Add(life), Identity: Identity{User: body.User.Name, UserID: body.User.ID}}
	t.Renew = t.Expires.Add(-min(early, life/10))
	if body.Project != nil {
		t.Identity.Project, t.Identity.ProjectID = body.Project.Name, body.Project.ID
	}
	for _, r := range body.Roles {
		t.Identity.Roles = append(t.Identity.Roles, r.Name)
	}
	for _, service := range body.Catalog {
		for _, e := range service.Endpoints {
			region := e.RegionID
			if region == "" {
				region = e.Region
			}
			t.Catalog = append(t.Catalog, Endpoint{Type: service.Type, Name: service.Name, Region: region, Interface: e.Interface, URL: e.URL})
		}
	}
	return t, nil
}

// checkProject refuses the token of an application credential for another project than the requested one: its project
// cannot be chosen.
func (a *Auth) checkProject(t *token) error {
	c := a.config()
	if a.request().method != ApplicationCredential {
		return nil
	}
	want, got := c.ProjectID, t.Identity.ProjectID
	if want == "" {
		want, got = c.ProjectName, t.Identity.Project
	}
	if want == "" || value.SameUUID(want, got) {
		return nil
	}
	return &Error{URL: redactURL(a.url()), Hint: "unset the project, or use an application credential of that project",
		Err: fmt.Errorf("the application credential is for project %s (%s), not for %s", t.Identity.Project, t.Identity.ProjectID, want)}
}

// userText describes who signs in, for errors.
func (a *Auth) userText() string {
	o := &a.request().opts
	switch {
	case o.ApplicationCredentialID != "":
		return "application credential " + o.ApplicationCredentialID
	case o.ApplicationCredentialName != "":
		return fmt.Sprintf("application credential %q of %s", o.ApplicationCredentialName, user(o))
	case o.TokenID != "":
		return "who has the given token"
	}
	return user(o)
}

func user(o *gophercloud.AuthOptions) string {
	if o.UserID != "" {
		return "user with id " + o.UserID
	}
	return fmt.Sprintf("user %q of domain %q", o.Username, o.DomainID+o.DomainName)
}

// scopeText describes the scope of the token, for errors.
func (a *Auth) scopeText() string {
	s := a.request().opts.Scope
	switch {
	case s.TrustID != "":
		return " with trust " + s.TrustID
	case s.System:
		return " for the system"
	case s.ProjectID != "":
		return " for the project with id " + s.ProjectID
	case s.ProjectName != "":
		return fmt.Sprintf(" for project %q of domain %q", s.ProjectName, s.DomainID+s.DomainName)
	case s.DomainID+s.DomainName != "":
		return fmt.Sprintf(" for domain %q", s.DomainID+s.DomainName)
	}
	return ""
}

// refusal returns what to do when Keystone refuses.
func (a *Auth) refusal() string {
	switch a.request().method {
	case ApplicationCredential:
		return "check the application credential's id and secret, and that it has not expired"
	case Token:
		return "the token is wrong or has expired: get a new one"
	}
	if a.request().opts.Scope.TrustID != "" {
		return "check the user, the password, and that the trust is for this user"
	}
	return "check the user, the password, the domains, and that the user has a role in what it is for"
}
