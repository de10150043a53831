package main_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// over returns a client that comes through a Unix socket.
func over(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
}

// status asks for a path, and returns the status and the body.
func status(t *testing.T, c *http.Client, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// ends waits until a server that was told to stop has ended.
func (r *running) ends(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-r.done
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, r.log)
	}
}

// TestUnixSocket: a socket for the server's group, which takes the place of one that a killed server left, and of
// nothing else; behind a proxy there, the client is the one that the proxy names.
func TestUnixSocket(t *testing.T) {
	t.Parallel()
	database, craton := bootstrapped(t).database, filepath.Join(binaries(t), "craton")
	socket := filepath.Join(t.TempDir(), "craton.sock")
	start := func() *running {
		return startServer(t, exec.Command(craton, "server", "--database", database, "--listen", "unix:"+socket, "--log-format", "json", "--trusted-proxies", "unix"))
	}
	r := start()
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", info, err)
	}
	if r.url != "unix:"+socket {
		t.Errorf("serving on %s", r.url)
	}
	if code, body := status(t, over(socket), "http://craton/livez", "X-Forwarded-For", "203.0.113.9"); code != 200 {
		t.Errorf("/livez: %d %s", code, body)
	}
	if out, err := exec.Command(craton, "server", "--database", database, "--listen", "unix:"+socket).CombinedOutput(); err == nil || !strings.Contains(string(out), "another process serves on "+socket) {
		t.Errorf("a second server: %v\n%s", err, out)
	}
	_ = r.cmd.Process.Kill()
	<-r.done
	if log := r.log.String(); !strings.Contains(log, `"client":"203.0.113.9"`) {
		t.Errorf("the client is not in the log:\n%s", log)
	}
	if _, err := os.Stat(socket); err != nil {
		t.Fatalf("nothing was left: %v", err)
	}
	r = start()
	if code, body := status(t, over(socket), "http://craton/readyz"); code != 200 {
		t.Errorf("/readyz: %d %s", code, body)
	}
	r.ends(t)
	if err := os.WriteFile(socket, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(craton, "server", "--database", database, "--listen", "unix:"+socket).CombinedOutput(); err == nil || !strings.Contains(string(out), "exists and is not a socket") {
		t.Errorf("in the place of a file: %v\n%s", err, out)
	}
	if text, err := os.ReadFile(socket); err != nil || string(text) != "mine" {
		t.Errorf("the file: %q %v", text, err)
	}
}

// TestSystemd starts a server as systemd does: with sockets that it passes, and a socket that hears what the server
// does.
func TestSystemd(t *testing.T) {
	t.Parallel()
	database, craton, dir := bootstrapped(t).database, filepath.Join(binaries(t), "craton"), t.TempDir()
	heard, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	hears := func(want string) {
		t.Helper()
		buf := make([]byte, 1000)
		_ = heard.SetReadDeadline(time.Now().Add(30 * time.Second))
		for {
			n, err := heard.Read(buf)
			if err != nil {
				t.Fatalf("%s was not heard: %v", want, err)
			}
			if strings.HasPrefix(string(buf[:n]), want) {
				return
			}
		}
	}
	var files []*os.File
	var sockets []net.Listener
	for _, path := range []string{"127.0.0.1:0", filepath.Join(dir, "craton.sock")} {
		network := "tcp"
		if filepath.IsAbs(path) {
			network = "unix"
		}
		l, err := net.Listen(network, path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		f, err := l.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		sockets, files = append(sockets, l), append(files, f)
	}
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" "$@"`, craton, "server", "--database", database, "--listen", "127.0.0.1:1", "--log-format", "json")
	cmd.ExtraFiles = files
	cmd.Env = append(os.Environ(), fmt.Sprintf("LISTEN_FDS=%d", len(files)), "NOTIFY_SOCKET="+filepath.Join(dir, "notify"), "WATCHDOG_USEC=300000")
	r := &running{cmd: cmd, log: &syncBuffer{}, done: make(chan struct{})}
	cmd.Stderr = writer(r.log.add)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(r.done) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-r.done })
	hears("READY=1")
	if code, body := status(t, http.DefaultClient, "http://"+sockets[0].Addr().String()+"/readyz"); code != 200 {
		t.Errorf("over TCP: %d %s", code, body)
	}
	if code, body := status(t, over(sockets[1].Addr().String()), "http://craton/readyz"); code != 200 {
		t.Errorf("over the Unix socket: %d %s", code, body)
	}
	hears("WATCHDOG=1")
	hears("WATCHDOG=1")
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hears("RELOADING=1\nMONOTONIC_USEC=")
	hears("READY=1")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hears("STOPPING=1")
	<-r.done
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d\n%s", code, r.log)
	}
}

// writer hands what is written to a function.
type writer func(string)

func (w writer) Write(p []byte) (int, error) {
	w(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// TestMetricsAddress: metrics at an address of their own, for who has the key, are not where the API is.
func TestMetricsAddress(t *testing.T) {
	t.Parallel()
	database, craton, dir := bootstrapped(t).database, filepath.Join(binaries(t), "craton"), t.TempDir()
	key, socket := filepath.Join(dir, "key"), filepath.Join(dir, "metrics.sock")
	if err := os.WriteFile(key, []byte("s3same\n"), 0o604); err != nil {
		t.Fatal(err)
	}
	args := []string{"server", "--database", database, "--listen", "127.0.0.1:0", "--log-format", "json", "--metrics-listen", "unix:" + socket, "--metrics-key-file", key}
	if out, err := exec.Command(craton, args...).CombinedOutput(); err == nil || !strings.Contains(string(out), "everyone on this machine can read or write "+key) || strings.Contains(string(out), "s3same") {
		t.Errorf("a key that everybody can read: %v\n%s", err, out)
	}
	if err := os.Chmod(key, 0o640); err != nil {
		t.Fatal(err)
	}
	r := startServer(t, exec.Command(craton, args...))
	if code, _ := status(t, http.DefaultClient, r.url+"/metrics"); code == 200 {
		t.Error("metrics are beside the API")
	}
	if code, body := status(t, over(socket), "http://craton/metrics"); code != 401 || strings.Contains(body, "craton_hosts") {
		t.Errorf("without the key: %d %s", code, body)
	}
	if code, body := status(t, over(socket), "http://craton/metrics", "Authorization", "Bearer s3same"); code != 200 || !strings.Contains(body, "craton_hosts{") {
		t.Errorf("with the key: %d %s", code, body)
	}
	if code, _ := status(t, over(socket), "http://craton/v1/clouds"); code != 404 {
		t.Errorf("the API is beside the metrics: %d", code)
	}
	r.ends(t)
	r = startServer(t, exec.Command(craton, "server", "--database", database, "--listen", "127.0.0.1:0", "--log-format", "json"))
	if code, body := status(t, http.DefaultClient, r.url+"/metrics"); code != 200 || !strings.Contains(body, "craton_hosts{") {
		t.Errorf("by default: %d %s", code, body)
	}
	r.ends(t)
	r = startServer(t, exec.Command(craton, "server", "--database", database, "--listen", "127.0.0.1:0", "--log-format", "json", "--metrics=false"))
	if code, _ := status(t, http.DefaultClient, r.url+"/metrics"); code == 200 {
		t.Error("metrics are there although they are turned off")
	}
}

// TestPublicAddress: who serves other machines without TLS is warned, and a certificate that is no good is said before
// anything is served.
func TestPublicAddress(t *testing.T) {
	t.Parallel()
	database, craton, dir := bootstrapped(t).database, filepath.Join(binaries(t), "craton"), t.TempDir()
	const warning = "unencrypted"
	for listen, warned := range map[string]bool{"0.0.0.0:0": true, "127.0.0.1:0": false} {
		r := startServer(t, exec.Command(craton, "server", "--database", database, "--listen", listen, "--log-format", "json"))
		r.ends(t)
		if got := strings.Contains(r.log.String(), warning); got != warned {
			t.Errorf("%s: warned %t\n%s", listen, got, r.log)
		}
	}
	cert, key := certificate(t, dir)
	r := startServer(t, exec.Command(craton, "server", "--database", database, "--listen", "0.0.0.0:0", "--log-format", "json", "--tls-cert", cert, "--tls-key", key))
	r.ends(t)
	if strings.Contains(r.log.String(), warning) {
		t.Errorf("with TLS:\n%s", r.log)
	}
	if err := os.WriteFile(cert, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(craton, "server", "--database", database, "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key).CombinedOutput()
	if err == nil || !strings.Contains(string(out), cert) || strings.Contains(string(out), "serving") {
		t.Errorf("a bad certificate: %v\n%s", err, out)
	}
}

// TestListenRefused: an address that is none, or taken, is said before anything is served.
func TestListenRefused(t *testing.T) {
	t.Parallel()
	database, craton := bootstrapped(t).database, filepath.Join(binaries(t), "craton")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for want, args := range map[string][]string{
		"no address is set":             {"--listen", ""},
		"the path of a socket":          {"--listen", "unix:@abstract"},
		"at most 107 ":                  {"--listen", "unix:/tmp/" + strings.Repeat("x", 110)},
		"address already in use":        {"--listen", "127.0.0.1:0", "--metrics-listen", l.Addr().String()},
		"metrics, which are turned off": {"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--metrics=false"},
	} {
		out, err := exec.Command(craton, append([]string{"server", "--database", database}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "msg=serving") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
}

// TestSlowClients: two hundred clients that send their request a byte at a time, or take no byte of their answer, hold
// up nobody.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	database, craton := bootstrapped(t).database, filepath.Join(binaries(t), "craton")
	r := startServer(t, exec.Command(craton, "server", "--database", database, "--listen", "127.0.0.1:0", "--log-format", "json", "--max-requests", "4"))
	address := strings.TrimPrefix(r.url, "http://")
	for i := range 200 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		text := "GET /v1/clouds HTT" // and no more
		if i%2 == 0 {
			text = "POST /v1/clouds HTTP/1.1\r\nHost: craton\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if code, body := status(t, http.DefaultClient, r.url+"/v1/clouds"); code != 401 {
			t.Fatalf("%d %s", code, body)
		}
	}
}

// TestMostConnections: who comes when there are as many connections as there may be waits until another one is closed.
func TestMostConnections(t *testing.T) {
	t.Parallel()
	database, craton := bootstrapped(t).database, filepath.Join(binaries(t), "craton")
	r := startServer(t, exec.Command(craton, "server", "--database", database, "--listen", "127.0.0.1:0", "--log-format", "json", "--max-connections", "2"))
	address := strings.TrimPrefix(r.url, "http://")
	dial := func() net.Conn {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	ask := func(c net.Conn) {
		if _, err := io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: craton\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	answered := func(c net.Conn, within time.Duration) bool {
		_ = c.SetReadDeadline(time.Now().Add(within))
		n, _ := c.Read(make([]byte, 100))
		return n > 0
	}
	first, second := dial(), dial()
	for _, c := range []net.Conn{first, second} {
		if ask(c); !answered(c, time.Minute) {
			t.Fatal("one of two is not answered")
		}
	}
	third := dial()
	if ask(third); answered(third, 300*time.Millisecond) {
		t.Error("a third is answered, where there may be two")
	}
	_ = first.Close()
	if !answered(third, time.Minute) {
		t.Error("a third is not answered, where one of two has gone")
	}
}
