package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
)

// shutdownTime is how long requests that are in progress may take after SIGTERM.
const shutdownTime = 30 * time.Second

// New returns the command `craton server`, with its subcommands.
func New(s output.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Serve a fleet to a team over the Craton v1 API",
		Long: `Serve the Craton v1 API until the server is stopped with SIGTERM or Ctrl-C; requests in progress are finished first.
SIGHUP makes it reload the TLS certificate and its key. Create the first user with "craton server bootstrap".
Without credentials, GET /livez responds with 200 while the server runs, /readyz while the database can be read and written,
and /metrics is for Prometheus.

A fleet is stored in a SQLite file, or in PostgreSQL, where any number of servers can share it. The PostgreSQL database must
exist; bootstrap creates its tables. A password in its URL is refused on the command line, where other users can see it.

With --auth keystone, users, projects and roles are those of OpenStack's Keystone: clients send its tokens. A project's
admins, members and readers work in their project. Only admins of Keystone's admin project, admins of the project in
--keystone-root-project and users with a role in --keystone-root-roles see all projects.`,
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

// addDatabaseFlags adds the flags of all settings of the server, so that what is given to one of its commands can be
// given to all, but shows only those that matter to a command that works on the database: the named ones.
func addDatabaseFlags(flags *pflag.FlagSet, more ...string) {
	settings.AddFlags(flags, settings.Server)
	shown := append([]string{"database", "database-password-file", "upgrade-backup"}, more...)
	flags.VisitAll(func(f *pflag.Flag) { f.Hidden = settings.IsFlag(f) && !slices.Contains(shown, f.Name) })
}

// database returns the location of the database for the server's commands, and the options completed with what opening
// it needs.
func database(v *settings.Values, o server.Options) (string, server.Options, error) {
	url := v.String("server.database")
	if url == "" {
		return "", o, errors.New("no database is set: use --database sqlite:PATH or --database postgres://USER@HOST/DATABASE, or set CRATON_DATABASE")
	}
	o.PasswordFile, o.Shown = v.String("server.database_password_file"), v.Source("server.database").From == settings.FromFlag
	if o.Saves = v.String("server.upgrade_backup"); o.Saves == "no" {
		o.Saves, o.NoSaves = "", true
	}
	return url, o, nil
}

// open opens the database for the server's commands.
func open(ctx context.Context, v *settings.Values, o server.Options) (*server.Server, error) {
	url, o, err := database(v, o)
	if err != nil {
		return nil, err
	}
	return server.Open(ctx, url, o)
}

// limits returns the limits in the settings.
func limits(v *settings.Values) server.Limits {
	return server.Limits{
		Body: int64(v.Int("server.max_body")), Variables: v.Int("server.max_variables"),
		Memory: int64(v.Int("server.max_memory")), Temporary: int64(v.Int("server.max_temporary")), Requests: v.Int("server.max_requests"),
	}
}

// options returns the options of a server that serves a network.
func options(v *settings.Values) server.Options {
	failures := v.Int("server.login_failures")
	if failures == 0 {
		failures = -1 // never
	}
	return server.Options{
		Limits: limits(v), HashedKeys: v.List("server.hashed_keys"), TrustedProxies: v.List("server.trusted_proxies"), ProxyHeader: v.String("server.proxy_header"),
		Quiet:  !v.Bool("server.access_log"),
		Logins: server.Logins{Failures: failures, MaxLockout: v.Duration("server.login_lockout")},
	}
}

// baseMemory is the memory that the server needs in addition to bodies and responses in progress, in bytes.
const baseMemory = 256 << 20

// setMemoryTarget makes the garbage collector work harder before the process grows beyond what its requests may take,
// unless the environment sets a target. The limits hold without it; this concerns garbage that is not yet collected.
func setMemoryTarget(l server.Limits) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(baseMemory + l.Memory)
	}
}

// How long clients may take (a large body must arrive faster; a response that the client does not read is cut off
// earlier), and how long an idle connection is kept.
const (
	headerTime = 10 * time.Second
	readTime   = 2 * time.Minute
	writeTime  = 5 * time.Minute
	idleTime   = 2 * time.Minute
)

func serve(ctx context.Context, s output.Streams, v *settings.Values, version string) error {
	certificate, err := certificateOf(v)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)

	log := slog.New(slog.NewTextHandler(s.Err, nil))
	if v.String("server.log_format") == "json" {
		log = slog.New(slog.NewJSONHandler(s.Err, nil))
	}
	meter, err := newMeter(v, version)
	if err != nil {
		return err
	}
	o := options(v)
	o.Logger, o.Version, o.Observe = log, version, meter.observe()
	o.ReadDatabase, o.ReadShown, o.ReadLag = v.String("server.read_database"), v.Source("server.read_database").From == settings.FromFlag, v.Duration("server.read_max_lag")
	srv, err := open(ctx, v, o)
	if err != nil {
		return err
	}
	defer srv.Close() //nolint:errcheck // every acknowledged write is committed
	setMemoryTarget(limits(v))
	working, end := context.WithCancel(ctx)
	watched, err := srv.Watch(working)
	if err != nil {
		end()
		return err
	}
	defer watched() // ends before the database is closed
	defer srv.RecordUses(working)()
	if keep := v.Duration("server.keep_changes"); keep > 0 {
		defer srv.Retain(working, keep)()
	}
	defer end()
	handler, err := handlerOf(ctx, v, srv, log)
	if err != nil {
		return err
	}
	if !v.Bool("server.page") {
		handler = withoutPage(handler)
	} else if handler, err = withPage(ctx, handler, srv, v.String("server.auth") == authKeystone, meter.observe()); err != nil {
		return err
	}
	handler = meter.wrap(handler, srv)
	listeners, err := listenAll(ctx, v)
	if err != nil {
		return err
	}
	hs := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTime,
		MaxHeaderBytes:    256 << 10,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get},
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	hs.RegisterOnShutdown(srv.EndWaits)
	failed := make(chan error, len(listeners)+1)
	shown, err := meter.serve(working, func(err error) { failed <- err })
	if err != nil {
		return err
	}
	if shown != "" {
		log.Info("serving metrics", "metrics_url", shown)
	}
	for _, l := range listeners {
		encrypted := certificate.cert != "" && l.Addr().Network() != "unix"
		if public(l) && !encrypted {
			log.Warn("other machines can reach this address, and keys are sent unencrypted: set --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy with TLS", "listen", l.Addr().String())
		}
		log.Info("serving", "url", urlOf(l, encrypted), "database", srv.Database())
		go func() {
			if encrypted {
				failed <- hs.ServeTLS(l, "", "")
			} else {
				failed <- hs.Serve(l)
			}
		}()
	}
	notifySystemd(daemon.SdNotifyReady, log)
	go pat(working, handler, log)
	for {
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return shutdown(hs, log, "the caller")
		case s := <-signals:
			if s != syscall.SIGHUP {
				signal.Stop(signals) // a second signal ends the process at once
				return shutdown(hs, log, s.String())
			}
			notifySystemd(reloading(), log)
			reload(certificate, log)
			notifySystemd(daemon.SdNotifyReady, log)
		}
	}
}

// shutdown stops the server after the requests in progress have their responses.
func shutdown(hs *http.Server, log *slog.Logger, by string) error {
	notifySystemd(daemon.SdNotifyStopping, log)
	log.Info("stopping", "signal", by, "grace", shutdownTime.String())
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := hs.Shutdown(ctx); err != nil {
		return fmt.Errorf("requests were still in progress after %v: %w", shutdownTime, err)
	}
	log.Info("stopped")
	return nil
}
