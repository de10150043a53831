package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/tools/collection"
)

// links are the other names of the program on an installed machine. Modules come with the collection.
var links = []string{"craton-inventory", "iotronic-inventory"}

// tree is the contents of files, by their paths.
type tree map[string][]byte

// completions are the paths of the shells' completion scripts, below share.
var completions = map[string]string{
	"bash": "bash-completion/completions/craton",
	"zsh":  "zsh/site-functions/_craton",
	"fish": "fish/vendor_completions.d/craton.fish",
}

// common returns the files that archives and packages have in addition to the program, laid out as below /usr/share.
func (r *release) common(ctx context.Context) (tree, error) {
	r.say("writing manual pages and completions")
	here, err := r.compile(ctx, collection.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH})
	if err != nil {
		return nil, err
	}
	files := tree{}
	for shell, file := range completions {
		out, err := exec.CommandContext(ctx, here.Program, "completion", shell).Output()
		if err != nil {
			return nil, fmt.Errorf("completion %s: %w", shell, err)
		}
		files[file] = out
	}
	man := filepath.Join(r.work, "man")
	cmd := exec.CommandContext(ctx, "go", "run", "./tools/man", "-version", r.version, man)
	cmd.Dir, cmd.Stderr = r.root, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("manual pages: %w", err)
	}
	if err := files.add(man, "man/man1"); err != nil {
		return nil, err
	}
	for link, page := range map[string]string{"craton-inventory": "craton-inventory.1", "iotronic-inventory": "craton-iotronic-inventory.1"} {
		if _, ok := files["man/man1/"+page]; !ok {
			return nil, fmt.Errorf("%s has no manual page %s", link, page)
		}
		if name := "man/man1/" + link + ".1"; files[name] == nil {
			files[name] = []byte(".so man1/" + page + "\n")
		}
	}
	if err := files.add(filepath.Join(r.root, "examples"), "doc/craton/examples"); err != nil {
		return nil, err
	}
	for _, name := range []string{"README.md", "CHANGELOG.md", "LICENSE"} {
		text, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			return nil, err
		}
		files["doc/craton/"+name] = text
	}
	return files, nil
}

// add adds a directory with all its contents.
func (t tree) add(dir, at string) error {
	return filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(file)
		t[path.Join(at, filepath.ToSlash(name))] = text
		return err
	})
}

// archive packs the program of a platform with everything that belongs to it, in a directory with the archive's name:
// bin, share, and the files to read first.
func (r *release) archive(p collection.Platform, common tree) (string, error) {
	name := fmt.Sprintf("craton_%s_%s_%s", r.version, p.OS, p.Arch)
	program, err := os.ReadFile(p.Program)
	if err != nil {
		return "", err
	}
	files := tree{"bin/craton": program}
	for file, text := range common {
		if doc, ok := strings.CutPrefix(file, "doc/craton/"); ok {
			files[doc] = text
		} else {
			files["share/"+file] = text
		}
	}
	var b bytes.Buffer
	gz, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	tw := tar.NewWriter(gz)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: name + "/" + file, Mode: 0o644, Size: int64(len(files[file])), ModTime: r.made, Format: tar.FormatUSTAR}
		if file == "bin/craton" {
			h.Mode = 0o755
		}
		err = errors.Join(err, tw.WriteHeader(h))
		_, werr := tw.Write(files[file])
		err = errors.Join(err, werr)
	}
	for _, link := range links {
		err = errors.Join(err, tw.WriteHeader(&tar.Header{Name: name + "/bin/" + link, Typeflag: tar.TypeSymlink, Linkname: "craton", Mode: 0o777, ModTime: r.made, Format: tar.FormatUSTAR}))
	}
	if err = errors.Join(err, tw.Close(), gz.Close()); err != nil {
		return "", err
	}
	return name + ".tar.gz", os.WriteFile(filepath.Join(r.out, name+".tar.gz"), b.Bytes(), 0o644)
}

// zipped compresses a text like gzip -9n, for the manual pages and changelogs of a package.
func zipped(text []byte) ([]byte, error) {
	var b bytes.Buffer
	gz, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = gz.Write(text)
	err = errors.Join(err, gz.Close())
	return b.Bytes(), err
}
