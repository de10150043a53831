package importing

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree returns all files and folders in a folder, but itself.
func tree(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is not for its owner alone: %v", path, info.Mode())
		}
		name, err := filepath.Rel(dir, path)
		all = append(all, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWrite: an import is in a folder as a whole, or not at all.
func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	result := func(paths ...string) *Result {
		r := &Result{Report: &Report{}, Record: &Record{Version: 1}}
		for _, path := range paths {
			r.add(path, []byte("x"), false)
		}
		return r
	}
	out := filepath.Join(dir, "deep", "er", "out")
	if err := result(FleetFile, "inventory/a", "../evil").Write(out, false); err == nil || !strings.Contains(err.Error(), "outside") {
		t.Errorf("%v", err)
	}
	if left := tree(t, dir); left != nil {
		t.Errorf("left behind: %v", left)
	}
	if err := result(FleetFile, "inventory/group_vars/a.yml").Write(out, false); err != nil {
		t.Fatal(err)
	}
	first := []string{"fleet.yml", "import.json", "inventory", "inventory/group_vars", "inventory/group_vars/a.yml"}
	if diff := cmp.Diff(first, tree(t, out)); diff != "" {
		t.Error(diff)
	}
	for _, force := range []bool{false, true} { // what fails changes nothing
		bad := result(FleetFile, "/evil")
		if err := bad.Write(out, force); err == nil {
			t.Error("it is written")
		}
		if diff := cmp.Diff(first, tree(t, out)); diff != "" {
			t.Error(diff)
		}
	}
	if err := result(FleetFile, "inventory/b").Write(out, true); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"fleet.yml", "import.json", "inventory", "inventory/b"}, tree(t, out)); diff != "" {
		t.Error(diff)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := result(FleetFile).Write(filepath.Join(file, "x"), false); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("%v", err)
	}
	if left := tree(t, dir); !slices.Contains(left, "file") || slices.ContainsFunc(left, func(name string) bool { return strings.Contains(name, "craton-import") }) {
		t.Errorf("%v", left)
	}
}
