package packages

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/server"
)

// root is the repository.
const root = "../.."

// variable, set to the path of nfpm, asks for the tests that take minutes.
const variable = "CRATON_TEST_PACKAGES"

// output runs a command, which must succeed, and returns all that it says.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// needs skips the test where a program is not.
func needs(t *testing.T, program, pack string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		skip.Packages(t, pack)
	}
}

// TestUnit: the unit is well formed, and what systemd sees of the process is little.
func TestUnit(t *testing.T) {
	t.Parallel()
	needs(t, "systemd-analyze", "systemd")
	unit := filepath.Join(root, "tools", "release", "package", "craton.service")
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", unit).CombinedOutput()
	m := regexp.MustCompile(`Overall exposure level for craton.service: ([0-9.]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if level, err := strconv.ParseFloat(string(m[1]), 64); err != nil || level > 2 {
		t.Errorf("the exposure is %s, at most 2.0 is wanted\n%s", m[1], out)
	}
	out, _ = exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "craton.service") && !strings.Contains(line, "/usr/bin/craton is not executable") {
			t.Error(line)
		}
	}
}

// TestPackages: see the package's documentation.
func TestPackages(t *testing.T) {
	nfpm := os.Getenv(variable)
	if nfpm == "" {
		t.Skip("takes minutes: make release-test")
	}
	if os.Geteuid() != 0 {
		t.Fatal("only root can install packages")
	}
	for program, pack := range map[string]string{"lintian": "lintian", "dpkg": "dpkg", "rpm": "rpm", "unshare": "util-linux", "runuser": "util-linux"} {
		needs(t, program, pack)
	}
	dir := t.TempDir()
	tool := filepath.Join(dir, "release")
	output(t, "go", "build", "-o", tool, filepath.Join(root, "tools", "release"))
	key := filepath.Join(dir, "key")
	output(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "releaser", "-f", key)
	for _, version := range []string{older, second, first} { // the sums are those of the last
		schema := server.Schema()
		if version == older {
			schema--
		}
		cmd := exec.CommandContext(t.Context(), tool, "-version", "0.1.0", "-as", version, "-schema", strconv.Itoa(schema), "-nfpm", nfpm, "-sign-key", key, "-collection=false", "-o", filepath.Join(dir, "dist"), "linux/amd64")
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	deb := filepath.Join(dir, "dist", "craton_"+first+"-1_amd64.deb")
	rpm := filepath.Join(dir, "dist", "craton-"+first+"-1.x86_64.rpm")

	t.Run("lintian", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), "lintian", "--fail-on", "error,warning", "--allow-root", deb).CombinedOutput()
		if err != nil || regexp.MustCompile(`(?m)^[EWI]: `).Match(out) {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("rpm", func(t *testing.T) {
		if out := output(t, "rpm", "-K", "--nosignature", rpm); !strings.Contains(out, "digests OK") {
			t.Error(out)
		}
		files := output(t, "rpm", "-qplv", rpm)
		for _, want := range []string{
			`(?m)^-rwxr-xr-x +1 root +root .* /usr/bin/craton$`, `(?m)^l.* /usr/bin/craton-inventory -> craton$`,
			`(?m)^-rw-r----- +1 root +craton .* /etc/craton/config.yml$`, `(?m)^drwxr-x--- +2 craton +craton .* /var/lib/craton$`,
			`(?m) /usr/lib/systemd/system/craton.service$`, `(?m) /usr/share/man/man1/craton-server-backup.1.gz$`,
		} {
			if !regexp.MustCompile(want).MatchString(files) {
				t.Errorf("no %s in\n%s", want, files)
			}
		}
		if out := output(t, "rpm", "-qp", "--configfiles", rpm); strings.TrimSpace(out) != "/etc/craton/config.yml" {
			t.Error(out)
		}
		for _, tag := range []string{"PREIN", "POSTIN", "PREUN", "POSTUN"} {
			cmd := exec.CommandContext(t.Context(), "sh", "-n")
			cmd.Stdin = strings.NewReader(output(t, "rpm", "-qp", "--qf", "%{"+tag+"}", rpm))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", tag, err, out)
			}
		}
	})
	t.Run("bill of materials", func(t *testing.T) { validBill(t, filepath.Join(dir, "dist", "craton_"+first+".cdx.json")) })
	t.Run("installed", func(t *testing.T) { inOverlay(t, dir, "^TestInstalled$") })
	t.Run("rpm installed", func(t *testing.T) { inOverlay(t, dir, "^TestInstalledRPM$") })
	t.Run("operate.md", func(t *testing.T) { inOverlay(t, dir, "^TestInstalledAsTold$") })
}

// validator is what knows the schema of a bill, and brings it.
const validator = "cyclonedx-python-lib[json-validation]==11.12.0"

// validBill checks a bill of materials against the JSON schema of CycloneDX.
func validBill(t *testing.T, file string) {
	t.Helper()
	venv := filepath.Join(t.TempDir(), "venv")
	output(t, "python3", "-m", "venv", venv)
	output(t, filepath.Join(venv, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", validator)
	const program = `import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1]).read()
check = JsonStrictValidator(SchemaVersion.V1_5)
assert check.validate_str(text.replace('"CycloneDX"', '"Cyclone"')) is not None
error = check.validate_str(text)
sys.exit(None if error is None else str(error))
`
	output(t, filepath.Join(venv, "bin", "python"), "-c", program, file)
}

// inOverlay runs a test of this program in an overlay over the root, with a file system in memory for what is written.
func inOverlay(t *testing.T, dir, test string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	over := filepath.Join(dir, "overlay"+strings.Trim(test, "^$"))
	script := fmt.Sprintf(`set -e
mount -t tmpfs tmpfs %[1]q
mkdir %[1]q/upper %[1]q/work %[1]q/root
mount -t overlay overlay -o lowerdir=/,upperdir=%[1]q/upper,workdir=%[1]q/work %[1]q/root
for at in /proc /dev; do mount --rbind "$at" %[1]q/root"$at"; done
mkdir -p %[1]q/root/packages
cp -r %[2]q/dist/. %[1]q/root/packages
cp %[3]q %[1]q/root/packages/test
cp docs/operate.md %[1]q/root/packages
echo "releaser $(cat %[2]q/key.pub)" >%[1]q/root/packages/allowed_signers
cd %[1]q/root
rm -rf etc/craton var/lib/craton
exec chroot . env %[4]s=/packages PATH=/usr/sbin:/usr/bin:/sbin:/bin /packages/test -test.v -test.run '%[5]s'
`, over, dir, self, installedVariable, test)
	if err := os.Mkdir(over, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", script)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if t.Log(string(out)); err != nil || strings.Contains(string(out), "--- SKIP") {
		t.Error(err)
	}
}
