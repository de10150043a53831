package main_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/keystone"
)

// cloud is a Craton in the catalogue of a Keystone, for a user with a role in a project.
type cloud struct {
	*openstacktest.Keystone
	user    openstacktest.User
	project openstacktest.Project
	region  string

	mu     sync.Mutex
	tokens []string // that Craton has seen, each once
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	k := openstacktest.StartKeystone(t)
	c := &cloud{Keystone: k, user: k.User(t, "deploy"), project: k.Project(t, "fleet")}
	k.Grant(t, c.user, c.project, "member")
	// Nothing is kept by the server, so that a revocation counts at once.
	v, err := keystone.New(keystone.Config{URL: k.URL})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	handler := s.KeystoneHandler(v, keystone.Roles{Admin: []string{"admin"}, Member: []string{"member"}})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		if token := r.Header.Get("X-Auth-Token"); !slices.Contains(c.tokens, token) {
			c.tokens = append(c.tokens, token)
		}
		c.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c.region = k.Service(t, "fleet_management", web.URL)
	return c
}

// seen returns the tokens that Craton has seen since the last call.
func (c *cloud) seen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.tokens
	c.tokens = nil
	return seen
}

// bare returns an environment in which nothing is set but home.
func bare(t *testing.T, home string) []string {
	t.Helper()
	return []string{"HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, ".config"), "XDG_CACHE_HOME=" + filepath.Join(home, ".cache"),
		"PATH=" + binaries(t) + string(os.PathListSeparator) + os.Getenv("PATH")}
}

// TestKeystoneGuide runs every `$` line of docs/keystone.md, with the names of a real Keystone in the place of the
// guide's.
func TestKeystoneGuide(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	real := strings.NewReplacer("https://keystone.example:5000/v3", c.URL, "the password of deploy", c.user.Password,
		"=deploy", "="+c.user.Name, ": deploy", ": "+c.user.Name, "=fleet", "="+c.project.Name, ": fleet\n", ": "+c.project.Name+"\n",
		"=north", "="+c.region, ": north", ": "+c.region)
	commands, files := console(t, "docs/keystone.md")
	files["keystone-password"] = c.user.Password
	home := t.TempDir()
	for _, name := range []string{"keystone-password", "clouds.yaml", "secure.yaml"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(real.Replace(files[name])), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runCommands(t, "docs/keystone.md", commands, home, bare(t, home), real)
	if len(commands) < 5 {
		t.Errorf("only %d commands in the guide", len(commands))
	}
}

// TestKeystoneSettings: the guide's table has every setting of Keystone, and no other.
func TestKeystoneSettings(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "keystone.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows, want []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z_]+` \\| `--[a-z-]+` \\| [^|]+) \\|").FindAllStringSubmatch(string(guide), -1) {
		rows = append(rows, row[1])
	}
	others := []string{"url", "validate_certs", "ca_path", "client_cert", "client_key", "timeout", "retries", "max_connections"}
	for _, s := range settings.Connection.Settings {
		if slices.Contains(others, s.Name) {
			continue
		}
		flag := s.Flag
		if flag == "" {
			flag = strings.ReplaceAll(s.Name, "_", "-")
		}
		want = append(want, fmt.Sprintf("`%s` | `--%s` | `%s`", s.Name, flag, strings.Join(append([]string{s.Env}, s.Also...), "`, `")))
	}
	slices.Sort(rows)
	slices.Sort(want)
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("docs/keystone.md (-code +docs):\n%s", diff)
	}
}

// TestKeystoneEverywhere: command line, inventory and modules share one token; what they say when it does not work.
func TestKeystoneEverywhere(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	bin, home := binaries(t), t.TempDir()
	app := c.ApplicationCredential(t, c.user, c.project, time.Time{})
	env := append(bare(t, home), "OS_AUTH_URL="+c.URL, "OS_REGION_NAME="+c.region, "OS_APPLICATION_CREDENTIAL_ID="+app.ID)
	good := append(slices.Clone(env), "OS_APPLICATION_CREDENTIAL_SECRET="+app.Secret)
	// run is a process of the program under a name.
	run := func(env []string, stdin string, args ...string) (stdout, stderr string, err error) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "craton"))
		cmd.Args, cmd.Env, cmd.Stdin = args, env, strings.NewReader(stdin)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err = cmd.Run()
		return out.String(), errs.String(), err
	}
	everything := map[string]struct {
		stdin string
		args  []string
		want  string
	}{
		"command line": {"", []string{"craton", "cloud-list", "--format", "json"}, `"east"`},
		"inventory":    {"", []string{"craton-inventory", "--list"}, `"cloud_east"`},
		"module":       {`{"name": "east"}`, []string{"craton_cloud", "-"}, `"changed": ?false`},
		"info module":  {`{}`, []string{"craton_cloud_info", "-"}, `"east"`},
	}
	if out, errs, err := run(good, `{"name": "east"}`, "craton_cloud", "-"); err != nil || !strings.Contains(out, "east") {
		t.Fatalf("create: %s%s%v", out, errs, err)
	}
	var group sync.WaitGroup
	for range 4 {
		for name, e := range everything {
			group.Go(func() {
				if out, errs, err := run(good, e.stdin, e.args...); err != nil || !regexp.MustCompile(e.want).MatchString(out) {
					t.Errorf("%s: %s%s%v", name, out, errs, err)
				}
			})
		}
	}
	group.Wait()
	tokens := c.seen()
	if len(tokens) != 1 {
		t.Fatalf("%d tokens were used, want one", len(tokens))
	}

	c.Revoke(t, tokens[0])
	for name, e := range everything {
		if out, errs, err := run(good, e.stdin, e.args...); err != nil {
			t.Errorf("%s after a revocation: %s%s%v", name, out, errs, err)
		}
	}
	if again := c.seen(); len(again) != 2 || again[0] != tokens[0] || again[1] == tokens[0] {
		t.Errorf("after a revocation %d tokens were used, want the old one once and a new one", len(again))
	}

	if _, errs, err := run(good, "", "craton", "cloud-list", "--no-token-cache"); err != nil || len(c.seen()) != 1 {
		t.Errorf("without a cache: %s%v", errs, err)
	}
	files, err := filepath.Glob(filepath.Join(home, ".cache", "craton", "tokens", "*.json"))
	if err != nil || len(files) != 1 {
		t.Errorf("the cache has %v, %v", files, err)
	}

	const hush = "hush-hush"
	bad := append(slices.Clone(env), "OS_APPLICATION_CREDENTIAL_SECRET="+hush)
	for name, e := range everything {
		for _, way := range []struct {
			env  []string
			want string
		}{
			{bad, "refuses to sign in application credential " + app.ID},
			{append(slices.Clone(good), "OS_REGION_NAME=nowhere"), `in region .{1,2}nowhere.{1,2}, only `},
			{env, `cannot sign in: set application_credential_secret \(OS_APPLICATION_CREDENTIAL_SECRET\)`},
		} {
			out, errs, err := run(way.env, e.stdin, e.args...)
			if err == nil || !regexp.MustCompile(way.want).MatchString(out+errs) || strings.Contains(out+errs, hush) || strings.Contains(out+errs, app.Secret) {
				t.Errorf("%s: %s%s%v, want %s", name, out, errs, err, way.want)
			}
			if strings.HasPrefix(name, "inventory") && out != "" {
				t.Errorf("%s prints %s", name, out)
			}
		}
	}
}
