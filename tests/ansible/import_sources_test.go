package ansible_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// decoder is a vars plugin that reads SOPS files like community.sops.sops, but without keys, of which a test has none.
const decoder = `
DOCUMENTATION = '''
name: decoder
short_description: reads encrypted files
description: Reads encrypted files.
options:
  stage: {type: str, default: all, ini: [{key: stage, section: vars_decoder}]}
'''
import base64, os, re
import yaml
from ansible.inventory.host import Host
from ansible.plugins.vars import BaseVarsPlugin

class VarsModule(BaseVarsPlugin):
    REQUIRES_ENABLED = False
    def get_vars(self, loader, path, entities, cache=True):
        super().get_vars(loader, path, entities)
        data = {}
        for e in entities if isinstance(entities, list) else [entities]:
            base = os.path.join(self._basedir, 'host_vars' if isinstance(e, Host) else 'group_vars', e.name)
            files = [base + '.sops.yml']
            if os.path.isdir(base):
                files += [os.path.join(base, f) for f in sorted(os.listdir(base)) if f.endswith('.sops.yml')]
            for f in files:
                if os.path.exists(f):
                    with open(f) as text:
                        found = yaml.safe_load(text)
                    found.pop('sops')
                    data.update({k: base64.b64decode(re.match(r'ENC\[.*data:([^,]*),', v).group(1)).decode() for k, v in found.items()})
        return data
`

// inSOPS returns a file with a value that only a plugin can read.
func inSOPS(key, value string) string {
	return fmt.Sprintf("%s: ENC[AES256_GCM,data:%s,iv:aXY=,tag:dGFn,type:str]\nsops:\n  mac: ENC[AES256_GCM,data:bWFj,iv:aXY=,tag:dGFn,type:str]\n  lastmodified: \"2024-01-01T00:00:00Z\"\n  version: 3.8.1\n",
		key, base64.StdEncoding.EncodeToString([]byte(value)))
}

// plugins are inventories that plugins create: hosts of a generator, tables, the output of a program, groups from
// variables, and variables that a plugin decrypts.
var plugins = map[string]string{
	"inv/10-generator.yml": `plugin: ansible.builtin.generator
strict: true
hosts:
  name: "{{ operation }}-{{ application }}-{{ environment }}-runner"
  parents:
    - name: "{{ operation }}-{{ application }}-{{ environment }}"
      parents:
        - {name: "{{ operation }}-{{ application }}", parents: [{name: "{{ operation }}"}, {name: "{{ application }}"}]}
        - {name: "{{ application }}-{{ environment }}", parents: [{name: "{{ environment }}", vars: {environment_name: "{{ environment }}"}}]}
    - {name: runner}
layers: {operation: [build, launch], environment: [dev, prod], application: [web, api]}
`,
	"inv/20-hosts.toml": `[all.vars]
has_java = false
[tomlgroup]
children = ["web"]
[tomlgroup.vars]
number = 1_000
[tomlgroup.hosts]
toml1 = {}
toml2 = { ansible_host = "192.0.2.5", float = 1.50 }
`,
	"inv/30-script": `#!/bin/sh
echo '{"_meta": {"hostvars": {"s1": {"raw": "{{ 1 }}", "n": 12345678901234567890}}}, "scripted": {"hosts": ["s1", "s2"], "vars": {"x": [1, {"a": null}]}, "children": ["web"]}}'
`,
	"inv/40-constructed.yml":           "plugin: constructed\nstrict: false\ncompose: {later: \"environment_name ~ '-x'\"}\nkeyed_groups: [{key: environment_name, prefix: env}]\n",
	"inv/group_vars/web/keys.sops.yml": inSOPS("password", "group-secret"),
	"inv/group_vars/all.sops.yml":      inSOPS("pepper", "all-secret"),
	"inv/host_vars/s1.sops.yml":        inSOPS("password", "host-secret"),
	"inv/host_vars/s2.yml":             "sops: {mac: mine}\nenc: \"ENC[ is no secret\"\n",
	"vars/decoder.py":                  decoder,
}

// TestImportPlugins: inventories of every plugin of Ansible, and variables that a plugin decrypts, which are never
// written in clear text.
func TestImportPlugins(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		r.onlyNewest(t)
		i := newImporting(t, r, plugins)
		i.write(t, "ansible.cfg", "[defaults]\nvars_plugins = "+filepath.Join(i.dir, "vars")+"\n[inventory]\nenable_plugins = host_list, script, auto, yaml, ini, toml, generator, constructed\n")
		if err := os.Chmod(filepath.Join(i.dir, "inv/30-script"), 0o700); err != nil { //nolint:gosec // a script
			t.Fatal(err)
		}
		out := i.craton(t, "-i", "inv", "--templates", "keep", "--vault", "keep", "--unsafe", "keep")
		wantIn(t, out, "12 hosts", "vaults       3 in Ansible, still encrypted")
		for _, secret := range []string{"group-secret", "all-secret", "host-secret"} {
			if grep, err := i.run(t, "/bin/grep", "-r", secret, "imported"); err == nil || strings.Contains(out, secret) {
				t.Errorf("%s is written in clear\n%s", secret, grep)
			}
		}
		for _, file := range []string{"group_vars/all.sops.yml", "group_vars/label_web/01-vault.sops.yml", "host_vars/s1.sops.yml"} {
			if !i.exists("imported/inventory/" + file) {
				t.Errorf("there is no %s", file)
			}
		}
		out, err := i.run(t, "craton", "import", "ansible", "-i", "inv", "--output", "less", "--templates", "leave", "--vault", "leave", "--unsafe", "leave")
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		wantIn(t, out, " 0 unexplained", "omitted from group web: it is in an encrypted file (--vault leave)", "(in an encrypted file, not shown)")
	})
}

// TestImportFew: inventories of no host, of one host, of names with and without DNS entries, of bytes that are not
// text; and a plugin that is not installed.
func TestImportFew(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		r.onlyNewest(t)
		i := newImporting(t, r, map[string]string{
			"empty.ini": "[web]\n[db:children]\nweb\n[db:vars]\na=1\n", "empty.yml": "all: {children: {web: {}}}\n",
			"names.ini": "a ansible_host=localhost\nb ansible_host=nowhere.invalid\nc ansible_host=192.0.2.7\nd ansible_host=\"{{ where }}\"\n",
			"latin.ini": "h1 note=\"caf\xe9\"\n", "latin/hosts": "h1\n", "latin/group_vars/all.yml": "note: \"caf\xe9\"\n",
		})
		for _, empty := range []string{"empty.ini", "empty.yml"} {
			if out, err := i.run(t, "craton", "import", "ansible", "-i", empty); err == nil || !strings.Contains(out, "the inventory has no hosts") || i.exists("imported") {
				t.Errorf("%s: %v\n%s", empty, err, out)
			}
		}
		for _, latin := range []string{"latin.ini", "latin"} {
			out, err := i.run(t, "craton", "import", "ansible", "-i", latin, "--no-verify")
			if err == nil {
				out += i.read(t, "imported/fleet.yml")
			}
			if err != nil && !strings.Contains(out, "ERROR: ansible-inventory -i "+latin+" --list failed") || err == nil && !strings.Contains(out, "note: caf") || strings.Contains(out, "\xe9") {
				t.Errorf("%s: %v\n%q", latin, err, out)
			}
		}
		wantIn(t, i.craton(t, "-i", "one,", "--force"), "1 host\n", "no address for 1 host (one)")

		out := i.craton(t, "-i", "names.ini", "--templates", "keep", "--resolve", "--force")
		wantIn(t, out, "addresses    1 host resolved in DNS", "(b, d)")
		wantIn(t, i.read(t, "imported/fleet.yml"), "ip_address: 127.0.0.1", "ip_address: 192.0.2.7", "ansible_host: localhost", "ansible_host: nowhere.invalid")

		out, err := i.run(t, "craton", "import", "ansible", "-i", "one,", "--plugin", "--output", "plugin")
		if err == nil { // a machine that has the collection
			wantIn(t, out, "differences  none")
		} else {
			wantIn(t, out, "the import was written to plugin, but could not be verified", "--plugin requires that this Ansible finds the collection craton.fleet")
		}
		wantIn(t, i.read(t, "plugin/inventory/10-fleet.craton.yml"), "plugin: craton.fleet.craton\n")
	})
}

// TestImportProofFindsDifferences: every difference after the import is found, and not mistaken for an intended one.
func TestImportProofFindsDifferences(t *testing.T) {
	t.Parallel()
	withAnsible(t, func(t *testing.T, r release) {
		r.onlyNewest(t)
		i := newImporting(t, r, map[string]string{
			"hosts.ini": `[site_a]
h1 ansible_host=10.0.0.1 number=1
h2 ansible_host=10.0.0.2
h3 ansible_host=10.0.0.3
old ansible_ssh_host=10.0.0.4
[web]
h1
h2
[db]
h1
h2
[web:vars]
order=web
ansible_group_priority=5
[db:vars]
order=db
`,
			"group_vars/web.yml": "made: \"{{ order }}\"\n",
			"group_vars/all.yml": "made: plain\n",
		})
		i.craton(t, "-i", "hosts.ini", "--templates", "keep")
		if out, err := i.run(t, "craton", "import", "ansible", "-i", "hosts.ini", "--templates", "leave", "--force"); err != nil || !strings.Contains(out, "1 explained, 0 unexplained") {
			t.Fatalf("%v\n%s", err, out)
		}
		change := func(file string, changes ...string) {
			text := i.read(t, file)
			for pair := range slices.Chunk(changes, 2) {
				if !strings.Contains(text, pair[0]) {
					t.Fatalf("%s has no %q:\n%s", file, pair[0], text)
				}
				text = strings.Replace(text, pair[0], pair[1], 1)
			}
			i.write(t, file, text)
		}
		change("imported/fleet.yml", "name: h3", "name: h4", "number: 1", "number: \"1\"", "10.0.0.4", "10.0.0.5")
		change("imported/inventory/group_vars/all.yml", "made: plain", "made: other")
		change("imported/inventory/group_vars/label_web.yml", "order: web", "order: WEB")
		out, err := i.run(t, "craton", "import", "--verify")
		if err == nil {
			t.Error("what is false is proved")
		}
		wantIn(t, out, "the import differs from the inventory",
			"host h3 on 1 host (h3): UNEXPLAINED", "host h4 on 1 host (h4): UNEXPLAINED", "variable number on 1 host (h1): UNEXPLAINED", "  after   \"1\"",
			"variable ansible_host on 1 host (old): UNEXPLAINED", "variable order on 2 hosts (h1, h2): UNEXPLAINED", `after   "WEB"`,
			"variable made on 2 hosts (h1, h2): UNEXPLAINED", `after   "other"`, "9: 0 explained, 9 unexplained")
	})
}
