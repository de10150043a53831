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

// Write writes the files of a result into a folder that is made if it is not there. They may hold secrets, and are for
// the user alone. Files that are there, and an inventory, are an error that names them, and nothing is written then;
// with force they are overwritten, and what an earlier import wrote is removed. A folder that is made here has all of
// it in the end, or is not there.
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

// CheckFolder returns an error where an import cannot be in a folder, since that, or what it is to be in, is something
// else.
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

// create makes a folder with files: all of them, or it is not there.
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

// unwritable says of a folder what the system says of a file in it that is made for a moment.
func unwritable(dir string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	} else if l, ok := errors.AsType[*os.LinkError](err); ok {
		err = l.Err
	}
	return fmt.Errorf("%s cannot be written: %w", dir, err)
}

// staged writes files into a folder of their own, beside those whose place they will take. Its path is told in case of
// an error too.
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

// replace puts files in the place of those of an earlier import. All are written before one of those is touched.
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
				_ = os.Remove(filepath.Dir(filepath.Join(dir, name))) // the last one of a folder takes it along
			}
		}
	}
	for _, f := range files { // the record comes last, by which --verify knows an import
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

// write writes a file into a folder, for the user alone.
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

// written returns the files of an inventory that is in the folder: all of them count for Ansible.
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

// ReadRecord reads what an earlier import keeps of itself.
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
