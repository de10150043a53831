package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
)

// shutdownTime is how long requests that are under way may take after SIGTERM.
const shutdownTime = 30 * time.Second

// New makes the command `craton server`, with its subcommands.
func New(s output.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Serve a fleet to a team over the Craton v1 API",
		Long: `Serves the Craton v1 API until it is told to stop with SIGTERM or Ctrl-C; requests under way are finished first.
SIGHUP makes it read the TLS certificate and its key again. Make the first user with "craton server bootstrap".
GET /healthz answers 200 while the database can be read and its file is the one that was opened.

A fleet is kept in a SQLite file, or in PostgreSQL, where any number of servers can share it. A PostgreSQL database must be
there already; bootstrap makes its tables. A password in its URL is refused on the command line, where others see it.

With --auth keystone, users, projects and roles are those of OpenStack's Keystone: clients send its tokens. A project's
admins, members and readers work in their project; only admins of Keystone's admin project see all projects.`,
		Example: `  craton server bootstrap --database sqlite:/var/lib/craton/fleet.db
  craton server --database sqlite:/var/lib/craton/fleet.db --listen 0.0.0.0:7780 --tls-cert cert.pem --tls-key key.pem
  craton server --database postgres://craton@db1,db2/fleet --database-password-file /etc/craton/password
  craton server --database sqlite:/var/lib/craton/fleet.db --auth keystone --keystone-url https://keystone:5000/v3`,
		Args: argparse.ExactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := settings.Load(cmd.Flags(), settings.Server)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), s, v, connect.Version)
		},
	}
	settings.AddFlags(cmd.Flags(), settings.Server)
	cmd.AddCommand(newBootstrap(s), newBackup(s), newRestore(s))
	return cmd
}

// database is where the database is that the server's commands need; what it
// takes to open it is added to the options.
func database(v *settings.Values, o server.Options) (string, server.Options, error) {
	url := v.String("server.database")
	if url == "" {
		return "", o, errors.New("no database: say --database sqlite:PATH or postgres://USER@HOST/DATABASE, or set CRATON_DATABASE")
	}
	o.PasswordFile, o.Shown = v.String("server.database_password_file"), v.Source("server.database").From == settings.FromFlag
	if o.Saves = v.String("server.upgrade_backup"); o.Saves == "no" {
		o.Saves, o.NoSaves = "", true
	}
	return url, o, nil
}

// open opens the database that the server's commands need.
func open(ctx context.Context, v *settings.Values, o server.Options) (*server.Server, error) {
	url, o, err := database(v, o)
	if err != nil {
		return nil, err
	}
	return server.Open(ctx, url, o)
}

// limits are those of the settings.
func limits(v *settings.Values) server.Limits {
	return server.Limits{
		Body: int64(v.Int("server.max_body")), Variables: v.Int("server.max_variables"),
		Memory: int64(v.Int("server.max_memory")), Temporary: int64(v.Int("server.max_temporary")),
	}
}

// options are those of a server that is to serve.
func options(v *settings.Values) server.Options {
	failures := v.Int("server.login_failures")
	if failures == 0 {
		failures = -1 // never
	}
	return server.Options{
		Limits: limits(v), HashedKeys: v.List("server.hashed_keys"), TrustedProxies: v.List("server.trusted_proxies"), ProxyHeader: v.String("server.proxy_header"),
		Logins: server.Logins{Failures: failures, Longest: v.Duration("server.login_lockout")},
	}
}

// baseMemory is what the server needs beside the bodies and answers under way, in bytes.
const baseMemory = 256 << 20

// aimAt has the garbage collector work harder before the process grows beyond what its requests may take, unless the
// environment says otherwise. The limits hold without it; this is about what is thrown away and not collected yet.
func aimAt(l server.Limits) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(baseMemory + l.Memory)
	}
}

func serve(ctx context.Context, s output.Streams, v *settings.Values, version string) error {
	cert, key := v.String("server.tls_cert"), v.String("server.tls_key")
	if (cert == "") != (key == "") {
		return errors.New("https needs both --tls-cert and --tls-key")
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)

	log := slog.New(slog.NewTextHandler(s.Err, nil))
	if v.String("server.log_format") == "json" {
		log = slog.New(slog.NewJSONHandler(s.Err, nil))
	}
	o := options(v)
	o.Logger, o.Version = log, version
	srv, err := open(ctx, v, o)
	if err != nil {
		return err
	}
	defer srv.Close() //nolint:errcheck // every answered write is committed
	aimAt(limits(v))
	watching, unwatch := context.WithCancel(ctx)
	watched, err := srv.Watch(watching)
	if err != nil {
		unwatch()
		return err
	}
	defer watched() // before the database is closed
	defer srv.RecordUses(watching)()
	if keep := v.Duration("server.keep_changes"); keep > 0 {
		defer srv.Retain(watching, keep)()
	}
	defer unwatch()
	handler, err := handlerOf(ctx, v, srv, log)
	if err != nil {
		return err
	}
	if !v.Bool("server.page") {
		handler = withoutPage(handler)
	} else if handler, err = withPage(ctx, handler, srv, v.String("server.auth") == authKeystone); err != nil {
		return err
	}
	certificate := &certificate{cert: cert, key: key}
	if cert != "" {
		if err := certificate.load(); err != nil {
			return err
		}
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", v.String("server.listen"))
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	hs := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    256 << 10,
		ReadTimeout:       2 * time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get},
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	hs.RegisterOnShutdown(srv.EndWaits)
	scheme := "http"
	if cert != "" {
		scheme = "https"
	}
	log.Info("serving", "url", scheme+"://"+listener.Addr().String(), "database", srv.Database())
	failed := make(chan error, 1)
	go func() {
		if cert != "" {
			failed <- hs.ServeTLS(listener, "", "")
		} else {
			failed <- hs.Serve(listener)
		}
	}()
	for {
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return shutdown(hs, log, "the caller")
		case s := <-signals:
			if s != syscall.SIGHUP {
				signal.Stop(signals) // a second one ends the process at once
				return shutdown(hs, log, s.String())
			}
			reload(certificate, log)
		}
	}
}

// reload reads the certificate and its key again, as an administrator asks for who has renewed them.
func reload(c *certificate, log *slog.Logger) {
	attrs := []any{slog.String("signal", syscall.SIGHUP.String())}
	if c.cert == "" {
		log.Info("nothing to reload: no TLS certificate is set", attrs...)
		return
	}
	attrs = append(attrs, slog.String("tls_cert", c.cert), slog.String("tls_key", c.key))
	if err := c.load(); err != nil {
		log.Error("the TLS certificate was not reloaded; the former one stays in use", append(attrs, slog.String("error", err.Error()))...)
		return
	}
	log.Info("reloaded the TLS certificate and its key", attrs...)
}

// shutdown ends the server when the requests that are under way have their answers.
func shutdown(hs *http.Server, log *slog.Logger, by string) error {
	log.Info("stopping", "signal", by, "grace", shutdownTime.String())
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := hs.Shutdown(ctx); err != nil {
		return fmt.Errorf("requests were still under way after %v: %w", shutdownTime, err)
	}
	log.Info("stopped")
	return nil
}

// certificate is what the server shows to its clients. It can be replaced while it is in use.
type certificate struct {
	cert, key string // PEM files
	current   atomic.Pointer[tls.Certificate]
}

// load reads the files. If they are no good, what was loaded before stays.
func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("TLS certificate %s with key %s: %w", c.cert, c.key, err)
	}
	c.current.Store(&pair)
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

func newBootstrap(s output.Streams) *cobra.Command {
	var newKey bool
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Make the first project and its root user, and print the user's API key",
		Long: `Makes a project and a root user, both named "bootstrap", in a database whose file or tables are made if need be, and prints
the project's id, the user's name and API key. The key is shown this once: the database holds only its hash.
Run again, it finds them; --new-key then replaces the key, and makes the user
root again, with no other key, if somebody has taken that away.

With --auth keystone it makes the database only: users come from Keystone.`,
		Example: `  craton server bootstrap --database sqlite:/var/lib/craton/fleet.db`,
		Args:    argparse.ExactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := settings.Load(cmd.Flags(), settings.Server)
			if err != nil {
				return err
			}
			return bootstrap(cmd.Context(), s, v, newKey)
		},
	}
	settings.AddFlags(cmd.Flags(), settings.Server)
	cmd.Flags().BoolVar(&newKey, "new-key", false, "replace the API key of the bootstrap user")
	return cmd
}

func bootstrap(ctx context.Context, s output.Streams, v *settings.Values, newKey bool) error {
	srv, err := open(ctx, v, server.Options{Create: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer srv.Close() //nolint:errcheck // committed already
	if v.String("server.auth") == authKeystone {
		_, err = fmt.Fprintf(s.Out, "%s is ready; its users come from Keystone.\n", srv.Database())
		return err
	}
	find := srv.Bootstrap
	if newKey {
		find = srv.ResetBootstrap
	}
	b, err := find(ctx)
	if err != nil {
		return err
	}
	if b.APIKey == "" {
		b.APIKey = "(set already, kept only as a hash; for a new one: craton server bootstrap --new-key --database " + srv.Database() + ")"
	}
	_, err = fmt.Fprintf(s.Out, "ProjectId: %s\nUsername: %s\nAPIKey: %s\n", b.ProjectID, b.Username, b.APIKey)
	return err
}
