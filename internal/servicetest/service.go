package servicetest

import (
	"context"
	"errors"
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
	"time"

	"github.com/craton-fleet/craton/internal/retry"
)

// Directory is a temporary one, in which programs run, each with a log. It goes with them when the test process ends.
type Directory struct {
	Path  string
	watch *exec.Cmd  // leads the process group that the programs are in
	life  *os.File   // the watcher waits for its end
	owner *user.User // whom the programs run as; nil is who runs the tests
}

// lives keeps the collector from closing what nobody has any more.
var lives sync.Map

// watch waits for the end of its standard input, ends all of its process group but itself, and what has left that and
// works in the directory, and removes the directory, into which the last of them may write.
const watch = `trap '' INT HUP QUIT TERM
read -r _
kill -QUIT 0
until rm -rf "$1" 2>/dev/null; do
	sleep 0.1
done
for process in /proc/[0-9]*; do
	case $(readlink "$process/cwd" 2>/dev/null) in "$1"/* | "$1 "*) kill -KILL "${process#/proc/}" 2>/dev/null; esac
done
`

// NewDirectory makes a directory whose name has the given word in it.
func NewDirectory(word string) (_ *Directory, err error) {
	d := &Directory{}
	if d.Path, err = os.MkdirTemp("", "craton-test-"+word+"-"); err != nil {
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
	d.watch = exec.CommandContext(context.Background(), "/bin/sh", "-c", watch, "watch", d.Path)
	d.watch.Stdin, d.watch.SysProcAttr = stdin, &syscall.SysProcAttr{Setpgid: true}
	if err := d.watch.Start(); err != nil {
		_ = os.RemoveAll(d.Path)
		return nil, err
	}
	if os.Geteuid() == 0 {
		if d.owner, err = user.Lookup("postgres"); err != nil {
			d.owner, err = user.Lookup("nobody")
		}
		if err == nil {
			err = d.Chown(d.Path)
		}
	}
	if err != nil {
		d.Remove()
		return nil, err
	}
	return d, nil
}

// Remove ends what runs in the directory, and removes it.
func (d *Directory) Remove() {
	_ = d.life.Close()
	lives.Delete(d.life)
	_ = d.watch.Wait()
}

// File is the path of a file in the directory.
func (d *Directory) File(name string) string { return filepath.Join(d.Path, name) }

// Write makes a file that only the programs can read.
func (d *Directory) Write(name, text string) error {
	if err := os.WriteFile(d.File(name), []byte(text), 0o600); err != nil {
		return err
	}
	return d.Chown(d.File(name))
}

// Kill ends all that works in the directory where it is, also what has left its
// process group, as when a machine loses its power. It can be started again there.
func (d *Directory) Kill() error {
	return errors.Join(d.Signal(syscall.SIGSTOP), d.Signal(syscall.SIGKILL)) // who is stopped makes no others
}

// Signal sends a signal to all that works in the directory: with SIGSTOP and SIGCONT, it answers nothing for a while.
func (d *Directory) Signal(signal syscall.Signal) error {
	processes, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return err
	}
	for _, p := range processes {
		at, err := os.Readlink(p)
		if err != nil || at != d.Path && !strings.HasPrefix(at, d.Path+"/") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(p))); err == nil {
			_ = syscall.Kill(pid, signal) // it may be gone
		}
	}
	return nil
}

// Chown makes the programs' user the owner of a file.
func (d *Directory) Chown(path string) error {
	if d.owner == nil {
		return nil
	}
	uid, gid := d.IDs()
	return os.Chown(path, int(uid), int(gid))
}

// IDs are those of the programs' user, where tests run as root.
func (d *Directory) IDs() (uid, gid uint32) {
	u, _ := strconv.ParseUint(d.owner.Uid, 10, 32)
	g, _ := strconv.ParseUint(d.owner.Gid, 10, 32)
	return uint32(u), uint32(g)
}

// Command is a program in the directory, as its user, with few variables.
func (d *Directory) Command(argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = d.Path, []string{"PATH=/usr/bin:/bin", "HOME=" + d.Path, "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: d.watch.Process.Pid}
	if d.owner != nil {
		uid, gid := d.IDs()
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return cmd
}

// Process is a program that runs on.
type Process struct {
	PID     int
	Done    chan struct{} // closed after the end
	Problem error         // why it ended; valid after Done
	log     string        // its file
}

// Start starts a program, whose output goes to the named file of the directory, over that of the one before.
func (d *Directory) Start(cmd *exec.Cmd, logFile string) (*Process, error) {
	log, err := os.OpenFile(d.File(logFile), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // a copy
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{PID: cmd.Process.Pid, log: log.Name(), Done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // its state says it
		p.Problem = fmt.Errorf("%s ended: %s\n%s", filepath.Base(cmd.Path), cmd.ProcessState, p.Tail())
		close(p.Done)
	}()
	return p, nil
}

// Tail is the end of what the program wrote.
func (p *Process) Tail() string {
	const most = 4000 // bytes
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-most):]))
}

// FreePort is a port of the loopback address that nobody listens on. It is none of those that the kernel gives away by
// itself, so it stays free while a server that has it is stopped, and one that begins here can rarely find it taken.
func FreePort() (int, error) {
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

// StartTime is how long a service may take until it answers: a second of
// computing, shared with all that runs on the machine.
const StartTime = 2 * time.Minute

// WaitFor waits until the program listens on an address.
func (p *Process) WaitFor(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), StartTime)
	defer cancel()
	return retry.Every(20*time.Millisecond).Do(ctx, func(int) (again bool, err error) {
		select {
		case <-p.Done:
			return false, p.Problem
		default:
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return true, err
		}
		return false, conn.Close()
	})
}
