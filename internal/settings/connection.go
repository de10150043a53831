package settings

import "slices"

// Connection are the settings for the location of the fleet and the credentials. They are at the top level of the
// configuration file. The environment variables are those of python-cratonclient, where it has one.
var Connection = Section{
	Settings: slices.Concat([]Setting{
		{Name: "url", Flag: "craton-url", Env: "CRATON_URL", URL: true,
			Help: "location of the fleet: http(s)://HOST:PORT of a Craton API, or sqlite:PATH; with Keystone, defaults to the endpoint in its catalogue"},
		{Name: "username", Flag: "os-username", Env: "OS_USERNAME",
			Help: "name of the user, in Keystone or Craton"},
		{Name: "password", Flag: "os-password", Env: "OS_PASSWORD", Secret: true,
			Help: "the user's Keystone password, or Craton API key" + inProcessList},
		{Name: "project_id", Flag: "os-project-id", Env: "OS_PROJECT_ID", Also: []string{"OS_TENANT_ID"},
			Help: "id of the Keystone project, or UUID of the user's Craton project"},
		{Name: "validate_certs", Env: "CRATON_VALIDATE_CERTS", Kind: Bool, Default: "true",
			Help: "verify the server's certificate"},
		{Name: "ca_path", Env: "CRATON_CA_PATH", Kind: Path,
			Help: "PEM file or directory of CA certificates to trust instead of the system's"},
		{Name: "client_cert", Env: "CRATON_CLIENT_CERT", Kind: Path,
			Help: "PEM file with a client certificate"},
		{Name: "client_key", Env: "CRATON_CLIENT_KEY", Kind: Path,
			Help: "PEM file with the key of the client certificate"},
		{Name: "timeout", Env: "CRATON_TIMEOUT", Kind: Duration, Default: "60",
			Help: "timeout of one request in seconds; 0 for no timeout"},
		{Name: "retries", Env: "CRATON_RETRIES", Kind: Int, Default: "4",
			Help: "number of retries of a failed request to Craton or Keystone"},
		{Name: "max_connections", Env: "CRATON_MAX_CONNECTIONS", Kind: Int, Default: "0",
			Help: "maximum number of concurrent requests; 0 means 4 for a server that handles few concurrent requests, such as the original one, and no limit otherwise"},
	}, keystone),
}
