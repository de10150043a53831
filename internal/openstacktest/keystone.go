package openstacktest

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
)

// What every Keystone here begins with.
const (
	AdminUser     = "admin"
	AdminPassword = "secret of the admin"
	AdminProject  = "admin"     // see [NoAdminProject]
	DomainName    = "Default"   // the domain of everything
	DomainID      = "default"   // its id
	Region        = "RegionOne" // of Keystone's own endpoints
)

// Keystone is a running Keystone. Its methods may be called by many tests at
// once, and fail the test that calls them when Keystone refuses.
type Keystone struct {
	URL string // what OS_AUTH_URL holds: http://127.0.0.1:PORT/v3

	process  *process
	admin    *gophercloud.ServiceClient
	user     User       // whom admin signs in as
	project  Project    // and where
	services sync.Mutex // one service of a type is made at a time
}

// A KeystoneOption configures a Keystone of one's own.
type KeystoneOption func(*keystoneConfig)

type keystoneConfig struct {
	expiration   time.Duration
	adminProject bool
}

// TokenExpiration makes tokens expire d after they are made, in whole seconds; otherwise they do after an hour. An
// application credential that expires ends its tokens too, and needs no Keystone of its own.
func TokenExpiration(d time.Duration) KeystoneOption {
	return func(c *keystoneConfig) { c.expiration = d }
}

// NoAdminProject leaves the option admin_project_name of Keystone unset, as it is by default. Otherwise it is
// [AdminProject], and tokens say whether they are for it.
func NoAdminProject() KeystoneOption {
	return func(c *keystoneConfig) { c.adminProject = false }
}

const (
	keystonePackage  = "python3-keystone"
	keystoneVariable = "CRATON_TEST_KEYSTONE"
)

var sharedKeystone = sync.OnceValues(func() (*Keystone, error) { return newKeystone() })

// StartKeystone returns the Keystone that the tests of a package share. It runs until the test process ends.
func StartKeystone(t testing.TB) *Keystone {
	t.Helper()
	need(t, keystonePackage, keystoneVariable)
	k, err := sharedKeystone()
	if err != nil {
		t.Fatalf("cannot start Keystone: %v", err)
	}
	return k
}

// NewKeystone starts a Keystone for one test.
func NewKeystone(t testing.TB, options ...KeystoneOption) *Keystone {
	t.Helper()
	need(t, keystonePackage, keystoneVariable)
	k, err := newKeystone(options...)
	if err != nil {
		t.Fatalf("cannot start Keystone: %v", err)
	}
	t.Cleanup(k.Stop)
	return k
}

// Stop ends a Keystone of one's own before the test ends.
func (k *Keystone) Stop() { k.process.stop() }

// serveKeystone serves on the socket that is file descriptor 3. Werkzeug is under Keystone anyway; wsgiref, which
// Keystone's own script takes, serves one request at a time.
//
// Keystone reads and then writes in one transaction: at a wrong password, say, and at the next good one. SQLite refuses
// the write at once ("database is locked", answered with 500) if another connection has written in between, however
// long its timeout. What begins as a writer waits instead.
const serveKeystone = `
import contextlib, threading
from keystone.common import sql
from keystone.server.wsgi import initialize_public_application
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.serving import make_server

of_thread = threading.local()
session_for_write = sql.session_for_write

@contextlib.contextmanager
def writer():
    outer, of_thread.writes = getattr(of_thread, "writes", False), True
    try:
        with session_for_write() as session:
            yield session
    finally:
        of_thread.writes = outer

@event.listens_for(Engine, "before_cursor_execute", retval=True)
def begin(conn, cursor, statement, parameters, context, executemany):
    if statement == "BEGIN" and getattr(of_thread, "writes", False):
        statement = "BEGIN IMMEDIATE"
    return statement, parameters

sql.session_for_write = writer
make_server("127.0.0.1", 0, initialize_public_application(), threaded=True, fd=3).serve_forever()
`

func newKeystone(options ...KeystoneOption) (*Keystone, error) {
	config := keystoneConfig{expiration: time.Hour, adminProject: true}
	for _, o := range options {
		o(&config)
	}
	prepared, err := preparedKeystone()
	if err != nil {
		return nil, err
	}
	p, endpoint, err := serve(debian, prepared, serveKeystone, "/v3", func(dir, endpoint string) ([]string, error) {
		for _, keys := range []string{"fernet", "credential"} {
			if err := makeKeys(filepath.Join(dir, keys)); err != nil {
				return nil, err
			}
		}
		file, err := config.write(dir, endpoint)
		return keystoneEnv(file), err
	})
	if err != nil {
		return nil, err
	}
	k := &Keystone{URL: endpoint + "/v3", process: p}
	if err := k.signIn(); err != nil {
		p.stop()
		return nil, err
	}
	return k, nil
}

func keystoneEnv(file string) []string { return []string{"OS_KEYSTONE_CONFIG_FILES=" + file} }

// keystoneConf is keystone.conf; %[1]s is its directory. The fewest rounds that bcrypt knows make a password cost a
// millisecond and not a quarter of a second; without synchronous writes there is no waiting for the disk; and with a
// cache, which every real Keystone has, a request costs an eighth. That of role assignments now and then keeps what was
// so before a change that came at the same time.
const keystoneConf = `[DEFAULT]
public_endpoint = %[2]s
[database]
connection = sqlite:///%[1]s/keystone.db?timeout=60
sqlite_synchronous = false
[cache]
backend = dogpile.cache.memory_pickle
[assignment]
caching = false
[fernet_tokens]
key_repository = %[1]s/fernet
[fernet_receipts]
key_repository = %[1]s/fernet
[credential]
key_repository = %[1]s/credential
[identity]
password_hash_rounds = 4
[token]
expiration = %[3]d
`

// write makes keystone.conf in dir, and returns its path.
func (c keystoneConfig) write(dir, endpoint string) (string, error) {
	text := fmt.Sprintf(keystoneConf, dir, endpoint, int(c.expiration.Seconds()))
	if c.adminProject {
		text += fmt.Sprintf("[resource]\nadmin_project_name = %s\nadmin_project_domain_name = %s\n", AdminProject, DomainName)
	}
	file := filepath.Join(dir, "keystone.conf")
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// keystoneSetup are the commands that fill the database. The endpoint is
// looked up in keystone.conf at each request, so that the port may change.
var keystoneSetup = [][]string{
	{"/usr/bin/keystone-manage", "db_sync"},
	{"/usr/bin/keystone-manage", "bootstrap", "--bootstrap-password", AdminPassword, "--bootstrap-region-id", Region,
		"--bootstrap-public-url", "$(public_endpoint)s/v3", "--bootstrap-internal-url", "$(public_endpoint)s/v3"},
	// Who reads need not wait for who writes.
	{"-c", `import sqlite3; sqlite3.connect("keystone.db").execute("PRAGMA journal_mode=WAL")`},
}

// preparedKeystone returns a directory with a bootstrapped database.
func preparedKeystone() (string, error) {
	version, err := installed(keystonePackage)
	if err != nil {
		return "", err
	}
	return cached(keystonePackage, version, fmt.Sprintf("%q%q", keystoneConf, keystoneSetup), func(dir string) error {
		file, err := keystoneConfig{expiration: time.Hour}.write(dir, "http://127.0.0.1:5000")
		if err != nil {
			return err
		}
		// bootstrap wants to see keys, though it makes no token.
		keys := filepath.Join(dir, "fernet")
		if err := makeKeys(keys); err != nil {
			return err
		}
		for _, argv := range keystoneSetup {
			if err := run(debian, dir, keystoneEnv(file), argv...); err != nil {
				return err
			}
		}
		return errors.Join(os.RemoveAll(keys), os.Remove(file))
	})
}

// makeKeys makes a repository of Fernet keys, which `keystone-manage fernet_setup` does in two seconds: file 0 is the
// next key, 1 the first. Each Keystone has its own, so that its tokens mean nothing to another.
func makeKeys(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"0", "1"} {
		var key [32]byte
		rand.Read(key[:])
		if err := os.WriteFile(filepath.Join(dir, name), []byte(base64.URLEncoding.EncodeToString(key[:])), 0o600); err != nil {
			return err
		}
	}
	return nil
}
