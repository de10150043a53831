package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/craton-fleet/craton/internal/retry"
	"github.com/craton-fleet/craton/internal/servicetest"
)

// Role is the owner of databases. Without [Password], it signs in without a password.
const Role = "craton"

// superuser creates databases. It can only connect over the socket in the server's directory.
const superuser = "postgres"

// Server is a running PostgreSQL server. Except for Start, Stop and Kill, its methods are safe for concurrent use.
type Server struct {
	Port int    // on 127.0.0.1
	CA   string // PEM file of the CA, with [TLS]
	Cert string // PEM file of the client's certificate, with [TLS]
	Key  string // PEM file of the client's key, with [TLS]

	config    config
	directory *servicetest.Directory
	process   *servicetest.Process
	databases atomic.Int64
}

type config struct {
	durable, tls, clientCert bool
	password                 string
	settings                 []string
	smallDisk                int // MB
}

// An Option configures a separate server.
type Option func(*config)

// Durable makes the server wait for its disk, as in production. Otherwise, it loses commits if the machine crashes, but
// not if it is killed.
func Durable() Option { return func(c *config) { c.durable = true } }

// Password makes the server require a password.
func Password(password string) Option { return func(c *config) { c.password = password } }

// TLS makes the server accept encrypted connections only. Its certificate is for localhost, not for 127.0.0.1, and from
// a CA of its own: see [Server.CA].
func TLS() Option { return func(c *config) { c.tls = true } }

// ClientCertificate is [TLS] with client certificates, which the server requires for signing in: see [Server.Cert] and
// [Server.Key].
func ClientCertificate() Option { return func(c *config) { c.tls, c.clientCert = true, true } }

// Setting sets a parameter of postgresql.conf.
func Setting(name, value string) Option {
	return func(c *config) { c.settings = append(c.settings, name+"="+value) }
}

// SmallDisk mounts a file system of the given size, in which [Server.OnSmallDisk] creates databases. It requires root.
func SmallDisk(mb int) Option { return func(c *config) { c.smallDisk = mb } }

var shared = sync.OnceValues(func() (*Server, error) {
	return Run(Setting("max_connections", "500"), Setting("deadlock_timeout", "100ms"))
})

// Shared returns the server that the tests of a package share. It runs until the test process ends.
func Shared(t testing.TB) *Server {
	t.Helper()
	need(t, filepath.Join(bin(), "postgres"), debianPackage)
	s, err := shared()
	if err != nil {
		t.Fatalf("cannot start PostgreSQL: %v", err)
	}
	return s
}

// Database creates an empty database on the server that the tests of a package share, and returns its URL:
// postgres://craton@127.0.0.1:PORT/NAME. The database is dropped at the end of the test, even if clients are connected.
func Database(t testing.TB) string {
	t.Helper()
	return Shared(t).Database(t)
}

// Start starts a server for one test.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	need(t, filepath.Join(bin(), "postgres"), debianPackage)
	s, err := Run(options...)
	if err != nil {
		t.Fatalf("cannot start PostgreSQL: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Run starts a server for a program that is not a test.
func Run(options ...Option) (*Server, error) {
	if errAdministrator != nil {
		return nil, errAdministrator
	}
	s := &Server{}
	for _, o := range options {
		o(&s.config)
	}
	var err error
	if s.directory, err = servicetest.NewDirectory("postgres"); err != nil {
		return nil, err
	}
	if err = s.prepare(); err == nil {
		if err = s.begin(); err == nil {
			err = s.makeRole()
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close stops the server at once and removes its directory.
func (s *Server) Close() { s.directory.Remove() }

// prepare creates the server's data directory and certificates.
func (s *Server) prepare() error {
	out, err := s.directory.Command(filepath.Join(bin(), "initdb"), "-D", s.directory.File("data"), "-U", superuser,
		"-E", "UTF8", "--no-locale", "-A", "trust", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	kind, method := "host", "trust"
	if s.config.password != "" {
		method = "scram-sha-256"
	}
	if s.config.tls {
		kind = "hostssl"
		if err := s.certificates(); err != nil {
			return err
		}
	}
	if s.config.clientCert {
		method = "cert"
	}
	hba := fmt.Sprintf("local all all trust\nlocal replication all trust\n%s all all 127.0.0.1/32 %s\n", kind, method)
	return s.directory.Write("data/pg_hba.conf", hba)
}

// settings returns the server's settings.
func (s *Server) settings() []string {
	settings := []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(s.Port), "unix_socket_directories=" + s.directory.Path,
		"log_statement=none", "autovacuum_naptime=10s",
	}
	if !s.config.durable {
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	if s.config.tls {
		settings = append(settings, "ssl=on", "ssl_cert_file=../server.pem", "ssl_key_file=../server.key", "ssl_ca_file=../ca.pem")
	}
	return append(settings, s.config.settings...)
}

// begin starts the server and waits until it responds. The first time, it chooses a free port.
func (s *Server) begin() (err error) {
	const tries = 100
	for range tries {
		if s.Port == 0 {
			if s.Port, err = servicetest.FreePort(); err != nil {
				return err
			}
		}
		cmd := s.directory.Command(filepath.Join(bin(), "postgres"), "-D", s.directory.File("data"))
		for _, setting := range s.settings() {
			cmd.Args = append(cmd.Args, "-c", setting)
		}
		if s.config.smallDisk > 0 {
			s.onSmallDisk(cmd)
		}
		if s.process, err = s.directory.Start(cmd, "log"); err != nil {
			return err
		}
		switch err = s.wait(); {
		case err != nil && strings.Contains(err.Error(), "pre-existing shared memory block"):
			time.Sleep(20 * time.Millisecond) // some killed processes have not ended yet
		case err != nil && strings.Contains(err.Error(), "could not bind") && s.databases.Load() == 0:
			s.Port = 0 // another process has taken the port
		default:
			return err
		}
	}
	return err
}

// wait waits until the server responds.
func (s *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), servicetest.StartTime)
	defer cancel()
	var last error
	err := retry.Every(20*time.Millisecond).Do(ctx, func(int) (again bool, err error) {
		select {
		case <-s.process.Done:
			return false, s.process.Problem
		default:
		}
		last = s.exec(ctx, superuser, "SELECT")
		return last != nil, nil
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("no answer within %v: %w\n%s", servicetest.StartTime, last, s.process.Tail())
	}
	return err
}

func (s *Server) makeRole() error {
	statement := "CREATE ROLE " + Role + " LOGIN"
	if s.config.password != "" {
		statement += " PASSWORD '" + strings.ReplaceAll(s.config.password, "'", "''") + "'"
	}
	return s.exec(context.Background(), superuser, statement)
}

// administrator is parsed before tests change variables such as PGSERVICE, which would affect it.
var administrator, errAdministrator = pgx.ParseConfig("sslmode=disable connect_timeout=10 default_query_exec_mode=simple_protocol user=" + superuser)

// exec runs statements as the superuser, even if no connections are left for other roles.
func (s *Server) exec(ctx context.Context, database string, statements ...string) error {
	c := administrator.Copy()
	c.Host, c.Port, c.Database, c.Fallbacks = s.directory.Path, uint16(s.Port), database, nil
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err = conn.Exec(ctx, statement); err != nil {
			err = fmt.Errorf("%s: %w", statement, err)
			break
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

// Exec runs statements, each in a transaction of its own, in a database as the superuser, even if no connections are
// left for other roles. The name of a database is the last part of its URL.
func (s *Server) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	if err := s.exec(t.Context(), database, statements...); err != nil {
		t.Fatal(err)
	}
}

// Database creates an empty database and returns its URL, without a password. The database is dropped at the end of the
// test, even if clients are connected.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name, err := s.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec(context.Background(), superuser, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil && !s.ended() {
			t.Error(err)
		}
	})
	return s.URL(name)
}

// Create creates an empty database and returns its name.
func (s *Server) Create(ctx context.Context) (name string, err error) {
	name = "fleet" + strconv.FormatInt(s.databases.Add(1), 10)
	return name, s.exec(ctx, superuser, "CREATE DATABASE "+name+" OWNER "+Role)
}

// URL returns the URL of a database of the server, without a password.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(Role), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)), Path: database}
	return u.String()
}

// Log returns the end of the server's log.
func (s *Server) Log() string { return s.process.Tail() }

func (s *Server) ended() bool {
	select {
	case <-s.process.Done:
		return true
	default:
		return false
	}
}

// Stop shuts down the server without waiting for clients: running transactions are rolled back.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := syscall.Kill(s.process.PID, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-s.process.Done
}

// Kill kills all processes of the server, so that clients do not know the outcome of their requests. The next start
// recovers the database.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	_ = syscall.Kill(s.process.PID, syscall.SIGSTOP) // prevents new child processes
	pid := strconv.Itoa(s.process.PID)
	children, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err != nil {
		t.Fatal(err)
	}
	for _, child := range append([]string{pid}, strings.Fields(string(children))...) {
		n, err := strconv.Atoi(child)
		if err != nil {
			t.Fatal(err)
		}
		_ = syscall.Kill(n, syscall.SIGKILL)
	}
	<-s.process.Done
}

// Start restarts a stopped or killed server on its port.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
}
