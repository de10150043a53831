package inventory

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/output"
)

// runCommand runs the command against a fleet on a real port, with credentials by flags.
func runCommand(t *testing.T, f http.Handler, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	url := "http://127.0.0.1:1" // nothing listens there
	if f != nil {
		server := httptest.NewServer(f)
		t.Cleanup(server.Close)
		url = server.URL
	}
	var out, errs bytes.Buffer
	cmd := Command(output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(append([]string{"--craton-url", url, "--os-username", "u", "--os-password", "k", "--os-project-id", project1, "--retries", "0"}, args...))
	err = cmd.Execute()
	return out.String(), errs.String(), err
}

func TestCommand(t *testing.T) {
	t.Parallel()
	f := believable()
	o := DefaultOptions()
	list := f.document(t, o)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"list":    {[]string{"--list"}, list},
		"pretty":  {[]string{"--list", "--pretty"}, render(t, f.load(t, o), o, true)},
		"streams": {[]string{"--list", "--streams", "1"}, list},
		"facts":   {[]string{"--list", "--facts", "none", "--groups", "cell", "--vars", "layered", "--regions", "east/iad"}, `{"_meta":{"hostvars":{}},` + "\n" + `"all":{"children":["craton","ungrouped"]},` + "\n" + `"craton":{"hosts":[]},` + "\n" + `"ungrouped":{"hosts":[]}}` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, errs, err := runCommand(t, f, c.args...)
			if err != nil || errs != "" {
				t.Fatalf("error %v, stderr %q", err, errs)
			}
			if diff := cmp.Diff(c.want, out); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCommandHost(t *testing.T) {
	t.Parallel()
	compact, _, err := runCommand(t, believable(), "--host", "web-01.example.net")
	if err != nil || !strings.HasSuffix(compact, "}\n") {
		t.Fatalf("%s %v", compact, err)
	}
	pretty, _, err := runCommand(t, believable(), "--host", "web-01.example.net", "--pretty")
	var want bytes.Buffer
	if err2 := json.Indent(&want, []byte(compact), "", "  "); err != nil || err2 != nil || want.String() != pretty {
		t.Errorf("%s, error %v", pretty, err)
	}
}

func TestCommandGraph(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join("testdata", "graph_groups.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := runCommand(t, believable(), "--graph")
	if err != nil || out != string(want) {
		t.Errorf("%s, error %v", out, err)
	}
}

// TestCommandOutput: a file is written whole, for its owner's eyes, or stays as it was.
func TestCommandOutput(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inventory.json")
	out, errs, err := runCommand(t, believable(), "--list", "--output", path)
	if err != nil || out != "" || errs != "" {
		t.Fatalf("stdout %q, stderr %q, error %v", out, errs, err)
	}
	want := believable().document(t, DefaultOptions())
	got, _ := os.ReadFile(path)
	info, err := os.Stat(path)
	if err != nil || string(got) != want || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, content\n%s", info.Mode(), got)
	}
	broken := believable()
	broken.host(broken.get("regions", 2), "web-01.example.net", nil, nil)
	if _, _, err := runCommand(t, broken, "--list", "--output", path); err == nil {
		t.Error("no error")
	}
	if got, _ := os.ReadFile(path); string(got) != want {
		t.Errorf("a failed run left\n%s", got)
	}
}

// TestCommandFailures: nothing on standard output, and an error of one line.
func TestCommandFailures(t *testing.T) {
	t.Parallel()
	always := func(h http.HandlerFunc) http.Handler { return h }
	twins := believable()
	twins.host(twins.get("regions", 2), "web-01.example.net", nil, nil)
	for name, c := range map[string]struct {
		fleet http.Handler
		args  []string
		want  string
	}{
		"server down":    {nil, []string{"--list"}, "cannot reach the Craton API"},
		"wrong key":      {always(func(w http.ResponseWriter, _ *http.Request) { fail(w, 401, "The request could not be authenticated.") }), []string{"--list"}, "The request could not be authenticated."},
		"not JSON":       {always(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>\n</html>")) }), []string{"--list"}, "not JSON"},
		"twins":          {twins, []string{"--list"}, "two hosts are called"},
		"no such host":   {believable(), []string{"--host", "x"}, `no host is called "x"`},
		"empty host":     {believable(), []string{"--host", ""}, `no host is called ""`},
		"bad filter":     {believable(), []string{"--list", "--clouds", "x"}, `filter "clouds"`},
		"nothing said":   {believable(), nil, "--list, --host NAME or --graph"},
		"two things":     {believable(), []string{"--list", "--graph"}, "none of the others can be"},
		"hosts":          {believable(), []string{"--list", "--hosts"}, "--hosts needs --graph"},
		"pretty graph":   {believable(), []string{"--graph", "--pretty"}, "--pretty is for JSON"},
		"bad choice":     {believable(), []string{"--list", "--vars", "melted"}, "merged, layered"},
		"bad group":      {believable(), []string{"--list", "--groups", "cloud,rack"}, "rack"},
		"an argument":    {believable(), []string{"--list", "web"}, "unknown command"},
		"no such folder": {believable(), []string{"--list", "--output", filepath.Join(t.TempDir(), "missing", "x.json")}, "cannot write"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, errs, err := runCommand(t, c.fleet, c.args...)
			if err == nil || out != "" || errs != "" {
				t.Fatalf("error %v, stdout %q, stderr %q", err, out, errs)
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(output.OneLine(err), "\n") {
				t.Errorf("error %q, want %q", err, c.want)
			}
		})
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestCommandReportsFailedWrites(t *testing.T) {
	t.Parallel()
	f := believable()
	for _, o := range []func(doc *Document) error{
		func(doc *Document) error { return doc.Write(brokenPipe{}, false) },
		func(doc *Document) error { return doc.Write(brokenPipe{}, true) },
		func(doc *Document) error { return doc.WriteGraph(brokenPipe{}, Graph{}) },
	} {
		doc, err := Build(f.load(t, DefaultOptions()), DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		if err := o(doc); err == nil {
			t.Error("no error")
		}
	}
}
