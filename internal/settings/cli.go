package settings

// CLI are the settings of the commands that print objects, the mapping "cli" of the configuration file.
var CLI = Section{
	Name: "cli",
	Settings: []Setting{
		{Name: "format", Env: "CRATON_FORMAT", Default: "default", Choices: []string{"default", "json", "yaml", "csv"},
			Help: "form of the output; default is a table"},
		{Name: "craton_version", Env: "CRATON_VERSION", Kind: Int, Default: "1",
			Help: "version of Craton's API; there is only 1"},
		{Name: "message", Env: "CRATON_MESSAGE",
			Help: "why something is changed: craton server keeps it with every change"},
	},
}
