package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/iotronic"
)

// TestWhichInventory: the name tells which of the two inventories Ansible gets, and people.
func TestWhichInventory(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	api := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.NoAuth())
	api.Add("boards", iotronictest.Object{"name": "pi-01", "code": "c1", "status": "online", "extra": iotronictest.Object{"rack": "b9\x1b]0;pwned\a"}})
	dir := t.TempDir()
	for _, c := range []struct {
		command, stdout, stderr string // what it begins with
	}{
		{"iotronic-inventory --list", `{"_meta":{"hostvars":{` + "\n" + `"pi-01":`, ""},
		{"iotronic-inventory --graph --groups status", "@all (1 host)\n  |--@status_online (1 host)\n", ""},
		{"iotronic-inventory --version", "iotronic-inventory ", ""},
		{"iotronic-inventory --lits", "", "iotronic-inventory: unknown flag: --lits; see iotronic-inventory --help\n"},
		{"iotronic-inventory --list --filters extra.rack=zz", "", `iotronic-inventory: filters: no board has extra.rack=zz; choose from: b9\u001b]0;pwned\u0007` + "\n"},
		{"20-iotronic --list", `{"_meta":`, ""},
		{"20-ironic-lab --list", `{"_meta":`, ""},
		{"20-ironic --host pi-02", "", `20-ironic: the inventory has no host "pi-02"` + "\n"},
		{"craton iotronic-inventory --graph --groups status", "@all (1 host)\n", ""},
		{"10-craton --list", "", "10-craton: no fleet is configured: set CRATON_URL "},
		{"fleet --list", "", "fleet: no fleet is configured: set CRATON_URL "},
		{"craton-inventory --list", "", "craton-inventory: no fleet is configured: set CRATON_URL "},
	} {
		name, args, _ := strings.Cut(c.command, " ")
		link := filepath.Join(dir, name)
		if err := os.Symlink(filepath.Join(bin, "craton"), link); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), link, strings.Fields(args)...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		cmd.Env = []string{"HOME=" + dir, "IOTRONIC_URL=" + api.URL}
		err := cmd.Run()
		if (err == nil) != (c.stderr == "") || !strings.HasPrefix(stdout.String(), c.stdout) || !strings.HasPrefix(stderr.String(), c.stderr) ||
			c.stdout == "" && stdout.Len() > 0 || c.stderr == "" && stderr.Len() > 0 || strings.Count(stderr.String(), "\n") > 1 {
			t.Errorf("%s: %v\nstdout %s\nstderr %s", c.command, err, &stdout, &stderr)
		}
	}
}

// TestIotronicGuide runs every `$` line of docs/iotronic.md: against an Iotronic, and where it speaks of bare metal a
// real Ironic.
func TestIotronicGuide(t *testing.T) {
	t.Parallel()
	town := iotronictest.Start(t, iotronictest.Boards2019)
	roofs := town.Add("fleets", iotronictest.Object{"name": "roofs"})
	for _, o := range []iotronictest.Object{
		{"name": "pi-01", "code": "c-0017", "type": "raspberry", "fleet": roofs, "status": "online",
			"location": []any{iotronictest.Object{"longitude": "15.5", "latitude": "38.1", "altitude": "10", "updated_at": nil}},
			"extra":    iotronictest.Object{"ansible_host": "192.0.2.17", "ansible_user": "pi", "rack": "b7"}},
		{"name": "pi-02", "code": "c-0018", "type": "raspberry", "fleet": roofs, "status": "offline", "extra": iotronictest.Object{"vpn": iotronictest.Object{"ip": "2001:db8::2"}}},
		{"name": "gate-01", "code": "c-0019", "type": "gateway"},
	} {
		town.Add("boards", o)
	}
	bareMetal := openstacktest.StartIronic(t)
	c, err := iotronic.New(bareMetal.URL, iotronic.WithRetries(20))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"metal-01", "metal-02"} {
		if _, err := c.Nodes.Create(t.Context(), iotronic.NodeCreate{Name: name, Driver: openstacktest.IronicDriver, ResourceClass: "large"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Nodes.SetMaintenance(t.Context(), "metal-02", "a fan"); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	for _, name := range []string{"iotronic-inventory", "craton"} {
		if err := os.Symlink(filepath.Join(binaries(t), "craton"), filepath.Join(home, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "token"), []byte(iotronictest.Admin.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	env := bare(t, home)
	for i, e := range env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			env[i] = "PATH=" + strings.Join([]string{home, ansibleBin(), path}, string(os.PathListSeparator))
		}
	}
	withUsers := openstacktest.NewIronic(t, openstacktest.IronicBasic())
	if c, err = iotronic.New(withUsers.URL, iotronic.WithBasicAuth(openstacktest.IronicUser, openstacktest.IronicPassword)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Nodes.Create(t.Context(), iotronic.NodeCreate{Name: "rack-7", Driver: openstacktest.IronicDriver, ResourceClass: "small"}); err != nil {
		t.Fatal(err)
	}
	commands, files := console(t, "docs/iotronic.md")
	if len(commands) < 5 || files["clouds.yaml"] == "" {
		t.Errorf("only %d commands in the guide, or no clouds.yaml", len(commands))
	}
	here := strings.NewReplacer("http://iotronic.example:8812", town.URL, "http://ironic.example:6385", bareMetal.URL,
		"https://ironic-with-users.example:6385", withUsers.URL, "the password of operator", openstacktest.IronicPassword)
	if err := os.WriteFile(filepath.Join(home, "clouds.yaml"), []byte(here.Replace(files["clouds.yaml"])), 0o600); err != nil {
		t.Fatal(err)
	}
	runCommands(t, "docs/iotronic.md", commands, home, env, here)
}

// TestIotronicSettings: the guide's tables are those of the code.
func TestIotronicSettings(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "iotronic.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := func(head string, cells int) (found []string) {
		_, table, _ := strings.Cut(string(guide), head)
		for line := range strings.Lines(table) {
			if parts := strings.SplitAfterN(line, "|", cells+2); len(parts) == cells+2 && !strings.HasPrefix(line, "|---") {
				found = append(found, strings.Join(parts[:cells+1], ""))
			} else if len(parts) < 3 {
				break
			}
		}
		return found
	}
	var want []string
	for _, s := range settings.Iotronic.Settings {
		flag := s.Flag
		if flag == "" {
			flag = strings.ReplaceAll(s.Name, "_", "-")
		}
		want = append(want, fmt.Sprintf("| `%s` | `--%s` | `%s` |", s.Name, flag, strings.Join(append([]string{s.Env}, s.Also...), "`, `")))
		for _, choice := range append(s.Choices, s.Default) {
			if !strings.Contains(string(guide), choice) {
				t.Errorf("%s: %s is not explained", s.Name, choice)
			}
		}
	}
	if diff := cmp.Diff(want, rows("| setting | flag | variables | meaning |\n", 3)); diff != "" {
		t.Errorf("where the API is (-code +docs):\n%s", diff)
	}
	want = nil
	for _, s := range settings.IotronicInventory.Settings {
		if s.Env != "CRATON_IOTRONIC_INVENTORY_"+strings.ToUpper(s.Name) {
			t.Errorf("%s: environment %s", s.Name, s.Env)
		}
		row := fmt.Sprintf("| `%s` | ", s.Name)
		if s.Default != "" {
			row += fmt.Sprintf("`%s` ", s.Default)
		}
		want = append(want, row+"|")
		for _, choice := range s.Choices {
			if !strings.Contains(string(guide), "`"+choice+"`") {
				t.Errorf("%s: the choice %s is not explained", s.Name, choice)
			}
		}
	}
	if diff := cmp.Diff(want, rows("| setting | default | meaning |\n", 2)); diff != "" {
		t.Errorf("the inventory (-code +docs):\n%s", diff)
	}
}
