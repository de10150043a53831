package collection_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestImportPlugin: an import that the collection's inventory plugin gives Ansible, proved by it, with groups that are
// places, labels, and variables that stay.
func TestImportPlugin(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		h.write(t, "hosts.ini", "[site_a]\nh1 ansible_host=10.0.0.1 own=1\nh2 ansible_host=10.0.0.2\n[site_b]\nh3\n[web]\nh1\nh3\n[web:vars]\nport=80\n[site_a:vars]\nntp=a\n[all:vars]\ncraton=mine\ntext=\"x {{ port }}\"\n")
		out, said, code := h.try(t, nil, craton, "import", "ansible", "-i", "hosts.ini", "--templates", "keep", "--plugin")
		if code != 0 || said != "" || !strings.Contains(out, "differences  none") {
			t.Fatalf("exit %d\n%s%s", code, out, said)
		}
		h.runWith(t, []string{"CRATON_URL=" + h.fleet}, craton, "apply", filepath.Join("imported", "fleet.yml"))
		got := h.runWith(t, []string{"CRATON_URL=" + h.fleet}, "ansible", "-i", filepath.Join("imported", "inventory"), "web", "-m", "debug", "-a", "msg={{ text }}_{{ ntp | default('none') }}")
		for _, want := range []string{"x 80_a", "x 80_none"} {
			if !strings.Contains(got, want) {
				t.Errorf("no host says %s:\n%s", want, got)
			}
		}
	})
}
