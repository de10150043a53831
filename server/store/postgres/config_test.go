package postgres

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/server/store/engine"
)

// bare isolates a test from the machine's settings for PostgreSQL.
func bare(t *testing.T) (home string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}
	home = t.TempDir()
	t.Setenv("HOME", home)
	return home
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfig(t *testing.T) {
	for _, test := range []struct {
		database string
		env      map[string]string
		want     string // name, whether target_session_attrs is checked, maximum of connections, timeout in seconds, application
	}{
		{"postgres://ann@db.example/fleet", nil, "postgres://ann@db.example/fleet true 16 5 craton"},
		{"postgresql://ann@db.example:5433/fleet?pool_max_conns=3&connect_timeout=9&application_name=x", nil, "postgres://ann@db.example:5433/fleet true 3 9 x"},
		{"postgres://ann@a,b:5433,[::1],[::1]:6000/fleet", nil, "postgres://ann@a,b:5433,[::1],[::1]:6000/fleet true 16 5 craton"},
		{"postgres://ann@a/fleet?target_session_attrs=any", nil, "postgres://ann@a/fleet false 16 5 craton"},
		{"postgres://ann@a/fleet", map[string]string{"PGTARGETSESSIONATTRS": "any", "PGAPPNAME": "y"}, "postgres://ann@a/fleet false 16 5 y"},
		{"postgres://%2Fvar%2Frun/fleet?user=a%40b", nil, "postgres://a%40b@%2Fvar%2Frun/fleet true 16 5 craton"},
		{"postgres:///?host=a&dbname=f%2Fleet&user=ann&port=6000", nil, "postgres://ann@a:6000/f/leet true 16 5 craton"},
		{"postgres://", map[string]string{"PGHOST": "a,b", "PGUSER": "ann", "PGDATABASE": "fleet"}, "postgres://ann@a,b/fleet true 16 5 craton"},
		{"postgres://", map[string]string{"PGSERVICE": "ours"}, "postgres://bob@c,d:6000/other false 16 7 craton"},
		{"postgres://ann@/fleet?service=ours&target_session_attrs=read-write", nil, "postgres://ann@c,d:6000/fleet true 16 7 craton"},
	} {
		t.Run(test.database, func(t *testing.T) {
			home := bare(t)
			write(t, filepath.Join(home, ".pg_service.conf"), "[ours]\nhost=c,d\nport=5432,6000\nuser=bob\ndbname=other\nsslmode=disable\ntarget_session_attrs=any\nconnect_timeout=7\n")
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			c, name, err := config(test.database, engine.Options{Shown: true})
			if err != nil {
				t.Fatal(err)
			}
			cc := c.ConnConfig
			if got := fmt.Sprint(name, cc.ValidateConnect != nil, " ", c.MaxConns, " ", cc.ConnectTimeout.Seconds(), " ", cc.RuntimeParams["application_name"]); got != strings.Replace(test.want, " true", "true", 1) && got != strings.Replace(test.want, " false", "false", 1) {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// passwords contain characters with a special meaning in URLs, password files, service files or SQL.
var passwords = []string{
	"plain-xyzzy", "xyz:zyx", "xyzzy@zyxxy", "xyz/zyx", "xyzz?zyx=1&zyxxy=2", "xyz#zyx", "100%xyzzy", "%41xyzzy", "xyz zyx", "'xyz\"zyx\\", "xýzzÿ-ü", "[xyzzy]", "xyzzy=",
}

// escaped returns a text with all special characters of URLs percent-encoded.
func escaped(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// pieces returns the texts that no message may contain: the password, and the parts that remain of it if a malformed
// URL is split in the wrong places.
func pieces(password string) []string {
	all := []string{password, url.QueryEscape(password), url.PathEscape(password)}
	for _, piece := range strings.FieldsFunc(password, func(r rune) bool { return strings.ContainsRune(`@:/?=&#%'"\[] `, r) }) {
		if len(piece) > 2 {
			all = append(all, piece)
		}
	}
	return all
}

// TestPasswords: each way to pass a password works with the right one, and no error for a wrong one shows any part of
// it.
func TestPasswords(t *testing.T) {
	s := postgrestest.Start(t, postgrestest.Password("to begin with"))
	u, err := url.Parse(s.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	escape := strings.NewReplacer(`\`, `\\`, ":", `\:`)
	ways := map[string]func(t *testing.T, home, password string) (string, engine.Options){
		"url": func(_ *testing.T, _, password string) (string, engine.Options) {
			with := *u
			with.User = url.UserPassword(u.User.Username(), password)
			return with.String(), engine.Options{}
		},
		"query": func(_ *testing.T, _, password string) (string, engine.Options) {
			return u.String() + "?password=" + escaped(password), engine.Options{}
		},
		"environment": func(t *testing.T, _, password string) (string, engine.Options) {
			t.Setenv("PGPASSWORD", password)
			return u.String(), engine.Options{Shown: true}
		},
		"passfile": func(t *testing.T, home, password string) (string, engine.Options) {
			t.Setenv("PGPASSFILE", write(t, filepath.Join(home, "passwords"), "# ours\n127.0.0.1:"+u.Port()+":*:craton:"+escape.Replace(password)+"\n"))
			return u.String(), engine.Options{Shown: true}
		},
		"passfile in the URL": func(t *testing.T, home, password string) (string, engine.Options) {
			path := write(t, filepath.Join(home, "passwords"), "*:*:*:*:"+escape.Replace(password)+"\n")
			return u.String() + "?passfile=" + url.QueryEscape(path), engine.Options{Shown: true}
		},
		"home": func(t *testing.T, home, password string) (string, engine.Options) {
			write(t, filepath.Join(home, ".pgpass"), "127.0.0.1:*:"+u.Path[1:]+":craton:"+escape.Replace(password)+"\n")
			return u.String(), engine.Options{Shown: true}
		},
		"service": func(t *testing.T, home, password string) (string, engine.Options) {
			t.Setenv("PGSERVICEFILE", write(t, filepath.Join(home, "services"), "[x]\nhost=h\n[ours]\npassword="+password+"\n"))
			return u.String() + "?service=ours", engine.Options{Shown: true}
		},
		"file": func(t *testing.T, home, password string) (string, engine.Options) {
			t.Setenv("PGPASSWORD", "another")
			return u.String(), engine.Options{Shown: true, PasswordFile: write(t, filepath.Join(home, "password"), password+"\n")}
		},
	}
	for _, password := range passwords {
		s.Exec(t, "postgres", "ALTER ROLE craton PASSWORD '"+strings.ReplaceAll(password, "'", "''")+"'")
		for way, give := range ways {
			t.Run(way+" "+password, func(t *testing.T) {
				home := bare(t)
				database, o := give(t, home, password)
				c, name, err := config(database, o)
				if err != nil {
					t.Fatal(err)
				}
				if name != u.String() {
					t.Error(name)
				}
				if err := ping(t.Context(), c); err != nil {
					t.Errorf("%v; %q", err, c.ConnConfig.Password)
				}
				wrong := password + "wrong"
				database, o = give(t, home, wrong)
				if c, name, err = config(database, o); err != nil {
					t.Fatal(err)
				}
				err = ping(t.Context(), c)
				if err == nil {
					t.Fatal("a wrong password is right")
				}
				hides(t, password, name, err.Error(), fmt.Sprintf("%+v", err))
			})
		}
	}
}

func ping(ctx context.Context, c *pgxpool.Config) error {
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return err
	}
	defer pool.Close()
	return pool.Ping(ctx)
}

// hides checks that texts contain no part of a password. The name of a temporary home directory has random digits, which
// may be a part of it.
func hides(t *testing.T, password string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		text = strings.ReplaceAll(text, os.Getenv("HOME"), "~")
		for _, piece := range pieces(password) {
			if strings.Contains(text, piece) {
				t.Errorf("%q of %q is in %s", piece, password, text)
			}
		}
	}
}

// TestMalformed: the error for a malformed URL does not contain the password.
func TestMalformed(t *testing.T) {
	bare(t)
	for _, password := range passwords {
		for _, form := range []string{
			"postgres://ann:%s@db.example:x/fleet", "postgres://ann:%s@db.example/fl#eet", "postgres://ann:%s@a:1,b:x/fleet",
			"postgres://ann:%s@db.example/fleet?sslmode=never", "postgres://ann:%s@db.example/fleet?sslmod=disable",
			"postgres://ann:%s@db.example:1:2:3/fleet", "postgres://ann:%s", "postgres://ann:%s@[::1/fleet",
			"postgres://ann:%s@db.example/fleet?sslrootcert=/nonexistent", "postgres://ann:%s@db.example/%%zz",
			"postgres://ann:%%zz%s@db.example/fleet", "postgres://ann:%s@db.example/fleet?service=none", "postgres://ann:%s@db.example?x",
			"postgres://ann@db.example:x/fleet?password=%s", "postgres://ann@db.example/fleet?sslpassword=%s", "postgres://ann@db.example/fleet?sslmode=no&password=%s",
			"postgres:ann:%s@db.example/fleet", "postgres://ann:%s@db.example/fleet\n",
		} {
			for _, given := range []string{password, url.QueryEscape(password), url.PathEscape(password)} {
				_, _, err := config(fmt.Sprintf(form, given), engine.Options{})
				if err == nil {
					if form == "postgres://ann:%s" || strings.HasSuffix(form, "password=%s") && strings.Contains(given, "&") { // then the password is a port, or a part of it is another setting
						continue
					}
					t.Errorf("%s with %s: no error", form, given)
					continue
				}
				hides(t, password, err.Error())
			}
		}
		for _, form := range []string{"postgres://ann:%s@db.example/fleet", "postgres://ann@db.example/fleet?password=%s"} {
			_, _, err := config(fmt.Sprintf(form, escaped(password)), engine.Options{Shown: true})
			if err == nil || !strings.Contains(err.Error(), "process list") || !strings.Contains(err.Error(), "PGPASSFILE") {
				t.Fatalf("%s: %v", form, err)
			}
			hides(t, password, err.Error())
		}
	}
}

// TestPasswordFiles: password files that libpq refuses are refused, and so are contents that cannot be correct.
func TestPasswordFiles(t *testing.T) {
	home := bare(t)
	const database = "postgres://ann@a,b:6000/fleet"
	file := filepath.Join(home, "password")
	passfile := filepath.Join(home, ".pgpass")
	for name, test := range map[string]struct {
		file, passfile string // contents
		mode           os.FileMode
		o              engine.Options
		env            string // PGPASSFILE
		want, err      string
	}{
		"none":                    {want: ""},
		"one line":                {file: "secret\n", o: engine.Options{PasswordFile: file}, want: "secret"},
		"no end of line":          {file: "secret", o: engine.Options{PasswordFile: file}, want: "secret"},
		"blanks count":            {file: " secret \n", o: engine.Options{PasswordFile: file}, want: " secret "},
		"two lines":               {file: "secret\n\n", o: engine.Options{PasswordFile: file}, err: file + " of the database must hold a password, on one line"},
		"empty":                   {file: "\n", o: engine.Options{PasswordFile: file}, err: "must hold a password"},
		"group":                   {file: "secret\n", mode: 0o640, o: engine.Options{PasswordFile: file}, err: file + " of the database is open to others than its owner (mode 0640)"},
		"missing":                 {o: engine.Options{PasswordFile: file + "x"}, err: "no such file"},
		"a folder":                {o: engine.Options{PasswordFile: home}, err: "is no regular file"},
		"passfile":                {passfile: "a:5432:fleet:ann:secret\n", want: "secret"},
		"passfile, second host":   {passfile: "b:6000:fleet:ann:secret\n", want: "secret"},
		"passfile, both hosts":    {passfile: "a:*:*:*:secret\nb:*:*:*:secret\n", want: "secret"},
		"passfile, two passwords": {passfile: "a:*:*:*:secret\nb:*:*:*:secret2\n", err: "different passwords for the hosts"},
		"passfile, others":        {passfile: "c:*:*:*:secret\n", want: ""},
		"passfile, mode":          {passfile: "a:*:*:*:secret\n", mode: 0o604, err: passfile + " of the database is open to others"},
		"passfile, missing":       {env: file + "x", err: "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			for path, text := range map[string]string{file: test.file, passfile: test.passfile} {
				if text == "" {
					continue
				}
				write(t, path, text)
				t.Cleanup(func() { os.Remove(path) })
				if test.mode != 0 {
					if err := os.Chmod(path, test.mode); err != nil {
						t.Fatal(err)
					}
				}
			}
			t.Setenv("PGPASSFILE", test.env)
			c, _, err := config(database, test.o)
			switch {
			case test.err != "":
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%v, want %s", err, test.err)
				} else {
					hides(t, "secret", err.Error())
				}
			case err != nil:
				t.Error(err)
			case c.ConnConfig.Password != test.want:
				t.Errorf("%q, want %q", c.ConnConfig.Password, test.want)
			}
		})
	}
	write(t, file, "secret")
	if _, _, err := config("postgres://ann:other@a/fleet", engine.Options{PasswordFile: file}); err == nil || !strings.Contains(err.Error(), "use one of them") {
		t.Error(err)
	}
}

// TestPasswordIsReplaced: a new connection uses the password that is in the file at that time.
func TestPasswordIsReplaced(t *testing.T) {
	home := bare(t)
	s := postgrestest.Start(t, postgrestest.Password("first"))
	database := s.Database(t)
	file := write(t, filepath.Join(home, "password"), "first\n")
	c, _, err := config(database, engine.Options{PasswordFile: file})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pool.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "postgres", "ALTER ROLE craton PASSWORD 'second'")
	write(t, file, "second\n")
	pool.Reset()
	if err := pool.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := os.Remove(file); err != nil { // as while the file is being replaced
		t.Fatal(err)
	}
	pool.Reset()
	if err := pool.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
		t.Error(err) // the first password must still work
	}
}

// TestHosts: of several hosts, the one that accepts writes is used, and a host that does not respond leaves time for
// the others.
func TestHosts(t *testing.T) {
	bare(t)
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	readOnly, primary := postgrestest.Start(t), postgrestest.Start(t)
	readOnly.Exec(t, "postgres", "ALTER ROLE craton SET default_transaction_read_only = on")
	database := fmt.Sprintf("postgres://craton@%s,127.0.0.1:1,127.0.0.1:%d,127.0.0.1:%d/postgres?connect_timeout=1", silent.Addr(), readOnly.Port, primary.Port)
	port := func(database string) (port int, err error) {
		c, _, err := config(database, engine.Options{})
		if err != nil {
			return 0, err
		}
		pool, err := pgxpool.NewWithConfig(t.Context(), c)
		if err != nil {
			return 0, err
		}
		defer pool.Close()
		return port, pool.QueryRow(t.Context(), "SELECT current_setting('port')::int").Scan(&port)
	}
	if got, err := port(database); err != nil || got != primary.Port {
		t.Errorf("port %d, %v, want %d", got, err, primary.Port)
	}
	if got, err := port(database + "&target_session_attrs=any"); err != nil || got != readOnly.Port {
		t.Errorf("port %d, %v, want %d", got, err, readOnly.Port)
	}
	primary.Stop(t)
	if _, err := port(database); err == nil || !strings.Contains(err.Error(), "read only connection") {
		t.Error(err)
	}
}

// TestTLS: verify-full requires a certificate for the URL's host, from a trusted CA.
func TestTLS(t *testing.T) {
	bare(t)
	s := postgrestest.Start(t, postgrestest.ClientCertificate())
	other := postgrestest.Start(t, postgrestest.TLS())
	at := func(host, rest string) string {
		return fmt.Sprintf("postgres://craton@%s:%d/postgres?%s", host, s.Port, rest)
	}
	client := "&sslcert=" + s.Cert + "&sslkey=" + s.Key
	for _, test := range []struct{ database, err string }{
		{at("localhost", "sslmode=verify-full&sslrootcert="+s.CA+client), ""},
		{at("127.0.0.1", "sslmode=verify-full&sslrootcert="+s.CA+client), "certificate for 127.0.0.1"},
		{at("127.0.0.1", "sslmode=verify-ca&sslrootcert="+s.CA+client), ""},
		{at("localhost", "sslmode=verify-full&sslrootcert="+other.CA+client), "unknown authority"},
		{at("localhost", "sslmode=verify-full&sslrootcert="+s.CA), "valid client certificate"},
		{at("localhost", "sslmode=verify-full&sslrootcert=/nonexistent"), "failed to configure TLS (unable to read CA file: open /nonexistent"},
		{at("localhost", "sslmode=disable"), "no encryption"},
	} {
		c, _, err := config(test.database, engine.Options{})
		if err == nil {
			err = ping(t.Context(), c)
		}
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, want %s", test.database, err, test.err)
		}
	}
	t.Setenv("PGSSLMODE", "verify-full")
	t.Setenv("PGSSLROOTCERT", s.CA)
	t.Setenv("PGSSLCERT", s.Cert)
	t.Setenv("PGSSLKEY", s.Key)
	c, _, err := config(at("localhost", ""), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := ping(t.Context(), c); err != nil {
		t.Error(err)
	}
}
