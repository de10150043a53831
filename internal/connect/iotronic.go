package connect

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/craton-fleet/craton/craton/keystone"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/iotronic"
)

// noAuth is the auth_type of a service without users, as openstackclient names it.
const noAuth = "none"

// ErrNoIotronic tells that nothing says where Ironic or Iotronic is.
var ErrNoIotronic = errors.New("no Ironic or Iotronic to talk to")

// Iotronic makes a client of Ironic or Iotronic of the settings of settings.SignIn and settings.Iotronic. Who signs in is
// the first of these that is set:
//
//   - the cloud of iotronic.cloud; nothing else says who, but flags;
//   - with a URL, a token: it is used as it is, and not renewed;
//   - credentials for Keystone;
//   - nobody, for an Ironic that stands alone.
//
// Users of Craton's own are none of this service.
func Iotronic(v *settings.Values) (*iotronic.Client, error) {
	options, err := iotronicOptions(v)
	if err != nil {
		return nil, err
	}
	url, token := v.String("iotronic.url"), v.String("token")
	k, err := iotronicKeystone(v)
	switch {
	case err != nil:
		return nil, err
	case k != nil:
		if service := v.String("iotronic.service_type"); service != "" {
			options = append(options, iotronic.WithServiceType(service))
		}
		options = append(options, iotronic.WithAuth(k.Auth), iotronic.WithTLS(iotronic.TLS(k.TLS)))
	case url == "":
		return nil, fmt.Errorf("%w: set CRATON_IOTRONIC_URL to the URL of its API, such as http://ironic.example:6385, or OS_CLOUD or OS_AUTH_URL to Keystone", ErrNoIotronic)
	case token != "" && v.String("auth_type") != noAuth:
		options = append(options, iotronic.WithToken(token))
	}
	return iotronic.New(url, options...)
}

// iotronicKeystone is who signs in to Keystone; nil if nobody does.
func iotronicKeystone(v *settings.Values) (*Keystone, error) {
	name := v.String("iotronic.cloud")
	if rank(v, "os_cloud") > rank(v, "iotronic.cloud") {
		name = ""
	}
	kind, token := authType(v), v.String("token")
	if kind == noAuth && outranked(v, "auth_type") {
		kind = ""
	}
	if outranked(v, "token") {
		token = ""
	}
	switch {
	case name != "":
		region := ""
		if v.Source("os_region_name").From == settings.FromFlag {
			region = v.String("os_region_name")
		}
		cloud, err := keystone.LoadCloud(name, region)
		if err != nil {
			return nil, err
		}
		c := overCloud(v, cloud, settings.FromFlag)
		if v.Source("os_cacert").From != settings.FromFlag {
			c.CACert = cmp.Or(cloud.CACert, c.CACert)
		}
		return newKeystone(v, c)
	case kind == noAuth, kind == "" && v.String("iotronic.url") != "" && token != "", !UsesKeystone(v):
		return nil, nil //nolint:nilnil // nil is nobody
	}
	c, err := keystoneConfig(v)
	if err != nil {
		return nil, err
	}
	if c.AuthType == noAuth {
		c.AuthType = kind
	}
	return newKeystone(v, c)
}

// iotronicOptions are the options that do not depend on who signs in.
func iotronicOptions(v *settings.Values) ([]iotronic.Option, error) {
	dialect, err := iotronic.ParseDialect(v.String("iotronic.dialect"))
	if err != nil {
		return nil, err
	}
	options := []iotronic.Option{
		iotronic.WithDialect(dialect),
		iotronic.WithRetries(v.Int("iotronic.max_retries")),
		iotronic.WithTimeout(v.Duration("timeout")),
		iotronic.WithUserAgent(userAgent()),
		iotronic.WithTLS(withoutKeystone(v)),
	}
	if wait := v.Duration("iotronic.retry_interval"); wait > 0 {
		options = append(options, iotronic.WithRetryWait(wait, wait))
	}
	if text := v.String("iotronic.api_version"); text != "" {
		version, err := iotronic.ParseVersion(text)
		if err != nil {
			return nil, err
		}
		options = append(options, iotronic.WithVersion(version))
	}
	return options, nil
}

// withoutKeystone is how https is verified where Keystone has no say; its settings count for the service too.
func withoutKeystone(v *settings.Values) iotronic.TLS {
	t := iotronic.TLS{
		CAPath:     cmp.Or(v.String("ca_path"), v.String("os_cacert")),
		ClientCert: v.String("client_cert"), ClientKey: v.String("client_key"),
		Insecure: !v.Bool("validate_certs") || v.Bool("os_insecure") && v.IsDefault("validate_certs"),
	}
	if t.ClientCert == "" && t.ClientKey == "" {
		t.ClientCert, t.ClientKey = v.String("os_cert"), v.String("os_key")
	}
	return t
}
