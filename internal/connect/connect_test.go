package connect

import (
	"context"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/settings"
)

// values returns the connection settings of flags; the machine's own settings do not count.
func values(t testing.TB, args ...string) *settings.Values {
	t.Helper()
	return valuesOf(t, nil, "", args...)
}

// valuesOf returns the connection settings of an environment, a configuration file and flags.
func valuesOf(t testing.TB, env map[string]string, file string, args ...string) *settings.Values {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append(args, "--config", path)
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	settings.AddFlags(f, settings.Connection)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	v, err := settings.LoadEnv(f, func(name string) (string, bool) { text, ok := env[name]; return text, ok }, settings.Connection)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestNameSaysTheProject: two projects of one file have other names, also in words.
func TestNameSaysTheProject(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, project := range []string{"", "c53d410d-a032-4a63-8e28-3e0f2f1d439f", "7a4f2a90-6d0c-4b3e-9a39-0f2a4f8d5c11"} {
		name, words, err := Name(values(t, "--craton-url", "sqlite:fleet.db", "--os-project-id", project))
		if err != nil || !strings.HasSuffix(words, project) || seen[name] || seen[words] {
			t.Errorf("project %q: %q, %q, %v", project, name, words, err)
		}
		seen[name], seen[words] = true, true
	}
}

// TestPredict: where there is no file yet, Predict does and says what Create would, and leaves nothing behind.
func TestPredict(t *testing.T) {
	t.Parallel()
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const project = "c53d410d-a032-4a63-8e28-3e0f2f1d439f"
	for _, args := range [][]string{
		{"--craton-url", "sqlite:" + filepath.Join(dir, "nowhere", "fleet.db")},
		{"--craton-url", "sqlite:" + filepath.Join(file, "fleet.db")},
		{"--craton-url", "sqlite:" + filepath.Dir(file)},
		{"--craton-url", "sqlite:"},
		{"--craton-url", "sqlite:" + filepath.Join(dir, "fleet.db"), "--os-project-id", project},
	} {
		_, _, wrote := Client(t.Context(), values(t, args...), Create)
		_, _, foreseen := Client(t.Context(), values(t, args...), Predict)
		if wrote == nil || foreseen == nil || wrote.Error() != foreseen.Error() {
			t.Errorf("%v:\nfor real  %v\nforeseen  %v", args, wrote, foreseen)
		}
	}
	c, done, err := Client(t.Context(), values(t, "--craton-url", "sqlite:"+filepath.Join(dir, "fleet.db")), Predict)
	if err != nil {
		t.Fatal(err)
	}
	if projects, err := c.Projects.List(t.Context(), craton.ProjectListOptions{}); err != nil || len(projects.Items) != 1 {
		t.Errorf("a fleet to be has one project, not %v (%v)", projects, err)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v (%v)", left, err)
	}
}

// makeFile makes a fleet with a cloud in it.
func makeFile(t *testing.T, url string) {
	t.Helper()
	c, err := Open(t.Context(), values(t, "--craton-url", url), Create)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Clouds.Create(t.Context(), craton.CloudCreate{Name: "first"})
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestFileMadeLater: a file that is not there is made with the first write that is not refused, whoever else makes it
// meanwhile, and not by who reads.
func TestFileMadeLater(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fleet.db")
	open := func() *Connection {
		t.Helper()
		c, err := Open(t.Context(), values(t, "--craton-url", "sqlite:"+path), Create)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	c, other := open(), open()
	projects, err := c.Projects.List(t.Context(), craton.ProjectListOptions{})
	if err != nil || len(projects.Items) != 1 || !c.New {
		t.Fatalf("%v %v", projects, err)
	}
	if _, err := c.Clouds.Create(t.Context(), craton.CloudCreate{Name: "e\u0301"}); err == nil {
		t.Error("a name that is refused")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) || c.Created() != "" {
		t.Errorf("refused, it is there: %v %q", err, c.Created())
	}
	if _, err := c.Projects.SetVariables(t.Context(), projects.Items[0].ID, craton.Vars(map[string]any{"a": 1})); err != nil || c.Created() != path {
		t.Errorf("%v %q", err, c.Created())
	}
	first, err := c.Clouds.Create(t.Context(), craton.CloudCreate{Name: "east"})
	if err != nil || first.ID != 1 || first.ProjectID != projects.Items[0].ID {
		t.Errorf("%+v %v", first, err)
	}
	second, err := other.Clouds.Create(t.Context(), craton.CloudCreate{Name: "west"})
	if err != nil || second.ID != 2 || second.ProjectID != first.ProjectID {
		t.Errorf("%+v %v", second, err)
	}
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "fleet.db")
	if _, _, err := Client(t.Context(), values(t, "--craton-url", url), ReadOnly); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "begin with") {
		t.Fatalf("a missing file: %v", err)
	}
	c, done, err := Client(t.Context(), values(t, "--craton-url", url), Create)
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := c.Clouds.Create(t.Context(), craton.CloudCreate{Name: "east"})
	if err != nil {
		t.Fatal(err)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	c, done, err = Client(t.Context(), values(t, "--craton-url", url), ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer done() //nolint:errcheck // only read
	if got, err := c.Clouds.Get(t.Context(), cloud.ID); err != nil || got.Name != "east" {
		t.Errorf("read again: %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Clouds.Get(ctx, cloud.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("with a canceled context: %v", err)
	}
}

// TestHashedKeys: what the log of a file must not keep is in the section of the server, which this command has no flags
// for.
func TestHashedKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fleet.db")
	for env, hashed := range map[string]bool{"": true, "none": false} {
		client, stop, err := Client(t.Context(), valuesOf(t, map[string]string{"CRATON_HASHED_KEYS": env}, "server: {hashed_keys: [secret_*]}", "--craton-url", "sqlite:"+path), Create)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Clouds.Create(t.Context(), craton.CloudCreate{Name: "c" + env, Variables: craton.Vars(map[string]any{"secret_key": "of " + env})}); err != nil {
			t.Fatal(err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM changes WHERE path = ? AND after LIKE '%of %'", "c"+env).Scan(&n); err != nil || hashed != (n == 0) {
			t.Errorf("CRATON_HASHED_KEYS=%s: %d values in the log, %v", env, n, err)
		}
	}
}

// TestTimeoutOfAFile: a file that another process keeps locked, and a listing that does not end, are errors that name
// the setting.
func TestTimeoutOfAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fleet.db")
	makeFile(t, "sqlite:"+path)
	// A long one, so that a busy machine does not end what is not locked; it is waited for below all the same.
	c, err := Open(t.Context(), values(t, "--craton-url", "sqlite:"+path, "--timeout", "5"), ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // only a lock
	lock, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	_, err = c.Clouds.Create(t.Context(), craton.CloudCreate{Name: "east"})
	if late, ok := errors.AsType[*TimeoutError](err); !ok || late.File != path || !strings.Contains(err.Error(), "CRATON_TIMEOUT") || strings.Contains(err.Error(), "embedded") {
		t.Errorf("a locked file: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := lock.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	// In a process that goes on, what nobody waited for is done now.
	c, err = Open(t.Context(), values(t, "--craton-url", "sqlite:"+path), ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // only read
	for {
		page, err := c.Clouds.List(t.Context(), craton.CloudListOptions{})
		if err != nil || len(page.Items) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}

	rt := handlerTransport{handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-t.Context().Done() }), limit: &limit{file: path, after: time.Millisecond}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://embedded/v1/hosts", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.RoundTrip(req); !errors.As(err, new(*TimeoutError)) { //nolint:bodyclose // there is none
		t.Errorf("a listing without end: %v", err)
	}
	if _, err := runWithin(t.Context(), &limit{after: time.Millisecond}, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, nil); !errors.As(err, new(*TimeoutError)) {
		t.Errorf("one that hears of its end: %v", err)
	}
}

// TestFleetOfAFile: the answer is read while it is made, and who does not read it to its end keeps nothing.
func TestFleetOfAFile(t *testing.T) {
	t.Parallel()
	c, err := Open(t.Context(), values(t, "--craton-url", "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), "--timeout", "20"), Create)
	if err != nil {
		t.Fatal(err)
	}
	const clouds = 40
	for i := range clouds { // 4 MB: more than is made at once
		if _, err := c.Clouds.Create(t.Context(), craton.CloudCreate{Name: fmt.Sprint("c", i), Variables: craton.Vars(map[string]any{"v": strings.Repeat("x", 100_000)})}); err != nil {
			t.Fatal(err)
		}
	}
	for _, most := range []int{clouds + 1, 1} { // with the project; then not to the end
		s, err := c.Fleet(t.Context(), craton.FleetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range s.All() {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == most {
				break
			}
		}
		if n != most {
			t.Errorf("%d objects, want %d", n, most)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no url":         {nil, "set CRATON_URL"},
		"no credentials": {[]string{"--craton-url", "http://craton.example:7780", "--os-username", "deploy"}, "set OS_PASSWORD, OS_PROJECT_ID"},
		"no url at all":  {[]string{"--craton-url", "craton.example", "--os-username", "a", "--os-password", "hush", "--os-project-id", "c"}, "write it like https://"},
		"no ca file": {[]string{"--craton-url", "https://craton.example", "--os-username", "a", "--os-password", "hush", "--os-project-id", "c",
			"--ca-path", "/nonexistent"}, "ca_path"},
	} {
		_, _, err := Client(t.Context(), values(t, c.args...), ReadOnly)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHandlerTransport(t *testing.T) {
	t.Parallel()
	rt := handlerTransport{handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("broken")
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Host+" "+r.Method+" "+r.RequestURI)
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late
		_, _ = w.Write(append(body, '!'))
	})}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://embedded/v1/x?a=b", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusTeapot || string(body) != "hello!" || resp.ContentLength != 6 || resp.Header.Get("X-Seen") != "embedded POST /v1/x?a=b" {
		t.Errorf("%d %q %d %v", resp.StatusCode, body, resp.ContentLength, resp.Header)
	}
	req, err = http.NewRequestWithContext(t.Context(), http.MethodGet, "http://embedded/panic", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := rt.RoundTrip(req); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a panic: %v, %v", resp, err)
	}
}

// certPEM returns a server's certificate.
func certPEM(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}
