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
	"github.com/craton-fleet/craton/internal/private"
	"github.com/craton-fleet/craton/internal/value"
)

// Write writes the files of a result into a folder that is made if it is not there. They may hold secrets, and are for the user
// alone. Files that are there, and an inventory, are an error that names them, and nothing is written then; with force they are overwritten,
// and what an earlier import wrote is removed.
func (r *Result) Write(dir string, force bool) error {
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
			return fmt.Errorf("%s holds %s already; name another folder, or overwrite with --force", dir, advice.Few(slices.Compact(old), 5))
		}
	}
	if earlier, err := ReadRecord(dir); err == nil {
		for _, f := range earlier.Files {
			if name := filepath.FromSlash(f); filepath.IsLocal(name) && slices.Contains(old, f) {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					return err
				}
				_ = os.Remove(filepath.Dir(filepath.Join(dir, name))) // the last one of a folder takes it along
			}
		}
	}
	for _, f := range files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return fmt.Errorf("%q leads out of the folder", f.Path)
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		file, err := private.Create(path)
		if err != nil {
			return err
		}
		_, err = file.Write(f.Content)
		if err == nil && f.Program {
			err = file.Chmod(0o700)
		}
		if err := private.Keep(file, path, err); err != nil {
			return err
		}
	}
	return nil
}

// written are the files of an inventory that is in the folder: all of them count for Ansible.
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
	text, err := os.ReadFile(filepath.Join(dir, RecordFile))
	if err != nil {
		return nil, fmt.Errorf("%s is no result of craton import: %w", dir, err)
	}
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil || r.Version != 1 {
		return nil, fmt.Errorf("%s is no record of craton import", filepath.Join(dir, RecordFile))
	}
	return r, nil
}
