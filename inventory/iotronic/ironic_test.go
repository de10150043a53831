package iotronic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/inventory/internal/ansible/ansibletest"
	api "github.com/craton-fleet/craton/iotronic"
)

// patch changes a node of a real Ironic.
func patch(t *testing.T, i *openstacktest.Ironic, node, token string, changes ...object) {
	t.Helper()
	body, err := json.Marshal(changes)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, i.URL+"/v1/nodes/"+node, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-OpenStack-Ironic-API-Version", "latest")
	req.Header.Set("X-Auth-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", resp.Status, answer)
	}
}

// TestIronic reads a real Ironic, more nodes than its pages hold.
func TestIronic(t *testing.T) {
	t.Parallel()
	i := openstacktest.StartIronic(t)
	class, names := i.Nodes(t, 2*openstacktest.IronicPageSize+3, "")
	patch(t, i, names[0], "",
		object{"op": "add", "path": "/extra/ansible_host", "value": "192.0.2.10"},
		object{"op": "add", "path": "/extra/motd", "value": "{{ 1 }}"},
		object{"op": "add", "path": "/owner", "value": "team a"},
		object{"op": "add", "path": "/driver_info/ipmi_password", "value": "a secret"},
		object{"op": "add", "path": "/description", "value": "the first"})
	o := DefaultOptions()
	o.Filters = []Filter{{"resource_class", []string{class}}}
	patient := []api.Option{api.WithRetries(20)}
	l := load(t, i.URL, o, patient...)
	text := render(t, l, o, false)
	doc, vars := ansibletest.MustRead(t, text)
	if diff := cmp.Diff(names, slices.Sorted(func(yield func(string) bool) {
		for h := range vars {
			if !yield(h) {
				return
			}
		}
	})); diff != "" {
		t.Fatalf("hosts (-made +listed):\n%s", diff)
	}
	first := vars[names[0]]
	facts := first["iotronic"].(map[string]any)
	if first["ansible_host"] != "192.0.2.10" || facts["owner"] != "team a" || facts["description"] != "the first" ||
		facts["driver_info"].(map[string]any)["ipmi_password"] != "******" || facts["extra"].(map[string]any)["motd"] != ansibletest.UnsafeText("{{ 1 }}") {
		t.Errorf("%v", first)
	}
	for _, field := range []string{"uuid", "traits", "conductor_group", "network_interface", "lessee", "retired", "shard", "boot_mode"} {
		if _, ok := facts[field]; !ok {
			t.Errorf("no field %s", field)
		}
	}
	for field, value := range facts {
		if raw, _ := json.Marshal(value); bytes.Contains(raw, []byte(`"href"`)) {
			t.Errorf("links: %s is %s", field, raw)
		}
	}
	for group, want := range map[string][]string{
		"driver_fake_hardware": names, "provision_enroll": names, "owner_team_a": names[:1],
		"resource_class_" + strings.ReplaceAll(class, "-", "_"): names,
	} {
		if diff := cmp.Diff(want, doc.Groups[group].Hosts); diff != "" {
			t.Errorf("group %s (-want +got):\n%s", group, diff)
		}
	}
	// Filters of Ironic's and of ours, and slips.
	for filter, want := range map[string]string{
		"owner=team a":                      names[0],
		"extra.motd={{ 1 }}":                names[0],
		"maintenance=true":                  "",
		"provision_state=active":            "",
		"fault=power failure":               "",
		"target_provision_state=available":  "",
		"provision_state=enrol":             `filters: no node has provision_state=enrol; did you mean "enroll"?`,
		"driver=fake-hardwear":              `filters: no node has driver=fake-hardwear; did you mean "fake-hardware"?`,
		"driver=ipmi,driver=fake-hardwares": `filters: no node has driver=ipmi`,
	} {
		filters, err := ParseFilters(append(strings.Split(filter, ","), "resource_class="+class))
		if err != nil {
			t.Fatal(err)
		}
		narrow := o
		narrow.Filters = filters
		l, err := Load(t.Context(), clientOf(t, i.URL, patient...), narrow)
		switch {
		case err != nil && (want == "" || !strings.HasPrefix(err.Error(), want)):
			t.Errorf("%s: %v", filter, err)
		case err == nil && strings.Join(hostNames(t, l, narrow), " ") != want:
			t.Errorf("%s: %v", filter, hostNames(t, l, narrow))
		}
	}
}

// TestOldIronic: filters that an earlier release does not have are applied here.
func TestOldIronic(t *testing.T) {
	t.Parallel()
	i := openstacktest.StartIronic(t)
	class, names := i.Nodes(t, 2, "")
	for version, c := range map[string]struct {
		more Filter
		want string // "" is both nodes
	}{
		"1.9":  {Filter{"driver", []string{"fake-hardware"}}, ""}, // the parameter came with 1.16
		"1.35": {Filter{"resource_class", []string{class}}, ""},
		"1.40": {Filter{"conductor_group", []string{"east"}}, "filters: no node has a field conductor_group"}, // with 1.46, as the field
	} {
		v, err := api.ParseVersion(version)
		if err != nil {
			t.Fatal(err)
		}
		o := DefaultOptions()
		o.Filters = []Filter{{"name", names}, c.more}
		l, err := Load(t.Context(), clientOf(t, i.URL, api.WithVersion(v), api.WithRetries(20)), o)
		switch {
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)), c.want == "" && err != nil:
			t.Errorf("%s: %v", version, err)
		case err == nil:
			if diff := cmp.Diff(names, hostNames(t, l, o)); diff != "" {
				t.Errorf("%s: %s", version, diff)
			}
		}
	}
}

// TestIronicBehindKeystone runs the command as its user does, with a user and a password.
func TestIronicBehindKeystone(t *testing.T) {
	t.Parallel()
	i, k := openstacktest.StartIronicBehindKeystone(t)
	region := k.Service(t, "baremetal", i.URL)
	user, project := k.AdminUser(t), k.AdminProject(t)
	class, names := i.Nodes(t, 2, k.Token(t, user, project))
	args := []string{"--os-token", "", "--os-auth-url", k.URL, "--os-username", user.Name, "--os-password", user.Password, "--os-project-name", project.Name,
		"--os-region-name", region, "--no-token-cache", "--max-retries", "20"}
	out, errs, err := runCommand(t, "", append(args, "--graph", "--hosts", "--groups", "driver", "--filters", "resource_class="+class)...)
	want := fmt.Sprintf("@all (2 hosts)\n  |--@driver_fake_hardware (2 hosts)\n  |  |--%s\n  |  |--%s\n", names[0], names[1])
	if err != nil || errs != "" || out != want {
		t.Errorf("error %v, stderr %q\n%s", err, errs, cmp.Diff(want, out))
	}
	out, errs, err = runCommand(t, "", append(args, "--list", "--os-password", "a wrong one")...)
	if err == nil || out != "" || errs != "" || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "a wrong one") {
		t.Errorf("a wrong password: %v, stdout %q, stderr %q", err, out, errs)
	}
}

// TestChildren: nodes that are parts of others are hosts too, which Ironic lists only when asked.
func TestChildren(t *testing.T) {
	t.Parallel()
	if !openstacktest.NewestIronic() {
		t.Skip("this Ironic has no children: tests/newest-ironic runs one that has")
	}
	i := openstacktest.StartIronic(t)
	class, names := i.Nodes(t, 2, "")
	patch(t, i, names[1], "", object{"op": "add", "path": "/parent_node", "value": names[0]})
	for _, filter := range []string{"", "driver=" + openstacktest.IronicDriver} {
		o := DefaultOptions()
		o.Filters, _ = ParseFilters(append(strings.Fields(filter), "resource_class="+class))
		_, vars := ansibletest.MustRead(t, render(t, load(t, i.URL, o, api.WithRetries(20)), o, false))
		if len(vars) != 2 || vars[names[1]]["iotronic"].(map[string]any)["parent_node"] != vars[names[0]]["iotronic"].(map[string]any)["uuid"] {
			t.Errorf("%s: %v", filter, vars)
		}
	}
}
