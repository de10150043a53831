package main_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// browse sends a request as a browser does, and gives the status and the text.
func browse(t *testing.T, c *http.Client, method, url string, form url.Values) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(all)
}

// TestServerPageReload: who is signed in stays so when the server reads a renewed certificate, on connections that are
// open and on new ones.
func TestServerPageReload(t *testing.T) {
	t.Parallel()
	r := serve(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := func() *http.Client {
		return &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // it changes meanwhile
	}
	open := browser()
	if status, text := browse(t, open, http.MethodPost, r.url+"/ui/sign-in", url.Values{"user": {"bootstrap"}, "project": {r.project}, "secret": {r.key}}); status != http.StatusOK || !strings.Contains(text, "Sign out") {
		t.Fatalf("%d %s", status, text)
	}
	certificate(t, filepath.Dir(r.certificate))
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	plainServer{running: r}.waitLog(t, "reloaded the TLS certificate")
	for name, c := range map[string]*http.Client{"an open connection": open, "a new one": browser()} {
		if status, text := browse(t, c, http.MethodGet, r.url+"/ui/hosts", nil); status != http.StatusOK || !strings.Contains(text, "Sign out") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

// TestServerWithoutPage: CRATON_PAGE=false leaves the page out: a browser is told so in a line, and below /ui/ answers
// the API.
func TestServerWithoutPage(t *testing.T) {
	t.Parallel()
	b := bootstrapped(t)
	cmd := exec.Command(filepath.Join(binaries(t), "craton"), "server", "--database", b.database, "--listen", "127.0.0.1:0", "--log-format", "json")
	cmd.Env = append(cmd.Environ(), "CRATON_PAGE=false")
	r := startServer(t, cmd)
	if status, text := browse(t, http.DefaultClient, http.MethodGet, r.url+"/", nil); status != http.StatusOK || strings.Count(text, "\n") != 1 || !strings.Contains(text, "craton server") || strings.Contains(text, "<html") {
		t.Errorf("%d %s", status, text)
	}
	for _, path := range []string{"/ui/", "/ui/sign-in", "/ui/hosts.json", "/ui/assets/craton.css"} {
		if status, text := browse(t, http.DefaultClient, http.MethodGet, r.url+path, nil); status != http.StatusUnauthorized || strings.Contains(text, "<") { // as of any path that there is not, by the API
			t.Errorf("%s: %d %.300s", path, status, text)
		}
	}
}
