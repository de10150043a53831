package collection_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/tools/collection"
)

// awxFleet has variables at every level, one host that is not active, and a secret of which nobody shall hear.
const awxFleet = `
project:
  variables: {ntp: project.example}
clouds:
  - name: east
    variables: {dns: east.example}
    regions:
      - name: dfw
        variables: {ntp: dfw.example}
        cells:
          - name: c1
            variables: {rack: r7}
            hosts:
              - {name: web1, ip_address: 10.0.0.1, device_type: server, labels: [web], variables: {role: frontend, motd: "{{ lookup('pipe', 'id') }}"}}
              - {name: web2, ip_address: 10.0.0.2, device_type: server, labels: [web], active: false}
              - {name: db1, ip_address: 10.0.0.3, device_type: server, variables: {dns: own.example}}
`

// awxBase is what AWX adds to the environment of a job, and of an inventory update: BaseTask.build_env and
// STANDARD_INVENTORY_UPDATE_ENV of AWX 24.
var awxBase = []string{
	"ANSIBLE_FORCE_COLOR=True", "ANSIBLE_HOST_KEY_CHECKING=False", "ANSIBLE_INVENTORY_UNPARSED_FAILED=True",
	"ANSIBLE_PARAMIKO_RECORD_HOST_KEYS=False", "ANSIBLE_INVENTORY_EXPORT=True", "ANSIBLE_VERBOSE_TO_STDERR=True",
	"ANSIBLE_HOST_PATTERN_MISMATCH=error", "INVENTORY_SOURCE_ID=7", "INVENTORY_UPDATE_ID=12", "AWX_HOST=https://towerhost",
}

// credentialType is examples/awx/credential-type.yml.
type credentialType struct {
	Inputs struct {
		Fields   []struct{ ID string }
		Required []string
	}
	Injectors struct{ File, Env map[string]string }
}

// injected is what AWX makes of the injectors for the inputs of a credential; those that are not given are empty.
func (c credentialType) injected(t *testing.T, inputs map[string]string) []string {
	t.Helper()
	var env []string
	for name, text := range c.Injectors.Env {
		for _, field := range c.Inputs.Fields {
			text = strings.ReplaceAll(text, "{{ "+field.ID+" }}", inputs[field.ID])
		}
		if text == "{% if ca %}{{ tower.filename.ca }}{% endif %}" && inputs["ca"] == "" {
			text = ""
		}
		if strings.Contains(text, "{") {
			t.Fatalf("%s: %s", name, text)
		}
		env = append(env, name+"="+text)
	}
	return env
}

// TestAWX: an inventory update of AWX, by the command and in the environment that AWX has for it, makes of examples/awx
// the groups with their variables and the hosts, without a word of the credential.
func TestAWX(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		s := h.serve(t)
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		h.runWith(t, s.env(), craton, "apply", h.write(t, "fleet.yml", awxFleet))
		if err := os.CopyFS(filepath.Join(h.dir, "project"), os.DirFS(filepath.Join(root, "examples", "awx"))); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(h.dir, "project", "credential-type.yml"))
		if err != nil {
			t.Fatal(err)
		}
		var credential credentialType
		if err := yaml.Unmarshal(text, &credential); err != nil {
			t.Fatal(err)
		}
		env := append(credential.injected(t, map[string]string{"url": s.url, "username": s.username, "password": s.password, "project_id": s.project}), awxBase...)
		env = append(env, "ANSIBLE_COLLECTIONS_PATH="+filepath.Join(h.dir, "requirements_collections")+":"+filepath.Join(h.dir, ".ansible", "collections"))
		source := filepath.Join(h.dir, "project", "fleet.craton.yml")
		type document = map[string]any
		update := func(more ...string) document {
			t.Helper()
			file := filepath.Join(h.dir, "output.json")
			args := append([]string{"--list", "--export", "-i", source, "--output", file, "--playbook-dir", filepath.Dir(source), "-vvvvv"}, more...)
			stdout, stderr, code := h.try(t, env, "ansible-inventory", args...)
			output, err := os.ReadFile(file)
			if code != 0 || err != nil {
				t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
			}
			for what, text := range map[string]string{"output": string(output), "stdout": stdout, "stderr": stderr} {
				if strings.Contains(text, s.password) {
					t.Errorf("the API key is in %s", what)
				}
			}
			var d document
			if err := json.Unmarshal(output, &d); err != nil {
				t.Fatal(err)
			}
			return unmarked(d).(document)
		}
		all := update()
		group := func(name string) document {
			g, _ := all[name].(document)
			return g
		}
		for name, want := range map[string]document{
			"craton": {"ntp": "project.example"}, "cloud_east": {"dns": "east.example"}, "region_east_dfw": {"ntp": "dfw.example"}, "cell_east_dfw_c1": {"rack": "r7"},
		} {
			if diff := cmp.Diff(any(want), group(name)["vars"]); diff != "" {
				t.Errorf("group %s: %s", name, diff)
			}
		}
		if diff := cmp.Diff(any([]any{"web1", "web2"}), group("label_web")["hosts"]); diff != "" {
			t.Errorf("group label_web: %s", diff)
		}
		hosts := all["_meta"].(document)["hostvars"].(document)
		web1 := hosts["web1"].(document)
		if web1["role"] != "frontend" || web1["motd"] != "{{ lookup('pipe', 'id') }}" || web1["ntp"] != nil {
			t.Errorf("web1: %v", web1)
		}
		for host, active := range map[string]bool{"web1": true, "web2": false, "db1": true} { // enabled_var and instance_id_var
			facts := hosts[host].(document)["craton"].(document)
			if facts["active"] != active || facts["id"] == nil {
				t.Errorf("%s: %v", host, facts)
			}
		}
		if help := h.run(t, "ansible-inventory", "--help"); !strings.Contains(help, "--limit") {
			t.Log("this ansible-inventory has no --limit")
		} else if some := update("--limit", "label_web:!web2")["_meta"].(document)["hostvars"].(document); len(some) != 1 || some["web1"] == nil {
			t.Errorf("--limit: %v", some)
		}
		for i, text := range env {
			if name, _, _ := strings.Cut(text, "="); name == "OS_PASSWORD" {
				env[i] = name + "=wrong"
			}
		}
		stdout, stderr, code := h.try(t, env, "ansible-inventory", "--list", "--export", "-i", source, "--output", filepath.Join(h.dir, "none.json"))
		if _, err := os.Stat(filepath.Join(h.dir, "none.json")); code == 0 || err == nil || !strings.Contains(stderr, "401") {
			t.Errorf("a wrong key: exit %d, %v\n%s%s", code, err, stdout, stderr)
		}
	})
}

// TestExecutionEnvironment: ansible-builder takes the definition of examples/awx, and the collection asks for no
// package of Python or of the system.
func TestExecutionEnvironment(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.onlyNewest(t)
		builder := h.tool(t, "ansible-builder")
		project := filepath.Join(h.dir, "project")
		if err := os.CopyFS(project, os.DirFS(filepath.Join(root, "examples", "awx"))); err != nil {
			t.Fatal(err)
		}
		file, err := tarball()
		if err != nil {
			t.Fatal(err)
		}
		packed, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("collections", collection.Namespace+"-"+collection.Name+"-"+collectionVersion(t)+".tar.gz")
		h.write(t, filepath.Join("project", name), string(packed))
		h.run(t, builder, "create", "-f", filepath.Join(project, "execution-environment.yml"), "-c", filepath.Join(h.dir, "context"))
		build := filepath.Join(h.dir, "context", "_build")
		requirements, err := os.ReadFile(filepath.Join(build, "requirements.yml"))
		if err != nil || !strings.Contains(string(requirements), "name: "+name) {
			t.Errorf("%v\n%s", err, requirements)
		}
		for _, none := range []string{"requirements.txt", "bindep.txt"} {
			if _, err := os.Stat(filepath.Join(build, none)); err == nil {
				t.Errorf("there is a %s", none)
			}
		}
		// As the build of the image does it, in the folder that has the file.
		install := exec.CommandContext(t.Context(), filepath.Join(h.bin, "ansible-galaxy"), "collection", "install", "-r", "requirements.yml", "-p", filepath.Join(h.dir, "image"))
		install.Dir, install.Env = build, h.env
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("ansible-galaxy: %v\n%s", err, out)
		}
		if got := h.run(t, builder, "introspect", filepath.Join(h.dir, "image")); !strings.Contains(got, "python: []") || !strings.Contains(got, "system: []") {
			t.Error(got)
		}
	})
}
