package postgrestest

import (
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/craton-fleet/craton/internal/servicetest"
)

// Standby starts a standby of s for one test, which replays the writes of s and can be read. It has the databases of s:
// see [Server.URL].
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	standby := &Server{config: s.config, CA: s.CA, Cert: s.Cert, Key: s.Key}
	var err error
	if standby.directory, err = servicetest.NewDirectory("standby"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Close)
	out, err := standby.directory.Command(filepath.Join(bin(), "pg_basebackup"), "-D", standby.directory.File("data"), "-h", s.directory.Path,
		"-p", strconv.Itoa(s.Port), "-U", superuser, "-c", "fast", "--no-sync", "--write-recovery-conf").CombinedOutput()
	if err == nil {
		err = standby.begin()
	}
	if err != nil {
		t.Fatal(fmt.Errorf("cannot start a standby: %w\n%s", err, out))
	}
	return standby
}

// Freeze makes the server unresponsive, as if its machine were disconnected, until Thaw.
func (s *Server) Freeze(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Server) Thaw(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.directory.Signal(signal); err != nil {
		t.Fatal(err)
	}
}
