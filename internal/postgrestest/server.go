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

// Role is who databases belong to. Without [Password] the server takes its word for it.
const Role = "craton"

// superuser makes databases. It comes in through the socket in the server's directory only.
const superuser = "postgres"

// Server is a running PostgreSQL server. Its methods may be called by many
// tests at once, but for Start, Stop and Kill.
type Server struct {
	Port int    // on 127.0.0.1
	CA   string // PEM file, with [TLS]
	Cert string // of the client, likewise
	Key  string // likewise

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

// An Option configures a server of one's own.
type Option func(*config)

// Durable has the server wait for its disk, as servers in use do. Otherwise it
// loses what was committed when the machine goes down, but not when it is killed.
func Durable() Option { return func(c *config) { c.durable = true } }

// Password has the server ask for one.
func Password(password string) Option { return func(c *config) { c.password = password } }

// TLS has the server take encrypted connections only. Its certificate is for
// localhost, not for 127.0.0.1, and of a CA of its own: see [Server.CA].
func TLS() Option { return func(c *config) { c.tls = true } }

// ClientCertificate is [TLS], and has the server ask for a certificate of the
// client, by which it then knows it: see [Server.Cert] and [Server.Key].
func ClientCertificate() Option { return func(c *config) { c.tls, c.clientCert = true, true } }

// Setting is one of postgresql.conf.
func Setting(name, value string) Option {
	return func(c *config) { c.settings = append(c.settings, name+"="+value) }
}

// SmallDisk mounts a file system of some MB, in which [Server.OnSmallDisk] puts a
// database. Only root can.
func SmallDisk(mb int) Option { return func(c *config) { c.smallDisk = mb } }

var shared = sync.OnceValues(func() (*Server, error) {
	return Run(Setting("max_connections", "500"), Setting("deadlock_timeout", "100ms"))
})

// Shared is the server that the tests of a package share. It runs until the
// test process ends.
func Shared(t testing.TB) *Server {
	t.Helper()
	need(t, filepath.Join(bin(), "postgres"), debianPackage)
	s, err := shared()
	if err != nil {
		t.Fatalf("cannot start PostgreSQL: %v", err)
	}
	return s
}

// Database makes an empty database on the server that the tests of a package
// share, and returns its URL: postgres://craton@127.0.0.1:PORT/NAME. It is
// removed when the test ends, whoever is connected.
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

// Run starts a server for a program that is no test.
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

// Close ends the server at once and removes its directory.
func (s *Server) Close() { s.directory.Remove() }

// prepare makes what the server starts with.
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

// settings are the server's.
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

// begin starts the server, on a port of its own the first time, and waits
// until it answers.
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
			time.Sleep(20 * time.Millisecond) // not all that was killed has ended
		case err != nil && strings.Contains(err.Error(), "could not bind") && s.databases.Load() == 0:
			s.Port = 0 // somebody else has found it free
		default:
			return err
		}
	}
	return err
}

// wait waits until the server answers.
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

// administrator is parsed before a test changes PGSERVICE and its like, which would count.
var administrator, errAdministrator = pgx.ParseConfig("sslmode=disable connect_timeout=10 default_query_exec_mode=simple_protocol user=" + superuser)

// exec runs statements as the superuser, also when no connections are left for others.
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

// Exec runs statements, each by itself, in a database as the superuser, also
// when no connections are left for others. The name is a URL's last part.
func (s *Server) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	if err := s.exec(t.Context(), database, statements...); err != nil {
		t.Fatal(err)
	}
}

// Database makes an empty database and returns its URL, without any password.
// It is removed when the test ends, whoever is connected.
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

// Create makes an empty database and returns its name.
func (s *Server) Create(ctx context.Context) (name string, err error) {
	name = "fleet" + strconv.FormatInt(s.databases.Add(1), 10)
	return name, s.exec(ctx, superuser, "CREATE DATABASE "+name+" OWNER "+Role)
}

// URL is that of a database of the server, without any password.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(Role), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)), Path: database}
	return u.String()
}

// Log is the end of what the server wrote.
func (s *Server) Log() string { return s.process.Tail() }

func (s *Server) ended() bool {
	select {
	case <-s.process.Done:
		return true
	default:
		return false
	}
}

// Stop ends the server as an administrator would who does not wait for
// clients: transactions under way are rolled back.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := syscall.Kill(s.process.PID, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-s.process.Done
}

// Kill ends all processes of the server where they are, so that clients do not
// know what became of their requests. The next start recovers.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	_ = syscall.Kill(s.process.PID, syscall.SIGSTOP) // it makes no others
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

// Start starts a server again that was stopped or killed, on its port.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
}
