package ansible

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ansibles returns the bin directories of the ansible-core environments to
// test with: those of CRATON_TEST_ANSIBLE, else the one on PATH.
func ansibles(t *testing.T) []string {
	t.Helper()
	if dirs := os.Getenv("CRATON_TEST_ANSIBLE"); dirs != "" {
		return strings.Split(dirs, ":")
	}
	if path, err := exec.LookPath("ansible-playbook"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return []string{filepath.Dir(real)}
		}
	}
	t.Skip("needs ansible-core: `make test` makes its environments and sets CRATON_TEST_ANSIBLE")
	return nil
}

// release returns an environment's ansible-core release: "2.14.18".
func release(t *testing.T, bin string) string {
	t.Helper()
	out, err := exec.Command(runPython(bin), "-c", "from ansible import release; print(release.__version__)").Output()
	if err != nil {
		t.Fatalf("the ansible-core of %s does not import: %v", bin, err)
	}
	return strings.TrimSpace(string(out))
}

func runPython(bin string) string { return filepath.Join(bin, "python3") }

// cleanEnv returns the environment without settings of Ansible and Python that
// could change what a test sees, with more added.
func cleanEnv(more ...string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ANSIBLE_") && !strings.HasPrefix(e, "PYTHON") && !strings.HasPrefix(e, "CRATON_") {
			env = append(env, e)
		}
	}
	return append(env, more...)
}
