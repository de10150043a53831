package openstacktest

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/applicationcredentials"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/endpoints"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/regions"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/roles"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/services"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/trusts"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"
	_ "modernc.org/sqlite" // Keystone's database

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/retry"
)

// Project is a project in the domain [DomainName].
type Project struct{ ID, Name string }

// User is a user in the domain [DomainName].
type User struct{ ID, Name, Password string }

// ApplicationCredential is an application credential with its secret.
type ApplicationCredential struct{ ID, Name, Secret string }

// signIn makes a client that asks again after a 500, with which a busy Keystone answers good requests now and then.
func signIn(ctx context.Context, options gophercloud.AuthOptions) (*gophercloud.ProviderClient, error) {
	provider, err := openstack.NewClient(options.IdentityEndpoint)
	if err != nil {
		return nil, err
	}
	client, err := (&rest.Config{
		UserAgent: "openstacktest", Retries: 5, MinWait: 50 * time.Millisecond, MaxWait: time.Second,
		Policy: func(_ *rest.Request, resp *http.Response) bool {
			return resp.StatusCode == http.StatusInternalServerError
		},
	}).HTTPClient()
	if err != nil {
		return nil, err
	}
	provider.HTTPClient = *client
	return provider, openstack.Authenticate(ctx, provider, options)
}

// signIn signs in as the admin, in its project.
//
// It also asks for something that needs a role, and alone: Keystone loads its
// policy at the first such request, and refuses those that come meanwhile.
func (k *Keystone) signIn() error {
	ctx := context.Background()
	provider, err := signIn(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: k.URL, DomainID: DomainID, Username: AdminUser, Password: AdminPassword,
		Scope: &gophercloud.AuthScope{ProjectName: AdminProject, DomainID: DomainID}, AllowReauth: true,
	})
	if err != nil {
		return err
	}
	if k.admin, err = openstack.NewIdentityV3(provider, gophercloud.EndpointOpts{Region: Region}); err != nil {
		return err
	}
	token := tokens.Get(ctx, k.admin, k.admin.Token())
	user, err := token.ExtractUser()
	if err != nil {
		return err
	}
	project, err := token.ExtractProject()
	if err != nil {
		return err
	}
	k.user = User{ID: user.ID, Name: user.Name, Password: AdminPassword}
	k.project = Project{ID: project.ID, Name: project.Name}
	return nil
}

// Admin is a client of Keystone's API with all rights, for what has no method here.
func (k *Keystone) Admin() *gophercloud.ServiceClient { return k.admin }

var names atomic.Int64

// unique puts a number behind a name.
func unique(name string) string { return fmt.Sprintf("%s-%d", name, names.Add(1)) }

// must ends the test when Keystone refuses.
func must[T any](t testing.TB, what string, get func() (T, error)) T {
	t.Helper()
	value, err := get()
	if err != nil {
		t.Fatalf("Keystone: %s: %v", what, err)
	}
	return value
}

// AdminUser is the admin: a user whose role admin in [AdminProject] came with Keystone.
func (k *Keystone) AdminUser(testing.TB) User { return k.user }

// AdminProject is the project [AdminProject].
func (k *Keystone) AdminProject(testing.TB) Project { return k.project }

// Project makes a project.
func (k *Keystone) Project(t testing.TB, name string) Project {
	t.Helper()
	name = unique(name)
	p := must(t, "create project", projects.Create(t.Context(), k.admin, projects.CreateOpts{Name: name, DomainID: DomainID}).Extract)
	return Project{ID: p.ID, Name: name}
}

// ProjectWithID makes a project whose id is not one that Keystone gives, as migrated ones have.
func (k *Keystone) ProjectWithID(t testing.TB, id string) Project {
	t.Helper()
	p := k.Project(t, "migrated")
	db, err := sql.Open("sqlite", filepath.Join(k.process.dir, "keystone.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE project SET id = ? WHERE id = ?", id, p.ID); err != nil {
		t.Fatalf("Keystone's database: %v", err)
	}
	return Project{ID: id, Name: p.Name}
}

// User makes a user without any role.
func (k *Keystone) User(t testing.TB, name string) User {
	t.Helper()
	name = unique(name)
	password := "secret of " + name
	u := must(t, "create user", users.Create(t.Context(), k.admin, users.CreateOpts{Name: name, DomainID: DomainID, Password: password}).Extract)
	return User{ID: u.ID, Name: name, Password: password}
}

// Grant gives a user roles in a project: admin, member, reader, or others, which are made if need be. In Keystone an
// admin is a member too, and a member a reader.
func (k *Keystone) Grant(t testing.TB, user User, project Project, names ...string) {
	t.Helper()
	for _, name := range names {
		opts := roles.AssignOpts{UserID: user.ID, ProjectID: project.ID}
		if err := roles.Assign(t.Context(), k.admin, k.role(t, name), opts).ExtractErr(); err != nil {
			t.Fatalf("Keystone: assign role %s: %v", name, err)
		}
	}
}

// GrantDomain gives a user a role in the domain [DomainName].
func (k *Keystone) GrantDomain(t testing.TB, user User, name string) {
	t.Helper()
	opts := roles.AssignOpts{UserID: user.ID, DomainID: DomainID}
	if err := roles.Assign(t.Context(), k.admin, k.role(t, name), opts).ExtractErr(); err != nil {
		t.Fatalf("Keystone: assign role %s in the domain: %v", name, err)
	}
}

// role returns the id of a role.
func (k *Keystone) role(t testing.TB, name string) string {
	t.Helper()
	find := func() string {
		page := must(t, "list roles", func() ([]roles.Role, error) {
			pages, err := roles.List(k.admin, roles.ListOpts{Name: name}).AllPages(t.Context())
			if err != nil {
				return nil, err
			}
			return roles.ExtractRoles(pages)
		})
		if len(page) == 0 {
			return ""
		}
		return page[0].ID
	}
	if id := find(); id != "" {
		return id
	}
	created, err := roles.Create(t.Context(), k.admin, roles.CreateOpts{Name: name}).Extract()
	if err == nil {
		return created.ID
	}
	if id := find(); id != "" { // another test was faster
		return id
	}
	t.Fatalf("Keystone: create role %s: %v", name, err)
	return ""
}

// Auth are the credentials of a user in a project: its password.
func (k *Keystone) Auth(user User, project Project) gophercloud.AuthOptions {
	return gophercloud.AuthOptions{
		IdentityEndpoint: k.URL, UserID: user.ID, Password: user.Password, TenantID: project.ID,
	}
}

// Token makes a token of a user in a project.
func (k *Keystone) Token(t testing.TB, user User, project Project) string {
	t.Helper()
	return k.TokenOf(t, k.Auth(user, project))
}

// TokenOf makes a token from any credentials that Keystone knows; an empty IdentityEndpoint means this one.
func (k *Keystone) TokenOf(t testing.TB, auth gophercloud.AuthOptions) string {
	t.Helper()
	if auth.IdentityEndpoint == "" {
		auth.IdentityEndpoint = k.URL
	}
	provider := must(t, "token", func() (*gophercloud.ProviderClient, error) {
		return signIn(t.Context(), auth)
	})
	return provider.Token()
}

// Revoke revokes a token.
func (k *Keystone) Revoke(t testing.TB, token string) {
	t.Helper()
	if err := tokens.Revoke(t.Context(), k.admin, token).Err; err != nil {
		t.Fatalf("Keystone: revoke token: %v", err)
	}
}

// ApplicationCredential makes an application credential of a user in a project, with all of its roles there. expires
// zero means never; tokens end with it.
func (k *Keystone) ApplicationCredential(t testing.TB, user User, project Project, expires time.Time) ApplicationCredential {
	t.Helper()
	opts := applicationcredentials.CreateOpts{Name: unique("app")}
	if !expires.IsZero() {
		expires = expires.UTC() // what Keystone takes it for
		opts.ExpiresAt = &expires
	}
	client := k.as(t, user, project)
	c := must(t, "create application credential", func() (c *applicationcredentials.ApplicationCredential, err error) {
		// Keystone's cache may not know a role for a moment, while others are granted.
		err = retry.Every(100*time.Millisecond).Do(t.Context(), func(n int) (again bool, err error) {
			c, err = applicationcredentials.Create(t.Context(), client, user.ID, opts).Extract()
			return gophercloud.ResponseCodeIs(err, http.StatusBadRequest) && n < 9, err
		})
		return c, err
	})
	return ApplicationCredential{ID: c.ID, Name: c.Name, Secret: c.Secret}
}

// Trust makes a trust, by which trustee has trustor's roles in a project, and returns its id.
func (k *Keystone) Trust(t testing.TB, trustor, trustee User, project Project, names ...string) string {
	t.Helper()
	opts := trusts.CreateOpts{TrustorUserID: trustor.ID, TrusteeUserID: trustee.ID, ProjectID: project.ID}
	for _, name := range names {
		opts.Roles = append(opts.Roles, trusts.Role{Name: name})
	}
	return must(t, "create trust", trusts.Create(t.Context(), k.as(t, trustor, project), opts).Extract).ID
}

// as is a client of Keystone's API for a user.
func (k *Keystone) as(t testing.TB, user User, project Project) *gophercloud.ServiceClient {
	t.Helper()
	return must(t, "sign in "+user.Name, func() (*gophercloud.ServiceClient, error) {
		provider, err := signIn(t.Context(), k.Auth(user, project))
		if err != nil {
			return nil, err
		}
		return openstack.NewIdentityV3(provider, gophercloud.EndpointOpts{Region: Region})
	})
}

// Service registers an endpoint of a service type (fleet_management, baremetal, iot) in the catalogue, with all three
// interfaces, in a region of its own, whose name is returned: tests that share a Keystone would find each other's
// endpoints otherwise. Tokens made from now on have it.
func (k *Keystone) Service(t testing.TB, serviceType, url string) (region string) {
	t.Helper()
	region = must(t, "create region", regions.Create(t.Context(), k.admin, regions.CreateOpts{ID: unique("region")}).Extract).ID
	k.ServiceIn(t, region, serviceType, url)
	return region
}

// ServiceIn registers an endpoint of one more service type in a region that Service has made.
func (k *Keystone) ServiceIn(t testing.TB, region, serviceType, url string) {
	t.Helper()
	k.endpoints(t, k.service(t, serviceType), region, serviceType, url)
}

// ServiceNamed registers a service of its own, beside others of the type, with endpoints in a region that Service has
// made.
func (k *Keystone) ServiceNamed(t testing.TB, region, serviceType, name, url string) {
	t.Helper()
	made := must(t, "create service", services.Create(t.Context(), k.admin, services.CreateOpts{Type: serviceType, Extra: map[string]any{"name": name}}).Extract)
	k.endpoints(t, made.ID, region, serviceType, url)
}

// endpoints registers the three endpoints of a service in a region.
func (k *Keystone) endpoints(t testing.TB, service, region, serviceType, url string) {
	t.Helper()
	for _, availability := range []gophercloud.Availability{gophercloud.AvailabilityPublic, gophercloud.AvailabilityInternal, gophercloud.AvailabilityAdmin} {
		opts := endpoints.CreateOpts{Availability: availability, Name: serviceType, Region: region, URL: url, ServiceID: service}
		must(t, "create endpoint", endpoints.Create(t.Context(), k.admin, opts).Extract)
	}
}

// service returns the id of the one service of a type.
func (k *Keystone) service(t testing.TB, serviceType string) string {
	t.Helper()
	k.services.Lock() // Keystone would make a second one of the type
	defer k.services.Unlock()
	all := must(t, "list services", func() ([]services.Service, error) {
		pages, err := services.List(k.admin, services.ListOpts{ServiceType: serviceType}).AllPages(t.Context())
		if err != nil {
			return nil, err
		}
		return services.ExtractServices(pages)
	})
	if i := slices.IndexFunc(all, func(s services.Service) bool { return s.Type == serviceType }); i >= 0 {
		return all[i].ID
	}
	opts := services.CreateOpts{Type: serviceType, Extra: map[string]any{"name": serviceType}}
	return must(t, "create service", services.Create(t.Context(), k.admin, opts).Extract).ID
}
