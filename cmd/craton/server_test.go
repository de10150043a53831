package main_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// running is a `craton server` as its users run it.
type running struct {
	cmd          *exec.Cmd
	url          string
	key, project string
	log          *syncBuffer
	done         chan struct{} // the log has ended
	certificate  string
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.WriteString(line + "\n")
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// serve starts a server on a free port, with https and a user.
func serve(t *testing.T) *running {
	t.Helper()
	b := bootstrapped(t)
	cert, key := certificate(t, t.TempDir())
	r := startServer(t, exec.Command(filepath.Join(binaries(t), "craton"), "server", "--database", b.database, "--listen", "127.0.0.1:0",
		"--tls-cert", cert, "--tls-key", key, "--log-format", "json"))
	r.project, r.key, r.certificate = b.project, b.key, cert
	return r
}

// bootstrap is a database with its first user.
type bootstrap struct{ database, project, key string }

// bootstrapped makes a database in a folder of its own.
func bootstrapped(t *testing.T) (b bootstrap) {
	t.Helper()
	b.database = "sqlite:" + filepath.Join(t.TempDir(), "fleet.db")
	out, err := exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), "server", "bootstrap", "--database", b.database).Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := regexp.MustCompile(`(?m)^(ProjectId|APIKey): (.+)$`).FindAllStringSubmatch(string(out), -1)
	b.project, b.key = fields[0][2], fields[1][2]
	return b
}

// startServer runs a server that logs as JSON, until the test ends.
func startServer(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{cmd: cmd, log: &syncBuffer{}, done: make(chan struct{})}
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); _ = r.cmd.Wait() })
	urls := make(chan string, 1)
	go func() {
		defer close(r.done)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			r.log.add(lines.Text())
			if m := regexp.MustCompile(`"url":"([^"]+)"`).FindStringSubmatch(lines.Text()); m != nil {
				urls <- m[1]
			}
		}
	}()
	select {
	case r.url = <-urls:
	case <-r.done:
		t.Fatalf("the server did not start:\n%s", r.log)
	}
	return r
}

// certificate makes a self-signed certificate for 127.0.0.1.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "craton test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// env returns what a user of the server has set.
func (r *running) env(more ...string) []string {
	return append(append(os.Environ(), "CRATON_CONFIG=", "XDG_CONFIG_HOME=/nonexistent", "CRATON_URL="+r.url, "OS_USERNAME=bootstrap",
		"OS_PASSWORD="+r.key, "OS_PROJECT_ID="+r.project, "CRATON_CA_PATH="+r.certificate, "CRATON_RETRIES=0"), more...)
}

// craton runs the program against the server.
func (r *running) craton(t *testing.T, env []string, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries(t), name), args...)
	cmd.Env = env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// TestServer is a server's day: health, a fleet loaded and listed over https, refused credentials and certificates,
// a log with request ids and without secrets.
func TestServer(t *testing.T) {
	t.Parallel()
	r := serve(t)
	pool := x509.NewCertPool()
	text, err := os.ReadFile(r.certificate)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(text)
	hc := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	resp, err := hc.Get(r.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %s", resp.Status)
	}

	fleet := filepath.Join("..", "..", "examples", "fleet.yml")
	if out, errs, err := r.craton(t, r.env(), "craton", "apply", fleet); err != nil || errs != "" || !strings.Contains(out, "unchanged 0") {
		t.Fatalf("apply: %v\n%s%s", err, out, errs)
	}
	out, errs, err := r.craton(t, r.env(), "craton-inventory", "--list")
	if err != nil || errs != "" || !strings.Contains(out, `"web-ams1"`) {
		t.Errorf("--list: %v %s", err, errs)
	}
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"wrong key":           {r.env("OS_PASSWORD=wrong"), "401 Unauthorized"},
		"unknown certificate": {r.env("CRATON_CA_PATH="), "certificate"},
	} {
		out, errs, err := r.craton(t, c.env, "craton-inventory", "--list")
		if err == nil || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%s: %v, stdout %q, stderr %q", name, err, out, errs)
		}
	}
	if log := r.log.String(); !regexp.MustCompile(`"request_id":"req-[0-9a-f-]{36}"`).MatchString(log) || strings.Contains(log, r.key) {
		t.Errorf("the log lacks request ids or holds the key:\n%.2000s", log)
	}
}

// TestServerStopsGracefully: a request that is in progress when SIGTERM comes is answered, new ones are refused, and
// the process ends with status 0.
func TestServerStopsGracefully(t *testing.T) {
	t.Parallel()
	r := serve(t)
	body, send := io.Pipe()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, r.url+"/v1/clouds", body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"X-Auth-User": "bootstrap", "X-Auth-Token": r.key, "X-Auth-Project": r.project, "Content-Type": "application/json"} {
		req.Header.Set(name, value)
	}
	// The body is sent when the server asks for it, which it does when it reads the request's body: it is in progress
	// then.
	req.Header.Set("Expect", "100-continue")
	hc := &http.Client{Transport: &http.Transport{
		ExpectContinueTimeout: time.Minute,
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // its own certificate
	}}
	type answer struct {
		status int
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		resp, err := hc.Do(req)
		if err != nil {
			answers <- answer{err: err}
			return
		}
		_ = resp.Body.Close()
		answers <- answer{status: resp.StatusCode}
	}()
	if _, err := io.WriteString(send, `{"name": `); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(r.log.String(), `"msg":"stopping"`) {
		select {
		case <-r.done:
			t.Fatalf("the server ended with a request under way:\n%s", r.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
	if _, err := io.WriteString(send, `"east"}`); err != nil {
		t.Fatal(err)
	}
	_ = send.Close()
	if a := <-answers; a.err != nil || a.status != http.StatusCreated {
		t.Errorf("the request under way got %d, %v", a.status, a.err)
	}
	<-r.done
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, r.log)
	}
	if _, err := hc.Get(r.url + "/healthz"); err == nil {
		t.Error("the server still answers")
	}
}
