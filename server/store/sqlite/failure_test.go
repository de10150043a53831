package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/craton-fleet/craton/server/store/engine"
)

// TestFault: each system error for a full or unwritable disk is converted to its reason, whether it comes from SQLite
// or from the operating system, and other errors are returned unchanged.
func TestFault(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]engine.Reason{
		syscall.ENOSPC: engine.DiskFull, syscall.EDQUOT: engine.DiskFull, syscall.EROFS: engine.ReadOnly, syscall.EACCES: engine.NoAccess, fs.ErrPermission: engine.NoAccess,
	} {
		err := fault("/fleet.db", fmt.Errorf("open: %w", cause))
		var f *engine.DatabaseError
		if !errors.As(err, &f) || f.Reason != want || !errors.Is(err, cause) {
			t.Errorf("%v is %v", cause, err)
		}
		if again := fault("/fleet.db", err); again != err { //nolint:errorlint // must be the identical error
			t.Errorf("%v was wrapped twice: %v", cause, again)
		}
	}
	for _, err := range []error{context.Canceled, fs.ErrNotExist, errors.New("no column of that name"), nil} {
		if got := fault("/fleet.db", err); got != err { //nolint:errorlint // must be the identical error
			t.Errorf("%v became %v", err, got)
		}
	}
	for reason := engine.DiskFull; reason <= engine.DiskError; reason++ {
		f := &engine.DatabaseError{Database: "/secret/fleet.db", Reason: reason, Detail: "detail"}
		if f.Cause() == "" || f.Advice() == "" || strings.Contains(f.Public(), "/secret") || !strings.Contains(f.Error(), "/secret/fleet.db") {
			t.Errorf("reason %d: %v; %s", reason, f, f.Public())
		}
	}
}
