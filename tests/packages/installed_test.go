package packages

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The versions that are installed: the first, an upgrade of it, and one of before, which knows a schema less.
const (
	older  = "0.0.9"
	first  = "0.1.0"
	second = "0.2.0"
)

// installedVariable is the folder with the packages, in the root that they are installed in.
const installedVariable = "CRATON_TEST_PACKAGES_INSTALLED"

const config = "/etc/craton/config.yml"

// is checks a file: its mode, and whose it is.
func is(t *testing.T, file, want string) {
	t.Helper()
	if got := strings.TrimSpace(output(t, "stat", "-c", "%a %U:%G", file)); got != want {
		t.Errorf("%s is %s, want %s", file, got, want)
	}
}

// has checks that a text has others.
func has(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestInstalled runs in the overlay that TestPackages makes.
func TestInstalled(t *testing.T) {
	dir := os.Getenv(installedVariable)
	if dir == "" {
		t.Skip("TestPackages runs it")
	}
	deb := func(version string) string { return filepath.Join(dir, "craton_"+version+"-1_amd64.deb") }
	said := output(t, "dpkg", "-i", deb(first))
	has(t, said, "runuser -u craton -- craton server bootstrap", "systemctl enable --now craton")
	is(t, "/etc/craton", "750 root:craton")
	is(t, config, "640 root:craton")
	is(t, "/var/lib/craton", "750 craton:craton")
	is(t, "/var/lib/craton/backups", "750 craton:craton")
	if _, err := os.Stat("/var/lib/craton/fleet.db"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a database is there before anybody has made one: %v", err)
	}
	for _, page := range []string{"craton", "craton-server", "craton-find", "craton-inventory", "iotronic-inventory"} {
		if _, err := os.Stat("/usr/share/man/man1/" + page + ".1.gz"); err != nil {
			t.Error(err)
		}
	}
	// Who may not read the server's configuration is not kept from using the program.
	has(t, output(t, "runuser", "-u", "nobody", "--", "env", "HOME=/", "craton", "config"), "no configuration file")

	// An upgrade before there is a fleet has nothing to save.
	if said := output(t, "dpkg", "-i", deb(first)); strings.Contains(said, "backup contains") {
		t.Error(said)
	}
	has(t, output(t, "runuser", "-u", "craton", "--", "craton", "server", "bootstrap"), "APIKey: ")
	is(t, "/var/lib/craton/fleet.db", "600 craton:craton")

	serve := start(t)
	change := output(t, "runuser", "-u", "craton", "--", "env", "CRATON_URL=sqlite:/var/lib/craton/fleet.db", "craton", "cloud-create", "--name", "east")
	has(t, change, "east")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	mine := append(text, "  log_format: json\n"...)
	if err := os.WriteFile(config, mine, 0o640); err != nil {
		t.Fatal(err)
	}

	// While the old version serves.
	said = output(t, "dpkg", "-i", deb(second))
	saved := regexp.MustCompile(`craton: (/var/lib/craton/backups/before-0\.2\.0-schema-\d+-\w+\.backup) contains \d+ rows`).FindStringSubmatch(said)
	if saved == nil {
		t.Fatalf("no backup was made before the upgrade:\n%s", said)
	}
	is(t, saved[1], "600 craton:craton")
	if now, err := os.ReadFile(config); err != nil || string(now) != string(mine) {
		t.Errorf("the configuration is %v\n%s", err, now)
	}
	is(t, config, "640 root:craton")
	serve.stop(t)
	serve = start(t)
	has(t, output(t, "craton", "--version"), second)

	// Back, to what knows a schema less: as if its backup were of that.
	old := regexp.MustCompile(`-schema-\d+-`).ReplaceAllString(saved[1], "-schema-1-")
	if err := os.Rename(saved[1], old); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "dpkg", "-i", deb(older)).CombinedOutput()
	if err == nil {
		t.Fatalf("a version that cannot read the database was installed:\n%s", out)
	}
	has(t, string(out), "version 0.0.9 is older than the database", "Nothing is installed", "craton server restore ")
	has(t, output(t, "dpkg-query", "-W", "-f", "${Version} ${Status}", "craton"), "0.2.0-1 install ok installed")
	has(t, output(t, "craton", "--version"), second)
	serve.stop(t)
	var restore string
	for line := range strings.Lines(string(out)) {
		command := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(command, "mkdir -p "):
			output(t, "sh", "-c", command)
		case strings.HasPrefix(command, "runuser "):
			restore = command
		}
	}
	if _, err := os.Stat("/var/lib/craton/backups/aside/fleet.db"); err != nil {
		t.Error(err)
	}
	output(t, "dpkg", "-i", deb(older))
	if fields := strings.Fields(restore); len(fields) == 0 || !strings.HasPrefix(fields[len(fields)-1], "/var/lib/craton/backups/") {
		t.Fatalf("the command to run is %q", restore)
	}
	has(t, output(t, "sh", "-c", restore), "Restored ")
	has(t, output(t, "runuser", "-u", "craton", "--", "env", "CRATON_URL=sqlite:/var/lib/craton/fleet.db", "craton", "cloud-list"), "east")
	start(t).stop(t)

	output(t, "dpkg", "-r", "craton")
	if _, err := os.Stat(config); err != nil {
		t.Errorf("removing it took the configuration: %v", err)
	}
	has(t, output(t, "dpkg", "-P", "craton"), "still in /var/lib/craton")
	if _, err := os.Stat(config); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("purging it left the configuration: %v", err)
	}
	is(t, "/var/lib/craton/fleet.db", "600 craton:craton")
}

// service is what a unit has started.
type service struct {
	cmd   *exec.Cmd
	heard *net.UnixConn
	log   *strings.Builder
}

// unit reads a setting of the installed unit; the last one counts.
func unit(t *testing.T, key string) string {
	t.Helper()
	f, err := os.Open("/usr/lib/systemd/system/craton.service")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	value := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), key+"="); ok {
			value = text
		}
	}
	if value == "" {
		t.Fatalf("the unit has no %s", key)
	}
	return value
}

// start starts what the unit says, as whom it says, and waits until that says that it is ready; then it is reloaded,
// and stopped in the end.
func start(t *testing.T) *service {
	t.Helper()
	if kind := unit(t, "Type"); kind != "notify" {
		t.Fatalf("the unit is of the type %s", kind)
	}
	socket := filepath.Join("/run", "craton-test-"+time.Now().Format("150405.000000"))
	heard, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-u", unit(t, "User"), "--", "env", "-i", "HOME=/var/lib/craton", "NOTIFY_SOCKET=" + socket, unit(t, "Environment")}, strings.Fields(unit(t, "ExecStart"))...)
	s := &service{cmd: exec.Command("runuser", args...), heard: heard, log: &strings.Builder{}}
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	s.hears(t, "READY=1")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:7780/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.log)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("/readyz: %s\n%s", resp.Status, s.log)
	}
	output(t, "sh", "-c", "MAINPID="+s.main(t)+"; "+unit(t, "ExecReload"))
	s.hears(t, "RELOADING=1")
	s.hears(t, "READY=1")
	return s
}

// main is the id of the server's process: runuser waits for it.
func (s *service) main(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(output(t, "pgrep", "-P", strconv.Itoa(s.cmd.Process.Pid)))
}

// hears waits until the server says something to systemd.
func (s *service) hears(t *testing.T, want string) {
	t.Helper()
	buf := make([]byte, 1000)
	_ = s.heard.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		n, err := s.heard.Read(buf)
		if err != nil {
			t.Fatalf("%s was not heard: %v\n%s", want, err, s.log)
		}
		if strings.HasPrefix(string(buf[:n]), want) {
			return
		}
	}
}

// stop stops it as systemd does.
func (s *service) stop(t *testing.T) {
	t.Helper()
	output(t, "kill", "-TERM", s.main(t))
	s.hears(t, "STOPPING=1")
	if err := s.cmd.Wait(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signaled() {
			t.Errorf("%v\n%s", err, s.log)
		}
	}
	_ = s.heard.Close()
}
