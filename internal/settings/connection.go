package settings

import "slices"

// Connection are the settings that say where the fleet lives and how to get in. They stand at the top level of
// the configuration file. The environment variables are those of python-cratonclient where it had one.
var Connection = Section{
	Settings: slices.Concat([]Setting{
		{Name: "url", Flag: "craton-url", Env: "CRATON_URL", URL: true,
			Help: "where the fleet lives: http(s)://HOST:PORT of a Craton API, or sqlite:PATH; with Keystone, by default what its catalogue says"},
		{Name: "username", Flag: "os-username", Env: "OS_USERNAME",
			Help: "user, of Keystone or Craton"},
		{Name: "password", Flag: "os-password", Env: "OS_PASSWORD", Secret: true,
			Help: "the user's password in Keystone, or API key in Craton" + inProcessList},
		{Name: "project_id", Flag: "os-project-id", Env: "OS_PROJECT_ID", Also: []string{"OS_TENANT_ID"},
			Help: "id of the project in Keystone, or UUID of the project the user belongs to in Craton"},
		{Name: "validate_certs", Env: "CRATON_VALIDATE_CERTS", Kind: Bool, Default: "true",
			Help: "verify the server's certificate"},
		{Name: "ca_path", Env: "CRATON_CA_PATH", Kind: Path,
			Help: "PEM file or directory of certificates to trust instead of the system's"},
		{Name: "client_cert", Env: "CRATON_CLIENT_CERT", Kind: Path,
			Help: "PEM file of a client certificate"},
		{Name: "client_key", Env: "CRATON_CLIENT_KEY", Kind: Path,
			Help: "PEM file of the client certificate's key"},
		{Name: "timeout", Env: "CRATON_TIMEOUT", Kind: Duration, Default: "60",
			Help: "bound of one request in seconds; 0 is none"},
		{Name: "retries", Env: "CRATON_RETRIES", Kind: Int, Default: "4",
			Help: "how often a failed request to Craton or Keystone is repeated"},
		{Name: "max_connections", Env: "CRATON_MAX_CONNECTIONS", Kind: Int, Default: "0",
			Help: "how many requests may be under way at once; 0 is 4 for a server that takes few, such as the original one, and else no bound"},
	}, keystone),
}
