package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/server"
)

// TestStretch: what a model is stretched to is a backup, of so many times its hosts.
func TestStretch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(dir, "model.db"), server.Options{Create: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a test's
	root, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := func(of *server.Server) *craton.Client {
		front := httptest.NewServer(of.Handler())
		t.Cleanup(front.Close)
		c, err := craton.New(front.URL, craton.WithLocalAuth(root.Username, root.APIKey, root.ProjectID))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := seed(t.Context(), client(s), root.ProjectID, 20); err != nil {
		t.Fatal(err)
	}
	var small, large bytes.Buffer
	if _, err := s.Backup(t.Context(), &small, nil); err != nil {
		t.Fatal(err)
	}
	m, err := readModel(&small)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := m.stretch(&large, 3)
	if err != nil {
		t.Fatal(err)
	}
	database := "sqlite:" + filepath.Join(dir, "large.db")
	_, restored, err := server.Restore(t.Context(), database, server.Options{Logger: quiet}, "large", func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(large.Bytes())), nil }, nil)
	if err != nil || restored != rows {
		t.Fatalf("%d rows are restored of %d: %v", restored, rows, err)
	}
	again, err := server.Open(t.Context(), database, server.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close() //nolint:errcheck // a test's
	c := client(again)
	names := map[string]bool{}
	for h, err := range c.Hosts.All(t.Context(), craton.HostListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		names[h.Name+h.IPAddress] = true
	}
	if len(names) != 60 {
		t.Errorf("%d hosts, want 60 of different names", len(names))
	}
	for one, err := range c.Hosts.All(t.Context(), craton.HostListOptions{Where: "serial=SN00000059 cell_mtu"}) {
		if err != nil || one.Name != "host-000059.example.net" {
			t.Errorf("%v, %v", one, err)
		}
	}
}
