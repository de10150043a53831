package private

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
)

// Temporary is the suffix of files that are being written.
const Temporary = ".new"

// CachePath returns a path in the user's cache directory: craton/NAME in $XDG_CACHE_HOME or ~/.cache, on macOS in
// ~/Library/Caches. It is an error if the user has no home directory, as is usual for services: it is not created.
func CachePath(name string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(dir, filepath.Clean(home)+string(filepath.Separator)) {
		if _, err := os.Stat(home); err != nil {
			return "", fmt.Errorf("no home directory: %w", err)
		}
	}
	return filepath.Join(dir, "craton", name), nil
}

// DataPath returns a path in the user's data directory: craton/NAME in $XDG_DATA_HOME or ~/.local/share. It is an error
// if the user has no home directory.
func DataPath(name string) (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "craton", name), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(home); err != nil {
		return "", fmt.Errorf("no home directory: %w", err)
	}
	return filepath.Join(home, ".local", "share", "craton", name), nil
}

// MakeFolder creates a directory if necessary, and checks that only the user can have put anything into it.
func MakeFolder(path string) error {
	err := CheckFolder(path)
	if !os.IsNotExist(err) {
		return err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return CheckFolder(path)
}

// CanMake checks whether [MakeFolder] could create a missing directory, by creating another one in its place for a
// moment.
func CanMake(path string) error {
	above := filepath.Dir(path)
	for ; above != filepath.Dir(above); above = filepath.Dir(above) {
		if _, err := os.Lstat(above); !os.IsNotExist(err) {
			break
		}
	}
	made, err := os.MkdirTemp(above, ".craton-*"+Temporary)
	if err != nil {
		return fmt.Errorf("cannot create %s: %w", path, err)
	}
	return os.Remove(made)
}

// CheckFolder is like MakeFolder, for an existing directory; if there is none, the error is fs.ErrNotExist.
func CheckFolder(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	return check(path, info, fs.ModeDir)
}

// Open opens a file for reading. The error is fs.ErrNotExist if there is none.
func Open(path string) (*os.File, error) { return open(path, os.O_RDONLY) }

// OpenLock opens a file for locking, and creates it if necessary.
func OpenLock(path string) (*os.File, error) { return open(path, os.O_RDWR|os.O_CREATE) }

func open(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, flags|noFollow, 0o600)
	if err != nil {
		if info, e := os.Lstat(path); e == nil && info.Mode()&fs.ModeSymlink != 0 {
			err = check(path, info, 0)
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = check(path, info, 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// ReadSecret reads a file with one secret, such as a token. Its group may read it too, because an administrator may own
// it.
func ReadSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it is only read
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o007 != 0 && runtime.GOOS != "windows" {
		return "", advice.With(fmt.Errorf("everyone on this machine can read or write %s (mode %#o)", path, info.Mode().Perm()), "chmod o= "+path)
	}
	const most = 4096
	text, err := io.ReadAll(io.LimitReader(f, most))
	secret := strings.TrimSpace(string(text))
	if err == nil && (secret == "" || len(text) == most) {
		err = fmt.Errorf("%s must contain a secret of at most %d characters", path, most-1)
	}
	return secret, err
}

// Create begins a file next to path, which replaces it with [Keep]. Only the user can read it.
func Create(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+Temporary) // mode 0600
}

// Keep completes a file from [Create], and moves it to path, or deletes it if err is not nil. It does not wait for the
// disk.
func Keep(f *os.File, path string, err error) error {
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// check returns an error for a file of another type, or one that other users can read or write. On systems without
// owners of files, only the type is checked.
func check(path string, info fs.FileInfo, want fs.FileMode) error {
	what := map[fs.FileMode]string{0: "file", fs.ModeDir: "directory"}[want]
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return advice.With(fmt.Errorf("%s is a symbolic link, which is not followed for private files", path), "remove it")
	case info.Mode().Type() != want:
		return advice.With(fmt.Errorf("%s is not a %s", path, what), "remove it")
	case !isOwn(info):
		return advice.With(fmt.Errorf("%s belongs to another user", path), "remove it, or set another directory")
	case info.Mode().Perm()&0o077 != 0:
		mend := "remove it, or remove the permissions of others: chmod go= " + path
		if want == fs.ModeDir {
			mend = "set a directory that is used for nothing else; if this one is, remove the permissions of others: chmod go= " + path
		}
		return advice.With(fmt.Errorf("users other than its owner can access %s (mode %#o)", path, info.Mode().Perm()), mend)
	}
	return nil
}
