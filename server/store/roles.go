package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/craton-fleet/craton/internal/schema"
)

// SetRole sets a user's role, and returns the user's row. Only root can grant and revoke the role root. SetRole fails
// with [ExceedsGrant] for a role higher than the caller's, and with [InUse] for the last root user with a key.
func (s *Store) SetRole(ctx context.Context, m Manager, user string, role schema.Role) (Row, error) {
	var row Row
	err := s.write(ctx, func(ctx context.Context, q *session) (err error) {
		if row, err = q.managed(ctx, m, user); err != nil {
			return err
		}
		old := row
		switch {
		case old.role() == role:
			return nil
		case (role == schema.Root || old.role() == schema.Root) && !(m.All && m.Role == schema.Root), role > m.Role:
			return errGivesRoot
		}
		at := s.now()
		values := Values{"role": role.String()}
		values.setRole()
		values["updated_at"] = at.Unix()
		if err := q.keepRootUser(ctx, Users, old, "cannot get another role"); err != nil {
			return err
		}
		if err := q.setColumns(ctx, Users, old[Users.Index("id")], values); err != nil {
			return err
		}
		if row, err = q.get(ctx, Users, Scope{All: true}, old[Users.Index("id")], unlocked); err != nil {
			return err
		}
		return q.recordUpdate(ctx, Updated, Users, old, row)
	})
	return row, err
}

// usableRoot is the condition that a user u is root and has a valid key that allows the role, other than one with a
// given id.
const usableRoot = "u.role = 'root' AND EXISTS (SELECT 1 FROM user_keys k WHERE k.user_id = u.id AND (k.role IS NULL OR k.role = 'root') AND (k.expires_at IS NULL OR k.expires_at > ?) AND k.id <> ?)"

// keepRootUser refuses to change or delete a user, or a project with its users, if no root user with a key would be
// left: nobody could see all projects then.
func (q *session) keepRootUser(ctx context.Context, e *Entity, row Row, cannot string) error {
	column := "id"
	if e == Projects {
		column = "project_id"
	}
	key := row[e.Index(e.key)]
	if e == Users && row.role() != schema.Root {
		return nil
	}
	if err := q.lockRoots(ctx); err != nil {
		return err
	}
	var name string
	err := q.row(ctx, fmt.Sprintf("SELECT username FROM users WHERE role = 'root' AND %s = ? ORDER BY id LIMIT 1", column), []any{key}, &name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	left, err := q.rootsLeft(ctx, 0, "u."+column+" <> ?", key)
	if err != nil || left {
		return err
	}
	what := "it is the last root user"
	if e == Projects {
		what = fmt.Sprintf("user %q in it is the last root user", name)
	}
	return refuse(InUse, "The %s %s: %s, and without one nobody sees all projects. For a new API key: craton server bootstrap --new-key.", e.title(row), cannot, what)
}

// keepRootKey refuses to delete the last key of the last root user.
func (q *session) keepRootKey(ctx context.Context, user Row, k *UserKey) error {
	if k.allows(user.role()) != schema.Root || k.Expires != 0 && int64(k.Expires)/1e6 <= q.store.now().Unix() {
		return nil
	}
	if err := q.lockRoots(ctx); err != nil {
		return err
	}
	left, err := q.rootsLeft(ctx, k.ID, "1 = 1")
	if err != nil || left {
		return err
	}
	return refuse(InUse, "The key %q (id %d) cannot be deleted: it is the last key of the last root user, and without one nobody sees all projects. Make another one first.", k.Name, k.ID)
}

// lockRoots locks all root users. Without this lock, two concurrent writes could each rely on the root user that the
// other one removes.
func (q *session) lockRoots(ctx context.Context) error {
	return q.each(ctx, "SELECT t.id FROM users t WHERE t.role = 'root' ORDER BY t.id"+q.lockClause(removing), nil, []any{new(int64)}, func() {})
}

// rootsLeft reports whether any root user matches a condition and has a valid key other than the given one.
func (q *session) rootsLeft(ctx context.Context, key int64, where string, args ...any) (bool, error) {
	var n int
	err := q.row(ctx, "SELECT count(*) FROM users u WHERE "+where+" AND "+usableRoot, append(args, q.store.now().Unix(), key), &n)
	return n > 0, err
}

// title returns the noun, name and id of an object for messages.
func (e *Entity) title(row Row) string {
	return fmt.Sprintf("%s %q (id %v)", e.Name, row[e.Index(e.of.Title)], row[e.Index(e.key)])
}
