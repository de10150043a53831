package settings

// Iotronic are the settings that say where Ironic or Iotronic is and how it is spoken to, the mapping "iotronic" of the
// configuration file. Who signs in, and how https is verified, are those of [SignIn]. Beside our own environment
// variables stand those of the Python clients.
var Iotronic = Section{
	Name: "iotronic",
	Settings: []Setting{
		{Name: "url", Flag: "iotronic-url", Env: "CRATON_IOTRONIC_URL", Also: []string{"IOTRONIC_URL", "IRONIC_URL", "OS_SERVICE_ENDPOINT", "OS_ENDPOINT"}, URL: true,
			Help: "URL of an Ironic or Iotronic API; with Keystone, defaults to the endpoint in its catalogue"},
		{Name: "cloud", Flag: "iotronic-cloud", Env: "CRATON_IOTRONIC_CLOUD",
			Help: "cloud of a clouds.yaml for Ironic or Iotronic alone; with it, only flags override its credentials"},
		{Name: "service_type", Flag: "os-service-type", Env: "CRATON_IOTRONIC_SERVICE_TYPE", Also: []string{"OS_SERVICE_TYPE"},
			Help: "type of the service in Keystone's catalogue; if not set iot, or else baremetal"},
		{Name: "dialect", Env: "CRATON_IOTRONIC_DIALECT", Default: "auto",
			Choices: []string{"auto", "ironic", "iotronic-nodes-2016", "iotronic-nodes", "iotronic-boards"},
			Help:    "what the server speaks; auto asks it"},
		{Name: "api_version", Flag: "iotronic-api-version", Env: "CRATON_IOTRONIC_API_VERSION", Also: []string{"IOTRONIC_API_VERSION", "IRONIC_API_VERSION"},
			Help: "version of the API, such as 1.58 (in YAML with quotes), or latest; if not set the latest that both this program and the server know"},
		{Name: "max_retries", Env: "CRATON_IOTRONIC_MAX_RETRIES", Also: []string{"IOTRONIC_MAX_RETRIES", "IRONIC_MAX_RETRIES"}, Kind: Int, Default: "5",
			Help: "how often a failed request to Ironic or Iotronic is repeated"},
		{Name: "retry_interval", Env: "CRATON_IOTRONIC_RETRY_INTERVAL", Also: []string{"IOTRONIC_RETRY_INTERVAL", "IRONIC_RETRY_INTERVAL"}, Kind: Duration,
			Help: "seconds between repetitions; if not set half a second, and twice as long before each further one"},
	},
}

// IotronicInventory are the settings of `iotronic-inventory`, the mapping "iotronic_inventory" of the configuration
// file.
var IotronicInventory = Section{
	Name: "iotronic_inventory",
	Settings: []Setting{
		{Name: "hostname", Env: "CRATON_IOTRONIC_INVENTORY_HOSTNAME", Default: "name", Choices: []string{"name", "uuid", "unique"},
			Help: "what a host is called; unique is NAME_ and the first eight digits of the UUID; without a name each is the UUID"},
		{Name: "address_from", Env: "CRATON_IOTRONIC_INVENTORY_ADDRESS_FROM", Kind: List, Default: "extra.ansible_host",
			Help: "paths such as extra.ip where the address that Ansible connects to may be; the first that exists is used; none for no address"},
		{Name: "groups", Env: "CRATON_IOTRONIC_INVENTORY_GROUPS", Kind: List,
			Default: "driver,power,provision,maintenance,resource_class,conductor_group,owner,trait,status,type,fleet,project,mobile",
			Choices: []string{"driver", "power", "provision", "maintenance", "resource_class", "conductor_group", "owner", "trait",
				"status", "type", "fleet", "project", "mobile", "none"},
			Help: "which kinds of groups to make; none makes none"},
		{Name: "group_names", Env: "CRATON_IOTRONIC_INVENTORY_GROUP_NAMES", Default: "readable", Choices: []string{"readable", "exact"},
			Help: "how words become group names: readable writes _ for what Ansible does not allow, exact never makes one of two"},
		{Name: "facts", Env: "CRATON_IOTRONIC_INVENTORY_FACTS", Default: "iotronic",
			Help: "the variable that holds all fields of the node or board; none leaves it out"},
		{Name: "exclude_fields", Env: "CRATON_IOTRONIC_INVENTORY_EXCLUDE_FIELDS", Kind: List,
			Help: "fields to leave out of it, by patterns such as driver_*"},
		{Name: "extra_variables", Env: "CRATON_IOTRONIC_INVENTORY_EXTRA_VARIABLES", Kind: List,
			Help: "keys of extra that become variables of the host, by patterns; only a pattern that begins with ansible_ finds such keys"},
		{Name: "exclude_variables", Env: "CRATON_IOTRONIC_INVENTORY_EXCLUDE_VARIABLES", Kind: List,
			Help: "those of them to leave out, by patterns"},
		{Name: "filters", Env: "CRATON_IOTRONIC_INVENTORY_FILTERS", Kind: List,
			Help: "only nodes or boards that match, by words such as driver=ipmi or extra.rack=b7; of several for one field any"},
		{Name: "expect_at_least", Env: "CRATON_IOTRONIC_INVENTORY_EXPECT_AT_LEAST", Kind: Int, Default: "0",
			Help: "how many hosts the inventory must have; fewer are an error"},
		{Name: "trust_templates", Env: "CRATON_IOTRONIC_INVENTORY_TRUST_TEMPLATES", Kind: Bool, Default: "false",
			Help: "let Ansible execute templates and decrypt vaults that the API's data hold"},
	},
}

// SignIn are the settings of [Connection] that say who signs in to Keystone and how https is verified, for other
// services than Craton: all but url, which is Craton's own address.
var SignIn = Section{Settings: Connection.Settings[1:]}
