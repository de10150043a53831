package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/server"
)

// checkSQLite checks the file of the embedded server, and reports whether a client can use it.
func (d *doctor) checkSQLite(ctx context.Context, v *settings.Values) bool {
	url := v.String("url")
	path, err := filepath.Abs(strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		path = strings.TrimPrefix(url, "sqlite:")
	}
	in, err := server.Inspect(ctx, url)
	said := err
	if f, ok := errors.AsType[*server.DatabaseError](err); ok {
		said = errors.New(f.Summary()) // the advice is printed separately here
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.problem("file", begin(path), "%s does not exist", path)
		return false
	case errors.Is(err, fs.ErrPermission):
		d.problem("file", "give this user access to "+filepath.Dir(path)+", or run as the user that owns the file", "%s cannot be accessed: %v", path, errors.Unwrap(err))
		return false
	case err != nil:
		d.addError("file", said, openAdvice(path, err))
		return false
	case in.Schema == 0 && in.Damage == "":
		d.problem("file", begin(path), "%s contains no fleet yet", path)
		return false
	}
	d.checkFileMode(path)
	if in.Damage != "" {
		d.problem("database", "stop what writes to it, copy it with its -wal and -shm files, and restore a backup", "%s is damaged: %s", path, in.Damage)
		return false
	}
	older := in.Schema < in.Newest
	if older {
		d.warn("database", "run any other command on it; if an older craton must still be able to read it, make a copy first",
			"its schema is version %d; the next command that opens it migrates it to %d", in.Schema, in.Newest)
	} else {
		d.ok("database", "schema version %d, structure intact", in.Schema)
	}
	switch {
	case in.ReadOnly:
		d.warn("writing", "give this user write access to "+path+" and to its directory, or change the fleet as the user that owns it", "this user can read the fleet, but not change it")
	case in.Unwritable != "":
		d.problem("writing", "make it writable, then run this again; until then, every change of the fleet fails", "%s cannot be written to: %s", path, in.Unwritable)
	case in.Locked:
		d.warn("writing", "find the process that has it open, such as with `fuser -v "+path+"`", "another process holds the write lock and does not release it: reads work, writes wait")
	default:
		d.ok("writing", "the file can be written")
	}
	if in.Free > 0 && in.Free < minFree {
		d.warn("disk", "free space on its file system", "only %s are free on the file system of %s", bytesText(in.Free), path)
	} else if in.Free > 0 {
		d.ok("disk", "%s free", bytesText(in.Free))
	}
	if older {
		d.skip("opening the file would change its schema", "project")
		return false
	}
	_, done, err := connect.Client(ctx, v, connect.Examine)
	if err != nil {
		d.addError("project", err, "set OS_PROJECT_ID to the project to work in")
		return false
	}
	d.ok("project", "role root; only the permissions of the file protect it")
	if err := done(); err != nil {
		d.addError("database", err, "check that the disk is not full")
		return false
	}
	return true
}

// minFree is the minimum free disk space for a fleet, in bytes: for its write-ahead log, and for growth.
const minFree = 100 << 20

// bytesText returns a number of bytes for people.
func bytesText(n uint64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for value >= 1<<10 && unit < len(units)-1 {
		value, unit = value/(1<<10), unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}

// begin returns what to do if there is no fleet.
func begin(path string) string {
	return "correct CRATON_URL, or start with `craton server bootstrap --database sqlite:" + path + "` or `craton apply FILE`"
}

// openAdvice returns what to do about a file that cannot be opened.
func openAdvice(path string, err error) string {
	if f, ok := errors.AsType[*server.DatabaseError](err); ok && f.Reason != server.NoAccess && f.Reason != server.ReadOnly {
		return f.Advice()
	}
	switch {
	case errors.Is(err, server.ErrForeign):
		return "correct CRATON_URL"
	case errors.Is(err, server.ErrNewer):
		return "upgrade this program, or correct CRATON_URL"
	}
	// For other problems SQLite only says that it cannot open the file.
	for _, name := range []string{path, filepath.Dir(path)} {
		f, err := os.Open(name)
		if err != nil {
			return "give this user read access to " + name
		}
		_ = f.Close()
	}
	return "give this user write access to " + filepath.Dir(path) + ", where SQLite keeps its log"
}

// checkFileMode checks who else may read the fleet, including secrets in variables, or change it.
func (d *doctor) checkFileMode(path string) {
	info, err := os.Stat(path)
	if err != nil {
		d.problem("file", "give this user access to it", "%v", err)
		return
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o002 != 0:
		d.problem("file", "chmod 600 "+path, "everyone on this machine can write to %s", path)
	case mode&0o004 != 0:
		d.warn("file", "chmod 600 "+path, "everyone on this machine can read %s, with the secrets in its variables", path)
	default:
		d.ok("file", "%s, %s", path, modeText(info))
	}
}
