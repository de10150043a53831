package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/clitest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/server"
)

// TestBulkAsks: an edit of many objects is shown and asked about at a terminal; elsewhere it needs --yes.
func TestBulkAsks(t *testing.T) {
	t.Parallel()
	run := user(t, small)
	tty, other := clitest.Terminal(t, 200)
	answer := func(text string, args ...string) (int, string, string) {
		t.Helper()
		if _, err := io.WriteString(other, text); err != nil {
			t.Fatal(err)
		}
		status, out, _ := run(tty, args...)
		last, screen, piece := "[y/N]", "", make([]byte, 64<<10)
		if status != 0 {
			last = "nothing was"
		}
		for !strings.Contains(screen, last) {
			n, err := other.Read(piece)
			if err != nil {
				t.Fatal(err)
			}
			screen += string(piece[:n])
		}
		return status, out, screen
	}
	value := func(host string) string {
		_, out, _ := run(nil, "--format", "json", "host-vars-get", host)
		return strings.Join(strings.Fields(out), "")
	}
	edit := []string{"host-vars-set", "--where", "name=web-*", "ntp=10.0.0.1"}
	status, out, screen := answer("n\n", edit...)
	if status != 1 || out != "" || !strings.Contains(screen, "match name=web-*.") || !strings.Contains(screen, "2 hosts would change: big/dfw/c1/web-0") ||
		!strings.Contains(screen, `"10.0.0.1"`) || !strings.Contains(screen, "on 2") || !strings.Contains(screen, "Change them? [y/N]") {
		t.Errorf("no: %d %q %q", status, out, screen)
	}
	if got := value("web-01"); got != "{}" {
		t.Errorf("after no: %s", got)
	}
	status, out, screen = answer("y\n", edit...)
	if status != 0 || !strings.HasPrefix(out, "Changed 2 hosts, as revision ") || !strings.Contains(screen, "Change them?") {
		t.Errorf("yes: %d %q %q", status, out, screen)
	}
	if got := value("web-02"); got != `{"ntp":"10.0.0.1"}` {
		t.Errorf("after yes: %s", got)
	}
	status, _, screen = answer("n\n", "host-delete", "--where", "name=web-*")
	if status != 1 || !strings.Contains(screen, "; with 2 network interfaces") || !strings.Contains(screen, "Delete them? [y/N]") {
		t.Errorf("delete: %d %q", status, screen)
	}
	if status, out, errs := run(nil, "host-delete", "--where", "name=web-*"); status != 1 || out != "" ||
		!wording.Has(errs, "ERROR: 2 hosts with 2 network interfaces ... deleted ... Nothing ... --yes ... --dry-run") {
		t.Errorf("without a terminal: %d %q %q", status, out, errs)
	}
}

// TestBulkOfTheOriginal: a server that knows neither terms nor many objects is asked for all of them, and given one
// request after the other. What fails says how far it came.
func TestBulkOfTheOriginal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(dir, "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	broken := ""
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		beside := strings.TrimPrefix(r.URL.Path, "/v1/")
		switch {
		case beside == "capabilities" || beside == "bulk" || beside == "fleet":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message": "Not Found", "status": 404}`)
		case r.URL.Query().Has("where"):
			t.Errorf("it was asked %s", r.URL)
		case broken != "" && r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, broken):
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message": "no", "status": 400}`)
		default:
			s.Handler().ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		h.Close()
		_ = s.Close()
	})
	run := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		args = append([]string{"--craton-url", h.URL, "--os-username", b.Username, "--os-password", b.APIKey, "--os-project-id", b.ProjectID}, args...)
		status := Run(t.Context(), args, output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, argparse.Version{})
		return status, out.String(), errs.String()
	}
	file := filepath.Join(dir, "fleet.yml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(small, "{name: web-02,", "{name: web-02, labels: [web],")+"    variables: {place: none}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := run("apply", file); status != 0 {
		t.Fatal(errs)
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--format", "csv", "host-list", "--where", "label=web", "--fields", "name"}, "name\nweb-02\n"},
		{[]string{"--format", "csv", "device-list", "--where", "region=big/dfw type=switch", "--fields", "name"}, "name\nsw-01\n"},
		{[]string{"--format", "csv", "cloud-list", "--where", "place=none", "--fields", "name"}, "name\nempty\n"},
		{[]string{"--format", "csv", "network-list", "--where", "cidr=10.*", "--fields", "name"}, "name\nmgmt\n"},
		{[]string{"host-vars-set", "--where", "cell=c1", "ntp=a", "mtu=1", "--dry-run"}, "2 hosts match cell=c1.\n2 hosts would change: HOSTS:\n  + mtu  1    on 2\n  + ntp  \"a\"  on 2\n"},
		{[]string{"host-vars-set", "--where", "cell=c1", "ntp=a", "mtu=1", "--yes"}, "Changed 2 hosts.\n"},
		{[]string{"host-vars-set", "--where", "cell=c1", "ntp=a", "--yes"}, "Nothing to do: all 2 ... \n"},
		{[]string{"host-vars-delete", "--where", "own:mtu", "mtu", "--yes"}, "Changed 2 hosts.\n"},
		{[]string{"host-labels-add", "--where", "name=*", "x", "--yes"}, "Changed 3 hosts.\n"},
		{[]string{"host-labels-set", "--where", "label=x name=web-*", "y", "--yes"}, "Changed 2 hosts.\n"},
		{[]string{"host-labels-delete", "--where", "label=x", "x", "--yes"}, "Changed 1 host.\n"},
		{[]string{"host-update", "--where", "label=y", "--note", "n", "--yes"}, "Changed 2 hosts.\n"},
		{[]string{"--format", "csv", "host-list", "--where", "label=y note=n ntp=a !own:mtu", "--fields", "name", "--sort-key", "name"}, "name\nweb-01\nweb-02\n"},
	} {
		status, out, errs := run(tc.args...)
		for _, order := range []string{"big/dfw/c1/web-01, big/dfw/c1/web-02", "big/dfw/c1/web-02, big/dfw/c1/web-01"} { // as apply made them
			out = strings.ReplaceAll(out, order, "HOSTS")
		}
		if status != 0 || !wording.Lines(out, tc.want) || errs != "" {
			t.Errorf("%v: %d %q %q, want %q", tc.args, status, out, errs, tc.want)
		}
	}
	_, id, _ := run("--format", "csv", "host-list", "--where", "name=web-02", "--fields", "id")
	broken = "/" + strings.Fields(id)[1] + "/variables"
	if status, out, errs := run("host-vars-set", "--where", "name=web-*", "ntp=b", "--yes"); status != 1 || out != "" ||
		!regexp.MustCompile(`Host big/dfw/c1/web-02 .*not changed.* [01] of 2 .*one write.* same command again`).MatchString(errs) {
		t.Errorf("in the middle: %d %q %q", status, out, errs)
	}
	broken = ""
	if status, out, _ := run("host-delete", "--where", "name=web-*", "--yes"); status != 0 || out != "Deleted 2 hosts.\n" {
		t.Errorf("deleted: %d %q", status, out)
	}
}
