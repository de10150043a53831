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

// MaxSize is the largest size that Galaxy accepts, in bytes. [Build] refuses to publish more.
const MaxSize = 20_000_000

// Tag is the build tag of the collection's programs: it leaves out what only a server for a team needs (PostgreSQL), so
// that the collection stays below MaxSize. Everything else is in both builds.
const Tag = "collection"

// shipped are the files and directories of the repository that belong to the collection; galaxy.yml's build_ignore
// lists the others, for builds with ansible-galaxy.
var shipped = []string{"CHANGELOG.md", "LICENSE", "README.md", "docs", "examples", "extensions", "meta", "plugins", "tests/sanity"}

// Platform is a system for which the collection has a program.
type Platform struct {
	OS, Arch string // as in Go
	Program  string // the file of the program
}

// Platforms returns the platforms of the published collection, without programs. The modules of the first need no
// unpacking.
func Platforms() []Platform {
	return []Platform{{OS: "linux", Arch: "amd64"}, {OS: "linux", Arch: "arm64"}, {OS: "darwin", Arch: "arm64"}}
}

// file returns the path of the program in the collection, once it is unpacked.
func (p Platform) file() string { return "bin/craton-" + p.OS + "-" + p.Arch }

// The programs of all platforms but the first: one after the other in one xz stream, and the offset and size of each in
// the unpacked stream.
const (
	packedFile = "bin/packed.xz"
	packedList = "bin/packed.json"
)

// member is one entry of the tarball: a directory, a link, or a file.
type member struct {
	dir  bool
	link string
	mode int64
	data []byte
}

// Effort is how hard [Build] tries to make the tarball small. It does not change the unpacked contents.
type Effort int

const (
	// Smallest takes some seconds, for publishing.
	Smallest Effort = iota
	// Quickest takes a second, for installations in tests.
	Quickest
)

// Build packs the collection of the repository at root with the programs of platforms, of which the first needs no
// unpacking. It returns the path of the tarball, DIR/NAMESPACE-NAME-VERSION.tar.gz, and its size.
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
	data, err := archive(members, info, effort)
	if err != nil {
		return "", 0, err
	}
	if effort == Smallest && len(data) > MaxSize {
		return "", 0, fmt.Errorf("the tarball has %d bytes, and Galaxy takes %d: name fewer systems, or leave something out", len(data), MaxSize)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", 0, err
	}
	file = filepath.Join(dir, fmt.Sprintf("%s-%s-%s.tar.gz", Namespace, Name, version))
	return file, int64(len(data)), os.WriteFile(file, data, 0o644)
}

// galaxyInfo returns the collection_info of MANIFEST.json, from galaxy.yml.
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

// sources reads the files of the repository that belong to the collection.
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
			case d.IsDir() && path.Dir(name) == modulesDir: // links of a checkout for a task
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

// modulesDir is where Ansible finds modules.
const modulesDir = "plugins/modules"

// addPrograms adds bin. The first program is added as it is, with a directory of links to it by the modules' names,
// since a collection may be installed where a task cannot create them, and as bin/craton, for people. The others are
// packed into one stream: what programs of the same source have in common is stored once, which saves a third of two of
// them. plugin_utils/program.py unpacks one when it is needed.
func addPrograms(ctx context.Context, members map[string]member, effort Effort, platforms []Platform) error {
	first, others := platforms[0], platforms[1:]
	data, err := os.ReadFile(first.Program)
	if err != nil {
		return err
	}
	members["bin"] = member{dir: true, mode: 0o755}
	members[first.file()] = member{data: data, mode: 0o755}
	members["bin/craton"] = member{link: path.Base(first.file()), mode: 0o755}
	addLinks(members, first)
	if len(others) == 0 {
		return nil
	}

	type place struct {
		Offset int `json:"offset"`
		Size   int `json:"size"`
	}
	places, programs := map[string]place{}, []byte(nil)
	for _, p := range others {
		program, err := os.ReadFile(p.Program)
		if err != nil {
			return err
		}
		places[path.Base(p.file())] = place{len(programs), len(program)}
		programs = append(programs, program...)
	}
	list, err := indented(places)
	if err != nil {
		return err
	}
	members[packedList] = member{data: append(list, '\n'), mode: 0o644}
	packed, err := pack(ctx, programs, filepath.Dir(others[0].Program), effort)
	members[packedFile] = member{data: packed, mode: 0o644}
	return err
}

// addLinks links the names of all modules to a program, where the action plugin looks for those that Ansible copies.
func addLinks(members map[string]member, p Platform) {
	dir := path.Join(modulesDir, p.OS+"_"+p.Arch)
	var links []string
	for name := range members {
		if path.Dir(name) == modulesDir && path.Ext(name) == ".py" {
			links = append(links, path.Join(dir, strings.TrimSuffix(path.Base(name), ".py")))
		}
	}
	members[dir] = member{dir: true, mode: 0o755}
	for _, link := range links {
		members[link] = member{link: "../../../" + p.file(), mode: 0o755}
	}
}

// pack returns programs in the xz format, which Python's library supports, and Ansible needs Python anyway. The window
// is as large as the programs, so that the last finds what it shares with the first. Results are cached in the
// directory kept, named by their input.
func pack(ctx context.Context, programs []byte, kept string, effort Effort) ([]byte, error) {
	const script = `import lzma, sys
data = sys.stdin.buffer.read()
window = max(1 << 16, 1 << (len(data) - 1).bit_length())
sys.stdout.buffer.write(lzma.compress(data, filters=[{"id": lzma.FILTER_LZMA2, "preset": int(sys.argv[1]), "dict_size": window}]))`
	preset := strconv.Itoa(map[Effort]int{Smallest: 6, Quickest: 0}[effort]) // level 1 takes a sixth of the time for a result a tenth larger
	file := filepath.Join(kept, fmt.Sprintf("packed-%s-%s.xz", sum(programs)[:16], preset))
	if data, err := os.ReadFile(file); err == nil {
		return data, nil
	}
	cmd := exec.CommandContext(ctx, "python3", "-c", script, preset)
	cmd.Stdin = bytes.NewReader(programs)
	data, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("packing programs with Python's lzma: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(kept, "packed-*-"+preset+".xz"))
	for _, name := range old {
		err = errors.Join(err, os.Remove(name))
	}
	part := file + ".part" // an interrupted run leaves no incomplete file under the name
	return data, errors.Join(err, os.WriteFile(part, data, 0o644), os.Rename(part, file))
}

// archive writes the tarball like ansible-galaxy: MANIFEST.json has the checksum of FILES.json, which has those of all
// other files.
func archive(members map[string]member, info map[string]any, effort Effort) ([]byte, error) {
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

// content returns the contents of a member; of a link, those of its target.
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
