package postgrestest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// onSmallDisk changes the server's command so that it first mounts the small file system, in a mount namespace of its
// own. The file system disappears with the server.
func (s *Server) onSmallDisk(cmd *exec.Cmd) {
	uid, gid := s.directory.IDs()
	mount := fmt.Sprintf(`mkdir -p small && mount -t tmpfs -o size=%dm,uid=%d,gid=%d,mode=700 none small && exec setpriv --reuid %[2]d --regid %[3]d --clear-groups "$@"`, s.config.smallDisk, uid, gid)
	cmd.Args = append([]string{"unshare", "--mount", "sh", "-c", mount, "sh"}, cmd.Args...)
	cmd.Path = "/usr/bin/unshare"
	cmd.SysProcAttr.Credential = nil
}

// OnSmallDisk is [Server.Database] on the small file system.
func (s *Server) OnSmallDisk(t testing.TB) string {
	t.Helper()
	s.Exec(t, superuser, "CREATE TABLESPACE small LOCATION '"+s.directory.File("small")+"'")
	name := "small"
	s.Exec(t, superuser, "CREATE DATABASE "+name+" OWNER "+Role+" TABLESPACE small")
	return s.URL(name)
}

// GrowDisk enlarges the small file system.
func (s *Server) GrowDisk(t testing.TB, mb int) {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), "nsenter", "--target", strconv.Itoa(s.process.PID), "--mount",
		"mount", "-o", fmt.Sprintf("remount,size=%dm", mb), s.directory.File("small")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// CanMount skips a test if it is not permitted to mount file systems.
func CanMount(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 || exec.CommandContext(t.Context(), "unshare", "--mount", "true").Run() != nil {
		t.Skip("only root can mount a small file system")
	}
}
