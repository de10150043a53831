package server

import (
	"context"
	"io"

	"github.com/craton-fleet/craton/server/store"
)

// BackupInfo describes a backup.
type BackupInfo = store.BackupInfo

// BackupStep is the progress of a backup or a restore.
type BackupStep = store.Step

// Backup writes a snapshot of the whole database, including users and change log, while the server continues; it
// returns the number of rows. See [store.Store.Backup].
func (s *Server) Backup(ctx context.Context, w io.Writer, report func(BackupStep)) (int64, error) {
	return s.store.Backup(ctx, w, s.version, report)
}

// Restore restores a backup into an empty database: see [store.Restore].
func Restore(ctx context.Context, database string, o Options, file string, open func() (io.ReadCloser, error), report func(BackupStep)) (BackupInfo, int64, error) {
	return store.Restore(ctx, database, o.store(), file, open, report)
}
