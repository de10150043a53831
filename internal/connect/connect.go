package connect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/keystone"
	"github.com/craton-fleet/craton/server"
)

// Mode is what the caller intends to do with the fleet.
type Mode int

// ReadOnly never creates a SQLite file; Create creates a missing one, with one project in it, with the first write that
// is not refused. Predict is for previews of Create: it works on an empty file in a temporary directory, as Create does
// until it writes, and leaves nothing behind. Examine is ReadOnly for `craton doctor`, which its own errors must not
// recommend.
const (
	ReadOnly Mode = iota
	Create
	Predict
	Examine
)

// refused returns the advice at the end of the error for refused credentials.
func (m Mode) refused(tried string) string {
	if m == Examine {
		return tried
	}
	return advice.Join(tried, askDoctor)
}

// sqlitePrefix begins the URL of the embedded server.
const sqlitePrefix = "sqlite:"

// embeddedURL is the client's URL for the server in its own process.
const embeddedURL = "http://embedded"

// Connection is a client, and what only the settings and Keystone know about its user.
type Connection struct {
	*craton.Client
	// Close closes the connection.
	Close func() error
	// Where is the location of the fleet, in one spelling and without secrets: a URL, or sqlite: with the absolute
	// path.
	Where string
	// New: with [Predict] or [Create], there was no fleet; an empty one is read until something is written.
	New bool

	later    *lazyFile // nil: the file exists already, or is not created
	project  string
	keystone *Keystone // nil: without
}

// Project returns the id of the project in which the user works; "" if only the API knows it. With Keystone it may have
// to sign in.
func (c *Connection) Project(ctx context.Context) (string, error) {
	if c.keystone == nil {
		return c.project, nil
	}
	id, err := c.keystone.Identity(ctx)
	if err != nil {
		return "", err
	}
	return id.ProjectID, nil
}

// Created returns the path of the file that was created because there was none, "" if none was.
func (c *Connection) Created() string {
	if c.later == nil || !c.later.made() {
		return ""
	}
	return c.later.file
}

// Client returns a client for the connection settings, and a function that closes it.
func Client(ctx context.Context, v *settings.Values, mode Mode) (*craton.Client, func() error, error) {
	c, err := Open(ctx, v, mode)
	if err != nil {
		return nil, nil, err
	}
	return c.Client, c.Close, nil
}

// Open connects according to the connection settings.
func Open(ctx context.Context, v *settings.Values, mode Mode) (*Connection, error) {
	url, withKeystone := v.String("url"), UsesKeystone(v)
	if better := Spelling(url); better != "" {
		return nil, advice.With(fmt.Errorf("the URL %q (%s) must begin with http:// or https://, or with %s for a file", rest.Bare(url), v.Source("url"), sqlitePrefix), fmt.Sprintf("did you mean %s?", better))
	}
	switch {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return nil, advice.With(fmt.Errorf("the URL %q (%s) is that of a database, not of a Craton API", rest.Bare(url), v.Source("url")), "run `craton server` on it, and set CRATON_URL to the server's address")
	case strings.HasPrefix(url, sqlitePrefix):
		return connectEmbedded(ctx, v, mode)
	case withKeystone:
		return connectKeystone(ctx, v, mode)
	case url == "":
		return nil, errors.New("no fleet is configured: set CRATON_URL to sqlite:PATH or to the URL of a Craton API, such as http://craton.example:7780, or OS_CLOUD or OS_AUTH_URL to Keystone")
	}
	return connectLocal(v, mode)
}

// Spelling returns the URL that was probably meant: for a file without sqlite:, with it in capitals or before two
// slashes, or for a server without http://. "" for a correct one, or if no correction is known.
func Spelling(text string) string {
	if trimmed := strings.TrimSpace(text); trimmed != text && strings.HasPrefix(trimmed, sqlitePrefix) {
		return trimmed
	}
	if url, ok := strings.CutPrefix(text, sqlitePrefix); ok && !strings.HasPrefix(url, "//") && strings.Contains(url, "://") {
		return rest.Bare(url)
	}
	scheme, path, ok := strings.Cut(text, ":")
	lower := strings.ToLower(scheme)
	switch {
	case text == "", strings.HasPrefix(text, sqlitePrefix) && !strings.HasPrefix(text, sqlitePrefix+"//"):
		return ""
	case ok && (lower == "sqlite" || lower == "sqlite3" || lower == "file") && !strings.ContainsAny(path, "@?"):
		if after, slashes := strings.CutPrefix(path, "//"); slashes {
			if strings.HasPrefix(after, "//") { // as SQLAlchemy writes an absolute path
				after = after[1:]
			}
			path = after
		}
		if path == "" {
			path = "PATH"
		}
		return sqlitePrefix + path
	case strings.Contains(text, "://") || strings.ContainsAny(text, "@"):
		return ""
	case filepath.IsAbs(text), strings.HasPrefix(text, "."), strings.HasPrefix(text, "~"), strings.HasSuffix(text, ".db"), strings.HasSuffix(lower, ".sqlite"), strings.HasSuffix(lower, ".sqlite3"):
		return sqlitePrefix + text
	case ok && port().MatchString(path):
		return "http://" + text + ", or https://" + text
	}
	return ""
}

// port matches what follows a host's name.
var port = value.LazyPattern(`^\d+(/|$)`)

// connectLocal connects to an API over HTTP, as one of its own users.
func connectLocal(v *settings.Values, mode Mode) (*Connection, error) {
	var missing []string
	for _, name := range []string{"username", "password", "project_id"} {
		if v.String(name) == "" {
			missing = append(missing, credentialEnv[name])
		}
	}
	if len(missing) > 0 {
		return nil, advice.With(fmt.Errorf("%s requires credentials: set %s", strings.TrimRight(rest.Bare(v.String("url")), "/"), strings.Join(missing, ", ")), "or, for Keystone, set OS_CLOUD, or OS_AUTH_URL and credentials")
	}
	return connectHTTP(v, v.String("url"),
		craton.WithRefusalHint(mode.refused(describeAttempt(v, v.String("url"), v.Origin("url"), nil))),
		craton.WithLocalAuth(v.String("username"), v.String("password"), v.String("project_id")),
		craton.WithTLS(craton.TLS{
			CAPath:     v.String("ca_path"),
			ClientCert: v.String("client_cert"),
			ClientKey:  v.String("client_key"),
			Insecure:   !v.Bool("validate_certs"),
		}))
}

// connectKeystone connects to an API over HTTP, at the configured URL or the one in the catalogue.
func connectKeystone(ctx context.Context, v *settings.Values, mode Mode) (*Connection, error) {
	k, err := NewKeystone(v, mode)
	if err != nil {
		return nil, err
	}
	url, found := v.String("url"), v.Origin("url")
	if url == "" {
		found = "of Keystone's catalogue"
		if k.config.EndpointOf(ServiceType) != "" {
			found = "of the cloud or the environment"
		}
		if url, err = k.Endpoint(ctx, ServiceType); err != nil {
			if _, ok := errors.AsType[*keystone.EndpointNotFoundError](err); ok {
				err = advice.With(fmt.Errorf("no fleet is configured: CRATON_URL is not set, and %w", err), "set CRATON_URL, or set OS_REGION_NAME or OS_INTERFACE to another value")
			}
			return nil, err
		}
	}
	c, err := connectHTTP(v, url, craton.WithAuth(k), craton.WithTLS(k.TLS), craton.WithRefusalHint(mode.refused(describeAttempt(v, url, found, &k.config))))
	if err == nil && (v.String("auth_url") != "" || v.String("os_cloud") != "") { // the project of a bare token is unknown
		c.keystone = k
	}
	return c, err
}

// connectHTTP connects over HTTP.
func connectHTTP(v *settings.Values, url string, options ...craton.Option) (*Connection, error) {
	options = append(append(commonOptions(v), craton.WithTimeout(v.Duration("timeout")), craton.WithMaxConnections(v.Int("max_connections"))), options...)
	c, err := craton.New(url, options...)
	if err != nil {
		return nil, err
	}
	return &Connection{Client: c, Close: func() error { return nil }, Where: rest.Bare(c.URL()), project: v.String("project_id")}, nil
}

// credentialEnv are the variables that an error asks for.
var credentialEnv = map[string]string{"username": "OS_USERNAME", "password": "OS_PASSWORD", "project_id": "OS_PROJECT_ID"}

// connectEmbedded runs the server's handler in this process. The file's permissions protect it; there are no
// credentials. Opening it, and each request, may take as long as the setting timeout allows, and is not retried.
func connectEmbedded(ctx context.Context, v *settings.Values, mode Mode) (*Connection, error) {
	kept, err := v.More(settings.Server.Only("hashed_keys"))
	if err != nil {
		return nil, err
	}
	l := &limit{file: strings.TrimPrefix(v.String("url"), sqlitePrefix), after: v.Duration("timeout")}
	url, clean, err := chooseURL(v, mode)
	if err != nil {
		return nil, err
	}
	first := ""
	if url != v.String("url") {
		first = value.NewUUID() // the temporary file and the final one have one project with the same id
	}
	opening := func(url string, create bool) func(context.Context) (openedServer, error) {
		return func(ctx context.Context) (openedServer, error) {
			s, err := server.Open(ctx, url, server.Options{
				Create:       create,
				FirstProject: first,
				Logger:       slog.New(slog.DiscardHandler),
				Version:      Version,
				HashedKeys:   kept.List("server.hashed_keys"),
			})
			if err != nil {
				return openedServer{}, err
			}
			h, err := s.Embedded(ctx, v.String("project_id"))
			if errors.Is(err, server.ErrProject) && v.String("project_id") != "" {
				err = advice.With(err, otherProject(v))
			}
			if err != nil {
				return openedServer{}, errors.Join(err, s.Close())
			}
			return openedServer{s, h}, nil
		}
	}
	o, err := runWithin(ctx, l, opening(url, url != v.String("url")), func(o openedServer) { _ = o.server.Close() })
	if err != nil {
		return nil, errors.Join(err, clean())
	}
	var made *lazyFile
	if mode == Create && url != v.String("url") {
		made = &lazyFile{file: l.file, standIn: o.handler, open: opening(v.String("url"), true)}
	}
	stop := func() error {
		if l.left.Load() { // closing would wait for it; the end of the process rolls back what is not committed
			return clean()
		}
		return errors.Join(made.close(), o.server.Close(), clean())
	}
	c, err := craton.New(embeddedURL, append(commonOptions(v), craton.WithTransport(handlerTransport{o.handler, l, made}), craton.WithHiddenURL(), craton.WithTimeout(0), craton.WithRetries(0))...)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	where := v.String("url")
	if path, err := filepath.Abs(strings.TrimPrefix(where, sqlitePrefix)); err == nil {
		where = sqlitePrefix + path
	}
	return &Connection{Client: c, Close: stop, Where: where, New: url != v.String("url"), later: made, project: v.String("project_id")}, nil
}

// chooseURL returns the URL to open in a mode, and a function that removes temporary files: it is the file's own,
// unless the file does not exist and is to be created or predicted.
func chooseURL(v *settings.Values, mode Mode) (url string, clean func() error, err error) {
	url, clean = v.String("url"), func() error { return nil }
	path := strings.TrimPrefix(url, sqlitePrefix)
	if _, err := os.Stat(path); mode != Create && mode != Predict || path == "" || !errors.Is(err, fs.ErrNotExist) {
		return url, clean, nil
	}
	if id := v.String("project_id"); id != "" {
		return "", nil, advice.With(fmt.Errorf("%s does not exist, so it has no project %s", path, id), otherProject(v))
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return "", nil, fmt.Errorf("create database: %w", &fs.PathError{Op: "open", Path: path, Err: errors.Unwrap(err)})
	}
	dir, err := os.MkdirTemp("", "craton-check-")
	if err != nil {
		return "", nil, err
	}
	return sqlitePrefix + filepath.Join(dir, "fleet.db"), func() error { return os.RemoveAll(dir) }, nil
}

// otherProject returns what to do about a project that is not in the file.
func otherProject(v *settings.Values) string {
	return v.Origin("project_id") + " names this project, which may belong to another server, for example if the setting comes from an openrc file: unset it, or set it to a project of this file"
}

// commonOptions returns the options that both ways share.
func commonOptions(v *settings.Values) []craton.Option {
	return []craton.Option{
		craton.WithRetries(v.Int("retries")),
		craton.WithUserAgent(userAgent()),
	}
}

func userAgent() string { return "craton/" + Version }

// Version is this program's version, for the User-Agent. cmd/craton sets it.
var Version = "dev"
