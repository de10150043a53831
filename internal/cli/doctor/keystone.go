package doctor

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/settings"
)

// caller is the user, as the settings or Keystone identify it.
type caller struct {
	keystone              bool
	url                   *url.URL // of the API, ends in /v1
	tls                   craton.TLS
	user, project, called string // the user, the id of the project, and its name if known
}

// name describes the caller: the user and the project.
func (w *caller) name(ctx context.Context, c *craton.Client) string {
	var parts []string
	if w.user != "" {
		parts = append(parts, "user "+show.Clean(w.user))
	}
	if w.called == "" && w.project != "" {
		if p, err := c.Projects.Get(ctx, w.project); err == nil { // members may not
			w.called = p.Name
		}
	}
	switch {
	case w.called != "":
		parts = append(parts, "project "+show.Clean(w.called)+" ("+show.Clean(w.project)+")")
	case w.project != "":
		parts = append(parts, "project "+show.Clean(w.project))
	}
	return strings.Join(parts, ", ")
}

// endsSoon is the remaining lifetime of a token below which there is a warning.
const endsSoon = 5 * time.Minute

// checkKeystone signs in to Keystone if the settings are for it, and reports who signs in, and where.
func (d *doctor) checkKeystone(ctx context.Context, v *settings.Values) (*caller, bool) {
	w := &caller{
		tls: craton.TLS{CAPath: v.String("ca_path"), ClientCert: v.String("client_cert"), ClientKey: v.String("client_key"),
			Insecure: !v.Bool("validate_certs")},
		user: v.String("username"), project: v.String("project_id"),
	}
	var err error
	if raw := v.String("url"); raw != "" {
		if w.url, err = apiURL(raw); err != nil { // checkURL has checked it
			d.addError("url", err, "correct CRATON_URL")
			return nil, false
		}
	}
	if !connect.UsesKeystone(v) {
		return w, true
	}
	const check = "keystone"
	w.keystone = true
	k, err := connect.NewKeystone(v, connect.Examine)
	if err != nil {
		d.addError(check, err, adviceConfig)
		return nil, false
	}
	w.tls = k.TLS
	if w.url != nil && v.String("auth_url") == "" && v.String("os_cloud") == "" {
		d.ok(check, "the token is used as given; it cannot be checked without OS_AUTH_URL")
		w.user, w.project = "", ""
		return w, true
	}
	id, err := k.Identity(ctx)
	if err != nil {
		d.addError(check, err, "correct OS_AUTH_URL and the settings that belong to it; "+adviceConfig)
		return nil, false
	}
	w.user, w.project, w.called = id.User, id.ProjectID, id.Project
	left := time.Until(id.Expires).Round(time.Minute)
	roles := "no role"
	if len(id.Roles) > 0 {
		roles = "with " + show.Clean(strings.Join(id.Roles, ", "))
	}
	switch {
	case id.ProjectID == "":
		d.problem(check, "set OS_PROJECT_NAME or OS_PROJECT_ID: Craton works in projects", "user %s is signed in without a project", show.Clean(id.User))
		return nil, false
	case left < endsSoon:
		d.warn(check, "get a new token, or sign in with a password or application credential, which renews it as needed", "user %s is signed in for project %s (%s), %s; the token expires in %v", show.Clean(id.User), show.Clean(id.Project), id.ProjectID, roles, left)
	default:
		d.ok(check, "user %s is signed in for project %s (%s), %s; the token is valid for %v", show.Clean(id.User), show.Clean(id.Project), id.ProjectID, roles, left)
	}
	if w.url != nil {
		return w, true
	}
	return w, d.checkCatalogue(ctx, k, w)
}

// checkCatalogue searches Keystone's catalogue for the API, unless the cloud itself sets its URL.
func (d *doctor) checkCatalogue(ctx context.Context, k *connect.Keystone, w *caller) bool {
	const check = "catalogue"
	endpoint, err := k.Endpoint(ctx, connect.ServiceType)
	if err != nil {
		d.problem(check, "set CRATON_URL, or correct OS_REGION_NAME or OS_INTERFACE", "%v", err)
		return false
	}
	if w.url, err = apiURL(endpoint); err != nil {
		d.problem(check, "set CRATON_URL, or ask the operators of Keystone to correct the catalogue", "the catalogue's address of %s: %v", connect.ServiceType, err)
		return false
	}
	if !d.warnOfClearText(check, w.url) {
		d.ok(check, "%s is at %s", connect.ServiceType, w.url)
	}
	return true
}
