package connect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/keystone"
)

// ServiceType is Craton's service type in Keystone's catalogue.
const ServiceType = "fleet_management"

// localAuth is the auth_type for Craton's own users.
const localAuth = "local"

// UsesKeystone reports whether the settings are for Keystone: a Keystone URL or a cloud is set, or credentials that
// only Keystone supports. A user name, password and project alone are Craton's own.
func UsesKeystone(v *settings.Values) bool {
	switch kind := authType(v); {
	case kind == localAuth:
		return false
	case v.String("auth_url") != "" || v.String("os_cloud") != "":
		return true
	case standsAlone(kind): // which is Ironic's
		return false
	case kind != "":
		return !strings.HasSuffix(kind, keystone.Password)
	}
	own := v.String("username") != "" && v.String("password") != ""
	return !own && (v.String("token") != "" || v.String("application_credential_id") != "" || v.String("application_credential_name") != "")
}

// Keystone is who signs in to Keystone, and how https connections to its services are verified.
type Keystone struct {
	*keystone.Auth
	TLS craton.TLS

	config keystone.Config
}

// NewKeystone reads the settings for Keystone. Nothing is sent.
func NewKeystone(v *settings.Values, mode Mode) (*Keystone, error) {
	c, err := keystoneConfig(v)
	switch {
	case err != nil:
		return nil, err
	case c.StandsAlone() && standsAlone(authType(v)):
		return nil, advice.With(fmt.Errorf("auth_type %s (OS_AUTH_TYPE) is for a standalone Ironic, but auth_url (OS_AUTH_URL) or os_cloud (OS_CLOUD) is set as well", c.AuthType), "unset one of the two, or set CRATON_IOTRONIC_CLOUD to Ironic's cloud")
	case c.StandsAlone():
		return nil, advice.With(fmt.Errorf("the cloud %q is a standalone Ironic (auth_type %s), not a Keystone for Craton", v.String("os_cloud"), c.AuthType), "set CRATON_IOTRONIC_CLOUD to it instead of OS_CLOUD")
	}
	if version := c.VersionOf(ServiceType); version != "" && strings.TrimSuffix(strings.TrimPrefix(version, "v"), ".0") != "1" {
		return nil, advice.With(fmt.Errorf("the Craton API has no version %s; the only version is 1", version), fmt.Sprintf("correct %s_api_version of the cloud, or OS_%s_API_VERSION", ServiceType, strings.ToUpper(ServiceType)))
	}
	return newKeystone(v, c, mode, v.Int("retries"))
}

// newKeystone is like NewKeystone, for a Config that already has the credentials, with the given number of retries.
func newKeystone(v *settings.Values, c keystone.Config, mode Mode, retries int) (*Keystone, error) {
	service := serviceTLS(v, c)
	if !v.IsDefault("validate_certs") && v.IsDefault("os_insecure") {
		c.Insecure = service.Insecure
	}
	c.CACert = cmp.Or(c.CACert, service.CAPath)
	options := []keystone.Option{
		keystone.WithRefusalHint(mode.refused("tried " + signedInAs(v, &c))),
		keystone.WithTimeout(v.Duration("timeout")), keystone.WithRetries(retries), keystone.WithUserAgent(userAgent()),
	}
	if !v.Bool("no_token_cache") {
		options = append(options, keystone.WithCache(keystone.CacheDir()))
	}
	auth, err := keystone.New(c, options...)
	if err != nil {
		return nil, err
	}
	return &Keystone{Auth: auth, TLS: service, config: c}, nil
}

// serviceTLS returns how https connections to a service are verified. A private cloud has one authority for everything,
// so Keystone's TLS settings apply to the service unless it has its own.
func serviceTLS(v *settings.Values, c keystone.Config) craton.TLS {
	t := craton.TLS{CAPath: cmp.Or(v.String("ca_path"), c.CACert), ClientCert: v.String("client_cert"), ClientKey: v.String("client_key"), Insecure: c.Insecure}
	switch {
	case !v.IsDefault("validate_certs"):
		t.Insecure = !v.Bool("validate_certs")
	case !v.IsDefault("os_insecure"):
		t.Insecure = v.Bool("os_insecure")
	}
	if t.ClientCert == "" && t.ClientKey == "" {
		t.ClientCert, t.ClientKey = c.Cert, c.Key
	}
	return t
}

// strength is the precedence of a source of settings, the highest last.
var strength = []settings.From{settings.FromDefault, settings.FromFile, settings.FromEnvironment, settings.FromFlag}

// rank returns the precedence of the source of a setting; 0 if it has no value.
func rank(v *settings.Values, name string) int {
	if v.String(name) == "" {
		return 0
	}
	return slices.Index(strength, v.Source(name).From)
}

// isOverridden reports whether a source with higher precedence than that of a setting names a cloud, or Keystone: then
// the setting is for something else.
func isOverridden(v *settings.Values, name string) bool {
	return rank(v, name) < max(rank(v, "os_cloud"), rank(v, "auth_url"))
}

// authType returns auth_type, unless it is not for Keystone and a source with higher precedence names Keystone.
func authType(v *settings.Values) string {
	kind := v.String("auth_type")
	if (kind == localAuth || standsAlone(kind)) && isOverridden(v, "auth_type") {
		return ""
	}
	return kind
}

// standsAlone reports whether an auth_type is one of standalone services.
func standsAlone(kind string) bool { return keystone.Config{AuthType: kind}.StandsAlone() }

// keystoneConfig returns the cloud in os_cloud, if that is set, overridden by settings of at least its precedence.
// Others are for something else: with --os-cloud, OS_USERNAME does not matter.
func keystoneConfig(v *settings.Values) (keystone.Config, error) {
	name := v.String("os_cloud")
	if name == "" {
		return withoutCloud(v), nil
	}
	c, err := loadCloud(v, name, "os_cloud")
	if err != nil {
		return c, err
	}
	return overCloud(v, cloudSetting(v, c, "os_cloud"), v.Source("os_cloud").From), nil
}

// loadCloud reads the cloud that a setting names. Its region is overridden only by a setting that belongs to this
// cloud: a flag or an option, or one next to the cloud's name in the configuration file. An environment variable may be
// meant for another cloud.
func loadCloud(v *settings.Values, name, setting string) (keystone.Config, error) {
	region, source := v.String("os_region_name"), v.Source("os_region_name")
	beside := source.From == settings.FromFile && v.Source(setting).From == settings.FromFile
	if region == "" || source.From == settings.FromFlag || beside {
		return keystone.LoadCloud(name, region)
	}
	return keystone.LoadCloudInRegion(name, region, source.String())
}

// cloudSetting returns the effective setting for a cloud: a cloud without Keystone is for something else if a source
// with higher precedence names Keystone.
func cloudSetting(v *settings.Values, c keystone.Config, setting string) keystone.Config {
	if c.StandsAlone() && rank(v, "auth_url") > rank(v, setting) {
		return keystone.Config{}
	}
	return c
}

// withoutCloud returns the settings without a cloud, and the environment variables of single services.
func withoutCloud(v *settings.Values) keystone.Config {
	var c keystone.Config
	c.SetService(v.Variable, serviceTypes()...)
	return overCloud(v, c, settings.FromDefault)
}

// serviceTypes returns the types of service to look up in Keystone's catalogue.
func serviceTypes() []string { return append(iotronic.ServiceTypes(), ServiceType) }

// ServiceVariables returns the environment variables for one service, such as OS_FLEET_MANAGEMENT_INTERFACE.
func ServiceVariables() []string { return keystone.ServiceVariables(serviceTypes()...) }

// overCloud returns a cloud, overridden by the settings of at least the precedence of its name. A standalone one is
// overridden only by flags: other credentials in the environment or the file are for Craton, or Keystone.
func overCloud(v *settings.Values, c keystone.Config, named settings.From) keystone.Config {
	if c.StandsAlone() {
		named = settings.FromFlag
	}
	get := func(name string) string {
		if rank(v, name) < slices.Index(strength, named) {
			return ""
		}
		return v.String(name)
	}
	set := func(name string, field *string) { *field = cmp.Or(get(name), *field) }
	// If something has an id and a name, one replaces both.
	either := func(id, name string, fieldID, fieldName *string) {
		if a, b := get(id), get(name); a != "" || b != "" {
			*fieldID, *fieldName = a, b
		}
	}
	if url := get("auth_url"); url != "" && url != c.AuthURL {
		if c.AuthURL != "" {
			c.Endpoints, c.Regions, c.Interfaces, c.ServiceTypes, c.Versions = nil, nil, nil, nil, nil // which are another's
		}
		c.AuthURL = url
	}
	if get("auth_type") != "" {
		c.AuthType = cmp.Or(authType(v), c.AuthType)
	}
	either("user_id", "username", &c.UserID, &c.Username)
	either("user_domain_id", "user_domain_name", &c.UserDomainID, &c.UserDomainName)
	set("password", &c.Password)
	either("application_credential_id", "application_credential_name", &c.ApplicationCredentialID, &c.ApplicationCredentialName)
	set("application_credential_secret", &c.ApplicationCredentialSecret)
	set("token", &c.Token)
	set("trust_id", &c.TrustID)
	set("system_scope", &c.SystemScope)
	either("project_id", "project_name", &c.ProjectID, &c.ProjectName)
	either("project_domain_id", "project_domain_name", &c.ProjectDomainID, &c.ProjectDomainName)
	either("domain_id", "domain_name", &c.DomainID, &c.DomainName)
	set("default_domain", &c.DefaultDomain)
	set("os_region_name", &c.Region)
	set("os_interface", &c.Interface)
	if v.String("os_region_name") != "" && v.Source("os_region_name").From == settings.FromFlag {
		c.Regions = nil // explicit settings are for the service
	}
	if v.String("os_interface") != "" && v.Source("os_interface").From == settings.FromFlag {
		c.Interfaces = nil
	}

	// These concern the connection, not the user.
	c.CACert = cmp.Or(v.String("os_cacert"), c.CACert)
	if cert, key := v.String("os_cert"), v.String("os_key"); cert != "" || key != "" {
		c.Cert, c.Key = cert, key
	}
	if !v.IsDefault("os_insecure") {
		c.Insecure = v.Bool("os_insecure")
	}
	c.Once = !v.Bool("reauthenticate")
	return c
}
