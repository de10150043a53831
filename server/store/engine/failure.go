package engine

import "fmt"

// Reason is the reason why a database cannot serve a request.
type Reason uint8

// The reasons of a [DatabaseError].
const (
	DiskFull      Reason = iota + 1 // no space left, or the user's quota is used up
	ReadOnly                        // the file, its directory, its file system, or the server is read-only
	NoAccess                        // this process may not open it, or may not create SQLite's -wal and -shm files
	Damaged                         // its contents are corrupted
	Busy                            // other processes hold the lock, or all connections
	FileReplaced                    // the file is no longer the one that was opened
	DiskError                       // the operating system failed to read or write
	Unreachable                     // it does not respond, or the connection was lost
	CommitUnknown                   // the connection was lost during a commit, whose outcome is not known
)

// words has the description of each reason, and the advice for a file and for a server.
var words = map[Reason]struct{ cause, file, server string }{
	DiskFull:     {"the disk is full", "free some space on its file system and try again", "free some space on the database server's file system and try again"},
	ReadOnly:     {"it is read-only", "let this user write to the file and to its directory", "name the primary server in --database, or all of them with target_session_attrs=read-write"},
	NoAccess:     {"it cannot be opened", "let this user read and write the file and its directory", "correct the user, the password or the database in --database, or what the role may do there"},
	Damaged:      {"it is damaged", "stop what writes to it, copy it with its -wal and -shm files, and restore a backup", "look at the log of the database server, and restore a backup"},
	Busy:         {"it is busy", "find who has it open, such as with fuser -v, and try again", "try again; if the problem persists, see who holds its connections and locks (pg_stat_activity, max_connections)"},
	FileReplaced: {"its file is no longer the one that was opened", "start this process again to use the file that is there now", ""},
	DiskError:    {"the disk failed", "look at the system's log, and check the disk", "look at the log of the database server, and check its disk"},

	Unreachable:   {"it cannot be reached", "", "start the database server, or correct the hosts in --database; requests succeed again as soon as it is back"},
	CommitUnknown: {"the connection was lost during the commit", "", "check whether the change was made before you repeat it"},
}

// DatabaseError is the error for a database that cannot serve a valid request. Nothing of the request was stored,
// unless the reason is [CommitUnknown].
type DatabaseError struct {
	Database string // its name for messages, without secrets: the path of a file, or a URL
	Server   bool   // it is on a database server, not in a file
	Reason   Reason
	Detail   string // details of the cause; may be empty
	Err      error  // of the engine or the operating system; may be nil
}

// Error returns which database failed, why, and what to do. It contains the path or URL, so it is only for readers who
// are allowed to see them; for clients, see [DatabaseError.Public].
func (f *DatabaseError) Error() string {
	text := f.Summary() + "; " + f.Advice()
	if !f.Server {
		text += " (`craton doctor` checks it)"
	}
	return text
}

// Summary returns which database failed and why, without advice.
func (f *DatabaseError) Summary() string {
	return fmt.Sprintf("database %s: %s", f.Database, f.CauseInDetail())
}

// CauseInDetail returns the reason with all details.
func (f *DatabaseError) CauseInDetail() string {
	if f.Detail != "" {
		return f.Cause() + ": " + f.Detail
	}
	return f.Cause()
}

// Cause returns the reason in a few words, without a path.
func (f *DatabaseError) Cause() string {
	if f.Reason == Busy && !f.Server {
		return "another process has it locked"
	}
	return words[f.Reason].cause
}

// Public returns the message for the clients of a server, without paths.
func (f *DatabaseError) Public() string {
	changed, where := "Nothing was changed.", "its log says more"
	if f.Reason == CommitUnknown {
		changed = "Whether the change was made is not known: check before you repeat it."
	}
	if !f.Server {
		where = "its log names the file, and `craton doctor` there checks it"
	}
	return fmt.Sprintf("The server's database failed: %s. %s Tell the administrator of this server; %s.", f.Cause(), changed, where)
}

// Advice returns what to do about the reason.
func (f *DatabaseError) Advice() string {
	if f.Server {
		return words[f.Reason].server
	}
	return words[f.Reason].file
}

// Unwrap returns the error of the engine or the operating system.
func (f *DatabaseError) Unwrap() error { return f.Err }
