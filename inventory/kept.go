package inventory

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory/internal/command"
	"github.com/craton-fleet/craton/inventory/internal/kept"
)

// KeptInventories is a directory of inventories that `craton inventory --list` has cached, for `craton cache` and
// `craton doctor`.
type KeptInventories = kept.Store

// OpenKept opens the directory of the setting cache_dir; "" is the user's. An error says why nothing can be cached
// there.
func OpenKept(dir string) (*KeptInventories, error) {
	if dir == "" {
		var err error
		if dir, err = kept.Folder(); err != nil {
			return nil, err
		}
	}
	return kept.Open(dir)
}

// Keeping describes how the inventory of some settings is cached.
type Keeping struct {
	Off     bool
	Dir     string        // where
	Needed  bool          // a setting relies on it
	Stale   time.Duration // its maximum age if the server cannot be reached
	Hosts   int           // of the cached inventory; -1: there is none
	Checked time.Time     // when it was last confirmed to be current
	Lost    int           // lost hosts of a refused inventory
}

// KeepingOf returns how the inventory of the settings is cached: those of the connection and those of the inventory. An
// error says why it is not, or why the cached one is not used.
func KeepingOf(of, v *settings.Values) (k Keeping, err error) {
	set, err := keepingFromSettings(v)
	if err != nil || set.off {
		return Keeping{Off: true, Hosts: -1}, err
	}
	k = Keeping{Dir: set.dir, Needed: set.needed(), Stale: set.stale, Hosts: -1}
	store, err := OpenKept(set.dir)
	if err != nil {
		return k, err
	}
	k.Dir = store.Dir()
	o, err := FromSettings(v)
	if err != nil {
		return k, err
	}
	refused, unread := store.Refused()
	for _, o.KeepMappings = range []bool{true, false} {
		key, _, _, err := keyOf(of, v, &o)
		if err != nil {
			return k, err
		}
		e, err := store.Find(key)
		if err == nil {
			err = e.Check()
			k.Hosts, k.Checked = e.Hosts, e.Checked
			e.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return k, err
		}
		if unread == nil && refused[key] != nil {
			k.Lost = refused[key].Lost
		}
	}
	if k.Hosts < 0 && unread == nil {
		err = store.CanOpen()
	}
	return k, err
}

// List writes the inventory of settings as `craton inventory --list` does, from the cache if it is current. note
// describes its source.
func List(ctx context.Context, v *settings.Values, w io.Writer) (note string, err error) {
	source, err := open(ctx, v, command.Request{})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	l, err := source.List(ctx)
	if err != nil {
		return "", err
	}
	defer l.Close()
	err = l.Write(w)
	return l.Note, err
}
