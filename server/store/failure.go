package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Reason is what keeps a database from doing what was asked.
type Reason uint8

// The reasons of a [Failure].
const (
	DiskFull Reason = iota + 1 // no space, or no more of it for this user
	ReadOnly                   // the file, its directory or its file system may only be read
	NoAccess                   // this process may not open the file, or make SQLite's files beside it
	Damaged                    // the file's contents are not a database any more
	Busy                       // another process holds the lock
	Detached                   // the file is no longer the one that was opened
	BadDisk                    // the operating system failed to read or write
)

// causes and remedies are the words of each reason.
var causes = map[Reason]string{
	DiskFull: "the disk is full",
	ReadOnly: "it can only be read",
	NoAccess: "it cannot be opened",
	Damaged:  "it is damaged",
	Busy:     "another process keeps it locked",
	Detached: "its file is no longer the one that was opened",
	BadDisk:  "the disk failed",
}

var remedies = map[Reason]string{
	DiskFull: "make room on its file system and try again",
	ReadOnly: "let this user write to the file and to its directory",
	NoAccess: "let this user read and write the file and its directory",
	Damaged:  "stop what writes to it, keep a copy of it with its -wal and -shm files, and bring back a backup",
	Busy:     "find who has it open, such as with fuser -v, and try again",
	Detached: "start this process again to use the file that is there now",
	BadDisk:  "look at the system's log, and check the disk",
}

// Failure is a database that cannot do what was asked, although nothing is
// wrong with the request. Nothing of the request was stored.
type Failure struct {
	Path   string // of the database file
	Reason Reason
	Detail string // more about the cause; may be empty
	Err    error  // of the engine or the operating system; may be nil
}

// Error says what is wrong with which file and what to do: for those who may
// know where the file is.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s; %s (`craton doctor` checks it)", f.Summary(), f.Advice())
}

// Summary is what is wrong with which file, without advice.
func (f *Failure) Summary() string { return fmt.Sprintf("database %s: %s", f.Path, f.cause()) }

func (f *Failure) cause() string {
	if f.Detail != "" {
		return f.Cause() + ": " + f.Detail
	}
	return f.Cause()
}

// Cause names the reason in a few words, without a path.
func (f *Failure) Cause() string { return causes[f.Reason] }

// Public says the same to the clients of a server, without its paths.
func (f *Failure) Public() string {
	return fmt.Sprintf("The server's database failed: %s. Nothing was changed. Tell the administrator of this server; its log names the file, and `craton doctor` there checks it.", f.Cause())
}

// Advice is what to do about the reason.
func (f *Failure) Advice() string { return remedies[f.Reason] }

// Unwrap returns the error of the engine or the operating system.
func (f *Failure) Unwrap() error { return f.Err }

// fault makes a [Failure] of what the engine or the operating system says
// about the file. Every other error is returned as it is.
func fault(path string, err error) error {
	var known *Failure
	if err == nil || errors.As(err, &known) {
		return err
	}
	f := &Failure{Path: path, Detail: err.Error(), Err: err}
	var e *sqlite.Error
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		f.Reason = DiskFull
	case errors.Is(err, syscall.EROFS):
		f.Reason = ReadOnly
	case errors.Is(err, os.ErrPermission):
		f.Reason = NoAccess
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

// diagnose finds the reason behind a code of the engine, which often says
// less than the file system knows; 0 if it is a mistake of ours.
func diagnose(path string, e *sqlite.Error) (Reason, string) {
	switch e.Code() & 0xFF {
	case sqlite3.SQLITE_FULL:
		return DiskFull, space(path)
	case sqlite3.SQLITE_READONLY:
		return ReadOnly, access(path)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return NoAccess, detail(err, "there is a directory of that name")
		}
		return NoAccess, access(path)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return Damaged, e.Error()
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return Busy, ""
	case sqlite3.SQLITE_IOERR:
		// A write that a quota or a limit of the process refuses is one too.
		if free, err := freeBytes(filepath.Dir(path)); err == nil && free < minFree {
			return DiskFull, space(path)
		}
		if e.Code() == sqlite3.SQLITE_IOERR_SHORT_READ {
			return Damaged, "it ends too early"
		}
		return BadDisk, e.Error()
	}
	return 0, ""
}

// minFree is how many bytes of free space a transaction needs at least.
const minFree = 64 << 10

// space tells how much room there is beside the file; "" if nobody knows.
func space(path string) string {
	free, err := freeBytes(filepath.Dir(path))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d bytes are free", free)
}

// access tells which of the file and its directory this process may not use;
// "" if nothing is known to be in the way.
func access(path string) string {
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
