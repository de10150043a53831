package postgrestest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/craton-fleet/craton/internal/skip"
)

// What has to be installed.
const (
	variable       = "CRATON_TEST_POSTGRES"
	binVariable    = "CRATON_TEST_POSTGRES_BIN"
	debianBin      = "/usr/lib/postgresql/15/bin"
	debianBouncer  = "/usr/sbin/pgbouncer"
	debianPackage  = "postgresql-15"
	bouncerPackage = "pgbouncer"
)

// bin is the folder of PostgreSQL's programs.
func bin() string {
	if dir := os.Getenv(binVariable); dir != "" {
		return dir
	}
	return debianBin
}

// need skips the test unless a program is installed, or fails it if it may not
// be missing.
func need(t testing.TB, program, pkg string) {
	t.Helper()
	_, err := os.Stat(program)
	switch {
	case err == nil:
	case os.Getenv(variable) == "required":
		t.Fatalf("%s=required: %v; apt-get install --no-install-recommends %s", variable, err, pkg)
	case pkg == debianPackage && os.Getenv(binVariable) != "":
		t.Fatalf("%s has no PostgreSQL: %v", binVariable, err)
	default:
		skip.Packages(t, pkg)
	}
}

// directory is a temporary one, in which programs run, each with a log. It
// goes with them when the test process ends.
type directory struct {
	path  string
	watch *exec.Cmd  // leads the process group that the programs are in
	life  *os.File   // the watcher waits for its end
	owner *user.User // whom the programs run as; nil is who runs the tests
}

// lives keeps the collector from closing what nobody has any more.
var lives sync.Map

// watch waits for the end of its standard input, ends all of its process group
// but itself, and removes the directory, into which the last of them may write.
const watch = `trap '' INT HUP QUIT TERM; cat >/dev/null; kill -QUIT 0; until rm -rf "$1" 2>/dev/null; do sleep 0.1; done`

// newDirectory makes a directory whose name has the given word in it.
func newDirectory(word string) (_ *directory, err error) {
	d := &directory{}
	if d.path, err = os.MkdirTemp("", "craton-test-"+word+"-"); err != nil {
		return nil, err
	}
	stdin, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close() //nolint:errcheck // a copy
	d.life = life
	lives.Store(life, nil)
	// What many tests share is no single test's, so it has no context.
	d.watch = exec.CommandContext(context.Background(), "/bin/sh", "-c", watch, "watch", d.path)
	d.watch.Stdin, d.watch.SysProcAttr = stdin, &syscall.SysProcAttr{Setpgid: true}
	if err := d.watch.Start(); err != nil {
		_ = os.RemoveAll(d.path)
		return nil, err
	}
	if os.Geteuid() == 0 {
		if d.owner, err = user.Lookup("postgres"); err != nil {
			d.owner, err = user.Lookup("nobody")
		}
		if err == nil {
			err = d.give(d.path)
		}
	}
	if err != nil {
		d.remove()
		return nil, err
	}
	return d, nil
}

// remove ends what runs in the directory, and removes it.
func (d *directory) remove() {
	_ = d.life.Close()
	lives.Delete(d.life)
	_ = d.watch.Wait()
}

// file is the path of a file in the directory.
func (d *directory) file(name string) string { return filepath.Join(d.path, name) }

// write makes a file that only the programs can read.
func (d *directory) write(name, text string) error {
	if err := os.WriteFile(d.file(name), []byte(text), 0o600); err != nil {
		return err
	}
	return d.give(d.file(name))
}

// give makes the programs' user the owner of a file.
func (d *directory) give(path string) error {
	if d.owner == nil {
		return nil
	}
	uid, gid := d.ids()
	return os.Chown(path, int(uid), int(gid))
}

func (d *directory) ids() (uid, gid uint32) {
	u, _ := strconv.ParseUint(d.owner.Uid, 10, 32)
	g, _ := strconv.ParseUint(d.owner.Gid, 10, 32)
	return uint32(u), uint32(g)
}

// command is one of the programs, in the directory, as its user.
func (d *directory) command(argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = d.path, []string{"PATH=/usr/bin:/bin", "HOME=" + d.path, "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: d.watch.Process.Pid}
	if d.owner != nil {
		uid, gid := d.ids()
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return cmd
}

// process is a program that runs on.
type process struct {
	pid     int
	log     string        // its file
	done    chan struct{} // closed after the end
	problem error         // why it ended; valid after done
}

// start starts a program, whose output goes to the directory's file "log", over that of the one before.
func (d *directory) start(cmd *exec.Cmd) (*process, error) {
	log, err := os.OpenFile(d.file("log"), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // a copy
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{pid: cmd.Process.Pid, log: log.Name(), done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // its state says it
		p.problem = fmt.Errorf("%s ended: %s\n%s", filepath.Base(cmd.Path), cmd.ProcessState, p.tail())
		close(p.done)
	}()
	return p, nil
}

// tail is the end of what the program wrote.
func (p *process) tail() string {
	const most = 4000 // bytes
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-most):]))
}

// freePort is a port of the loopback address that nobody listens on. It is none
// of those that the kernel gives away by itself, so it stays free while a server
// that has it is stopped, and one that begins here can rarely find it taken.
func freePort() (int, error) {
	var err error
	for range 100 {
		port := 20000 + rand.IntN(12000) //nolint:gosec // not for secrets
		var l net.Listener
		if l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no free port: %w", err)
}
