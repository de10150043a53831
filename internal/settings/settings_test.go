package settings

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// sample has one setting of each kind.
var sample = Connection

func loadWith(t *testing.T, file string, env map[string]string, args ...string) (*Values, error) {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(fs, sample)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	var search []string
	if file != "" {
		path := filepath.Join(t.TempDir(), "config.yml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		search = []string{path}
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	return load(fs, lookup, search, sample)
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := "url: http://file\nretries: 7\ntimeout: 2m\nvalidate_certs: no\n"
	env := map[string]string{"CRATON_URL": "http://env", "CRATON_RETRIES": "8", "OS_USERNAME": ""}
	v, err := loadWith(t, file, env, "--craton-url", "http://flag")
	if err != nil {
		t.Fatal(err)
	}
	type got struct {
		URL, User       string
		Retries         int
		Timeout         time.Duration
		Verify          bool
		FromURL, FromCA string
		FromRetries     string
		UserIsDefault   bool
	}
	want := got{"http://flag", "", 8, 2 * time.Minute, false, "flag --craton-url", "default", "environment CRATON_RETRIES", true}
	have := got{v.String("url"), v.String("username"), v.Int("retries"), v.Duration("timeout"), v.Bool("validate_certs"),
		v.Source("url").String(), v.Source("ca_path").String(), v.Source("retries").String(), v.IsDefault("username")}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	if !strings.HasSuffix(v.Source("timeout").String(), "config.yml:3") {
		t.Errorf("source of timeout = %q", v.Source("timeout"))
	}
}

// The first variable of a setting that is not empty counts.
func TestSeveralVariables(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env          map[string]string
		want, source string
	}{
		"own":      {map[string]string{"OS_PROJECT_ID": "p", "OS_TENANT_ID": "t"}, "p", "environment OS_PROJECT_ID"},
		"other":    {map[string]string{"OS_TENANT_ID": "t"}, "t", "environment OS_TENANT_ID"},
		"empty":    {map[string]string{"OS_PROJECT_ID": "", "OS_TENANT_ID": "t"}, "t", "environment OS_TENANT_ID"},
		"the file": {map[string]string{"OS_TENANT_ID": ""}, "f", "config.yml:1"},
	} {
		v, err := loadWith(t, "project_id: f\n", c.env)
		if err != nil || v.String("project_id") != c.want || !strings.HasSuffix(v.Source("project_id").String(), c.source) {
			t.Errorf("%s: %q from %s, %v", name, v.String("project_id"), v.Source("project_id"), err)
		}
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, want string }{
		"unknown key":        {"url: x\nusernam: y\n", `config.yml:2: unknown setting "usernam" at the top level; did you mean "username"?`},
		"unknown in section": {"inventory:\n  host_name: name\n", `config.yml:2: unknown setting "host_name" in inventory; did you mean "hostname"?`},
		"twice":              {"url: x\nurl: y\n", `already defined|set twice`},
		"not a mapping":      {"- url\n", `config.yml:1: must be a mapping of settings`},
		"bad bool":           {"validate_certs: maybe\n", `config.yml:1: validate_certs must be true or false, not "maybe"`},
		"bad number":         {"retries: -1\n", `config.yml:1: retries must be a whole number, 0 or more, not "-1"`},
		"bad time":           {"timeout: soon\n", `timeout must be a number of seconds`},
		"list for a word":    {"url: [a, b]\n", `config.yml:1: url must be a single value`},
		"bad choice":         {"inventory:\n  vars: melted\n", `vars must be one of lazy, merged, layered, not "melted"`},
		"not yaml":           {"url: [\n", `config.yml`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadWith(t, c.file, nil)
			if err == nil || !regexp.MustCompile(strings.NewReplacer("(", `\(`, "?", `\?`).Replace(c.want)).MatchString(err.Error()) {
				t.Errorf("error = %v, want %s", err, c.want)
			}
		})
	}
}

func TestBadValuesNameTheirSource(t *testing.T) {
	t.Parallel()
	_, err := loadWith(t, "", map[string]string{"CRATON_RETRIES": "many"})
	if err == nil || err.Error() != `environment CRATON_RETRIES: retries must be a whole number, 0 or more, not "many"` {
		t.Error(err)
	}
	_, err = loadWith(t, "", nil, "--timeout", "x")
	if err == nil || !strings.HasPrefix(err.Error(), "flag --timeout: ") {
		t.Error(err)
	}
}

func TestNamedFileMustExist(t *testing.T) {
	t.Parallel()
	_, err := loadWith(t, "url: x\n", map[string]string{ConfigEnv: filepath.Join(t.TempDir(), "absent.yml")})
	if err == nil || !strings.Contains(err.Error(), "environment CRATON_CONFIG names a configuration file that cannot be read") {
		t.Error(err)
	}
}

// TestHome: no shell reads a configuration file, so ~ is read here, in paths, that of a database too, and nowhere else.
func TestHome(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	v, err := loadWith(t, "ca_path: ~/ca.pem\nusername: ~/me\nurl: sqlite:~/fleet.db\n", map[string]string{"CRATON_CLIENT_CERT": "./~/cert.pem"})
	if err != nil {
		t.Fatal(err)
	}
	if url := v.String("url"); url != "sqlite:"+filepath.Join(home, "fleet.db") {
		t.Errorf("url %q", url)
	}
	if ca, user, cert := v.String("ca_path"), v.String("username"), v.String("client_cert"); ca != filepath.Join(home, "ca.pem") || user != "~/me" || cert != "./~/cert.pem" {
		t.Errorf("ca_path %q, username %q, client_cert %q", ca, user, cert)
	}
}

func TestNamedFileWinsOverSearched(t *testing.T) {
	t.Parallel()
	named := filepath.Join(t.TempDir(), "mine.yml")
	if err := os.WriteFile(named, []byte("url: http://named\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := loadWith(t, "url: http://searched\n", nil, "--config", named)
	if err != nil {
		t.Fatal(err)
	}
	if v.String("url") != "http://named" || v.File != named {
		t.Errorf("url %q from %q", v.String("url"), v.File)
	}
}

func TestSecretInAReadableFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte("password: hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	none := func(string) (string, bool) { return "", false }
	if _, err := load(nil, none, []string{path}, Connection); err != nil {
		t.Errorf("a private file is refused: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := load(nil, none, []string{path}, Connection)
	if err == nil || !strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), "hush") {
		t.Errorf("error = %v", err)
	}
}

func TestPasswordOfADatabaseInAReadableFileIsRefused(t *testing.T) {
	t.Parallel()
	none := func(string) (string, bool) { return "", false }
	for database, secret := range map[string]bool{
		"postgres://ann:hush@db.example/fleet": true, "postgres://db.example/fleet?user=ann&password=hush": true, "postgresql://ann@h/d?sslpassword=hush": true,
		"postgres://ann@h1:5432,h2:5433/fleet?sslmode=verify-full": false, "sqlite:/a:b@c": false,
	} {
		path := filepath.Join(t.TempDir(), "config.yml")
		if err := os.WriteFile(path, []byte("server:\n  database: "+database+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := load(nil, none, []string{path}, Server)
		if (err != nil) != secret || err != nil && (!strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: %v", database, err)
		}
	}
}

// Every setting is documented, has an environment variable, and no two share a flag, a variable or a name.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	flags, envs := map[string]bool{configFlag: true}, map[string]bool{ConfigEnv: true}
	for _, section := range all() {
		for _, s := range section.Settings {
			if s.Help == "" || s.Env == "" || !regexp.MustCompile(`^[a-z_]+$`).MatchString(s.Name) {
				t.Errorf("%s %q lacks help, environment or a proper name", section.Name, s.Name)
			}
			if strings.HasSuffix(s.Help, ".") {
				t.Errorf("the help of %s ends with a full stop", s.Name)
			}
			for _, env := range append([]string{s.Env}, s.Also...) {
				if envs[env] {
					t.Errorf("%s shares its variable", s.Name)
				}
				envs[env] = true
			}
			flag := s.FlagName()
			if flags[flag] {
				flag = section.longFlag(&s)
			}
			if flags[flag] || section.Name == "" && flag != s.FlagName() {
				t.Errorf("%s shares its flag", s.Name)
			}
			flags[flag] = true
			if _, err := s.parse(s.Default); err != nil {
				t.Errorf("the default of %s: %v", s.Name, err)
			}
		}
	}
}

// Of two sections with the same flag each gets its own, in whatever company it is declared.
func TestSharedFlags(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sections     []Section
		args         []string
		want, source string
	}{
		"alone":        {[]Section{SignIn, IotronicInventory}, []string{"--hostname", "uuid"}, "uuid", "flag --hostname"},
		"behind":       {[]Section{Inventory, IotronicInventory}, []string{"--iotronic-inventory-hostname", "uuid"}, "uuid", "flag --iotronic-inventory-hostname"},
		"the other's":  {[]Section{Inventory, IotronicInventory}, []string{"--hostname", "qualified"}, "name", "default"},
		"all there is": {all(), []string{"--hostname", "qualified", "--iotronic-inventory-hostname=uuid"}, "uuid", "flag --iotronic-inventory-hostname"},
	} {
		fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
		AddFlags(fs, c.sections...)
		if err := fs.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		v, err := load(fs, func(string) (string, bool) { return "", false }, nil, c.sections...)
		if err != nil || v.String("iotronic_inventory.hostname") != c.want || v.Source("iotronic_inventory.hostname").String() != c.source {
			t.Errorf("%s: %q from %s, %v", name, v.String("iotronic_inventory.hostname"), v.Source("iotronic_inventory.hostname"), err)
		}
	}
}

// TestPasswordsInOtherSettings: a URL with a password that landed in a setting which is none is refused, and not shown.
func TestPasswordsInOtherSettings(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, section := range all() {
		for i := range section.Settings {
			s := &section.Settings[i]
			if s.URL || s.Secret {
				continue
			}
			for _, url := range []string{"http://bob:hush@host:7780", "HTTPS://hush@host", " sqlite://bob:hush@/x", "one,http://bob:hush%40host", "postgres://bob:hush%2540host/x"} {
				tried++
				_, err := s.parse(url)
				if err == nil && s.Kind == List {
					err = s.checkWords([]string{url})
				}
				if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), s.Name) {
					t.Errorf("%s %s: %v", section.Name, url, err)
				}
			}
			if s.Kind == String && s.Choices == nil {
				for _, text := range []string{"http://host:7780/x@y", "a@b", "role:\"http://x\"", "/etc/ssl/ca.pem"} {
					if _, err := s.parse(text); err != nil {
						t.Errorf("%s: %v", s.Name, err)
					}
				}
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d tried", tried)
	}
}
