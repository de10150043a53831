package packages

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/tools/collection"
)

// TestReadme runs what the README says of installing, with what this clone makes: the archive, the program from source
// by a module proxy that has this clone, and the collection. The package is installed by TestPackages.
func TestReadme(t *testing.T) {
	nfpm := os.Getenv(variable)
	if nfpm == "" {
		t.Skip("takes minutes: make release-test")
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(text), "\n## Install\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(chapter, -1)
	if len(blocks) != 4 {
		t.Fatalf("%d blocks", len(blocks))
	}
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	cmd := exec.CommandContext(t.Context(), "go", "run", "./tools/release", "-version", "0.1.0", "-as", first, "-nfpm", nfpm, "-collection=false", "-o", dir, "linux/amd64")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	runs := func(env []string, script string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "bash", "-euc", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s\n%s", err, script, out)
		}
		return string(out)
	}
	for _, block := range blocks {
		script := block[1]
		switch {
		case strings.Contains(script, "tar -xzf"):
			local := filepath.Join(dir, "local")
			if err := os.Mkdir(local, 0o755); err != nil {
				t.Fatal(err)
			}
			runs(nil, strings.Replace(script, " /usr/local/", " "+local, 1))
			has(t, runs([]string{"PATH=" + local + "/bin:" + os.Getenv("PATH")}, "craton --version; craton-inventory --help"), first, "Ansible")
			for _, file := range []string{"man/man1/craton.1", "bash-completion/completions/craton", "zsh/site-functions/_craton", "fish/vendor_completions.d/craton.fish"} {
				if _, err := os.Stat(filepath.Join(local, "share", file)); err != nil {
					t.Error(err)
				}
			}
		case strings.Contains(script, "apt install"):
			has(t, script, "craton_"+first+"-1_amd64.deb")
			output(t, "dpkg-deb", "--info", filepath.Join(dir, "craton_"+first+"-1_amd64.deb"))
		case strings.Contains(script, "go install"):
			gopath := filepath.Join(dir, "go")
			env := []string{"GOPATH=" + gopath, "GOBIN=", "GOMODCACHE=" + strings.TrimSpace(output(t, "go", "env", "GOMODCACHE")), "CGO_ENABLED=0",
				"GOPROXY=file://" + proxy(t) + "," + strings.TrimSpace(output(t, "go", "env", "GOPROXY")), "GONOSUMDB=github.com/craton-fleet",
				"GODEBUG=goindex=0"} // Go keeps an index of what a version had, and this one changes
			runs(env, script)
			has(t, runs([]string{"PATH=" + gopath + "/bin:" + os.Getenv("PATH")}, "craton --version; craton-inventory --help"), first, "Ansible")
			// What is in the cache of modules now is no release.
			output(t, "rm", "-rf", strings.TrimPrefix(env[2], "GOMODCACHE=")+"/github.com/craton-fleet/craton@v"+first, strings.TrimPrefix(env[2], "GOMODCACHE=")+"/cache/download/github.com/craton-fleet")
		case strings.Contains(script, "ansible-galaxy"):
			ansible, _, _ := strings.Cut(os.Getenv("CRATON_TEST_ANSIBLE"), string(os.PathListSeparator))
			if ansible == "" {
				t.Log("not run: no Ansible here:", script)
				continue
			}
			program := filepath.Join(dir, "craton_"+first+"_linux_amd64", "bin", "craton")
			if _, _, err := collection.Build(t.Context(), root, first, dir, collection.Quickest, []collection.Platform{{OS: "linux", Arch: "amd64", Program: program}}); err != nil {
				t.Fatal(err)
			}
			env := []string{"PATH=" + ansible + ":" + os.Getenv("PATH"), "HOME=" + home}
			runs(env, script)
			has(t, runs(env, "ansible-doc -t inventory craton.fleet.craton"), "CRATON.FLEET.CRATON")
		default:
			t.Errorf("nobody knows how to run\n%s", script)
		}
	}
}

// proxy is a folder that serves this clone to Go, as a module proxy would.
func proxy(t *testing.T) string {
	t.Helper()
	const module = "github.com/craton-fleet/craton"
	dir := t.TempDir()
	at := filepath.Join(dir, module, "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(at, "v"+first+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // what matters is the end of the zip
	z := zip.NewWriter(f)
	for name := range strings.Lines(output(t, "git", "-C", root, "ls-files", "-co", "--exclude-standard")) {
		name = strings.TrimSuffix(name, "\n")
		text, err := os.ReadFile(filepath.Join(root, name))
		if info, serr := os.Lstat(filepath.Join(root, name)); err != nil || serr != nil || !info.Mode().IsRegular() {
			continue
		}
		w, err := z.Create(module + "@v" + first + "/" + name)
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"v" + first + ".mod": mod, "v" + first + ".info": fmt.Appendf(nil, `{"Version":"v%s"}`, first), "list": []byte("v" + first + "\n")} {
		if err := os.WriteFile(filepath.Join(at, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
