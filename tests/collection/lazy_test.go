package collection_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/skip"
)

// lazyHome puts what the tests of lazy variables run into a home: its fleet, inventories, and plays.
func (h *home) lazyHome(t *testing.T) {
	t.Helper()
	if err := os.CopyFS(filepath.Join(h.dir, "lazy"), os.DirFS(filepath.Join("testdata", "lazy"))); err != nil {
		t.Fatal(err)
	}
	fleet, err := os.ReadFile(filepath.Join("testdata", "lazy", "fleet.yml"))
	if err != nil {
		t.Fatal(err)
	}
	h.load(t, string(fleet))
	h.env = append(h.env, "CRATON_URL="+h.fleet, "PYTHONHASHSEED=0") // sets are in one order
}

// TestLazyIsEqual: whatever looks at the variables of a host, and however, sees with lazy what it sees with merged and
// layered.
func TestLazyIsEqual(t *testing.T) {
	const fleet, composed = "lazy/inventory.craton.yml", "lazy/alone/composed.craton.yml"
	inventory := func(more ...string) []string {
		return append([]string{"ansible-inventory", "-i", fleet, "-i", "lazy/zz.constructed.yml"}, more...)
	}
	playbook := func(more ...string) []string {
		return append([]string{"ansible-playbook", "-i", fleet, "-i", "lazy/zz.constructed.yml"}, more...)
	}
	cached := []string{"ansible-inventory", "-i", "lazy/alone/cached.craton.yml", "--list"}
	withAnsible(t, func(t *testing.T, h *home) {
		h.lazyHome(t)
		text, err := os.ReadFile(filepath.Join(h.dir, fleet))
		if err != nil {
			t.Fatal(err)
		}
		h.write(t, "lazy/alone/cached.craton.yml", string(text)+"cache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: cache\n")
		h.write(t, "lazy/alone/inventory.craton.yml", string(text))
		h.write(t, "some.retry", "web1\ntor1\n")
		all := h.newest || os.Getenv("CRATON_TEST_PROOF") != ""
		for name, c := range map[string]struct {
			command []string
			env     string
			layered bool // says the same in layered form
		}{
			"plays":               {playbook("--diff", "lazy/play/site.yml"), "ANSIBLE_FORKS=7", true},
			"limit":               {playbook("-l", "label_web:!web2,db*", "lazy/play/limited.yml"), "ANSIBLE_STRATEGY=free", true},
			"limit of a file":     {playbook("-l", "@some.retry:~^loo", "lazy/play/limited.yml"), "ANSIBLE_FORKS=1", true},
			"ad hoc":              {[]string{"ansible", "-i", fleet, "all", "-m", "ansible.builtin.debug", "-a", "msg={{peer}}{{hostvars[peer].shared}}"}, "", true},
			"list":                {inventory("--list"), "", false},
			"list, without files": {[]string{"ansible-inventory", "-i", "lazy/alone/inventory.craton.yml", "--list"}, "", true},
			"export":              {inventory("--list", "--export"), "", false},
			"yaml":                {inventory("--list", "--yaml", "--export"), "", false},
			"host":                {inventory("--host", "web2"), "", false},
			"graph":               {inventory("--graph"), "", true},
			"graph with vars":     {inventory("--graph", "--vars"), "", false},
			"composed":            {[]string{"ansible-inventory", "-i", composed, "--list"}, "", true},
			"composed, exported":  {[]string{"ansible-inventory", "-i", composed, "--list", "--export"}, "", false},
			"read, then cached":   {cached, "", true},
			"hash_behaviour":      {inventory("--list"), "ANSIBLE_HASH_BEHAVIOUR=merge", false},
			"run_vars_plugins":    {inventory("--list", "--export"), "ANSIBLE_RUN_VARS_PLUGINS=start", false},
			"between others": {[]string{"ansible-inventory", "-i", "lazy/first.yml", "-i", fleet, "-i", composed, "-i", "lazy/last.yml",
				"--list", "--export"}, "", false},
			"between others, merged": {[]string{"ansible-inventory", "-i", "lazy/first.yml", "-i", fleet, "-i", "lazy/last.yml", "--list"}, "ANSIBLE_HASH_BEHAVIOUR=merge", false},
			"trusted":                {inventory("--list"), "CRATON_INVENTORY_TRUST_TEMPLATES=true", false},
		} {
			if !all && !slices.Contains([]string{"plays", "limit", "list", "export", "host", "composed", "hash_behaviour", "between others"}, name) {
				continue // the newest release is enough, but for make proof
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				env := []string{"CRATON_INVENTORY_VARS=merged"}
				if c.env != "" {
					env = append(env, c.env)
				}
				say := func(form string) []string {
					env[0] = "CRATON_INVENTORY_VARS=" + form
					out := h.runWith(t, env, c.command[0], c.command[1:]...)
					if name == "read, then cached" && form == "lazy" {
						if again := h.runWith(t, env, c.command[0], c.command[1:]...); again != out {
							t.Errorf("from the cache comes something else:\n%s", cmp.Diff(out, again))
						}
					}
					lines := strings.Split(out, "\n")
					if c.command[0] == "ansible-inventory" {
						return lines
					}
					slices.Sort(lines) // hosts come in any order, and where the strategy is free, tasks are told of any number of times
					return slices.DeleteFunc(lines, func(line string) bool {
						return line == "" || strings.HasPrefix(line, "TASK [") || strings.HasPrefix(line, "included: ")
					})
				}
				want := say("merged")
				if len(want) < 9 {
					t.Errorf("that says little: %q", want)
				}
				if diff := cmp.Diff(want, say("lazy")); diff != "" {
					t.Errorf("lazy is not merged:\n%s", diff)
				}
				if !c.layered || !all {
					return
				}
				over := func(line string) bool { return strings.Contains(line, " over ") }
				if diff := cmp.Diff(slices.DeleteFunc(want, over), slices.DeleteFunc(say("layered"), over)); diff != "" {
					t.Errorf("layered is not merged:\n%s", diff)
				}
			})
		}
	})
}

// TestLazyRealFleet: every host of a real fleet has the same variables, by ansible-inventory and in a play.
func TestLazyRealFleet(t *testing.T) {
	real := skip.RealFleet(t)
	withAnsible(t, func(t *testing.T, h *home) {
		h.onlyNewestUntilProof(t)
		text, err := os.ReadFile(real)
		if err != nil {
			t.Fatal(err)
		}
		h.load(t, string(text))
		file := h.write(t, "real.craton.yml", "plugin: craton.fleet.craton\nhostname: qualified\nurl: "+h.fleet+"\n")
		play := h.write(t, "real.yml", `
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "seen hosts {{ dict(groups.all | zip(groups.all | map('extract', hostvars) | map('list') | map('sort') | map('to_json') | map('hash', 'sha1'))) | to_json }}"
`)
		var list, seenHosts [2]map[string]any
		for i, form := range []string{"merged", "lazy"} {
			env := []string{"CRATON_INVENTORY_VARS=" + form}
			if err := json.Unmarshal([]byte(h.runWith(t, env, "ansible-inventory", "-i", file, "--list")), &list[i]); err != nil {
				t.Fatal(err)
			}
			seen(t, h.runWith(t, env, "ansible-playbook", "-i", file, play), "hosts", &seenHosts[i])
		}
		if diff := cmp.Diff(list[0], list[1]); diff != "" {
			t.Errorf("lazy is not merged:\n%s", diff)
		}
		if diff := cmp.Diff(seenHosts[0], seenHosts[1]); diff != "" || len(seenHosts[0]) < 300 {
			t.Errorf("%d hosts; lazy is not merged in a play:\n%s", len(seenHosts[0]), diff)
		}
	})
}

// TestLazyReadsWhatIsUsed: by default, variables are read of the hosts that a play looks at, and of no others; merged
// reads all; so does lazy where hosts are not what they were, and says so. No file is there that others could read.
func TestLazyReadsWhatIsUsed(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.lazyHome(t)
		for name, c := range map[string]struct {
			env        []string
			own, other string
			says       bool
		}{
			"by default":     {nil, "8 of 9", "7 of 9", false},
			"merged":         {[]string{"CRATON_INVENTORY_VARS=merged"}, "0 of 9", "0 of 9", false},
			"other releases": {[]string{"PYTHONPATH=" + filepath.Join(h.dir, "lazy", "other")}, "0 of 9", "0 of 9", true},
		} {
			out := h.runWith(t, c.env, "ansible-playbook", "-v", "-i", "lazy/inventory.craton.yml", "lazy/play/one.yml")
			var own, other [2]string
			var files []string
			seen(t, out, "own", &own)
			seen(t, out, "other", &other)
			seen(t, out, "files", &files)
			if diff := cmp.Diff([][2]string{{"db1", c.own}, {"web1", c.other}}, [][2]string{own, other}); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if len(files) > 0 {
				t.Errorf("%s: there are %q", name, files)
			}
			if says := strings.Contains(oneLine(out), "all variables are loaded at once"); says != c.says {
				t.Errorf("%s: says that all are loaded: %t\n%s", name, says, out)
			}
		}
	})
}

// TestLazyReadsTheRest: of a play over many hosts the last ones are read at once, and are what merged makes of them.
func TestLazyReadsTheRest(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		var fleet strings.Builder
		fleet.WriteString("clouds:\n- name: c\n  variables: {deep: {list: [1, true, 1.0, \"1\"]}, over: cloud}\n  regions:\n  - name: r\n    variables: {over: {of: region}}\n    hosts:\n")
		for i := range 300 { // more than are read in one piece
			fmt.Fprintf(&fleet, "    - {name: h%03d, ip_address: 10.0.%d.%d, device_type: server, variables: {own: [%d], same: [%s], text: \"{{ %d }}\"}}\n",
				i, i/200, i%200+1, i%100, []string{"1", "true", "1.0", "'1'", "null"}[i%5], i%3)
		}
		h.load(t, fleet.String())
		file := h.write(t, "many.craton.yml", "plugin: craton.fleet.craton\nurl: "+h.fleet+"\n")
		play := h.write(t, "many.yml", `
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "seen {{ item.0 }} {{ dict((groups.all | sort)[item.1:item.2] | map('extract', hostvars) | map('dict2items') | map('rejectattr', 'key', 'in', ['groups', 'omit']) | map('list') | map('sort', attribute='key') | map('to_json') | map('hash', 'sha1') | zip((groups.all | sort)[item.1:item.2])) | to_json }}"
      loop: [[some, 0, 5], [rest, 5, 300]]
`)
		var some, rest [2]map[string]string
		for i, form := range []string{"merged", "lazy"} {
			out := h.runWith(t, []string{"CRATON_INVENTORY_VARS=" + form}, "ansible-playbook", "-i", file, play)
			seen(t, out, "some", &some[i])
			seen(t, out, "rest", &rest[i])
		}
		if diff := cmp.Diff([]any{some[0], rest[0]}, []any{some[1], rest[1]}); diff != "" || len(some[0]) != 5 || len(rest[0]) != 295 {
			t.Errorf("%d and %d hosts; lazy is not merged:\n%s", len(some[0]), len(rest[0]), diff)
		}
	})
}

// TestLazyLeavesNothing: of a run that is killed no variable stays on disk, if no inventory is kept.
func TestLazyLeavesNothing(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		h.lazyHome(t)
		play := h.write(t, "sleep.yml", "- hosts: web1\n  gather_facts: false\n  tasks: [ansible.builtin.debug: {msg: \"{{ lookup('pipe', 'sleep 60') }}\"}]\n")
		cmd := exec.CommandContext(t.Context(), filepath.Join(h.bin, "ansible-playbook"), "-i", "lazy/inventory.craton.yml", play)
		cmd.Dir, cmd.Env = h.dir, append(h.env, "PYTHONUNBUFFERED=1", "CRATON_INVENTORY_CACHE=off")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(out); lines.Scan() && !strings.HasPrefix(lines.Text(), "TASK"); {
			continue
		}
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Error("the play had ended")
		}
		err = filepath.WalkDir(h.dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.HasPrefix(path, filepath.Join(h.dir, "lazy")) || strings.Contains(path, "fleet.") {
				return err
			}
			data, err := os.ReadFile(path)
			if strings.Contains(string(data), "echo pwned") {
				t.Errorf("%s has variables of the fleet", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
