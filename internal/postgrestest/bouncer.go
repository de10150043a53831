package postgrestest

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/internal/servicetest"
)

var sharedBouncer = sync.OnceValues(func() (string, error) {
	s, err := shared()
	if err != nil {
		return "", err
	}
	through, _, err := bounce(s.URL(superuser))
	return through, err
})

// Bounced is [Database] through a pgbouncer in transaction mode, which the tests of a package share.
func Bounced(t testing.TB) string {
	t.Helper()
	need(t, debianBouncer, bouncerPackage)
	database, err := url.Parse(Database(t))
	if err != nil {
		t.Fatal(err)
	}
	through, err := sharedBouncer()
	if err != nil {
		t.Fatalf("cannot start pgbouncer: %v", err)
	}
	bouncer, err := url.Parse(through)
	if err != nil {
		t.Fatal(err)
	}
	database.Host = bouncer.Host
	return database.String()
}

// Bouncer starts a pgbouncer in transaction mode for one test, and returns the URL of the same database through it. The
// server must not require a password or TLS.
func Bouncer(t testing.TB, database string) string {
	t.Helper()
	need(t, debianBouncer, bouncerPackage)
	through, stop, err := bounce(database)
	if err != nil {
		t.Fatalf("cannot start pgbouncer: %v", err)
	}
	t.Cleanup(stop)
	return through
}

// bounce starts a pgbouncer. stop stops it.
func bounce(database string) (through string, stop func(), err error) {
	u, err := url.Parse(database)
	if err != nil {
		return "", nil, err
	}
	d, err := servicetest.NewDirectory("pgbouncer")
	if err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			d.Remove()
		}
	}()
	if err := d.Write("users", fmt.Sprintf("%q \"\"\n", u.User.Username())); err != nil {
		return "", nil, err
	}
	const tries = 10 // another process may take the free port first
	for range tries {
		port, err := servicetest.FreePort()
		if err != nil {
			return "", nil, err
		}
		// Two transactions of a client may use different connections. A pool with fewer connections than clients
		// ensures that tests fail if they rely on one connection.
		err = d.Write("pgbouncer.ini", fmt.Sprintf(`[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = 5
max_client_conn = 500
`, u.Hostname(), u.Port(), port, d.File("users")))
		if err != nil {
			return "", nil, err
		}
		p, err := d.Start(d.Command(debianBouncer, d.File("pgbouncer.ini")), "log")
		if err != nil {
			return "", nil, err
		}
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if err := p.WaitFor(address); err == nil {
			u.Host = address
			return u.String(), d.Remove, nil
		} else if !strings.Contains(err.Error(), "ddress already in use") {
			return "", nil, err
		}
	}
	return "", nil, fmt.Errorf("no free port")
}
