package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"

	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/keystone"
)

// authKeystone is the value of --auth that takes users from Keystone.
const authKeystone = "keystone"

// handlerOf returns the server's handler for the kind of authentication. Keystone is tried: refused credentials are an
// error, but a Keystone that does not answer may start later.
func handlerOf(ctx context.Context, v *settings.Values, srv *server.Server, log *slog.Logger) (http.Handler, error) {
	config := keystone.Config{
		URL: v.String("server.keystone_url"), CAPath: v.String("server.keystone_ca_path"), CacheTime: v.Duration("server.keystone_cache_time"),
	}
	switch keystoneWanted := v.String("server.auth") == authKeystone; {
	case !keystoneWanted && config.URL != "":
		return nil, fmt.Errorf("%s sets a URL of Keystone, but users log in with API keys: set --auth keystone too", v.Source("server.keystone_url"))
	case !keystoneWanted:
		return srv.Handler(), nil
	case config.URL == "":
		return nil, errors.New("--auth keystone requires --keystone-url or CRATON_KEYSTONE_URL")
	}
	if err := setCredentials(&config, v); err != nil {
		return nil, err
	}
	tokens, err := keystone.New(config)
	if err != nil {
		return nil, err
	}
	if !confidential(tokens.URL()) {
		log.Warn("tokens go to Keystone unencrypted: use https", "keystone", tokens.URL())
	}
	if err := tokens.Check(ctx); errors.Is(err, keystone.ErrCredentials) {
		return nil, err
	} else if err != nil {
		log.Warn("requests fail until Keystone responds", "error", err.Error())
	}
	return srv.KeystoneHandler(tokens, keystoneRoles(v)), nil
}

// setCredentials sets the credentials of the server itself, if there are any.
func setCredentials(config *keystone.Config, v *settings.Values) error {
	c := keystone.Credentials{
		Username: v.String("server.keystone_username"), Password: v.String("server.keystone_password"),
		Project: v.String("server.keystone_project"), Domain: v.String("server.keystone_domain"),
		ApplicationCredentialID:     v.String("server.keystone_application_credential_id"),
		ApplicationCredentialSecret: v.String("server.keystone_application_credential_secret"),
	}
	switch {
	case (c.Username == "") != (c.Password == ""):
		return errors.New("the server's user in Keystone requires both keystone_username and keystone_password")
	case (c.ApplicationCredentialID == "") != (c.ApplicationCredentialSecret == ""):
		return errors.New("the server's application credential requires both keystone_application_credential_id and keystone_application_credential_secret")
	case c.Username != "" && c.ApplicationCredentialID != "":
		return errors.New("the server signs in to Keystone either as a user or with an application credential: set only one of them")
	case c.Username != "" || c.ApplicationCredentialID != "":
		config.Credentials = &c
	}
	return nil
}

func keystoneRoles(v *settings.Values) keystone.Roles {
	return keystone.Roles{
		Admin: v.List("server.keystone_admin_roles"), Member: v.List("server.keystone_member_roles"),
		Reader: v.List("server.keystone_reader_roles"), Root: v.List("server.keystone_root_roles"),
		RootProject: v.String("server.keystone_root_project"),
	}
}

// confidential reports whether what is sent to a URL is encrypted, or stays on this machine.
func confidential(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "https" {
		return err == nil
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
