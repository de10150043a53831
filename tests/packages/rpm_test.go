package packages

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestInstalledRPM runs in an overlay that TestPackages makes: rpm itself installs the package, with its scriptlets,
// and starts, upgrades, refuses to downgrade and removes it. The dependencies are of another distribution, so rpm does
// not look for them.
func TestInstalledRPM(t *testing.T) {
	dir := os.Getenv(installedVariable)
	if dir == "" {
		t.Skip("TestPackages runs it")
	}
	rpm := func(how, version string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "rpm", how, "--force-debian", "--nodeps", filepath.Join(dir, "craton-"+version+"-1.x86_64.rpm")).CombinedOutput()
		return string(out), err
	}
	said, err := rpm("-i", first)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	has(t, said, "runuser -u craton -- craton server bootstrap")
	is(t, config, "640 root:craton")
	is(t, "/var/lib/craton", "750 craton:craton")
	is(t, "/var/lib/craton/backups", "750 craton:craton")
	has(t, output(t, "getent", "passwd", "craton"), ":/var/lib/craton:")
	has(t, output(t, "runuser", "-u", "craton", "--", "craton", "server", "bootstrap"), "APIKey: ")
	serve := start(t)
	has(t, output(t, "runuser", "-u", "craton", "--", "env", "CRATON_URL=sqlite:/var/lib/craton/fleet.db", "craton", "cloud-create", "--name", "east"), "east")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	mine := append(text, "  log_format: json\n"...)
	if err := os.WriteFile(config, mine, 0o640); err != nil {
		t.Fatal(err)
	}

	// Backups of upgrades of before: the newest five stay.
	for n := range 7 {
		file := filepath.Join("/var/lib/craton/backups", "before-0.0."+string(rune('0'+n))+"-schema-1-20200101T000000Z.backup")
		output(t, "runuser", "-u", "craton", "--", "touch", "-d", "2020-01-0"+string(rune('1'+n)), file)
	}
	if said, err = rpm("-U", second); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	saved := regexp.MustCompile(`craton: (/var/lib/craton/backups/before-0\.2\.0-schema-\d+-\w+\.backup) contains \d+ rows`).FindStringSubmatch(said)
	if saved == nil {
		t.Fatalf("no backup was made before the upgrade:\n%s", said)
	}
	is(t, saved[1], "600 craton:craton")
	kept := strings.Fields(output(t, "ls", "/var/lib/craton/backups"))
	if len(kept) != 5 || kept[0] != "before-0.0.3-schema-1-20200101T000000Z.backup" {
		t.Errorf("kept: %q", kept)
	}
	if now, err := os.ReadFile(config); err != nil || string(now) != string(mine) {
		t.Errorf("the configuration is %v\n%s", err, now)
	}
	serve.stop(t)
	has(t, output(t, "craton", "--version"), second)
	start(t).stop(t)

	cmd := exec.CommandContext(t.Context(), "rpm", "-U", "--oldpackage", "--force-debian", "--nodeps", filepath.Join(dir, "craton-"+older+"-1.x86_64.rpm"))
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("a version that cannot read the database was installed:\n%s", out)
	}
	has(t, string(out), "version 0.0.9 is older than the database", "Nothing is installed", "craton server restore ")
	has(t, output(t, "rpm", "-q", "craton"), "craton-"+second)
	has(t, output(t, "craton", "--version"), second)

	has(t, output(t, "rpm", "-e", "--force-debian", "craton"), "still in /var/lib/craton")
	if _, err := os.Stat(config + ".rpmsave"); err != nil {
		t.Errorf("removing it took the configuration: %v", err)
	}
	if _, err := os.Stat("/usr/bin/craton"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the program is still there: %v", err)
	}
	is(t, "/var/lib/craton/fleet.db", "600 craton:craton")
}

// TestInstalledAsTold runs in an overlay that TestPackages makes: what docs/operate.md says of installing, in its
// order, with what was made and signed here. Where no systemd runs, the test starts and reloads the unit in its place.
func TestInstalledAsTold(t *testing.T) {
	dir := os.Getenv(installedVariable)
	if dir == "" {
		t.Skip("TestPackages runs it")
	}
	text, err := os.ReadFile(filepath.Join(dir, "operate.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(sh|yaml)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	calls := filepath.Join(dir, "systemctl.calls")
	for _, name := range []string{"systemctl", "journalctl"} {
		script := "#!/bin/sh\necho " + name + " \"$@\" >>" + calls + "\n"
		if err := os.WriteFile(filepath.Join("/usr/local/bin", name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Without a question, and without what is only recommended, which takes a package index.
	if err := os.WriteFile("/etc/apt/apt.conf.d/99test", []byte("APT::Get::Assume-Yes \"true\";\nAPT::Install-Recommends \"false\";\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(script string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH=/usr/local/bin:"+os.Getenv("PATH"), "DEBIAN_FRONTEND=noninteractive")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, script, out)
		}
		return string(out)
	}
	ran, tls := 0, ""
	for _, b := range blocks {
		switch script := b[2]; {
		case b[1] == "yaml" && strings.HasPrefix(script, "server:\n") && strings.Contains(script, "tls_cert"):
			tls = script
		case b[1] == "yaml":
		case strings.Contains(script, "ssh-keygen"):
			ran++
			has(t, run(script), `Good "file" signature for releaser`, "craton_"+first+"-1_amd64.deb: OK")
			is(t, config, "640 root:craton")
		case strings.Contains(script, "bootstrap"):
			ran++
			has(t, run(script), "APIKey: ")
			start(t).stop(t)
		case strings.Contains(script, "chown"):
			ran++
			run(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=craton -keyout /etc/craton/server.key -out /etc/craton/server.pem`)
			run("chmod 644 /etc/craton/server.pem\ncat >" + config + " <<'END'\n" + strings.Replace(tls, "server:\n", "server:\n  database: sqlite:/var/lib/craton/fleet.db\n", 1) + "END")
			run(script)
			is(t, "/etc/craton/server.key", "640 root:craton")
			has(t, output(t, "runuser", "-u", "craton", "--", "env", "CRATON_CONFIG="+config, "timeout", "20", "sh", "-c",
				"craton server 2>&1 & pid=$!; for n in $(seq 100); do curl -sk https://127.0.0.1:7780/readyz && break; sleep 0.1; done; kill $pid; wait"), "https://")
		default:
			t.Errorf("nobody knows what to do with\n%s", script)
		}
	}
	if ran != 3 || tls == "" {
		t.Errorf("%d blocks were run", ran)
	}
	said, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(said), "systemctl enable --now craton\n", "journalctl -u craton\n", "systemctl restart craton\n")
}
