package importing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/value"
)

// Write writes the files of a result into a directory, which is created if necessary. They may contain secrets, so only
// the user can read them. If files or an inventory exist there, Write returns an error that names them, and writes
// nothing; with force, they are overwritten, and files of an earlier import are removed. A new directory is created
// atomically.
func (r *Result) Write(dir string, force bool) error {
	if err := CheckFolder(dir); err != nil {
		return err
	}
	for _, f := range r.Files {
		r.Record.Files = append(r.Record.Files, f.Path)
	}
	record, err := value.Encode(r.Record)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, record, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	files := slices.Concat(r.Files, []File{{RecordFile, out.Bytes(), false}})
	old, err := written(dir)
	if err != nil {
		return err
	}
	if !force {
		for _, f := range files {
			if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Path))); err == nil {
				old = append(old, f.Path)
			}
		}
		if len(old) > 0 {
			slices.Sort(old)
			return fmt.Errorf("%s already contains %s; choose another directory, or overwrite with --force", dir, advice.Enumerate(slices.Compact(old), 5))
		}
	}
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return create(dir, files)
	}
	return replace(dir, files, old)
}

// CheckFolder returns an error if an import cannot be written to a directory, because the path or its parent is
// something else.
func CheckFolder(dir string) error {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && info.IsDir():
			return nil
		case err == nil && at == filepath.Clean(dir):
			return fmt.Errorf("%s is a file, but an import needs a directory; choose one with --output", at)
		case err == nil:
			return fmt.Errorf("%s cannot be a directory: %s is a file; choose another one with --output", dir, at)
		case at == filepath.Dir(at):
			return nil
		}
	}
}

// create creates a directory with files, atomically.
func create(dir string, files []File) (err error) {
	above := filepath.Dir(filepath.Clean(dir))
	var made []string // folders
	for at := above; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, at)
	}
	defer func() {
		for _, at := range made {
			if err != nil {
				_ = os.Remove(at) // empty, or somebody else's
			}
		}
	}()
	if err := os.MkdirAll(above, 0o700); err != nil {
		return unwritable(dir, err)
	}
	stage, err := staged(above, files)
	if err == nil {
		err = os.Rename(stage, dir)
	}
	if err != nil {
		err = errors.Join(unwritable(dir, err), os.RemoveAll(stage))
	}
	return err
}

// unwritable returns an error if the system does not allow a temporary file in a directory.
func unwritable(dir string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	} else if l, ok := errors.AsType[*os.LinkError](err); ok {
		err = l.Err
	}
	return fmt.Errorf("%s cannot be written: %w", dir, err)
}

// staged writes files into a temporary directory, next to those that they will replace. It also returns the path if
// there is an error.
func staged(in string, files []File) (stage string, err error) {
	if stage, err = os.MkdirTemp(in, ".craton-import-*"); err != nil {
		return "", err
	}
	for _, f := range files {
		if err := f.write(stage); err != nil {
			return stage, err
		}
	}
	return stage, nil
}

// replace replaces the files of an earlier import. All are written before any of those is changed.
func replace(dir string, files []File, old []string) (err error) {
	stage, err := staged(dir, files)
	if stage != "" {
		defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	}
	if err != nil {
		return unwritable(dir, err)
	}
	partly := func(err error) error {
		return advice.With(err, fmt.Sprintf("%s contains a part of this import, which must not be used; when the problem is solved, import again with --force", dir))
	}
	if earlier, err := ReadRecord(dir); err == nil {
		for _, f := range earlier.Files {
			if name := filepath.FromSlash(f); filepath.IsLocal(name) && slices.Contains(old, f) {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					return partly(err)
				}
				_ = os.Remove(filepath.Dir(filepath.Join(dir, name))) // the last one of a directory removes it
			}
		}
	}
	for _, f := range files { // the record is last; --verify recognises an import by it
		name := filepath.FromSlash(f.Path)
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			return partly(err)
		}
		if err := os.Rename(filepath.Join(stage, name), filepath.Join(dir, name)); err != nil {
			return partly(err)
		}
	}
	return nil
}

// write writes a file into a directory, readable only by the user.
func (f *File) write(dir string) error {
	name := filepath.FromSlash(f.Path)
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%q is outside of the directory", f.Path)
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	mode := fs.FileMode(0o600)
	if f.Program {
		mode = 0o700
	}
	return os.WriteFile(path, f.Content, mode)
}

// written returns the files of an inventory in the directory: Ansible reads all of them.
func written(dir string) ([]string, error) {
	var found []string
	root := filepath.Join(dir, InventoryDir)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil
		}
		if err != nil {
			return err
		}
		if !d.IsDir() {
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			found = append(found, filepath.ToSlash(name))
		}
		return nil
	})
	return found, err
}

// ReadRecord reads the record of an earlier import.
func ReadRecord(dir string) (*Record, error) {
	if err := CheckFolder(dir); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, RecordFile))
	if err != nil {
		return nil, fmt.Errorf("%s is not a result of craton import: %w", dir, err)
	}
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil || r.Version != 1 {
		return nil, fmt.Errorf("%s is not a record of craton import", filepath.Join(dir, RecordFile))
	}
	return r, nil
}
