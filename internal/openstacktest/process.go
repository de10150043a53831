package openstacktest

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/retry"
	"github.com/craton-fleet/craton/internal/skip"
)

// debian is Debian's Python, the one that has the Debian packages.
const debian = "/usr/bin/python3"

//go:embed watch.py
var watch string

// process is a running service.
type process struct {
	dir     string        // its own; removed at its end
	life    *os.File      // the service runs while this is open
	done    chan struct{} // closed after the end
	problem error         // why it ended; valid after done
}

// start runs a program of a Python in dir, which it owns from now on: until stop is called or this process ends. Its
// output goes to DIR/log. socket is its file descriptor 3. env is its whole environment beside PATH, HOME and the
// locale.
func start(dir string, socket *os.File, env []string, python, program string) (*process, error) {
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
	cmd := exec.CommandContext(context.Background(), python, "-I", "-c", watch, dir, python, "-I", "-c", program)
	cmd.Dir, cmd.Env = dir, environment(dir, env)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, log, log
	cmd.ExtraFiles = []*os.File{socket}
	if err := cmd.Start(); err != nil {
		_ = life.Close()
		return nil, err
	}
	p := &process{dir: dir, life: life, done: make(chan struct{})}
	go func() {
		err := cmd.Wait()
		p.problem = fmt.Errorf("%s ended: %w\n%s", filepath.Base(dir), status(err), p.logTail())
		_ = os.RemoveAll(dir)
		close(p.done)
	}()
	return p, nil
}

// serve runs a program of a Python in a copy of a prepared directory. Its file descriptor 3 is a socket on a free port;
// configure writes its configuration for that endpoint and returns its environment. It is up when the path of the
// endpoint answers.
//
// The socket is bound here, so no port has to be guessed, and a request waits in its queue until the service is ready.
func serve(python, prepared, program, path string, configure func(dir, endpoint string) (env []string, err error)) (p *process, endpoint string, err error) {
	dir, err := os.MkdirTemp("", "craton-test-"+filepath.Base(prepared)+"-")
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	if err := os.CopyFS(dir, os.DirFS(prepared)); err != nil {
		return nil, "", err
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	defer listener.Close() //nolint:errcheck // a copy
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		return nil, "", err
	}
	defer socket.Close() //nolint:errcheck // a copy
	endpoint = "http://" + listener.Addr().String()
	env, err := configure(dir, endpoint)
	if err != nil {
		return nil, "", err
	}
	if p, err = start(dir, socket, env, python, program); err != nil {
		return nil, "", err
	}
	if err := p.waitFor(endpoint + path); err != nil {
		p.stop()
		return nil, "", err
	}
	return p, endpoint, nil
}

// run runs a Python to its end.
func run(python, dir string, env []string, argv ...string) error {
	// A service that many tests share is no single test's, so it has no context.
	cmd := exec.CommandContext(context.Background(), python, argv...)
	cmd.Dir, cmd.Env = dir, environment(dir, env)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", argv, err, out)
	}
	return nil
}

func environment(home string, more []string) []string {
	return append([]string{"PATH=/usr/bin:/bin", "HOME=" + home, "LC_ALL=C.UTF-8"}, more...)
}

// status is how a service ended, which it never should by itself.
func status(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
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
	var last error
	if retry.Every(50*time.Millisecond).Do(ctx, func(int) (again bool, err error) {
		last = answers(ctx, url)
		return last != nil, nil
	}) == nil {
		return nil
	}
	select {
	case <-p.done: // which has ended the context
		return p.problem
	default:
	}
	return fmt.Errorf("no good answer within %v: %w\n%s", startTime, last, p.logTail())
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

// need skips the test unless a Debian package is installed, or fails it if the environment variable says "required".
func need(t testing.TB, pkg, variable string) {
	t.Helper()
	_, err := installed(pkg)
	switch {
	case err == nil:
	case os.Getenv(variable) == "required":
		t.Fatalf("%s=required: %v", variable, err)
	default:
		skip.Packages(t, pkg)
	}
}

// ErrMissing tells that a Debian package is not installed.
var ErrMissing = errors.New("needs Debian's package")

var versions sync.Map // package -> func() (string, error)

// installed returns the version of an installed Debian package.
func installed(pkg string) (string, error) {
	ask, _ := versions.LoadOrStore(pkg, sync.OnceValues(func() (string, error) {
		out, err := exec.CommandContext(context.Background(), "dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Version}", pkg).Output()
		version, ok := strings.CutPrefix(string(out), "installed ")
		if err != nil {
			out = []byte(err.Error())
		}
		if !ok {
			return "", fmt.Errorf("%w %s: apt-get install --no-install-recommends %[2]s (dpkg-query: %[3]s)", ErrMissing, pkg, out)
		}
		return version, nil
	}))
	return ask.(func() (string, error))()
}

// cached returns the directory of the repository's .cache that holds what fill makes of a release of a package by a
// recipe, and makes it if it is not there. Processes wait for each other.
func cached(pkg, version, recipe string, fill func(dir string) error) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	parent := filepath.Join(root, ".cache", "openstacktest")
	sum := sha256.Sum256([]byte(recipe))
	dir := filepath.Join(parent, fmt.Sprintf("%s-%s-%x", strings.TrimPrefix(pkg, "python3-"), strings.ReplaceAll(version, ":", "-"), sum[:4]))
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
