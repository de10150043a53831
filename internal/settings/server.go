package settings

// Server are the settings of `craton server`, the mapping "server" of the configuration file.
var Server = Section{
	Name: "server",
	Settings: []Setting{
		{Name: "listen", Env: "CRATON_LISTEN", Default: "127.0.0.1:7780",
			Help: "address and port to serve on"},
		{Name: "database", Env: "CRATON_DATABASE",
			Help: "where the fleet is kept: sqlite:PATH"},
		{Name: "tls_cert", Env: "CRATON_TLS_CERT",
			Help: "PEM file of the server's certificate and its chain; serves https"},
		{Name: "tls_key", Env: "CRATON_TLS_KEY",
			Help: "PEM file of the certificate's key"},
		{Name: "log_format", Env: "CRATON_LOG_FORMAT", Default: "text", Choices: []string{"text", "json"},
			Help: "form of the log on standard error"},
	},
}
