package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInvalidRows: whatever reads the fleet says which listing has a row that is no object, and leaves none out.
func TestInvalidRows(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	for rows, want := range map[string]string{
		"null":          "is null, not an object",
		`{"name": "a"}`: "has no id",
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path := strings.TrimPrefix(r.URL.Path, "/v1/")
			w.Header().Set("Content-Type", "application/json")
			if strings.Contains(path, "/") {
				w.WriteHeader(http.StatusNotFound)
				_, _ = fmt.Fprint(w, `{"status": 404, "message": "Not Found"}`)
				return
			}
			self := "http://" + r.Host + r.URL.String()
			_, _ = fmt.Fprintf(w, `{%q: [%s], "links": [{"href": %q, "rel": "first"}, {"href": %q, "rel": "self"}]}`, strings.ReplaceAll(path, "-", "_"), rows, self, self)
		}))
		t.Cleanup(web.Close)
		for _, line := range []string{"craton explain a", "craton doctor", "craton host-show a", "craton-inventory --list", "craton-inventory --host a"} {
			words := strings.Fields(line)
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, words[0]), words[1:]...)
			cmd.Env = []string{"HOME=" + t.TempDir(), "CRATON_URL=" + web.URL, "OS_USERNAME=u", "OS_PASSWORD=p", "OS_PROJECT_ID=5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c", "CRATON_RETRIES=0"}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), `row 1 of its list "`) || !strings.Contains(string(out), want) {
				t.Errorf("%s, of %s: %v\n%s", line, rows, err, out)
			}
		}
		for _, line := range []string{"__complete explain ", "__complete host-show "} {
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "craton"), append(strings.Fields(line), "")...)
			cmd.Env = []string{"HOME=" + t.TempDir(), "CRATON_URL=" + web.URL, "OS_USERNAME=u", "OS_PASSWORD=p", "OS_PROJECT_ID=5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c", "CRATON_RETRIES=0"}
			if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), ":") {
				t.Errorf("%s, of %s: %v\n%s", line, rows, err, out)
			}
		}
	}
}
