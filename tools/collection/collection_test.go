package collection

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/modules"
	"github.com/craton-fleet/craton/modules/ansible"
)

const root = "../.."

// TestNoDrift: what is committed is what the specs and settings give.
func TestNoDrift(t *testing.T) {
	t.Parallel()
	tree, err := Generate(modules.Specs())
	if err != nil {
		t.Fatal(err)
	}
	stale, err := tree.Stale(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(stale) > 0 {
		t.Errorf("run go generate ./tools/collection: not up to date are\n%s", strings.Join(stale, "\n"))
	}
}

// TestWrite: a directory is brought up to date, whatever was there.
func TestWrite(t *testing.T) {
	t.Parallel()
	fragment := &ansible.Fragment{Name: "craton.fleet.shared", Options: []ansible.Option{{Name: "url", Description: []string{"Where."}}}}
	spec := &ansible.Spec{
		Name: "craton_demo", Short: "Show", Description: []string{"Shows 'this'."}, Fragments: []*ansible.Fragment{fragment},
		Examples: "- craton.fleet.craton_demo:\n", Returns: []ansible.Return{{Name: "demo", Description: []string{"It."}, Returned: "always"}},
	}
	tree, err := Generate([]*ansible.Spec{spec})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for path, text := range map[string]string{
		"plugins/modules/craton_old.py": "gone", "plugins/modules/craton_demo": "a program by the name of the module", "plugins/modules/craton_demo.py": "old", "plugins/inventory/mine.py": "stays",
	} {
		file := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := tree.Write(dir); err != nil {
			t.Fatal(err)
		}
		if stale, err := tree.Stale(dir); err != nil || len(stale) > 0 {
			t.Fatalf("still stale: %v %v", stale, err)
		}
	}
	for _, old := range []string{"craton_old.py", "craton_demo"} {
		if _, err := os.Lstat(filepath.Join(dir, "plugins/modules", old)); !os.IsNotExist(err) {
			t.Errorf("%s is not generated, and is still there: %v", old, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "plugins/inventory/mine.py")); err != nil {
		t.Error(err)
	}
	fragment.Name = "other.things.shared"
	if _, err := Generate([]*ansible.Spec{spec}); err == nil {
		t.Error("a fragment of another collection is taken")
	}
}

// TestFolded: broken lines mean what the long ones did, in every style of text.
func TestFolded(t *testing.T) {
	t.Parallel()
	words := strings.Repeat("some words: 'quoted' \"twice\" # and -5 more, ", 12)
	want := map[string]any{
		"plain": strings.Repeat("only words ", 30) + "end", "single": words, "double": words + "\t", "spaces": strings.Repeat("two  spaces", 40),
		"list": []any{words, strings.Repeat("x", 300)}, "deep": map[string]any{"description": []any{strings.Repeat("a b ", 60) + "c"}},
	}
	root := &yaml.Node{}
	if err := root.Encode(want); err != nil {
		t.Fatal(err)
	}
	text, err := encode(root)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, text)
	}
	for line := range strings.Lines(string(text)) {
		if text := strings.TrimLeft(line, " -"); len(line) > widest+1 && strings.Contains(text, " ") && !strings.Contains(text, "  ") {
			t.Errorf("a long line: %s", line)
		}
	}
}

// TestInventoryOptions: every setting is an option, under the variable that the program reads, and no secret has a
// place in ansible.cfg.
func TestInventoryOptions(t *testing.T) {
	t.Parallel()
	for _, p := range inventoryPlugins {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			testOptions(t, &p)
		})
	}
}

func testOptions(t *testing.T, p *plugin) {
	t.Helper()
	file, err := p.file()
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(file), "r'''\n")
	text, _, _ = strings.Cut(text, "'''")
	var doc struct {
		Options map[string]struct {
			Type    string
			Choices []string
			Default any
			Env     []struct{ Name string }
			INI     []struct{ Section, Key string }
		}
	}
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for _, taken := range ansibles {
		if _, ok := doc.Options[taken]; ok {
			t.Errorf("%s is an option of Ansible's own", taken)
		}
	}
	n := 0
	for _, section := range p.sections {
		for _, s := range section.Settings {
			n++
			o, ok := doc.Options[p.optionName(&s)]
			if !ok {
				t.Errorf("%s is no option", s.Name)
				continue
			}
			if len(o.INI) == 0 != s.Secret || o.Default != nil {
				t.Errorf("%s: %+v", s.Name, o)
			}
			var variables []string // Ansible takes the last, the program the first
			for _, e := range slices.Backward(o.Env) {
				variables = append(variables, e.Name)
			}
			if diff := cmp.Diff(append([]string{s.Env}, s.Also...), variables); diff != "" {
				t.Errorf("%s: variables %s", s.Name, diff)
			}
			choices := s.Choices
			if slices.Contains(choices, "off") { // which YAML reads as false
				choices = nil
			}
			if diff := cmp.Diff(choices, o.Choices); diff != "" {
				t.Errorf("%s: choices %s", s.Name, diff)
			}
		}
	}
	if n != len(doc.Options) {
		t.Errorf("%d options for %d settings", len(doc.Options), n)
	}

	source, err := os.ReadFile(filepath.Join(root, "plugins", "inventory", p.name+".py"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = strings.Cut(string(source), "\nEXAMPLES = r'''\n")
	text, _, _ = strings.Cut(text, "'''")
	examples := yaml.NewDecoder(strings.NewReader(text))
	var example map[string]any
	if err := examples.Decode(&example); err != nil || example["plugin"] != "craton.fleet."+p.name {
		t.Errorf("the example of %s: %v, %v", p.name, example, err)
	}
	for option := range example {
		if _, ours := doc.Options[option]; !ours && !slices.Contains(ansibles, option) {
			t.Errorf("the example of %s has %s, which is no option", p.name, option)
		}
	}
	if err := examples.Decode(&example); !errors.Is(err, io.EOF) {
		t.Errorf("the example of %s is not one document, which is all that ansible-test lets pass", p.name)
	}
}

// ansibles are the options of the fragments constructed and inventory_cache, and of the inventory plugins themselves.
var ansibles = []string{"plugin", "binary", "compose", "groups", "keyed_groups", "strict", "use_extra_vars", "leading_separator",
	"cache", "cache_plugin", "cache_timeout", "cache_connection", "cache_prefix"}

// TestVersion: galaxy.yml has the version of the Makefile, the only other place that names it.
func TestVersion(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^VERSION := (.*)$`).FindSubmatch(makefile)
	if m == nil {
		t.Fatal("the Makefile has no VERSION")
	}
	if _, err := galaxyInfo(root, string(m[1])); err != nil {
		t.Error(err)
	}
	if _, err := galaxyInfo(root, "9.9.9"); err == nil || !strings.Contains(err.Error(), "9.9.9") {
		t.Errorf("another version: %v", err)
	}
}

// TestBuildIgnore: what `ansible-galaxy collection build` takes of the repository is what Build takes.
func TestBuildIgnore(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "galaxy.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Ignore []string `yaml:"build_ignore"`
	}
	if err := yaml.Unmarshal(text, &info); err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for _, p := range append(info.Ignore, "galaxy.yml") { // Ansible leaves that out itself; * is of any characters for it
		p = strings.NewReplacer(`\*`, ".*", `\[`, "[", `\]`, "]", "!", "^").Replace(regexp.QuoteMeta(p))
		patterns = append(patterns, p)
	}
	ignored := regexp.MustCompile(`^(` + strings.Join(patterns, "|") + `)(/|$)`)
	for _, name := range []string{"bin/craton_host", "bin/craton-inventory", ".git/config", "plugins/action/__pycache__"} {
		if !ignored.MatchString(name) {
			t.Errorf("%s is not ignored", name)
		}
	}
	list := exec.CommandContext(t.Context(), "git", "ls-files")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Skip("not a clone of the repository:", err)
	}
	held, err := sources(root)
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		if _, ok := held[name]; ok == ignored.MatchString(name) {
			t.Errorf("%s: Build takes it: %v; galaxy.yml says otherwise", name, ok)
		}
	}
}

// TestPlatforms: every package of the program has files for each system. To compile them all would take minutes;
// `make collection` does.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	for _, p := range Platforms() {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/craton")
		list.Dir, list.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Arch)
		if out, err := list.CombinedOutput(); err != nil {
			t.Errorf("%s/%s: %v\n%s", p.OS, p.Arch, err, out)
		}
	}
}

// TestTarball: it holds the collection and nothing else, every sum is right, and it is the same when made again.
func TestTarball(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, bytes.Repeat([]byte("\x7fELF"), 1000), 0o755); err != nil {
		t.Fatal(err)
	}
	info, err := galaxyInfo(root, "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	version, _ := info["version"].(string)
	platforms := []Platform{{OS: "linux", Arch: "amd64", Program: program}, {OS: "darwin", Arch: "arm64", Program: program}}
	file, size, err := Build(t.Context(), root, version, filepath.Join(dir, "a"), Quickest, platforms)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(file)
	if err != nil || int64(len(first)) != size {
		t.Fatalf("%d bytes, told %d: %v", len(first), size, err)
	}
	again, _, err := Build(t.Context(), root, version, filepath.Join(dir, "b"), Quickest, platforms)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := os.ReadFile(again); err != nil || !bytes.Equal(first, second) {
		t.Errorf("made again, the tarball is another: %v", err)
	}

	held := untar(t, first)
	var files struct {
		Files []struct {
			Name, Ftype string
			Sum         string `json:"chksum_sha256"`
		}
	}
	if err := json.Unmarshal(held["FILES.json"], &files); err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Files struct {
			Sum string `json:"chksum_sha256"`
		} `json:"file_manifest_file"`
	}
	if err := json.Unmarshal(held["MANIFEST.json"], &manifest); err != nil || manifest.Files.Sum != sum(held["FILES.json"]) {
		t.Errorf("MANIFEST.json: %+v %v", manifest, err)
	}
	for _, f := range files.Files {
		if f.Ftype == "file" && f.Sum != sum(held[f.Name]) {
			t.Errorf("%s: wrong sum", f.Name)
		}
	}
	for _, want := range []string{"bin/craton", "bin/craton-linux-amd64", "bin/packed.xz", "bin/packed.json", "plugins/modules/linux_amd64/craton_host", "plugins/modules/craton_host.py", "plugins/inventory/craton.py", "plugins/action/craton.py", "plugins/doc_fragments/inventory.py", "extensions/eda/plugins/event_source/changes.py", "meta/runtime.yml", "README.md", "LICENSE"} {
		if held[want] == nil {
			t.Errorf("%s is missing", want)
		}
	}
	if held["plugins/modules/craton_host"] != nil || !bytes.Equal(held["plugins/modules/linux_amd64/craton_host"], held["bin/craton-linux-amd64"]) {
		t.Error("the name of a module leads to a program, or the one to copy does not")
	}
	for name := range held {
		if strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "tests/ansible") || strings.Contains(name, "__pycache__") || strings.HasPrefix(name, "internal") {
			t.Errorf("%s is in the tarball", name)
		}
	}
	if _, _, err := Build(t.Context(), root, version, dir, Quickest, nil); err == nil {
		t.Error("a collection without a program")
	}
}

// untar reads the files of a tarball, links as what they lead to.
func untar(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	held, links := map[string][]byte{}, map[string]string{}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch h.Typeflag {
		case tar.TypeReg:
			if held[h.Name], err = io.ReadAll(tr); err != nil {
				t.Fatal(err)
			}
		case tar.TypeSymlink:
			links[h.Name] = filepath.Join(filepath.Dir(h.Name), h.Linkname)
		}
	}
	for range 2 { // a link may lead to a link
		for from, to := range links {
			held[from] = held[to]
		}
	}
	return held
}

// TestPackedOnce: programs that have not changed are not packed again, and others are.
func TestPackedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	packed := func(programs string) ([]byte, string) {
		data, err := pack(t.Context(), []byte(programs), dir, Quickest)
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("kept: %v, %v", files, err)
		}
		return data, files[0]
	}
	first, kept := packed("one program")
	if err := os.WriteFile(kept, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	if again, _ := packed("one program"); string(again) != "kept" {
		t.Error("packed again, though nothing changed")
	}
	if other, file := packed("another program"); file == kept || bytes.Equal(other, first) || string(other) == "kept" {
		t.Errorf("%s: the old one is taken for the new one", file)
	}
}
