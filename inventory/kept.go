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

// KeptInventories is a folder of inventories that `craton inventory --list` has printed, for `craton cache` and `craton
// doctor`.
type KeptInventories = kept.Store

// OpenKept opens the folder of the setting cache_dir; "" is that of the user. An error says why nothing can be kept
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
	Stale   time.Duration // how old it may be when the server cannot be reached
	Hosts   int           // of the inventory that is kept; -1: none is
	Checked time.Time     // when that was last known to be the present one
	Lost    int           // hosts that the one had lost that was refused
}

// KeepingOf returns how the inventory of the settings is cached: those of the connection and those of the inventory. An
// error says why it is not, or why what is kept does not count.
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

// List writes the inventory of settings as `craton inventory --list` does, from what is kept where that is the present
// one. note describes it.
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
