package connect

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/keystone"
)

// ErrNoIotronic means that no setting has the location of Ironic or Iotronic.
var ErrNoIotronic = errors.New("no Ironic or Iotronic is configured")

// Iotronic returns a client of Ironic or Iotronic for the settings of settings.SignIn and settings.Iotronic. The user
// is the first of these that is set:
//
//   - the cloud of iotronic.cloud; nothing else says who, but flags;
//   - with a URL, a token: it is used as it is, and not renewed;
//   - credentials for Keystone;
//   - nobody, or with auth_type http_basic a user of its own, for an Ironic that stands alone.
//
// Users of Craton itself are not used for this service.
func Iotronic(v *settings.Values) (*iotronic.Client, error) {
	who, token, err := iotronicUser(v)
	if err != nil {
		return nil, err
	}
	types := iotronic.ServiceTypes()
	if service := v.String("iotronic.service_type"); service != "" {
		types = []string{service}
	}
	options, err := iotronicOptions(v, apiVersion(v, who, types))
	if err != nil {
		return nil, err
	}
	url := iotronicURL(v, who, types)
	verify := serviceTLS(v, who)
	options = append(options, iotronic.WithRefusalHint(triedIotronic(v, url, who)))
	switch {
	case !who.StandsAlone():
		retries := v.Int("retries")
		if !v.IsDefault("iotronic.max_retries") {
			retries = v.Int("iotronic.max_retries")
		}
		k, err := newKeystone(v, who, ReadOnly, retries)
		if err != nil {
			return nil, err
		}
		verify = k.TLS
		options = append(options, iotronic.WithServiceType(types...), iotronic.WithAuth(k.Auth))
	case url == "":
		return nil, advice.With(fmt.Errorf("%w: set CRATON_IOTRONIC_URL to the URL of its API, such as http://ironic.example:6385, or OS_CLOUD or OS_AUTH_URL to Keystone", ErrNoIotronic), "a cloud without Keystone must have its endpoint in clouds.yaml")
	case who.AuthType == keystone.HTTPBasic && (who.Username == "" || who.Password == ""):
		return nil, errors.New("auth_type http_basic requires one of Ironic's own users: set username (OS_USERNAME) and password (OS_PASSWORD), or for a cloud set both in clouds.yaml or secure.yaml")
	case who.AuthType == keystone.HTTPBasic:
		options = append(options, iotronic.WithBasicAuth(who.Username, who.Password))
	case token != "":
		options = append(options, iotronic.WithToken(token))
	}
	return iotronic.New(url, append(options, iotronic.WithTLS(verify))...)
}

// triedIotronic is describeAttempt for Ironic.
func triedIotronic(v *settings.Values, url string, c keystone.Config) string {
	found := v.Origin("iotronic.url")
	switch {
	case url == "":
		url, found = "the API", "of Keystone's catalogue"
	case url != v.String("iotronic.url"):
		found = "of the cloud"
	}
	said := givenSettings(v, []string{"iotronic.cloud", "cloud %s"})
	switch {
	case !c.StandsAlone():
		said = append(said, signedInAs(v, &c))
	case c.AuthType == keystone.HTTPBasic:
		said = append(said, fmt.Sprintf("user %s", c.Username))
	case v.String("token") != "":
		said = append(said, givenSettings(v, []string{"token", "the owner of the token"})...)
	default:
		said = append(said, "no user")
	}
	return advice.Join(fmt.Sprintf("tried %s (%s) as %s", rest.Bare(url), found, strings.Join(said, ", ")), askConfig)
}

// iotronicURL returns the URL of the API: the setting, or the one of the cloud itself. The latter has precedence,
// unless the setting comes from a source with higher precedence, or from the same source under this program's own name:
// IRONIC_URL and the like may belong to something else, which must not receive the cloud's credentials.
func iotronicURL(v *settings.Values, who keystone.Config, types []string) string {
	own := who.EndpointOf(types...)
	url, source := v.String("iotronic.url"), v.Source("iotronic.url")
	set, cloud := rank(v, "iotronic.url"), max(rank(v, "iotronic.cloud"), rank(v, "os_cloud"))
	borrowed := source.From == settings.FromEnvironment && !strings.HasPrefix(source.Name, "CRATON_")
	if own != "" && (url == "" || set < cloud || set == cloud && borrowed) {
		return own
	}
	return url
}

// iotronicUser returns who signs in, and where; or a token that is used unchanged.
func iotronicUser(v *settings.Values) (keystone.Config, string, error) {
	name := v.String("iotronic.cloud")
	if rank(v, "os_cloud") > rank(v, "iotronic.cloud") {
		name = ""
	}
	kind, token := authType(v), v.String("token")
	if isOverridden(v, "token") {
		token = ""
	}
	switch {
	case name != "":
		load := func() (keystone.Config, error) { return loadCloud(v, name, "iotronic.cloud") }
		if v.Source("os_region_name").From != settings.FromFlag && (v.String("os_cloud") != "" || v.String("auth_url") != "") {
			load = func() (keystone.Config, error) { return keystone.LoadCloud(name, "") } // the region belongs to that cloud
		}
		cloud, err := load()
		if err != nil {
			return cloud, "", err
		}
		c := overCloud(v, cloudSetting(v, cloud, "iotronic.cloud"), settings.FromFlag)
		if v.Source("os_cacert").From != settings.FromFlag {
			c.CACert = cmp.Or(cloud.CACert, c.CACert)
		}
		return c, "", nil
	case kind == "" && v.String("iotronic.url") != "" && token != "":
	case standsAlone(kind):
		c, err := standaloneConfig(v, kind)
		return c, "", err
	case UsesKeystone(v):
		c, err := keystoneConfig(v)
		return c, "", err
	}
	c := withoutCloud(v)
	c.AuthType = keystone.None
	return c, token, nil
}

// standaloneConfig returns the settings with an auth_type for a standalone service. The cloud in os_cloud is used if it
// has that type; another one, or an unknown one, is for something else.
func standaloneConfig(v *settings.Values, kind string) (keystone.Config, error) {
	name := v.String("os_cloud")
	if name == "" {
		return withoutCloud(v), nil
	}
	cloud, err := loadCloud(v, name, "os_cloud")
	switch {
	case err == nil && cloud.AuthType == kind:
		return overCloud(v, cloud, settings.FromFlag), nil
	case err != nil && v.String("iotronic.url") == "":
		return cloud, err
	}
	return withoutCloud(v), nil
}

// apiVersion returns the requested version of the API: from the setting, or for the service from the cloud or the
// environment, as in openstackclient and openstacksdk, where a version without a dot, or ending in .0, is not a
// microversion.
func apiVersion(v *settings.Values, who keystone.Config, types []string) string {
	text := cmp.Or(v.String("iotronic.api_version"), who.VersionOf(types...))
	if text == "" && slices.Contains(types, "baremetal") {
		text = v.Variable("OS_BAREMETAL_API_VERSION")
	}
	if _, minor, dotted := strings.Cut(text, "."); v.String("iotronic.api_version") == "" && text != "latest" && (!dotted || minor == "0") {
		return ""
	}
	return text
}

// iotronicOptions returns the options that do not depend on the user, with a version of the API, or "".
func iotronicOptions(v *settings.Values, text string) ([]iotronic.Option, error) {
	dialect, err := iotronic.ParseDialect(v.String("iotronic.dialect"))
	if err != nil {
		return nil, err
	}
	options := []iotronic.Option{
		iotronic.WithDialect(dialect),
		iotronic.WithRetries(v.Int("iotronic.max_retries")),
		iotronic.WithTimeout(v.Duration("timeout")),
		iotronic.WithMaxConnections(v.Int("max_connections")),
		iotronic.WithUserAgent(userAgent()),
	}
	if wait := v.Duration("iotronic.retry_interval"); wait > 0 {
		options = append(options, iotronic.WithRetryWait(wait, wait))
	}
	if text != "" {
		version, err := iotronic.ParseVersion(text)
		if err != nil {
			return nil, err
		}
		options = append(options, iotronic.WithVersion(version))
	}
	return options, nil
}
