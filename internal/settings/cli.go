package settings

// CLI are the settings of the commands that print objects, the mapping "cli" of the configuration file.
var CLI = Section{
	Name: "cli",
	Settings: []Setting{
		{Name: "format", Env: "CRATON_FORMAT", Default: "default", Choices: []string{"default", "json", "yaml", "csv"},
			Help: "output format; default is a table"},
		{Name: "craton_version", Env: "CRATON_VERSION", Kind: Int, Default: "1",
			Help: "version of the Craton API; only 1 exists"},
		{Name: "message", Env: "CRATON_MESSAGE",
			Help: "reason for the change, which craton server records with every change"},
	},
}

// Screen are the settings for what a command shows, independent of the service that it talks to. In the configuration
// file they are in the same mapping as those of [CLI].
var Screen = Section{
	Name: "cli",
	Settings: []Setting{
		{Name: "pager", Env: "CRATON_PAGER",
			Help: "pager for output longer than the screen; cat disables paging; by default the command in PAGER, or else less"},
		{Name: "no_pager", Env: "CRATON_NO_PAGER", Kind: Bool, Default: "false",
			Help: "do not use a pager"},
		{Name: "verbose", Short: "v", Env: "CRATON_VERBOSE", Kind: Bool, Default: "false",
			Help: "log every request to standard error, one line each, without secrets"},
		{Name: "debug", Env: "CRATON_DEBUG", Kind: Bool, Default: "false",
			Help: "like --verbose, with headers and the start of each body, without secrets"},
	},
}
