package openstacktest

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// python is Debian's Python, the one that has the Debian packages.
const python = "/usr/bin/python3"

//go:embed watch.py
var watch string

// process is a running service.
type process struct {
	dir     string        // its own; removed at its end
	life    *os.File      // the service runs while this is open
	done    chan struct{} // closed after the end
	problem error         // why it ended; valid after done
}

// start runs a program in dir, which it owns from now on: until stop is
// called or this process ends. Its output goes to DIR/log. listener, if any,
// is its file descriptor 3, and is closed here. env is its whole environment
// beside PATH, HOME and the locale.
func start(dir string, listener *os.File, env []string, argv ...string) (*process, error) {
	if listener != nil {
		defer listener.Close() //nolint:errcheck // a copy; the service has its own
	}
	stdin, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close() //nolint:errcheck // a copy
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // a copy
	cmd := exec.Command(python, append([]string{"-I", "-c", watch, dir}, argv...)...)
	cmd.Dir, cmd.Env = dir, environment(dir, env)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, log, log
	if listener != nil {
		cmd.ExtraFiles = []*os.File{listener}
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{dir: dir, life: life, done: make(chan struct{})}
	go func() {
		err := cmd.Wait()
		p.problem = fmt.Errorf("%s ended: %v\n%s", filepath.Base(argv[0]), err, p.logTail())
		_ = os.RemoveAll(dir)
		close(p.done)
	}()
	return p, nil
}

func environment(home string, more []string) []string {
	return append([]string{"PATH=/usr/bin:/bin", "HOME=" + home, "LC_ALL=C.UTF-8"}, more...)
}

// stop ends the service and waits for its end.
func (p *process) stop() {
	_ = p.life.Close()
	<-p.done
}

// logTail is the end of what the service wrote.
func (p *process) logTail() string {
	const most = 4000 // bytes
	text, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-most):]))
}

// startTime is how long a service may take until it answers: two seconds of
// computing, shared with all that runs on the machine.
const startTime = 2 * time.Minute

// waitFor waits until url answers with 200. The error has the end of the log.
func (p *process) waitFor(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		err := answers(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.problem
		case <-ctx.Done():
			return fmt.Errorf("no good answer within %v: %w\n%s", startTime, err, p.logTail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func answers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", url, resp.Status, body)
	}
	return nil
}

// need skips the test unless a Debian package is installed, or fails it if
// the environment variable says "required". It returns the package's version.
func need(t testing.TB, pkg, variable string) string {
	t.Helper()
	version, err := installed(pkg)
	switch {
	case err == nil:
		return version
	case os.Getenv(variable) == "required":
		t.Fatalf("%s=required, but Debian's package %s is not installed: %v", variable, pkg, err)
	default:
		t.Skipf("needs Debian's package %s: apt-get install --no-install-recommends %s", pkg, pkg)
	}
	return ""
}

var versions sync.Map // package -> func() (string, error)

// installed returns the version of an installed Debian package.
func installed(pkg string) (string, error) {
	ask, _ := versions.LoadOrStore(pkg, sync.OnceValues(func() (string, error) {
		out, err := exec.Command("dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Version}", pkg).Output()
		if err != nil {
			return "", err
		}
		version, ok := strings.CutPrefix(string(out), "installed ")
		if !ok {
			return "", fmt.Errorf("dpkg says %q", out)
		}
		return version, nil
	}))
	return ask.(func() (string, error))()
}

// cached returns the directory .cache/openstacktest/NAME of the repository and
// has it filled by fill if it is not there. Processes wait for each other.
func cached(name string, fill func(dir string) error) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	parent := filepath.Join(root, ".cache", "openstacktest")
	dir := filepath.Join(parent, name)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(parent, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() //nolint:errcheck // nothing is written; closing unlocks
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fresh, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh) //nolint:errcheck // renamed, or of no use
	if err := fill(fresh); err != nil {
		return "", err
	}
	return dir, os.Rename(fresh, dir)
}

// repository is the directory above the working one that has go.mod.
func repository() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("the tests do not run inside the repository: no go.mod above the working directory")
		}
	}
	return "", err
}
