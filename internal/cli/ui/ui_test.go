//go:build !collection && !nopage

package ui

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/server"
)

// TestServe: the command prints an address that leads in once, and ends when it is told to.
func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(dir, "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out, write := io.Pipe()
	var said strings.Builder
	cmd := New(output.Streams{In: strings.NewReader(""), Out: write, Err: &said})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"--no-open", "--config", config, "--craton-url", "sqlite:" + filepath.Join(dir, "fleet.db")})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx); write.Close() }()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v, %v", err, <-ended)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: time.Minute}
	get := func(c *http.Client, url string) (int, string) {
		r, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(body)
	}
	address = strings.TrimSpace(address)
	page, _, _ := strings.Cut(address, "enter?")
	if !strings.HasPrefix(page, "http://127.0.0.1:") {
		t.Fatal(address)
	}
	if status, _ := get(browser, page); status != http.StatusForbidden {
		t.Errorf("before: %d", status)
	}
	if status, body := get(browser, address); status != http.StatusOK || !strings.Contains(body, strings.TrimPrefix(page, "http://"+strings.Split(page, "/")[2])) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := get(browser, page); status != http.StatusOK || !wording.Has(body, "no clouds") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get(http.DefaultClient, address); status != http.StatusForbidden {
		t.Errorf("again: %d", status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(said.String(), "works once") {
		t.Error(said.String())
	}
}
