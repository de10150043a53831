package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgpassfile"
	"github.com/jackc/pgservicefile"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store/engine"
)

// Defaults for values that neither the URL nor a service nor the environment sets.
const (
	connections    = 16              // size of the pool; pool_max_conns in the URL
	connectTimeout = 5 * time.Second // for each host, so that a host that does not respond leaves time for the next one
	application    = "craton"        // as shown in pg_stat_activity
	writable       = "read-write"    // choose the host that accepts writes
)

// databaseURL matches a libpq URL. Its groups are the scheme, the user, the password with its colon, the hosts with the
// database, and the settings. @, / and % in a password, and @ in any other part, must be percent-encoded. Otherwise a
// part of a password could be mistaken for another part of the URL, which messages show.
var databaseURL = value.LazyPattern(`^(postgres(?:ql)?://)(?:([^:@/\s]*)(:[^@/\s]*)?@)?([^@/?#\s]*(?:/[^@/?#\s]*)?)(?:\?([^@#\s]*))?$`)

// keys are the settings that a URL can have.
var keys = []string{
	"application_name", "channel_binding", "connect_timeout", "dbname", "host", "max_protocol_version", "min_protocol_version",
	"options", "passfile", "password", "port", "pool_max_conns", "pool_max_conn_idle_time", "pool_max_conn_lifetime",
	"require_auth", "service", "servicefile", "sslcert", "sslcertmode", "sslkey", "sslmode", "sslnegotiation", "sslpassword",
	"sslrootcert", "sslsni", "target_session_attrs", "user",
}

// config returns the configuration of a pool and the database's name for messages. Like libpq, it reads the URL, the
// service that the URL or PGSERVICE names, and the other PG variables. Errors never contain a password.
//
// The password comes from o.PasswordFile, which is read again for each connection, or else from the URL, which is
// refused if other users could see it, or else from where libpq would read it.
func config(database string, o engine.Options) (*pgxpool.Config, string, error) {
	return configOf(database, o, func(l *location, cc *pgx.ConnConfig) error {
		if cmp.Or(l.setting("target_session_attrs", "PGTARGETSESSIONATTRS"), writable) == writable {
			cc.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
		}
		return nil
	})
}

// preferStandby configures the choice among several hosts for a replica.
func preferStandby(l *location, cc *pgx.ConnConfig) error {
	switch cmp.Or(l.url["target_session_attrs"], l.service["target_session_attrs"]) {
	case "": // PGTARGETSESSIONATTRS only applies to the primary
		cc.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPreferStandby
	case writable, "primary":
		return errors.New("the read database's URL asks for the server that takes writes (target_session_attrs): leave that out, and a standby is looked for")
	}
	return nil
}

// configOf is config with a function that configures the choice among several hosts.
func configOf(database string, o engine.Options, choose func(*location, *pgx.ConnConfig) error) (*pgxpool.Config, string, error) {
	l, err := parseLocation(database)
	if err != nil {
		return nil, "", err
	}
	if l.password != "" && o.Shown {
		return nil, "", errors.New("the database's URL has a password in it, which other users of the machine can see in a process list: " + passwordAdvice)
	}
	if l.password != "" && o.PasswordFile != "" {
		return nil, "", errors.New("the database's URL has a password in it, and there is a password file: use one of them")
	}
	c, err := pgxpool.ParseConfig(l.bare)
	if err != nil {
		return nil, "", parseError(l.bare, err)
	}
	if _, given := l.url["pool_max_conns"]; !given {
		c.MaxConns = connections
	}
	cc := c.ConnConfig
	cc.ConnectTimeout = cmp.Or(cc.ConnectTimeout, connectTimeout)
	cc.RuntimeParams["application_name"] = cmp.Or(cc.RuntimeParams["application_name"], application)
	if err := choose(l, cc); err != nil {
		return nil, "", err
	}
	// This mode takes one round trip per statement, and creates no prepared statements, which would be missing on the
	// next server connection that a pooler uses.
	cc.DefaultQueryExecMode = pgx.QueryExecModeExec

	switch {
	case o.PasswordFile != "":
		if cc.Password, err = readPassword(o.PasswordFile); err != nil {
			return nil, "", err
		}
		c.BeforeConnect = func(_ context.Context, cc *pgx.ConnConfig) error {
			if password, err := readPassword(o.PasswordFile); err == nil {
				cc.Password = password // after an error keep the previous one: somebody may just be replacing the file
			}
			return nil
		}
	case l.password != "":
		cc.Password = l.password
	case cc.Password == "":
		if cc.Password, err = l.fromPassfile(cc); err != nil {
			return nil, "", err
		}
	}
	return c, name(cc), nil
}

// passwordAdvice is the advice on where to store a password.
const passwordAdvice = "put it into a file that only you can read, and name that with --database-password-file or CRATON_DATABASE_PASSWORD_FILE; or into a libpq password file (~/.pgpass, PGPASSFILE) or service file (PGSERVICEFILE)"

// location has the settings of a database, by source.
type location struct {
	bare     string            // the URL without passwords
	password string            // the password in the URL
	url      map[string]string // settings in the URL
	service  map[string]string // settings of the service named by the URL or the environment
}

// errURL does not quote the URL: the mistake may be in the password, whose end cannot be determined then.
var errURL = errors.New("the database's URL is not well written: postgres://USER@HOST:PORT,HOST:PORT/DATABASE?SETTING=VALUE&...; within a part, @ is written %40, / is %2F, : is %3A, # is %23 and % is %25")

func parseLocation(database string) (*location, error) {
	parts := databaseURL().FindStringSubmatch(database)
	if parts == nil {
		return nil, errURL
	}
	scheme, user, password, place, query := parts[1], parts[2], parts[3], parts[4], parts[5]
	l := &location{url: map[string]string{}}
	var err error
	if l.password, err = url.PathUnescape(strings.TrimPrefix(password, ":")); err != nil {
		return nil, errURL
	}
	kept := []string{"passfile="} // removed for pgx, which does not check the file's permissions
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		rawKey, rawValue, _ := strings.Cut(pair, "=")
		key, err1 := url.PathUnescape(rawKey)
		value, err2 := url.PathUnescape(rawValue)
		switch {
		case err1 != nil || err2 != nil:
			return nil, errURL
		case !slices.Contains(keys, key):
			return nil, errors.New("the database's URL has a setting that PostgreSQL's URLs do not have: " + nearest.Hint(key, keys))
		case key == "sslpassword":
			return nil, errors.New("the database's URL has the password of a key in it: set PGSSLPASSWORD instead")
		case key == "password":
			l.password = value
		case key != "passfile":
			kept = append(kept, pair)
		}
		l.url[key] = value
	}
	if user != "" {
		user += "@"
	}
	l.bare = scheme + user + place + "?" + strings.Join(kept, "&")
	l.service, err = l.readService()
	return l, err
}

// readService reads the service's values for settings that have defaults in this package. pgx reads the service again.
func (l *location) readService() (map[string]string, error) {
	name := l.setting("service", "PGSERVICE")
	if name == "" {
		return nil, nil
	}
	path := cmp.Or(l.setting("servicefile", "PGSERVICEFILE"), home(".pg_service.conf"))
	file, err := pgservicefile.ReadServicefile(path)
	if err != nil {
		return nil, fmt.Errorf("service %q of the database: %w", name, err)
	}
	service, err := file.GetService(name)
	if err != nil {
		return nil, fmt.Errorf("service %q of the database is not in %s", name, path)
	}
	return service.Settings, nil
}

// setting returns a setting from the URL, the service or the environment.
func (l *location) setting(key, variable string) string {
	return cmp.Or(l.url[key], l.service[key], os.Getenv(variable))
}

func home(name string) string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return name
	}
	return filepath.Join(dir, name)
}

// parseError returns pgx's error about a URL, without the URL and without any text that could be a part of a secret.
func parseError(bare string, err error) error {
	text, ok := strings.CutPrefix(err.Error(), "cannot parse `"+bare+"`: ")
	if !ok || strings.HasPrefix(text, "failed to parse as URL") {
		return errURL
	}
	return errors.New("the database's URL: " + text)
}

// name returns the name of a database for messages.
func name(c *pgx.ConnConfig) string {
	var hosts []string
	for _, h := range servers(c) {
		host := h.Host
		if h.Port != 5432 {
			host = net.JoinHostPort(h.Host, strconv.Itoa(int(h.Port)))
		} else if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if !slices.Contains(hosts, host) { // a host occurs twice if it is tried with and without TLS
			hosts = append(hosts, host)
		}
	}
	u := url.URL{Scheme: "postgres", User: url.User(c.User), Host: strings.Join(hosts, ","), Path: c.Database}
	return u.String()
}

// servers returns all servers that are tried, in order.
func servers(c *pgx.ConnConfig) []*pgconn.FallbackConfig {
	return append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port}}, c.Fallbacks...)
}

// fromPassfile returns the password from libpq's password file. The same password is sent to all hosts, so different
// passwords for the hosts are an error.
func (l *location) fromPassfile(c *pgx.ConnConfig) (string, error) {
	path := l.setting("passfile", "PGPASSFILE")
	f, err := openPrivate(cmp.Or(path, home(".pgpass")))
	if errors.Is(err, fs.ErrNotExist) && path == "" {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read
	file, err := pgpassfile.ParsePassfile(f)
	if err != nil {
		return "", fmt.Errorf("password file of the database: %w", err)
	}
	password := ""
	for _, s := range servers(c) {
		host := s.Host
		if filepath.IsAbs(host) {
			host = "localhost"
		}
		switch found := file.FindPassword(host, strconv.Itoa(int(s.Port)), c.Database, c.User); {
		case password == "":
			password = found
		case found != "" && found != password:
			return "", fmt.Errorf("%s has different passwords for the hosts of one database: they need the same", f.Name())
		}
	}
	return password, nil
}

// readPassword reads a file that contains only a password, and perhaps a line break after it.
func readPassword(path string) (string, error) {
	f, err := openPrivate(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read
	const most = 64 << 10
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return "", fmt.Errorf("password file of the database: %w", err)
	}
	password := strings.TrimSuffix(string(text), "\n")
	if password == "" || strings.ContainsAny(password, "\n\x00") {
		return "", fmt.Errorf("password file %s of the database must hold a password, on one line, and nothing else", path)
	}
	return password, nil
}

// openPrivate opens a password file. Like libpq, it refuses a file that others than the owner can access.
func openPrivate(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("password file of the database: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		switch mode := info.Mode(); {
		case !mode.IsRegular():
			err = fmt.Errorf("password file %s of the database is no regular file", path)
		case mode.Perm()&0o077 != 0 && runtime.GOOS != "windows":
			err = fmt.Errorf("password file %s of the database is open to others than its owner (mode %#o), and is not used, as PostgreSQL's own programs do not: chmod 600 %[1]s", path, mode.Perm())
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
