package server

import (
	"context"
	"io"

	"github.com/craton-fleet/craton/server/store"
)

// BackupInfo is what a backup says of itself.
type BackupInfo = store.BackupInfo

// BackupStep is how far a backup or a restore is.
type BackupStep = store.Step

// Backup writes everything that the database holds at one moment, users and
// change log included, while the server goes on; it returns the number of rows.
// See [store.Store.Backup].
func (s *Server) Backup(ctx context.Context, w io.Writer, report func(BackupStep)) (int64, error) {
	return s.store.Backup(ctx, w, s.version, report)
}

// Restore fills an empty database with a backup: see [store.Restore].
func Restore(ctx context.Context, database string, o Options, file string, open func() (io.ReadCloser, error), report func(BackupStep)) (BackupInfo, int64, error) {
	return store.Restore(ctx, database, o.store(), file, open, report)
}
