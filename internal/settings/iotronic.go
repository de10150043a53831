package settings

// Iotronic are the settings of the connection to Ironic or Iotronic, the mapping "iotronic" of the configuration file.
// The settings for credentials and TLS are in [SignIn]. The environment variables of the Python clients work too.
var Iotronic = Section{
	Name: "iotronic",
	Settings: []Setting{
		{Name: "url", Flag: "iotronic-url", Env: "CRATON_IOTRONIC_URL", Also: []string{"IOTRONIC_URL", "IRONIC_URL", "OS_SERVICE_ENDPOINT", "OS_ENDPOINT"}, URL: true,
			Help: "URL of an Ironic or Iotronic API; with Keystone, defaults to the endpoint in its catalogue"},
		{Name: "cloud", Flag: "iotronic-cloud", Env: "CRATON_IOTRONIC_CLOUD",
			Help: "cloud in clouds.yaml, for Ironic and Iotronic only; other credentials are ignored, except those in flags or task options"},
		{Name: "service_type", Flag: "os-service-type", Env: "CRATON_IOTRONIC_SERVICE_TYPE", Also: []string{"OS_SERVICE_TYPE"},
			Help: "type of the service in Keystone's catalogue; by default iot, or baremetal if there is no iot"},
		{Name: "dialect", Env: "CRATON_IOTRONIC_DIALECT", Default: "auto",
			Choices: []string{"auto", "ironic", "iotronic-nodes-2016", "iotronic-nodes", "iotronic-boards"},
			Help:    "which API the server has; auto detects it"},
		{Name: "api_version", Flag: "iotronic-api-version", Env: "CRATON_IOTRONIC_API_VERSION", Also: []string{"IOTRONIC_API_VERSION", "IRONIC_API_VERSION"},
			Help: "version of the API, such as 1.58 (quote it in YAML), or latest; by default the latest version that both this program and the server support"},
		{Name: "max_retries", Env: "CRATON_IOTRONIC_MAX_RETRIES", Also: []string{"IOTRONIC_MAX_RETRIES", "IRONIC_MAX_RETRIES"}, Kind: Int, Default: "5",
			Help: "number of retries of a failed request to Ironic or Iotronic"},
		{Name: "retry_interval", Env: "CRATON_IOTRONIC_RETRY_INTERVAL", Also: []string{"IOTRONIC_RETRY_INTERVAL", "IRONIC_RETRY_INTERVAL"}, Kind: Duration,
			Help: "seconds before a retry; by default half a second before the first retry, and twice as long before each further one"},
	},
}

// IotronicInventory are the settings of `iotronic-inventory`, the mapping "iotronic_inventory" of the configuration
// file.
var IotronicInventory = Section{
	Name: "iotronic_inventory",
	Settings: []Setting{
		{Name: "hostname", Env: "CRATON_IOTRONIC_INVENTORY_HOSTNAME", Default: "name", Choices: []string{"name", "uuid", "unique"},
			Help: "how hosts are named: name, uuid, or unique, which is NAME_ and the first eight digits of the UUID; a node or board without a name is always named by its UUID"},
		{Name: "address_from", Env: "CRATON_IOTRONIC_INVENTORY_ADDRESS_FROM", Kind: List, Default: "extra.ansible_host",
			Help: "where to find the address that Ansible connects to: paths of fields, such as extra.ip, of which the first that exists is used; none for no address"},
		{Name: "groups", Env: "CRATON_IOTRONIC_INVENTORY_GROUPS", Kind: List,
			Default: "driver,power,provision,maintenance,resource_class,conductor_group,owner,trait,status,type,fleet,project,mobile",
			Choices: []string{"driver", "power", "provision", "maintenance", "resource_class", "conductor_group", "owner", "trait",
				"status", "type", "fleet", "project", "mobile", "none"},
			Help: "kinds of groups to create; none for no groups"},
		{Name: "group_names", Env: "CRATON_IOTRONIC_INVENTORY_GROUP_NAMES", Default: "readable", Choices: []string{"readable", "exact"},
			Help: "how names become group names: readable replaces characters that Ansible does not allow with _, exact keeps all names distinct"},
		{Name: "facts", Env: "CRATON_IOTRONIC_INVENTORY_FACTS", Default: "iotronic",
			Help: "name of the variable with all fields of the node or board; none omits it"},
		{Name: "exclude_fields", Env: "CRATON_IOTRONIC_INVENTORY_EXCLUDE_FIELDS", Kind: List,
			Help: "fields to omit from the variable that facts names, as patterns such as driver_*"},
		{Name: "extra_variables", Env: "CRATON_IOTRONIC_INVENTORY_EXTRA_VARIABLES", Kind: List,
			Help: "keys of the field extra that become variables of the host, as patterns; keys that begin with ansible_ need a pattern that begins with ansible_"},
		{Name: "exclude_variables", Env: "CRATON_IOTRONIC_INVENTORY_EXCLUDE_VARIABLES", Kind: List,
			Help: "variables from the field extra to omit, as patterns"},
		{Name: "filters", Env: "CRATON_IOTRONIC_INVENTORY_FILTERS", Kind: List,
			Help: "only nodes or boards that match, such as driver=ipmi or extra.rack=b7; of several values for one field, any may match"},
		{Name: "expect_at_least", Env: "CRATON_IOTRONIC_INVENTORY_EXPECT_AT_LEAST", Kind: Int, Default: "0",
			Help: "minimum number of hosts; an inventory with fewer is an error"},
		{Name: "trust_templates", Env: "CRATON_IOTRONIC_INVENTORY_TRUST_TEMPLATES", Kind: Bool, Default: "false",
			Help: "let Ansible execute templates and decrypt vaults found in data from the API"},
	},
}

// SignIn are the settings of [Connection] for credentials and TLS, which apply to every service. They are all settings
// of Connection except url, which is the location of Craton.
var SignIn = Section{Settings: Connection.Settings[1:]}
