package keystone

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
)

// The ways of signing in, as openstackclient's --os-auth-type names them.
const (
	Password              = "password"
	Token                 = "token"
	ApplicationCredential = "v3applicationcredential"
)

// The types for standalone services, such as Ironic: no credentials, and a name and a password with each request.
// Keystone is not involved: a cloud may have them ([LoadCloud]), and [New] does not accept them.
const (
	None      = "none"
	HTTPBasic = "http_basic"
)

// DefaultDomain is the id of the default domain of users and projects.
const DefaultDomain = "default"

// Config has Keystone's URL, the credentials, the scope, and how to find services. openstackclient's variables are in
// brackets; in clouds.yaml a field has the name in its tag. If both an id and a name are set, the id is used.
type Config struct {
	AuthURL string `yaml:"auth_url"` // Keystone's URL, with or without /v3 (OS_AUTH_URL)
	// AuthType is [Password], [ApplicationCredential] or [Token] (OS_AUTH_TYPE); v3password and v3token mean the same.
	// "" is an application credential if there is one, else a password if there is one, else a token. [None] and
	// [HTTPBasic] are not for Keystone.
	AuthType string `yaml:"auth_type"`

	// Who.
	UserID                      string `yaml:"user_id"`                       // (OS_USER_ID)
	Username                    string `yaml:"username"`                      // (OS_USERNAME)
	UserDomainID                string `yaml:"user_domain_id"`                // of Username (OS_USER_DOMAIN_ID)
	UserDomainName              string `yaml:"user_domain_name"`              // (OS_USER_DOMAIN_NAME)
	Password                    string `yaml:"password"`                      // (OS_PASSWORD)
	ApplicationCredentialID     string `yaml:"application_credential_id"`     // (OS_APPLICATION_CREDENTIAL_ID)
	ApplicationCredentialName   string `yaml:"application_credential_name"`   // needs the user too (OS_APPLICATION_CREDENTIAL_NAME)
	ApplicationCredentialSecret string `yaml:"application_credential_secret"` // (OS_APPLICATION_CREDENTIAL_SECRET)
	// Token is an existing token (OS_TOKEN). Without a scope it is used unchanged, and only the catalogue is requested
	// from Keystone; otherwise it is exchanged.
	Token string `yaml:"token"`

	// The scope: the first of a trust, the system, a project and a domain that is set. An application credential is for
	// its own project.
	TrustID           string `yaml:"trust_id"`            // (OS_TRUST_ID)
	SystemScope       string `yaml:"system_scope"`        // "all" or nothing (OS_SYSTEM_SCOPE)
	ProjectID         string `yaml:"project_id"`          // (OS_PROJECT_ID)
	ProjectName       string `yaml:"project_name"`        // (OS_PROJECT_NAME)
	ProjectDomainID   string `yaml:"project_domain_id"`   // of ProjectName (OS_PROJECT_DOMAIN_ID)
	ProjectDomainName string `yaml:"project_domain_name"` // (OS_PROJECT_DOMAIN_NAME)
	DomainID          string `yaml:"domain_id"`           // with a project: the domain of the user and the project (OS_DOMAIN_ID)
	DomainName        string `yaml:"domain_name"`         // (OS_DOMAIN_NAME)
	DefaultDomain     string `yaml:"default_domain"`      // id of the default domain; "" is [DefaultDomain] (OS_DEFAULT_DOMAIN)

	// Where in the catalogue.
	Region string `yaml:"region_name"` // "" is any (OS_REGION_NAME)
	// Interface is public, internal or admin, with or without the suffix URL; "" is public (OS_INTERFACE). Of several,
	// separated by commas, the first that the catalogue has is used.
	Interface string `yaml:"interface"`

	// Values for single services: by type, with _ for -, as the prefix of _endpoint_override, _region_name and the like
	// in a clouds.yaml, such as baremetal_region_name.
	Endpoints    map[string]string `yaml:"-"`        // its URL, whatever the catalogue has
	Regions      map[string]string `yaml:"-"`        // in place of Region
	Interfaces   map[string]string `yaml:"-"`        // in place of Interface
	ServiceTypes map[string]string `yaml:"-"`        // its type in the catalogue
	ServiceNames map[string]string `yaml:"-"`        // its name, if there are several of the type; "" is any
	Versions     map[string]string `yaml:"-"`        // of its API, or its microversion
	Endpoint     string            `yaml:"endpoint"` // of a standalone service

	// How https is verified.
	CACert   string `yaml:"cacert"` // PEM file or directory trusted instead of the system's (OS_CACERT)
	Cert     string `yaml:"cert"`   // PEM file of a client certificate (OS_CERT)
	Key      string `yaml:"key"`    // PEM file of its key (OS_KEY)
	Insecure bool   `yaml:"-"`      // do not verify (OS_INSECURE; verify: false in a clouds.yaml)

	// Once never requests a second token when the first expires; a refused one from the cache is still replaced.
	Once bool `yaml:"-"`
}

// Format prints the user and the URL, so that no way of printing shows a secret.
func (c Config) Format(f fmt.State, _ rune) {
	who := "Keystone " + redactURL(c.AuthURL)
	if c.StandsAlone() {
		who = "a service that stands alone"
	}
	_, _ = io.WriteString(f, who)
}

// redactURL returns a URL without parts that may be secret.
func redactURL(url string) string {
	u, err := service.Base(url)
	if err != nil {
		return "at an unusable address"
	}
	return rest.BareURL(u)
}

// service describes Keystone to internal/rest. Version 3 is the only one since 2018.
var service = rest.Service{Library: "keystone", Example: "https://keystone.example:5000/v3", Version: "/v3"}

// endpoint returns the base URL of the API's paths.
func (c *Config) endpoint() (string, error) {
	if c.AuthURL == "" {
		return "", missingError{"auth_url (OS_AUTH_URL)"}
	}
	u, err := service.Base(strings.TrimSuffix(strings.TrimRight(strings.TrimSpace(c.AuthURL), "/"), "/v2.0"))
	if err != nil {
		return "", err
	}
	return u.String() + "/", nil
}

// method returns the way of signing in.
func (c *Config) method() (string, error) {
	switch strings.TrimPrefix(c.AuthType, "v3") {
	case "":
		switch {
		case c.ApplicationCredentialID != "" || c.ApplicationCredentialName != "":
			return ApplicationCredential, nil
		case c.Password == "" && c.Token != "":
			return Token, nil
		}
		return Password, nil
	case "password":
		return Password, nil
	case "token":
		return Token, nil
	case "applicationcredential":
		return ApplicationCredential, nil
	}
	if c.StandsAlone() {
		return "", advice.With(fmt.Errorf("keystone: auth_type %q is for a standalone service, such as Ironic", c.AuthType), fmt.Sprintf("here %s, %s or %s signs in", Password, ApplicationCredential, Token))
	}
	return "", advice.With(fmt.Errorf("keystone: auth_type %q is not supported", c.AuthType), fmt.Sprintf("supported are %s, %s and %s", Password, ApplicationCredential, Token))
}

// StandsAlone reports whether the service is standalone, without Keystone: AuthType is [None] or [HTTPBasic].
func (c Config) StandsAlone() bool { return c.AuthType == None || c.AuthType == HTTPBasic }

// serviceKeys are the suffixes of keys for one service in a clouds.yaml, and in the environment; of two with the same
// meaning the last is used.
var serviceKeys = []struct {
	end   string
	field func(*Config) *map[string]string
}{
	{"_endpoint", func(c *Config) *map[string]string { return &c.Endpoints }},
	{"_endpoint_override", func(c *Config) *map[string]string { return &c.Endpoints }},
	{"_region_name", func(c *Config) *map[string]string { return &c.Regions }},
	{"_endpoint_type", func(c *Config) *map[string]string { return &c.Interfaces }},
	{"_interface", func(c *Config) *map[string]string { return &c.Interfaces }},
	{"_service_type", func(c *Config) *map[string]string { return &c.ServiceTypes }},
	{"_service_name", func(c *Config) *map[string]string { return &c.ServiceNames }},
	{"_api_version", func(c *Config) *map[string]string { return &c.Versions }},
	{"_default_microversion", func(c *Config) *map[string]string { return &c.Versions }},
}

// isServiceKey reports whether a key belongs to one service.
func isServiceKey(key string) bool {
	for _, k := range serviceKeys {
		if service, ok := strings.CutSuffix(key, k.end); ok && service != "" {
			return true
		}
	}
	return false
}

// ofServices removes the keys for single services, whose names have _ for -, from others.
func (c *Config) ofServices(keys map[string]string) {
	for _, k := range serviceKeys {
		for key, value := range keys {
			service, ok := strings.CutSuffix(key, k.end)
			if !ok || service == "" || value == "" {
				continue
			}
			field := k.field(c)
			if *field == nil {
				*field = map[string]string{}
			}
			(*field)[service] = value
		}
	}
}

// ServiceVariables returns the environment variables that [Config.SetService] reads for services of these types.
func ServiceVariables(types ...string) (all []string) {
	for _, service := range names(types) {
		for _, k := range serviceKeys {
			all = append(all, serviceVariable(service, k.end))
		}
	}
	return all
}

func serviceVariable(service, end string) string { return "OS_" + strings.ToUpper(service+end) }

// SetService reads the environment variables for one service, as openstacksdk does without a cloud: with the prefix
// OS_, the service's type, and the names of the keys of a clouds.yaml, such as OS_BAREMETAL_REGION_NAME.
func (c *Config) SetService(env func(name string) string, types ...string) {
	found := map[string]string{}
	for _, service := range names(types) {
		for _, k := range serviceKeys {
			found[service+k.end] = env(serviceVariable(service, k.end))
		}
	}
	c.ofServices(found)
}

// aliases are other prefixes for services: the former name of the type, or that of the project.
var aliases = map[string][]string{"baremetal": {"bare_metal"}, "iot": {"iotronic"}}

// names returns the prefixes of keys for types of services.
func names(types []string) (all []string) {
	for _, t := range types {
		t = strings.ReplaceAll(strings.ToLower(t), "-", "_")
		all = append(append(all, t), aliases[t]...)
	}
	return all
}

// first returns the first existing value of the services.
func first(of map[string]string, types ...string) string {
	for _, name := range names(types) {
		if value := of[name]; value != "" {
			return value
		}
	}
	return ""
}

// EndpointOf returns the URL of a service from the Config itself, not the catalogue: that of the first of the types in
// Endpoints or, for a standalone service, Endpoint. "" is none.
func (c Config) EndpointOf(types ...string) string {
	url := first(c.Endpoints, types...)
	if url == "" && c.StandsAlone() {
		return c.Endpoint
	}
	return url
}

// VersionOf returns the version in Versions of the first of a service's types that has one; "" is none.
func (c Config) VersionOf(types ...string) string { return first(c.Versions, types...) }

// place returns where in the catalogue to search for a service.
func (c *Config) place(serviceType string) Endpoint {
	return Endpoint{
		Type:      cmp.Or(first(c.ServiceTypes, serviceType), serviceType),
		Name:      first(c.ServiceNames, serviceType),
		Region:    cmp.Or(first(c.Regions, serviceType), c.Region),
		Interface: strings.Join(interfaces(cmp.Or(first(c.Interfaces, serviceType), c.Interface)), ","),
	}
}

// missingError lists missing parameters for signing in.
type missingError []string

func (m missingError) Error() string {
	return "keystone: cannot sign in: set " + strings.Join(m, ", ")
}

// request is a request for a token, and identifies the resulting token.
type request struct {
	method string
	opts   gophercloud.AuthOptions
	secret string // of opts: password, application credential's secret, or token
}

// request checks that all parameters are set.
func (c *Config) request() (*request, error) {
	method, err := c.method()
	if err != nil {
		return nil, err
	}
	r := &request{method: method}
	var lacks missingError
	need := func(name string, values ...string) {
		if cmp.Or(values...) == "" {
			lacks = append(lacks, name)
		}
	}
	switch method {
	case Password:
		need("username (OS_USERNAME)", c.UserID, c.Username)
		need("password (OS_PASSWORD)", c.Password)
		r.opts.Password, r.secret = c.Password, c.Password
		c.user(&r.opts)
	case ApplicationCredential:
		need("application_credential_id (OS_APPLICATION_CREDENTIAL_ID)", c.ApplicationCredentialID, c.ApplicationCredentialName)
		need("application_credential_secret (OS_APPLICATION_CREDENTIAL_SECRET)", c.ApplicationCredentialSecret)
		r.opts.ApplicationCredentialSecret, r.secret = c.ApplicationCredentialSecret, c.ApplicationCredentialSecret
		if r.opts.ApplicationCredentialID = c.ApplicationCredentialID; c.ApplicationCredentialID == "" {
			r.opts.ApplicationCredentialName = c.ApplicationCredentialName
			need("username (OS_USERNAME) of the application credential's user, or application_credential_id (OS_APPLICATION_CREDENTIAL_ID)", c.UserID, c.Username)
			c.user(&r.opts)
		}
	case Token:
		need("token (OS_TOKEN)", c.Token)
		r.opts.TokenID, r.secret = c.Token, c.Token
	}
	if lacks != nil {
		return nil, lacks
	}
	r.opts.Scope = &gophercloud.AuthScope{}
	if method != ApplicationCredential {
		err = c.scope(r.opts.Scope)
	}
	return r, err
}

// user sets the user.
func (c *Config) user(o *gophercloud.AuthOptions) {
	if o.UserID = c.UserID; c.UserID != "" {
		return
	}
	o.Username = c.Username
	o.DomainID, o.DomainName = c.domain(c.UserDomainID, c.UserDomainName)
}

// scope sets the scope of the token.
func (c *Config) scope(s *gophercloud.AuthScope) error {
	switch {
	case c.TrustID != "":
		s.TrustID = c.TrustID
	case c.SystemScope == "all":
		s.System = true
	case c.SystemScope != "":
		return errors.New("keystone: system_scope (OS_SYSTEM_SCOPE) must be all, or not set")
	case c.ProjectID != "":
		s.ProjectID = c.ProjectID
	case c.ProjectName != "":
		s.ProjectName = c.ProjectName
		s.DomainID, s.DomainName = c.domain(c.ProjectDomainID, c.ProjectDomainName)
	case c.DomainID != "":
		s.DomainID = c.DomainID
	default:
		s.DomainName = c.DomainName
	}
	return nil
}

// domain returns the domain of a user or project, as an id or a name. With a project, domain_id and domain_name are for
// both, as in openstacksdk.
func (c *Config) domain(id, name string) (string, string) {
	if id == "" && name == "" && (c.ProjectID != "" || c.ProjectName != "") {
		id, name = c.DomainID, c.DomainName
	}
	switch {
	case id != "":
		return id, ""
	case name != "":
		return "", name
	}
	return cmp.Or(c.DefaultDomain, DefaultDomain), ""
}
