package collection_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/tools/collection"
)

// bootstrap does what get-pip.py does, with the pip that Python brings: it installs the wanted pip from the package
// index. ansible-test fetches get-pip.py from a host of its own, which not every machine may reach, and takes a file
// like this one instead.
const bootstrap = `import os, runpy, subprocess, sys
subprocess.check_call([sys.executable, '-m', 'ensurepip'], stdout=subprocess.DEVNULL)
sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
sys.argv = ['pip', 'install'] + [a for a in sys.argv[1:] if not a.startswith('--no-')]
runpy.run_module('pip', run_name='__main__', alter_sys=True)
`

// TestSanity runs ansible-test sanity on the installed collection, and allows no complaint but those of
// tests/sanity/ignore-RELEASE.txt. `make sanity` asks for it: the first time it takes minutes and installs
// pylint and others from the package index into .cache/sanity.
func TestSanity(t *testing.T) {
	if os.Getenv("CRATON_TEST_SANITY") == "" {
		t.Skip("takes minutes and a package index: `make sanity` runs it")
	}
	// ansible-test keeps its environments there, which cannot be moved.
	cache := filepath.Join(root, ".cache", "sanity")
	inEmptyHome(t, func(t *testing.T, h *home) {
		platforms := collection.Platforms() // each file of the published collection is there
		for i := range platforms[1:] {
			platforms[1+i].Program = h.write(t, "other", "\x00not for this machine")
		}
		file, err := pack("sanity-"+h.release, platforms...)
		if err != nil {
			t.Fatal(err)
		}
		h.run(t, "ansible-galaxy", "collection", "install", file)

		path := slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(dir string) bool {
			return strings.HasSuffix(dir, "/shims") // pyenv's pythons that may not be there
		})
		saved := regexp.MustCompile(`manually downloaded and saved to: (\S+/get_pip_[0-9_]+\.py)`)
		for {
			test := exec.CommandContext(t.Context(), filepath.Join(h.bin, "ansible-test"), "sanity", "--venv", "--requirements", "--color", "no")
			test.Dir = filepath.Join(h.dir, fleetDir)
			test.Env = append(os.Environ(), "HOME="+filepath.Join(cache, h.release), "LC_ALL=C.UTF-8",
				"PATH="+strings.Join(append([]string{h.bin}, path...), string(os.PathListSeparator)))
			out, err := test.CombinedOutput()
			wants := saved.FindSubmatch(out)
			if wants == nil {
				if err != nil {
					t.Errorf("ansible-test: %v\n%s", err, out)
				}
				return
			}
			if _, err := os.Stat(string(wants[1])); err == nil {
				t.Fatalf("ansible-test does not take %s\n%s", wants[1], out)
			}
			if err := os.MkdirAll(filepath.Dir(string(wants[1])), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(string(wants[1]), []byte(bootstrap), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	})
}
