package postgrestest

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/craton-fleet/craton/internal/servicetest"
)

// Standby starts a server for one test that replays what s writes, and can be read. It has what s has, its databases
// among it: [Server.URL].
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
