package cli_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/server"
)

// session is one recorded run of the original command line.
type session struct {
	Argv   []string
	Stdin  *string
	Exit   int
	Stdout string
	Stderr string
}

// fixture is a server on an empty database with its first root user.
type fixture struct {
	url, project, key string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(s.Handler())
	_ = h.Listener.Close()
	h.Listener = shortListener(t)
	h.Start()
	t.Cleanup(func() {
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{h.URL, b.ProjectID, b.APIKey}
}

// shortListener listens on a port of four digits: the recorded server's URL was that long, and tables are as wide as
// what they hold.
func shortListener(t *testing.T) net.Listener {
	t.Helper()
	for range 1000 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 2000+rand.IntN(8000)))
		if err == nil {
			return l
		}
	}
	t.Fatal("no port of four digits is free")
	return nil
}

// run runs a command line against the server.
func (f *fixture) run(t *testing.T, stdin io.Reader, args ...string) session {
	t.Helper()
	settings := []string{"--craton-url", f.url, "--os-username", "bootstrap", "--os-password", f.key, "--os-project-id", f.project, "--retries", "0"}
	return run(t, stdin, append(settings, args...)...)
}

// run runs a command line without any settings of this machine.
func run(t *testing.T, stdin io.Reader, args ...string) session {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if len(args) > 0 { // without any the main help is shown
		args = append([]string{"--config", config}, args...)
	}
	var out, errs bytes.Buffer
	exit := cli.Run(t.Context(), args, output.Streams{In: stdin, Out: &out, Err: &errs}, cli.Version{Release: "0.1.0", Whole: "0.1.0 (whole)"})
	return session{Exit: exit, Stdout: out.String(), Stderr: errs.String()}
}

// TestReplay runs the recorded command lines in order against an empty server and demands the recorded standard output,
// standard error and exit code, but for timestamps (whose form is checked) and what [cli.Differences] declares. A
// declared difference that does not show is an error too.
func TestReplay(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "craton-cli.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sessions []session
	if err := json.Unmarshal(raw, &sessions); err != nil {
		t.Fatal(err)
	}
	if len(sessions) != 45 {
		t.Fatalf("%d sessions, want 45", len(sessions))
	}
	declared := map[string]string{} // command line -> id of the difference
	for _, d := range cli.Differences {
		for _, line := range d.Recorded {
			declared[line] = d.ID
		}
	}
	f := newFixture(t)
	expand := strings.NewReplacer("<server>", f.url, "<project>", f.project)
	for _, want := range sessions {
		line := strings.Join(want.Argv[1:], " ")
		stdin := ""
		if want.Stdin != nil {
			stdin = *want.Stdin
		}
		got := f.run(t, strings.NewReader(stdin), want.Argv[1:]...)
		got.Stdout = mask(got.Stdout)
		want.Argv, want.Stdin, want.Stdout = nil, nil, mask(expand.Replace(want.Stdout))
		same := cmp.Diff(want, got) == ""
		if id, differs := declared[line]; differs {
			delete(declared, line)
			if same {
				t.Errorf("craton %s: the declared difference %s does not show any more", line, id)
			}
			expected[id](t, line, &want, got)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("craton %s (-recorded +ours):\n%s", line, diff)
		}
	}
	for line, id := range declared {
		t.Errorf("the difference %s names a command line that is not recorded: %s", id, line)
	}
}

// expected turns a recorded session into ours, for each difference that the recordings show.
var expected = map[string]func(t *testing.T, line string, want *session, got session){
	"names": func(_ *testing.T, _ string, want *session, _ session) {
		want.Exit = 1
		want.Stderr = "ERROR: The requested resource was not found. No cloud has the name or id \"abc\".\n"
	},
	"fields": func(_ *testing.T, _ string, want *session, _ session) {
		want.Stderr += "Fields are: id, name, cloud_id, project_id, note, created_at, updated_at, protected\n"
	},
	"more": func(_ *testing.T, _ string, want *session, _ session) {
		want.Stderr = strings.Replace(want.Stderr, " [--note NOTE]", " [--note NOTE]\n                           [--vars <key=value> [<key=value> ...]]\n                           [--protected]", 1)
	},
	"wrong-subcommand": func(_ *testing.T, _ string, want *session, _ session) {
		want.Stderr = "craton: error: argument <subcommand>: invalid choice: 'bogus'\n\"craton help\" lists all subcommands.\n"
	},
}

var timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{6})`)

// mask replaces timestamps by their form, as wide as they are: whole seconds or with microseconds. One recorded or
// generated moment in a million is whole by chance; the test would then fail once.
func mask(text string) string {
	return timestamp.ReplaceAllStringFunc(text, func(s string) string {
		if strings.HasSuffix(s, ".000000") {
			return "<whole seconds           >"
		}
		return "<with microseconds       >"
	})
}

var update = flag.Bool("update", false, "write docs/cli-differences.md anew")

// TestDifferencesPage keeps docs/cli-differences.md equal to the table.
func TestDifferencesPage(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "docs", "cli-differences.md")
	want := cli.DifferencesMarkdown()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/cli-differences.md is out of date; run go test ./internal/cli -run TestDifferencesPage -update (-table +page):\n%s", diff)
	}
}

// TestDifferencesAreComplete keeps the table fit to print.
func TestDifferencesAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range cli.Differences {
		if d.ID == "" || d.Where == "" || d.Original == "" || d.Ours == "" || d.Reason == "" {
			t.Errorf("difference %+v lacks a text", d)
		}
		if seen[d.ID] {
			t.Errorf("two differences are called %s", d.ID)
		}
		seen[d.ID] = true
		if (expected[d.ID] != nil) != (len(d.Recorded) > 0) {
			t.Errorf("difference %s: the replay test must know it exactly if it is recorded", d.ID)
		}
	}
}
