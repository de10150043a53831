package iotronic

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	api "github.com/craton-fleet/craton/iotronic"
)

// TestSame: what is hidden is the same as anything, unless secrets are to be written anew; all else counts.
func TestSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		have, want string
		same, anew bool // with update_password on_create, and always
	}{
		{`1`, `1.0`, true, true},
		{`"a"`, `"b"`, false, false},
		{`"******"`, `"secret"`, true, false},
		{`"******"`, `7`, true, false},
		{`"x password=****** y"`, `"x password=abc y"`, true, false},
		{`"x password=****** y"`, `"x password= y"`, true, false},
		{`"x password=****** y"`, `"x password=abc z"`, false, false},
		{`"x password=****** y"`, `"x password=y"`, false, false},
		{`"http://img/a?token=******"`, `"http://img/b?token=x"`, false, false},
		{`"http://img/a?token=******"`, `["http://img/a?token=x"]`, false, false},
		{`"token=****** password=****** x"`, `"token=a password=b x"`, true, false},
		{`"token=****** password=****** x"`, `"token=a x"`, false, false},
		{`"a******b******b"`, `"abb"`, true, false},
		{`"a******b******b"`, `"ab"`, false, false},
		{`{"a": "******", "b": 1}`, `{"b": 1.0, "a": "s"}`, true, false},
		{`{"a": "******", "b": 1}`, `{"b": 2, "a": "s"}`, false, false},
		{`{"a": "******", "b": 1}`, `{"a": "s"}`, false, false},
		{`{"a": "******"}`, `{"b": "s"}`, false, false},
		{`{"a": "******"}`, `["s"]`, false, false},
		{`[{"a": "******"}, 9007199254740993]`, `[{"a": "s"}, 9007199254740993]`, true, false},
		{`[{"a": "******"}, 9007199254740993]`, `[{"a": "s"}, 9007199254740992]`, false, false},
		{`["******"]`, `["s", "t"]`, false, false},
		{`["******"]`, `null`, false, false},
		{`"1024"`, `1024`, true, true},
		{`1024.0`, `"1024"`, true, true},
		{`{"a": [1024, "8"]}`, `{"a": ["1024", 8]}`, true, true},
		{`"true"`, `true`, false, false},
		{`"1024 MB"`, `1024`, false, false},
		{`1`, `"true"`, false, false},
	} {
		have, want := json.RawMessage(c.have), json.RawMessage(c.want)
		if same(have, want, kept) != c.same || same(have, want, renewed) != c.anew {
			t.Errorf("%s and %s: %v, %v", c.have, c.want, same(have, want, kept), same(have, want, renewed))
		}
	}
}

// TestHidden: a real Ironic hides what is expected of it, and check mode says the same.
func TestHidden(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	info, want := map[string]any{"plain": "x", "deep": map[string]any{"Fernetkeys": 72, "plain": []any{map[string]any{"password": "in a list"}}}}, map[string]any{}
	for _, word := range api.SecretWords() {
		info["x_"+word], want["x_"+word] = "some words", stars
	}
	for _, word := range []string{"snmp_auth_key", "snmp_priv_key"} { // as whole keys, and by later releases
		want["x_"+word] = "some words"
	}
	inList := "in a list"
	if openstacktest.NewestIronic() {
		inList, info["snmp_auth_key"], want["snmp_auth_key"] = stars, "some words", stars
	}
	want["plain"], want["deep"] = "x", map[string]any{"Fernetkeys": stars, "plain": []any{map[string]any{"password": inList}}}
	instance := map[string]any{"image_url": "http://x", "configdrive": map[string]any{"meta_data": 71}, "plain": 5, "deep": map[string]any{"image_url": "http://x"}}
	const inside = "hunter-in-text"
	texts := map[string]any{
		"option": "ipmitool --password " + inside + " x", "pair": "a password=" + inside + " b", "quoted": `token = "` + inside + ` too" c`, "json": `{"secret": "` + inside + `"}`,
		"spaced": "the secret is told", "none": "password =", "list": []any{"password=in-a-list"},
		"words": "the password '" + inside + "' is", "tag": "<adminpass>" + inside + "</adminpass>", "python": "{'my_password': u'" + inside + "'}",
		"flag": "secret --of " + inside + " x", "file": "token-file_path " + inside + " x", "list of words": "['a_token', '--is', '" + inside + "']", "deep": map[string]any{"x": "passphrase='" + inside + "'"},
	}
	for option, fields := range map[string]args{"driver_info": {"driver_info": texts}, "instance_info": {"instance_info": texts}} {
		in := args{"name": "texts-" + strings.ReplaceAll(option, "_", "-"), "driver": openstacktest.IronicDriver}.With(fields)
		if _, text := run(t, nodeName, a.Connection.With(in).With(checking).With(args{"_ansible_verbosity": 3}), nil); strings.Contains(text, inside) {
			t.Errorf("shown: %s", text)
		}
		made := a.does(t, in)
		if shown := made[option].(map[string]any); shown["option"] != "ipmitool --password "+stars+" x" || shown["none"] != "password =" {
			t.Errorf("%v", shown)
		}
		a.does(t, args{"name": in["name"], "state": "absent"})
	}
	a.does(t, args{"name": "hidden", "driver": openstacktest.IronicDriver, "driver_info": info, "instance_info": instance})
	if _, text := run(t, nodeName, a.Connection.With(args{"name": "hidden", "instance_info": args{"image_url": "http://x?signature", "configdrive": "a drive"}, "_ansible_verbosity": 3}), nil); strings.Contains(text, "signature") || strings.Contains(text, "a drive") {
		t.Errorf("shown: %s", text)
	}
	// Without the task's own secrets nothing is masked here but by Ironic.
	shown := a.OK(t, false, nodeName, args{"name": "hidden"}).Dict("node")
	if d := cmp.Diff(want, shown["driver_info"]); d != "" {
		t.Errorf("driver_info: %s", d)
	}
	if d := cmp.Diff(map[string]any{"image_url": stars, "configdrive": stars, "plain": 5.0, "deep": map[string]any{"image_url": "http://x"}}, shown["instance_info"]); d != "" {
		t.Errorf("instance_info: %s", d)
	}
	a.OK(t, true, nodeName, args{"name": "hidden", "state": "absent"})
}

// TestOnlySecretsAreHidden: what a node has comes back as it is, also where it is the same text as a secret of the
// task; and no task shows the secret it gives, even where the API would.
func TestOnlySecretsAreHidden(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	for i, secret := range []string{"admin", "a", "4711"} {
		in := args{"name": fmt.Sprintf("same-%d", i), "driver": openstacktest.IronicDriver, "extra": map[string]any{"note": secret, "x " + secret: "the " + secret},
			"driver_info": map[string]any{"ipmi_username": secret, "ipmi_password": secret, "snmp_auth_key": secret, "deep": map[string]any{"list": []any{map[string]any{"password": secret, "user": secret}}}}}
		out, text := run(t, nodeName, a.Connection.With(in).With(args{"_ansible_diff": true}), nil)
		for at, node := range map[string]map[string]any{"node": out.Dict("node"), "diff": out.Dict("diff")["after"].(map[string]any)} {
			shown := stars
			if at == "diff" {
				shown = stars + " (written by this task)"
			}
			want := map[string]any{"ipmi_username": secret, "ipmi_password": shown, "snmp_auth_key": shown, "deep": map[string]any{"list": []any{map[string]any{"password": stars, "user": secret}}}}
			if d := cmp.Diff(want, node["driver_info"]); d != "" {
				t.Errorf("%s: %s", at, d)
			}
			if d := cmp.Diff(in["extra"], node["extra"]); d != "" {
				t.Errorf("%s: %s", at, d)
			}
		}
		if strings.Contains(text, `"password":"`+secret) {
			t.Errorf("shown: %s", text)
		}
		a.OK(t, false, nodeName, args{"name": in["name"], "extra": out.Dict("node")["extra"], "extra_mode": "replace"})
		a.OK(t, true, nodeName, args{"name": in["name"], "state": "absent"})
	}
}

// TestDriveSecrets: of a config drive messages mask what can be a secret, and no ordinary words.
func TestDriveSecrets(t *testing.T) {
	t.Parallel()
	const userData = "#cloud-config\npassword: 'Hush line'\nchpasswd: {list: 'root:hush'}"
	drive := map[string]any{
		"meta_data": map[string]any{
			"hostname": "metal-0042", "name": "METAL-0042.lab", "uuid": "5344a3e2-978a-444e-990a-cbf47c62ef88", "index": 1, "as text": "1", "disk": "disk", "role": "node", "boot": "boot",
			"state": "available", "word": "provision_state", "address": "192.0.2.117", "net": "2001:db8::/32", "mac": "52:54:00:12:34:56", "admin_pass": "short", "pin": map[string]any{"token": 4711},
			"list": []any{map[string]any{"join": "Hush-hush 1"}}, "consul_acl": "5344a3e2-978a-444e-990a-cbf47c62ef88", "wifi_psk": "hushes", "phrase": "correct-horse-battery",
			"long": "correcthorsebattery", "keyboard": "us",
		},
		"user_data":    userData,
		"network_data": map[string]any{"links": []any{map[string]any{"id": "interface0", "type": "phy"}}},
		"vendor_data":  map[string]any{"passwd": "hush", "mode": "maintenance"},
	}
	other := func(option string) string {
		return map[string]string{optName: "metal-0042.lab", "url": "http://ironic.example"}[option]
	}
	want := []string{userData, "4711", "Hush line", "{list: 'root:hush'}", "Hush-hush 1", "hush", "interface0", "short", "5344a3e2-978a-444e-990a-cbf47c62ef88",
		"hushes", "correct-horse-battery", "correcthorsebattery"}
	text := string(raw(drive))
	for given, want := range map[string][]string{
		text:                           want,
		string(raw(text)):              append([]string{text}, want...),
		`"/srv/drives/metal-0042.iso"`: nil,
		`"./drive"`:                    nil,
		`"https://x.example/?sig=1"`:   {"https://x.example/?sig=1"},
		`"H4sIAAAAAAAA"`:               {"H4sIAAAAAAAA"},
		`{"user_data": "boot"}`:        nil,
		`["Hush-hush 1", "disk"]`:      {"Hush-hush 1"},
	} {
		got := driveSecrets(json.RawMessage(given), other)
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", given, d)
		}
	}

	// Messages keep their words, and the invocation shows nothing.
	in := args{"url": "http://127.0.0.1:1", "max_retries": 0, "name": "metal-0042/lab", "provision_state": "active", "config_drive": map[string]any{
		"meta_data": map[string]any{"hostname": "metal-0042/lab", "a": "disk", "b": "name", "c": "1", "d": "connection"}, "user_data": userData}}
	out, shown := run(t, nodeName, in.With(args{"_ansible_verbosity": 3}), nil)
	if out["failed"] != true || strings.Contains(out.Msg(), "*") || strings.Contains(shown, "hush") || strings.Contains(shown, "hostname") {
		t.Errorf("%s\n%s", out.Msg(), shown)
	}
	missing := filepath.Join(t.TempDir(), "nowhere")
	_, a := newIronic(t)
	a.Fails(t, nodeName, args{"name": "metal-0042", "driver": openstacktest.IronicDriver, "config_drive": missing}, `config_drive: "`+missing[:20])
	a.Fails(t, nodeName, args{"name": "metal-0042", "provision_state": "active", "config_drive": map[string]any{"meta_data": map[string]any{"hostname": "metal-0042", "a": "node", "b": "driver"}}},
		`there is no node "metal-0042"; to create it, set driver`)
}
