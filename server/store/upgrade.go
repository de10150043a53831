package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/craton-fleet/craton/server/store/engine"
)

// save backs up a database before its schema is migrated.
func (o Options) save(ctx context.Context, e engine.Engine, version int) error {
	dir, base, err := o.saveTo(e)
	var f *os.File
	if err == nil {
		now := time.Now()
		name := fmt.Sprintf("%s.schema-%d-%s.backup", base, version, now.UTC().Format(backupTime))
		f, err = os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_, err = backup(ctx, e, f, o.Program, now, nil)
			err = cmp.Or(err, f.Sync(), f.Close())
			if err != nil {
				_ = os.Remove(f.Name())
			}
		}
	}
	if err != nil {
		return fmt.Errorf("database %s has schema %d and was not migrated, because it could not be backed up before its schema becomes %d: %w; free some space, or set upgrade_backup to another directory, or make a backup yourself and set it to \"no\"",
			e.Name(), version, len(migrations), err)
	}
	removeOld(dir, base)
	if o.Saved != nil {
		o.Saved(f.Name())
	}
	return nil
}

// keptBackups is the number of backups from before migrations that are kept for a database.
const keptBackups = 5

// removeOld removes the oldest backups of a database. It ignores errors.
func removeOld(dir, base string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	made := map[string]string{} // file names by time
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), base+".schema-")
		_, at, dated := strings.Cut(strings.TrimSuffix(rest, ".backup"), "-")
		if _, err := time.Parse(backupTime, at); ours && dated && err == nil && strings.HasSuffix(rest, ".backup") && e.Type().IsRegular() {
			made[at+" "+e.Name()] = e.Name()
		}
	}
	oldest := slices.Sorted(maps.Keys(made))
	for _, key := range oldest[:max(0, len(oldest)-keptBackups)] {
		_ = os.Remove(filepath.Join(dir, made[key]))
	}
}

// backupTime is the format of the time in a backup's name.
const backupTime = "20060102T150405Z"

// saveTo returns the directory for backups, and the prefix of their file names.
func (o Options) saveTo(e engine.Engine) (dir, name string, err error) {
	if e.Dialect().Name == "sqlite" {
		return cmp.Or(o.Saves, filepath.Dir(e.Name())), filepath.Base(e.Name()), nil
	}
	name = "fleet"
	if u, err := url.Parse(e.Name()); err == nil {
		name = cmp.Or(strings.Trim(u.Path, "/"), name)
	}
	if dir = o.Saves; dir == "" {
		state := os.Getenv("XDG_STATE_HOME")
		if state == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", "", err
			}
			state = filepath.Join(home, ".local", "state")
		}
		dir = filepath.Join(state, "craton")
		err = os.MkdirAll(dir, 0o700)
	}
	return dir, strings.Map(plain, name), err
}

// plain replaces characters that would lead to another directory.
func plain(r rune) rune {
	if r == '/' || r == '\\' || r < ' ' {
		return '_'
	}
	return r
}

// Schema returns the version of the schema that this program uses, and to which [Open] migrates a database.
func Schema() int { return len(migrations) }
