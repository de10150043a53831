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

// Screen are the settings of how a command shows what it does, whatever it talks to. They stand beside those of [CLI].
var Screen = Section{
	Name: "cli",
	Settings: []Setting{
		{Name: "pager", Env: "CRATON_PAGER",
			Help: "program that shows what is longer than the screen of a terminal; cat is none, and by default it is PAGER, else less"},
		{Name: "no_pager", Env: "CRATON_NO_PAGER", Kind: Bool, Default: "false",
			Help: "use no pager"},
		{Name: "verbose", Short: "v", Env: "CRATON_VERBOSE", Kind: Bool, Default: "false",
			Help: "say on standard error which requests are sent: a line for each, without secrets"},
		{Name: "debug", Env: "CRATON_DEBUG", Kind: Bool, Default: "false",
			Help: "the same with headers and the beginnings of bodies, without secrets"},
	},
}
