package inventory

import (
	"context"
	"errors"
	"io"

	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory/internal/kept"
)

// KeptInventories is a folder of inventories that `craton inventory --list` has printed, for `craton cache` and `craton doctor`.
type KeptInventories = kept.Store

// OpenKept opens the folder of the setting cache_dir; "" is that of the user. An error says why nothing can be kept there.
func OpenKept(dir string) (*KeptInventories, error) {
	if dir == "" {
		var err error
		if dir, err = kept.Folder(); err != nil {
			return nil, err
		}
	}
	return kept.Open(dir)
}

// List writes the inventory of settings as `craton inventory --list` does, from what is kept where that is the present one. note is
// what there is to say of it.
func List(ctx context.Context, v *settings.Values, w io.Writer) (note string, err error) {
	source, err := open(ctx, v, false)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	l, err := source.List(ctx)
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Note, l.Write(w)
}
