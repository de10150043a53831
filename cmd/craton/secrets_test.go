package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPasswordsInURLs: no door of the program shows the user and the password of a URL, whichever setting it is of and
// however badly it is written.
func TestPasswordsInURLs(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	dir := t.TempDir()
	arguments := filepath.Join(dir, "arguments")
	for i, url := range []string{
		"http://bob:HUSH@127.0.0.1:1", "http://bob:HU/SH@127.0.0.1:1", "http://bob:HUSH%40127.0.0.1:1", "bob:HUSH@127.0.0.1:1", "http:/bob:HUSH@127.0.0.1",
		"ftp://bob:HUSH@127.0.0.1:1", "http://bob:HUSH @[::1", "http://HUSH@127.0.0.1:1/v1", "http://127.0.0.1:1/?password=HUSH", "http://127.0.0.1:1#HUSH",
		"http://bob:HUSH", "postgres://bob:HUSH@127.0.0.1:1/craton", "http://bob:%48USH@127.0.0.1:1",
	} {
		for j, variable := range []string{"CRATON_URL", "OS_AUTH_URL", "CRATON_IOTRONIC_URL", "IRONIC_URL", "CRATON_KEYSTONE_URL", "CRATON_DATABASE", "HTTP_PROXY",
			"OS_FLEET_MANAGEMENT_ENDPOINT_OVERRIDE", "OS_BAREMETAL_ENDPOINT_OVERRIDE"} {
			// Later ones of a name count. 127.0.0.2 is reached through the proxy.
			env := []string{"HOME=" + dir, "PATH=", "CRATON_RETRIES=0", "CRATON_IOTRONIC_MAX_RETRIES=0", "CRATON_SERVER_AUTH=keystone",
				"CRATON_URL=http://127.0.0.2:1", "CRATON_DATABASE=sqlite:absent/fleet.db"}
			if strings.HasSuffix(variable, "OVERRIDE") {
				env = append(env, "CRATON_URL=", "OS_AUTH_URL=http://127.0.0.1:1")
			}
			if (i+j)%2 == 0 {
				env = append(env, "OS_USERNAME=u", "OS_PASSWORD=p", "OS_PROJECT_ID=5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c")
			}
			for _, command := range [][]string{
				{"craton", "config"}, {"craton", "config", "--format", "json"}, {"craton", "config", "--format", "csv"}, {"craton", "doctor"},
				{"craton", "cloud-list"}, {"craton-inventory", "--list"}, {"iotronic-inventory", "--list"}, {"craton", "iotronic", "node-list"},
				{"craton", "server", "--listen", "127.0.0.1:0"}, {"craton", "server", "bootstrap"},
				{"craton_cloud_info", arguments}, {"iotronic_node_info", arguments},
			} {
				if err := os.WriteFile(arguments, []byte(`{"ANSIBLE_MODULE_ARGS": {}}`), 0o600); err != nil { // modules remove it
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), filepath.Join(bin, command[0]), command[1:]...)
				cmd.Env, cmd.Dir = append(env, variable+"="+url), dir
				out, _ := cmd.CombinedOutput() // most fail
				if text := strings.ToUpper(string(out)); strings.Contains(text, "HUSH") || strings.Contains(text, "HU/SH") || strings.Contains(text, "%48USH") {
					t.Errorf("%s of %s=%s:\n%s", strings.Join(command, " "), variable, url, out)
				}
			}
		}
	}
}
