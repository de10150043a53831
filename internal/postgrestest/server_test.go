package postgrestest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/craton-fleet/craton/internal/retry"
	"github.com/craton-fleet/craton/internal/servicetest"
)

func connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// value returns the result of a query as text.
func value(t *testing.T, conn *pgx.Conn, query string) (text string) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	for range 3 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			conn := connect(t, Database(t))
			got := value(t, conn, `SELECT current_user || ' ' || current_setting('is_superuser') || ' ' || pg_encoding_to_char(encoding) || ' ' || datcollate
				FROM pg_database WHERE datname = current_database() AND datdba = current_user::regrole`)
			if got != "craton off UTF8 C" {
				t.Error(got)
			}
			if _, err := conn.Exec(t.Context(), "CREATE TABLE t (n integer)"); err != nil { // fails if another test uses the same database
				t.Error(err)
			}
		})
	}
}

// TestStopAndKill: committed data survive both, and clients notice both.
func TestStopAndKill(t *testing.T) {
	t.Parallel()
	s := Start(t, Durable(), Setting("log_statement", "all"))
	database := s.Database(t)
	conn := connect(t, database)
	if _, err := conn.Exec(t.Context(), "CREATE TABLE t (n integer)"); err != nil {
		t.Fatal(err)
	}
	for n, end := range []func(testing.TB){s.Stop, s.Kill, s.Kill} {
		if _, err := conn.Exec(t.Context(), "INSERT INTO t VALUES ($1)", n); err != nil {
			t.Fatal(err)
		}
		end(t)
		if _, err := conn.Exec(t.Context(), "SELECT"); err == nil {
			t.Error("a server that has ended answers")
		}
		if _, err := pgx.Connect(t.Context(), database); err == nil {
			t.Error("a server that has ended lets in")
		}
		s.Start(t)
		conn = connect(t, database)
		if got := value(t, conn, "SELECT count(*)::text FROM t"); got != strconv.Itoa(n+1) {
			t.Errorf("%s rows after end %d", got, n)
		}
	}
	if log := s.Log(); !strings.Contains(log, "SELECT count(*)") || !strings.Contains(log, "automatic recovery in progress") {
		t.Error(log)
	}
}

// TestSignIn: a server that requires a password or certificate refuses clients without it.
func TestSignIn(t *testing.T) {
	t.Parallel()
	const password = "it's p@ss:w/rd % "
	for name, test := range map[string]struct {
		options   []Option
		good, bad func(s *Server, u *url.URL, q url.Values)
		refusal   string
	}{
		"password": {
			[]Option{Password(password)},
			func(_ *Server, u *url.URL, _ url.Values) { u.User = url.UserPassword(Role, password) },
			func(_ *Server, u *url.URL, _ url.Values) { u.User = url.UserPassword(Role, "wrong") },
			"password authentication failed",
		},
		"tls": {
			[]Option{TLS()},
			func(s *Server, u *url.URL, q url.Values) {
				u.Host = "localhost:" + u.Port()
				q.Set("sslmode", "verify-full")
				q.Set("sslrootcert", s.CA)
			},
			func(_ *Server, _ *url.URL, q url.Values) { q.Set("sslmode", "disable") },
			"no encryption",
		},
		"client certificate": {
			[]Option{ClientCertificate()},
			func(s *Server, _ *url.URL, q url.Values) {
				q.Set("sslmode", "verify-ca")
				q.Set("sslrootcert", s.CA)
				q.Set("sslcert", s.Cert)
				q.Set("sslkey", s.Key)
			},
			func(_ *Server, _ *url.URL, q url.Values) { q.Set("sslmode", "require") },
			"valid client certificate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, test.options...)
			database := s.Database(t)
			with := func(change func(*Server, *url.URL, url.Values)) string {
				u, err := url.Parse(database)
				if err != nil {
					t.Fatal(err)
				}
				q := u.Query()
				change(s, u, q)
				u.RawQuery = q.Encode()
				return u.String()
			}
			connect(t, with(test.good))
			if _, err := pgx.Connect(t.Context(), with(test.bad)); err == nil || !strings.Contains(err.Error(), test.refusal) {
				t.Errorf("%v, want %s", err, test.refusal)
			}
		})
	}
}

// TestBouncer: a client has a server connection only for the duration of a transaction.
func TestBouncer(t *testing.T) {
	t.Parallel()
	database := Bouncer(t, Database(t))
	one, two := connect(t, database), connect(t, database)
	backend := value(t, one, "SELECT pg_backend_pid()::text")
	if other := value(t, two, "SELECT pg_backend_pid()::text"); other != backend {
		t.Errorf("backends %s and %s", backend, other)
	}
	tx, err := one.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if other := value(t, two, "SELECT pg_backend_pid()::text"); other == backend {
		t.Error("a transaction shares its backend")
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
}

// helper is the variable that makes the test binary start servers, print their locations, and wait to be killed.
const helper = "CRATON_POSTGRES_HELPER"

func TestHelper(t *testing.T) {
	if os.Getenv(helper) == "" {
		t.Skip("only as a part of TestKilled")
	}
	s := Start(t)
	through, err := url.Parse(Bouncer(t, s.Database(t)))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("here", s.directory.Path, s.URL(superuser), through.String())
	select {}
}

// TestKilled: after a test process was killed, its servers and directories are removed.
func TestKilled(t *testing.T) {
	t.Parallel()
	Shared(t) // skips the test if PostgreSQL is missing
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelper$", "-test.v")
	cmd.Env = append(os.Environ(), helper+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var words []string
	lines := bufio.NewScanner(out)
	for len(words) != 4 && lines.Scan() {
		if line, ok := strings.CutPrefix(lines.Text(), "here "); ok {
			words = strings.Fields("here " + line)
		}
	}
	if len(words) != 4 {
		t.Fatalf("%v %v", words, cmd.Wait())
	}
	connect(t, words[2])
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	left := func() error {
		if _, err := os.Stat(words[1]); err == nil {
			return fmt.Errorf("%s is there", words[1])
		}
		for _, word := range words[2:] {
			u, err := url.Parse(word)
			if err != nil {
				return err
			}
			if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host); err == nil {
				conn.Close()
				return fmt.Errorf("%s is there", word)
			}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), servicetest.StartTime)
	defer cancel()
	var last error
	if retry.Every(50*time.Millisecond).Do(ctx, func(int) (bool, error) { last = left(); return last != nil, nil }) != nil {
		t.Error(last)
	}
}
