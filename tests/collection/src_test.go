package collection_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// srcPlay applies fleet files from every place where Ansible's own src finds one, and sees what failed with those that
// are not there or not right.
const srcPlay = `
- hosts: all
  gather_facts: false
  vars: {url: "{{ fleet }}-{{ inventory_hostname }}"}
  module_defaults: {group/craton.fleet.craton: {url: "{{ url }}"}}
  roles: [fleet]
  tasks:
    - craton.fleet.craton_fleet: {src: "{{ item }}"}
      loop: [beside.yml, in-files.yml, files/in-files.yml, "{{ standing }}/absolute.yml", standing.yml, in-vault.yml]
      register: applied
    - craton.fleet.craton_fleet: {src: in-vault.yml}
      async: 60
      poll: 1
      register: waited
    - craton.fleet.craton_fleet: {src: "{{ item }}"}
      ignore_errors: true
      loop: [nowhere.yml, "{{ standing }}/nowhere.yml", wrong-in-vault.yml]
      register: failed
    - craton.fleet.craton_fleet: {src: templates.yml}
      register: warned
    - craton.fleet.craton_cloud_info: {}
      register: info
    - ansible.builtin.debug:
        msg: "seen {{ inventory_hostname }} {{ {'clouds': info.clouds | map(attribute='name') | sort, 'changed': applied.results | map(attribute='changed'),
          'waited': waited.unchanged, 'failed': failed.results | map(attribute='msg'), 'warnings': warned.warnings,
          'src': failed.results | map(attribute='invocation', default={}) | map(attribute='module_args', default={}) | map(attribute='src', default='not told')} | to_json }}"
`

// appliesSrc runs the play on a host and looks at what came of it.
func (h *home) appliesSrc(t *testing.T, host, connection string) {
	t.Helper()
	password := h.vaultPassword(t)
	for name, text := range map[string]string{
		"plays/beside.yml": "", "plays/files/in-files.yml": "", "plays/roles/fleet/files/in-role.yml": "", "standing.yml": "", "absolute.yml": "", "plays/in-vault.yml": "",
		"plays/wrong-in-vault.yml":                          "clouds:\n- {name: wrong}\n- {nme: wrong}\n",
		"plays/templates.yml":                               "clouds:\n- {name: templates, variables: {a: '{{ x }}', b: ['{% x %}']}}\n",
		"plays/roles/fleet/tasks/main.yml":                  "- craton.fleet.craton_fleet: {src: in-role.yml}\n- ansible.builtin.include_tasks: more.yml\n",
		"plays/roles/fleet/tasks/more.yml":                  "- craton.fleet.craton_fleet: {src: in-files-of-role/deep.yml}\n",
		"plays/roles/fleet/files/in-files-of-role/deep.yml": "",
		"plays/site.yml":                                    srcPlay,
	} {
		if text == "" {
			text = "clouds:\n- name: " + strings.TrimSuffix(filepath.Base(name), ".yml") + "\n"
		}
		h.write(t, name, text)
	}
	for _, name := range []string{"in-vault.yml", "wrong-in-vault.yml", "templates.yml"} {
		h.run(t, "ansible-vault", "encrypt", "--vault-password-file", password, filepath.Join(h.dir, "plays", name))
	}
	hosts := h.write(t, "src-hosts", host+" "+connection+"\n")
	out := h.run(t, "ansible-playbook", "-i", hosts, "--vault-password-file", password, "-e", "fleet="+h.fleet, "-e", "standing="+h.dir, filepath.Join("plays", "site.yml"))
	var got struct {
		Clouds, Failed, Warnings, Src []string
		Changed                       []bool
		Waited                        int
	}
	seen(t, out, host, &got)
	if clouds := strings.Join(got.Clouds, " "); clouds != "absolute beside deep in-files in-role in-vault standing templates" {
		t.Errorf("there are the clouds %s", clouds)
	}
	if len(got.Changed) != 6 || got.Changed[2] || got.Waited != 1 {
		t.Errorf("%+v", got)
	}
	plays := filepath.Join(h.dir, "plays")
	if len(got.Failed) != 3 || len(got.Warnings) != 1 {
		t.Fatalf("%+v\n%s", got, out)
	}
	for _, place := range []string{filepath.Join(plays, "files", "nowhere.yml"), filepath.Join(plays, "nowhere.yml"), filepath.Join(h.dir, "nowhere.yml")} {
		if !strings.HasPrefix(got.Failed[0], "src: nowhere.yml does not exist on the controller. Searched: ") || !strings.Contains(got.Failed[0], place) {
			t.Errorf("%s is not named: %s", place, got.Failed[0])
		}
	}
	if !strings.Contains(got.Failed[1], filepath.Join(h.dir, "nowhere.yml")) {
		t.Errorf("an absolute path that is not there: %s", got.Failed[1])
	}
	// The copy that was decrypted, or sent, is never named.
	wrong := filepath.Join(plays, "wrong-in-vault.yml")
	if !strings.HasPrefix(got.Failed[2], wrong+":3: clouds[1].nme: is not a known key") || got.Src[2] != wrong && got.Src[2] != "not told" {
		t.Errorf("%s; src %q", got.Failed[2], got.Src)
	}
	if !regexp.MustCompile(`^` + regexp.QuoteMeta(filepath.Join(plays, "templates.yml")) + `:2: 2 texts in the variables contain templates`).MatchString(got.Warnings[0]) {
		t.Errorf("the warning is %s", got.Warnings[0])
	}
	for _, pattern := range []string{".ansible/tmp/*/*", "remote/*", "ansible-local-*/*"} {
		if left, _ := filepath.Glob(filepath.Join(h.dir, pattern)); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
	if text, err := os.ReadFile(filepath.Join(plays, "in-vault.yml")); err != nil || !strings.HasPrefix(string(text), "$ANSIBLE_VAULT") {
		t.Errorf("the vault is %.40q now: %v", text, err)
	}
}

// TestFleetSrc: craton_fleet finds its file where Ansible's own modules do, on the controller, in a vault too.
func TestFleetSrc(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) { h.appliesSrc(t, "here", "ansible_connection=local") })
}

// TestFleetSrcOverSSH: the same when the task runs elsewhere; the file goes there.
func TestFleetSrcOverSSH(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.onlyNewestUntilProof(t)
		h.appliesSrc(t, "remote", h.overSSH(t))
	})
}
