package ansible_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/craton-fleet/craton/internal/fleettest"
	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/inventory"
)

// listAll is ansible-inventory --list for many sources, loaded once, since loading takes most of the time.
const listAll = `import os, sys
from ansible.cli.inventory import InventoryCLI
for source in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        sys.exit(InventoryCLI(['ansible-inventory', '-i', source, '--list', '--output', source + '.json']).run())
    if os.waitpid(child, 0)[1] != 0:
        sys.exit('failed: ' + source)
`

// randomFleet loads a random fleet, and returns the settings for its inventory.
func randomFleet(t *testing.T, dir string, seed int) (env []string) {
	t.Helper()
	fleet := fleettest.Fleet(func(name string) bool { return inventory.CheckHostName(name) == nil && name != "web:22" }).Example(seed) // in a file that is a port
	text, err := json.Marshal(fleet)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "fleet.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	url, err := loadInto(t, dir, path)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"CRATON_URL=" + url, "CRATON_INVENTORY_GROUP_NAMES=exact"} // readable ones might be alike, which is an error
}

// few returns the number of random cases.
func few(n, proof int) int {
	if os.Getenv("CRATON_TEST_PROOF") != "" {
		return proof
	}
	return n
}

// TestExportAnsibleRandom: for any fleet, Ansible reads the same from the static inventory as from craton-inventory.
func TestExportAnsibleRandom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var sources []string
	for seed := range few(8, 60) {
		here := filepath.Join(dir, fmt.Sprint(seed))
		if err := os.Mkdir(here, 0o700); err != nil {
			t.Fatal(err)
		}
		settings := append(randomFleet(t, here, seed), "CRATON_INVENTORY_VARS="+[]string{"layered", "merged"}[seed%2])
		static, dynamic := filepath.Join(here, "static.yml"), filepath.Join(here, "dynamic")
		if out := run(t, environment(t, release{}, settings...), filepath.Join(program(t), "craton"), "export", "--format", "ansible", "--output", static); out.code != 0 {
			if !strings.Contains(out.stderr, "no hosts") {
				t.Fatalf("%s", out.stderr)
			}
			continue
		}
		script := "#!/bin/sh\nexport '" + strings.Join(settings, "' '") + "'\nexec '" + filepath.Join(program(t), "craton-inventory") + "' \"$@\"\n"
		if err := os.WriteFile(dynamic, []byte(script), 0o700); err != nil { //nolint:gosec // a script
			t.Fatal(err)
		}
		sources = append(sources, static, dynamic)
	}
	withAnsible(t, func(t *testing.T, r release) {
		copied := make([]string, len(sources)) // what Ansible makes of them is beside them
		for i, source := range sources {
			copied[i] = filepath.Join(t.TempDir(), filepath.Base(source))
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(copied[i], text, 0o700); err != nil { //nolint:gosec // a script
				t.Fatal(err)
			}
		}
		if out := run(t, environment(t, r, "ANSIBLE_INVENTORY_ENABLED=script,yaml"), filepath.Join(r.bin, "python"), append([]string{"-c", listAll}, copied...)...); out.code != 0 {
			t.Fatalf("%s", out.stderr)
		}
		read := func(source string) document {
			text, err := os.ReadFile(source + ".json")
			if err != nil {
				t.Fatal(err)
			}
			return decode(t, string(text))
		}
		hosts := 0
		for pair := range slices.Chunk(copied, 2) {
			got, want := read(pair[0]), read(pair[1])
			hosts += len(want.hostvars(t))
			if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) })); diff != "" {
				fleet, _ := os.ReadFile(filepath.Join(filepath.Dir(sources[slices.Index(copied, pair[0])]), "fleet.json"))
				t.Errorf("(-craton-inventory +static):\n%s\n%s", shorten(diff), fleet)
			}
		}
		t.Logf("%d fleets with %d hosts", len(copied)/2, hosts)
	})
}

// recorder is an ssh that does not connect, and records its arguments. The command names the host.
const recorder = `#!/bin/sh
for last; do :; done
printf '%s\0' "$@" >"$RECORD/${last#echo }"
`

// TestSSHConfigAsAnsible: with the exported configuration, ssh connects like Ansible to every host in it.
func TestSSHConfigAsAnsible(t *testing.T) {
	t.Parallel()
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		skip.Packages(t, "openssh-client")
	}
	dir := t.TempDir()
	var hosts []any
	choices := map[string][]any{
		"ansible_host": {nil, "host.example.net", "192.0.2.7", "2001:db8::7"}, "ansible_ssh_host": {nil, nil, "old.example.net"},
		"ansible_user": {nil, "deploy", 1000}, "ansible_ssh_user": {nil, nil, "old"}, "ansible_port": {nil, 2222, "2223"}, "ansible_ssh_port": {nil, nil, 2200},
		"ansible_private_key_file": {nil, "~/.ssh/fleet", "/k/fleet"}, "ansible_ssh_private_key_file": {nil, nil, "/k/old"},
		"ansible_ssh_common_args": {nil, nil, "-J bastion", "-o ProxyJump=j@bastion:2222"},
	}
	state := 1
	pick := func(n int) int { // any, and always the same
		state = state * 1103515245 % (1 << 31)
		return state >> 8 % n
	}
	for i := range few(40, 150) {
		vars := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(choices)) {
			if v := choices[name][pick(len(choices[name]))]; v != nil {
				vars[name] = v
			}
		}
		hosts = append(hosts, map[string]any{"name": fmt.Sprintf("h%d", i), "ip_address": fmt.Sprintf("10.0.%d.%d", i/200, i%200+1), "device_type": "x", "variables": vars})
	}
	text, err := json.Marshal(map[string]any{"clouds": []any{map[string]any{"name": "c", "regions": []any{map[string]any{"name": "r", "hosts": hosts}}}}})
	if err != nil {
		t.Fatal(err)
	}
	file, config, fake := filepath.Join(dir, "fleet.json"), filepath.Join(dir, "config"), filepath.Join(dir, "ssh")
	for path, text := range map[string]string{file: string(text), fake: recorder} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // a script
			t.Fatal(err)
		}
	}
	url := load(t, file)
	mustRun(t, environment(t, release{}, "CRATON_URL="+url), filepath.Join(program(t), "craton"), "export", "--format", "ssh-config", "--output", config)
	options := func(args ...string) map[string]string {
		out, err := exec.CommandContext(t.Context(), ssh, append([]string{"-G"}, args...)...).CombinedOutput() //nolint:gosec // asks nobody
		if err != nil {
			t.Fatalf("ssh -G %q: %v\n%s", args, err, out)
		}
		all := map[string]string{}
		for line := range strings.Lines(string(out)) {
			key, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			if _, twice := all[key]; !twice && slices.Contains([]string{"hostname", "user", "port", "identityfile", "proxyjump"}, key) {
				all[key] = text
			}
		}
		return all
	}
	withAnsible(t, func(t *testing.T, r release) {
		record := t.TempDir()
		env := environment(t, r, "CRATON_URL="+url, "RECORD="+record, "ANSIBLE_SSH_EXECUTABLE="+fake, "ANSIBLE_SSH_ARGS=", "ANSIBLE_INVENTORY_ENABLED=script", "ANSIBLE_FORKS=10")
		out := run(t, env, "ansible", "all", "-i", filepath.Join(program(t), "craton-inventory"), "-m", "ansible.builtin.raw", "-a", "echo {{ inventory_hostname }}")
		for i := range hosts {
			name := fmt.Sprintf("h%d", i)
			text, err := os.ReadFile(filepath.Join(record, name))
			if err != nil {
				t.Fatalf("%v\n%s%s", err, shorten(out.stdout), out.stderr)
			}
			args := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
			args = args[:len(args)-1] // but for the command
			want := options(append([]string{"-F", "/dev/null"}, args...)...)
			for _, e := range env {
				if home, ok := strings.CutPrefix(e, "HOME="); ok { // which Ansible puts in, and ssh later
					want["identityfile"] = strings.Replace(want["identityfile"], home, "~", 1)
				}
			}
			if diff := cmp.Diff(want, options("-F", config, name)); diff != "" {
				t.Errorf("%s (-as Ansible calls ssh +with the configuration):\n%s%q", name, diff, args)
			}
		}
	})
}
