package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/craton-fleet/craton/server/store/engine"
)

// fault converts an error of SQLite or the operating system about the file to an [engine.DatabaseError]. It returns
// other errors unchanged.
func fault(path string, err error) error {
	var known *engine.DatabaseError
	if err == nil || errors.As(err, &known) {
		return err
	}
	f := &engine.DatabaseError{Database: path, Detail: err.Error(), Err: err}
	var e *sqlite.Error
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		f.Reason = engine.DiskFull
	case errors.Is(err, syscall.EROFS):
		f.Reason = engine.ReadOnly
	case errors.Is(err, os.ErrPermission):
		f.Reason = engine.NoAccess
	case !errors.As(err, &e):
		return err
	default:
		f.Reason, f.Detail = diagnose(path, e)
	}
	if f.Reason == 0 {
		return err
	}
	return f
}

// diagnose returns the reason for an error of SQLite, and details. It also examines the file system, because SQLite's
// error codes are often too general. The reason is 0 if the error is a bug in this program.
func diagnose(path string, e *sqlite.Error) (engine.Reason, string) {
	switch e.Code() & 0xFF {
	case sqlite3.SQLITE_FULL:
		return engine.DiskFull, describeSpace(path)
	case sqlite3.SQLITE_READONLY:
		return engine.ReadOnly, describeAccess(path)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return engine.NoAccess, detail(err, "there is a directory of that name")
		}
		return engine.NoAccess, describeAccess(path)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return engine.Damaged, e.Error()
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return engine.Busy, ""
	case sqlite3.SQLITE_IOERR:
		// An I/O error can be due to a full disk, a quota, or the process's limit for the size of files.
		if free, err := freeBytes(filepath.Dir(path)); err == nil && free < minFree {
			return engine.DiskFull, describeSpace(path)
		}
		if e.Code() == sqlite3.SQLITE_IOERR_SHORT_READ {
			return engine.Damaged, "it ends too early"
		}
		return engine.DiskError, e.Error()
	}
	return 0, ""
}

// minFree is the free space that a transaction needs, in bytes.
const minFree = 64 << 10

// describeSpace returns a text with the free space in the file's directory, or "" if it is not known.
func describeSpace(path string) string {
	free, err := freeBytes(filepath.Dir(path))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d bytes are free", free)
}

// describeAccess returns a text with the file or directory that this process may not use, or "" if it cannot determine
// one.
func describeAccess(path string) string {
	for _, name := range []string{path, filepath.Dir(path)} {
		if err := writable(name); err != nil {
			return name + ": " + err.Error()
		}
	}
	return ""
}

func detail(err error, otherwise string) string {
	if err != nil {
		return err.Error()
	}
	return otherwise
}
