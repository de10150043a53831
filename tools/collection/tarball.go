package collection

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// MaxSize is what Galaxy takes, in bytes. ansible-galaxy installs a larger file, too.
const MaxSize = 20_000_000

// Tag is the build tag of the collection's programs: it leaves out what only a server for a team needs (PostgreSQL), so
// that the collection stays below MaxSize. Everything else is in both builds.
const Tag = "collection"

// shipped are the files and directories of the repository that belong to the collection; galaxy.yml's build_ignore
// says the same the other way round, for those who build with ansible-galaxy.
var shipped = []string{"CHANGELOG.md", "LICENSE", "README.md", "docs", "examples", "meta", "plugins", "tests/sanity"}

// Platform is a system that the collection has a program for.
type Platform struct {
	OS, Arch string // as Go writes them
	Program  string // the file of the program
}

// Platforms are those of the published collection, yet without programs. The first is the one whose modules need no
// unpacking.
func Platforms() []Platform {
	return []Platform{{OS: "linux", Arch: "amd64"}, {OS: "linux", Arch: "arm64"}, {OS: "darwin", Arch: "arm64"}}
}

// file is where the program stands in the collection: the first as it is, the others packed.
func (p Platform) file(first bool) string {
	name := "bin/craton-" + p.OS + "-" + p.Arch
	if first {
		return name
	}
	return name + ".xz"
}

// member is one entry of the tarball: a directory, a link, or a file.
type member struct {
	dir  bool
	link string
	mode int64
	data []byte
}

// Effort is how hard [Build] tries to make the tarball small: it changes the bytes, and not what comes out of them.
type Effort int

const (
	// Smallest takes some seconds, and is for what is published.
	Smallest Effort = iota
	// Quickest takes a second, and is for what a test installs.
	Quickest
)

// Build packs the collection of the repository at root with the programs of platforms, the first of which is the one
// that needs no unpacking. It returns the path of the tarball, DIR/NAMESPACE-NAME-VERSION.tar.gz, and its size.
func Build(ctx context.Context, root, version, dir string, effort Effort, platforms []Platform) (file string, size int64, err error) {
	if len(platforms) == 0 {
		return "", 0, errors.New("a collection needs the program of at least one platform")
	}
	info, err := galaxyInfo(root, version)
	if err != nil {
		return "", 0, err
	}
	members, err := sources(root)
	if err != nil {
		return "", 0, err
	}
	if err := addPrograms(ctx, members, effort, platforms); err != nil {
		return "", 0, err
	}
	data, err := pack(members, info, effort)
	if err != nil {
		return "", 0, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", 0, err
	}
	file = filepath.Join(dir, fmt.Sprintf("%s-%s-%s.tar.gz", Namespace, Name, version))
	return file, int64(len(data)), os.WriteFile(file, data, 0o644)
}

// galaxyInfo is the collection_info of MANIFEST.json: what galaxy.yml says.
func galaxyInfo(root, version string) (map[string]any, error) {
	text, err := os.ReadFile(filepath.Join(root, "galaxy.yml"))
	if err != nil {
		return nil, err
	}
	var info map[string]any
	if err := yaml.Unmarshal(text, &info); err != nil {
		return nil, fmt.Errorf("galaxy.yml: %w", err)
	}
	if info["version"] != version {
		return nil, fmt.Errorf("galaxy.yml has the version %v, and this is %s: make them the same", info["version"], version)
	}
	delete(info, "build_ignore")
	for _, key := range []string{"license_file", "homepage", "documentation", "issues"} {
		if _, ok := info[key]; !ok {
			info[key] = nil
		}
	}
	return info, nil
}

// sources reads what ships of the repository.
func sources(root string) (map[string]member, error) {
	members := map[string]member{}
	for _, top := range shipped {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if name := d.Name(); strings.HasPrefix(name, ".") || name == "__pycache__" {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			switch {
			case d.IsDir() && path.Dir(name) == modulesDir: // what a checkout has linked for a task
				return fs.SkipDir
			case d.IsDir():
				members[name] = member{dir: true, mode: 0o755}
			case d.Type()&fs.ModeSymlink != 0:
				target, err := os.Readlink(file)
				members[name] = member{link: target, mode: 0o755}
				return err
			default:
				data, err := os.ReadFile(file)
				members[name] = member{data: data, mode: 0o644}
				return err
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	members["tests"] = member{dir: true, mode: 0o755}
	return members, nil
}

// modulesDir holds what Ansible finds of modules.
const modulesDir = "plugins/modules"

// addPrograms adds bin. The first program is there as it is, with a directory of links to it by the modules' names, for
// a collection may be installed where a task cannot make them; and as bin/craton, for people. The
// others are packed by xz, which is better than the tarball's gzip by a quarter: three programs would not fit into
// MaxSize otherwise. plugin_utils/program.py unpacks one when it is wanted.
func addPrograms(ctx context.Context, members map[string]member, effort Effort, platforms []Platform) error {
	members["bin"] = member{dir: true, mode: 0o755}
	for i, p := range platforms {
		data, err := os.ReadFile(p.Program)
		if err != nil {
			return err
		}
		file := p.file(i == 0)
		if i == 0 {
			members[file] = member{data: data, mode: 0o755}
			members["bin/craton"] = member{link: path.Base(file), mode: 0o755}
			addLinks(members, p, file)
		} else if members[file], err = packed(ctx, p.Program, effort); err != nil {
			return err
		}
	}
	return nil
}

// addLinks links the names of all modules to a program, where the action plugin looks for those that it lets Ansible copy.
func addLinks(members map[string]member, p Platform, file string) {
	dir := path.Join(modulesDir, p.OS+"_"+p.Arch)
	var links []string
	for name := range members {
		if path.Dir(name) == modulesDir && path.Ext(name) == ".py" {
			links = append(links, path.Join(dir, strings.TrimSuffix(path.Base(name), ".py")))
		}
	}
	members[dir] = member{dir: true, mode: 0o755}
	for _, link := range links {
		members[link] = member{link: "../../../" + file, mode: 0o755}
	}
}

// packed is a program in the xz format. Python has it in its library, and the Ansible that the collection is for needs
// Python anyway. What was packed stays beside the program, named by what it was made of, for the next time.
func packed(ctx context.Context, program string, effort Effort) (member, error) {
	const script = "import lzma, sys; sys.stdout.buffer.write(lzma.compress(open(sys.argv[1], 'rb').read(), preset=int(sys.argv[2])))"
	preset := strconv.Itoa(map[Effort]int{Smallest: 6, Quickest: 0}[effort]) // 1 takes a sixth of the time for a tenth more
	plain, err := os.ReadFile(program)
	if err != nil {
		return member{}, err
	}
	kept := fmt.Sprintf("%s.%s-%s.xz", program, sum(plain)[:16], preset)
	if data, err := os.ReadFile(kept); err == nil {
		return member{data: data, mode: 0o644}, nil
	}
	data, err := exec.CommandContext(ctx, "python3", "-c", script, program, preset).Output()
	if err != nil {
		return member{}, fmt.Errorf("packing a program with Python's lzma: %w", err)
	}
	old, err := filepath.Glob(program + ".*-" + preset + ".xz")
	for _, file := range old {
		err = errors.Join(err, os.Remove(file))
	}
	part := kept + ".part" // a run that is cut off leaves no half of it under the name
	err = errors.Join(err, os.WriteFile(part, data, 0o644), os.Rename(part, kept))
	return member{data: data, mode: 0o644}, err
}

// pack writes the tarball as ansible-galaxy does: MANIFEST.json, which has the sum of FILES.json, which has those of
// all others.
func pack(members map[string]member, info map[string]any, effort Effort) ([]byte, error) {
	names := slices.Sorted(maps.Keys(members))
	entries := []map[string]any{{"name": ".", "ftype": "dir", "chksum_type": nil, "chksum_sha256": nil, "format": 1}}
	for _, name := range names {
		e := map[string]any{"name": name, "ftype": "dir", "chksum_type": nil, "chksum_sha256": nil, "format": 1}
		if m := members[name]; !m.dir {
			data, err := content(members, name, 0)
			if err != nil {
				return nil, err
			}
			e["ftype"], e["chksum_type"], e["chksum_sha256"] = "file", "sha256", sum(data)
		}
		entries = append(entries, e)
	}
	files, err := indented(map[string]any{"files": entries, "format": 1})
	if err != nil {
		return nil, err
	}
	manifest, err := indented(map[string]any{
		"collection_info": info,
		"file_manifest_file": map[string]any{
			"name": "FILES.json", "ftype": "file", "chksum_type": "sha256", "chksum_sha256": sum(files), "format": 1},
		"format": 1,
	})
	if err != nil {
		return nil, err
	}

	var b bytes.Buffer
	gz, err := gzip.NewWriterLevel(&b, map[Effort]int{Smallest: gzip.BestCompression, Quickest: gzip.BestSpeed}[effort])
	if err != nil {
		return nil, err
	}
	tw := tar.NewWriter(gz)
	err = write(tw, "MANIFEST.json", member{data: manifest, mode: 0o644})
	err = errors.Join(err, write(tw, "FILES.json", member{data: files, mode: 0o644}))
	for _, name := range names {
		err = errors.Join(err, write(tw, name, members[name]))
	}
	err = errors.Join(err, tw.Close(), gz.Close())
	return b.Bytes(), err
}

// content is what a member holds; of a link, what it leads to.
func content(members map[string]member, name string, depth int) ([]byte, error) {
	m, ok := members[name]
	if !ok || depth > 9 {
		return nil, fmt.Errorf("%s leads to nothing in the collection", name)
	}
	if m.link != "" {
		return content(members, path.Join(path.Dir(name), m.link), depth+1)
	}
	return m.data, nil
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func indented(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") }

func write(tw *tar.Writer, name string, m member) error {
	h := &tar.Header{Name: name, Mode: m.mode, Size: int64(len(m.data)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	switch {
	case m.dir:
		h.Typeflag = tar.TypeDir
	case m.link != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
	}
	if err := tw.WriteHeader(h); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err := io.Copy(tw, bytes.NewReader(m.data))
	return err
}
