package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
)

// Mode says what the caller is going to do with the fleet.
type Mode int

// ReadOnly never creates a SQLite file; Create makes a missing one, with one project in it.
const (
	ReadOnly Mode = iota
	Create
)

// sqlitePrefix begins the URL of the embedded server.
const sqlitePrefix = "sqlite:"

// embeddedURL is what the client calls the server in its own process.
const embeddedURL = "http://embedded"

// Client makes a client of the connection settings, and a function that ends its work.
func Client(ctx context.Context, v *settings.Values, mode Mode) (*craton.Client, func() error, error) {
	url := v.String("url")
	switch {
	case url == "":
		return nil, nil, errors.New("no fleet to talk to: set CRATON_URL to sqlite:PATH or to the URL of a Craton API, such as http://craton.example:7780")
	case strings.HasPrefix(url, sqlitePrefix):
		return embedded(ctx, v, mode)
	}
	c, err := network(v)
	return c, func() error { return nil }, err
}

// network connects to an API over HTTP.
func network(v *settings.Values) (*craton.Client, error) {
	options := append(common(v),
		craton.WithTimeout(v.Duration("timeout")),
		craton.WithTLS(craton.TLS{
			CAPath:     v.String("ca_path"),
			ClientCert: v.String("client_cert"),
			ClientKey:  v.String("client_key"),
			Insecure:   !v.Bool("validate_certs"),
		}))
	var missing []string
	for _, name := range []string{"username", "password", "project_id"} {
		if v.String(name) == "" {
			missing = append(missing, credentialEnv[name])
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s needs credentials: set %s", strings.TrimRight(v.String("url"), "/"), strings.Join(missing, ", "))
	}
	options = append(options, craton.WithLocalAuth(v.String("username"), v.String("password"), v.String("project_id")))
	return craton.New(v.String("url"), options...)
}

// credentialEnv names the variables that an error asks for.
var credentialEnv = map[string]string{"username": "OS_USERNAME", "password": "OS_PASSWORD", "project_id": "OS_PROJECT_ID"}

// embedded runs the server's handler in this process. The file's permissions guard it; there are no credentials.
func embedded(ctx context.Context, v *settings.Values, mode Mode) (*craton.Client, func() error, error) {
	s, err := server.Open(ctx, v.String("url"), server.Options{
		Create: mode == Create,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, err
	}
	h, err := s.Embedded(ctx, v.String("project_id"))
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	c, err := craton.New(embeddedURL, append(common(v), craton.WithTransport(handlerTransport{h}))...)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return c, s.Close, nil
}

// common are the options that both ways share.
func common(v *settings.Values) []craton.Option {
	return []craton.Option{
		craton.WithRetries(v.Int("retries")),
		craton.WithUserAgent("craton/" + Version),
	}
}

// Version is this program's version, for the User-Agent. cmd/craton sets it.
var Version = "dev"
