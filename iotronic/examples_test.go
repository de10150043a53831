package iotronic_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/iotronic"
)

// TestExamples runs the examples of the documentation on a real Ironic behind a real Keystone. It is not parallel: it
// takes the standard output, and nothing else runs until it is done.
func TestExamples(t *testing.T) { //nolint:paralleltest // see above
	k := openstacktest.StartKeystone(t)
	i := openstacktest.NewIronic(t, openstacktest.IronicBehind(k))
	example.region = k.Service(t, "baremetal", i.URL)
	example.endpoint, example.authURL, example.password = i.URL+"/", k.URL, openstacktest.AdminPassword
	system := k.Auth(k.AdminUser(t), k.AdminProject(t)) // a project does not see the drivers of a newer Ironic
	system.TenantID, system.Scope = "", &gophercloud.AuthScope{System: true}
	example.token = k.TokenOf(t, system)
	for _, name := range []string{"web-01", "web-02"} {
		n, err := exampleClient().Nodes.Create(t.Context(), iotronic.NodeCreate{
			Driver: openstacktest.IronicDriver, Name: name, Extra: iotronic.Values(map[string]any{"rack": "b7"}),
		})
		if err != nil {
			t.Fatal(err)
		}
		example.nodeUUID = n.UUID
	}
	for _, tt := range []struct {
		example func()
		want    string
	}{
		{Example_token, "1 driver"},
		{Example_keystone, "it speaks ironic"},
		{Example_operations, "driver fake-hardware\nnode web-01 enroll\nnode web-02 enroll\nweb-02 is in rack b7"},
		{Example_errors, "true GET /v1/nodes/nothing: 404 Not Found: Node nothing could not be found.\n" +
			"409 A node with name web-01 already exists. true\n" +
			"true iotronic: cannot read a board: Ironic does not have that"},
		{Example_change, "in rack c9 with 1 fact\nit has power on"},
	} {
		if diff := cmp.Diff(tt.want, printed(t, tt.example)); diff != "" {
			t.Error(diff)
		}
	}
}

// printed is what a function writes to the standard output.
func printed(t *testing.T, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	done := make(chan string)
	go func() {
		text, _ := io.ReadAll(r)
		done <- string(text)
	}()
	func() {
		defer func() { os.Stdout = stdout }()
		f()
	}()
	_ = w.Close()
	return strings.TrimSpace(<-done)
}
