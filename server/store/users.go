package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store/engine"
)

// Account is a user as authentication sees it.
type Account struct {
	Username string
	Project  string // canonical UUID
	Admin    bool   // of the project
	Root     bool   // of everything
}

// hashKey is how an API key is stored. The server makes every key itself from
// at least 122 random bits, so that there is nothing to guess: one round of
// SHA-256 is as safe as a slow password hash, and a request stays cheap.
func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// secrets are columns that are written but never selected into a [Row].
func (e *Entity) secrets() []Column {
	if e == Users {
		return []Column{{Name: "key_hash", Type: Text}}
	}
	return nil
}

// Authenticate returns the account of a user of a project if key is its API
// key. ok is false if not, without a hint at what was wrong.
func (s *Store) Authenticate(ctx context.Context, username, project, key string) (account Account, ok bool, err error) {
	var hash string
	err = s.peek(ctx, func(ctx context.Context, q *session) error {
		account = Account{Username: username, Project: project}
		err := q.row(ctx, "SELECT key_hash, is_admin, is_root FROM users WHERE username = ? AND project_id = ?",
			[]any{username, project}, &hash, &account.Admin, &account.Root)
		if errors.Is(err, sql.ErrNoRows) {
			hash, err = "", nil
		}
		return err
	})
	ok = subtle.ConstantTimeCompare([]byte(hash), []byte(hashKey(key))) == 1
	if err != nil || !ok {
		return Account{}, false, err
	}
	account.Admin = account.Admin || account.Root
	return account, true, nil
}

// CreateUser stores a user of the project that values name and returns its
// row and its new API key, which cannot be read again. A project outside the
// scope is [NotFound], as one that does not exist is.
func (s *Store) CreateUser(ctx context.Context, sc Scope, values Values) (Row, string, error) {
	key := value.NewUUID()
	values["key_hash"] = hashKey(key)
	values["is_root"] = false
	if _, err := s.Get(ctx, Projects, sc, values["project_id"].(string)); err != nil {
		return nil, "", err
	}
	row, err := s.create(ctx, Users, values, New{})
	return row, key, err
}

// Bootstrap finds the project and the root user that are both named name, or
// makes them; key is empty if the user was there.
func (s *Store) Bootstrap(ctx context.Context, name string) (project, key string, err error) {
	err = s.write(ctx, func(ctx context.Context, q *session) error {
		key = ""
		if err := q.alone(ctx); err != nil {
			return err
		}
		err := q.row(ctx, "SELECT project_id FROM users WHERE username = ? AND is_root ORDER BY id LIMIT 1", []any{name}, &project)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		at := s.now().Unix()
		err = q.row(ctx, "SELECT id FROM projects WHERE name = ? ORDER BY seq LIMIT 1", []any{name}, &project)
		if errors.Is(err, sql.ErrNoRows) {
			project = value.NewUUID()
			err = q.add(ctx, Projects, Values{"id": project, "name": name, "created_at": at})
		}
		if err != nil {
			return err
		}
		key = newKey()
		err = q.add(ctx, Users, Values{"project_id": project, "username": name, "key_hash": hashKey(key), "is_admin": true, "is_root": true, "created_at": at})
		if errors.Is(err, engine.ErrUnique) {
			return refuse(Conflict, "project %s has a user named %q that is not root: delete or rename it first", project, name)
		}
		return err
	})
	return project, key, err
}

// EnsureProject returns the id of the one project of the file, and makes one
// with the given name if there is none.
func (s *Store) EnsureProject(ctx context.Context, name string) (id string, err error) {
	err = s.write(ctx, func(ctx context.Context, q *session) error {
		if err := q.alone(ctx); err != nil {
			return err
		}
		err := q.row(ctx, "SELECT id FROM projects ORDER BY seq LIMIT 1", nil, &id)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		id = value.NewUUID()
		return q.add(ctx, Projects, Values{"id": id, "name": name, "created_at": s.now().Unix()})
	})
	return id, err
}

// add stores an object that has no variables, and records it.
func (q *session) add(ctx context.Context, e *Entity, values Values) error {
	row, err := q.insert(ctx, e, values)
	if err != nil {
		return err
	}
	return q.recordNew(ctx, e, row, nil, nil)
}

// KeepProject sees to it that there is a project with an id that comes from
// elsewhere; with rename, one that is there gets the name. It is cheap when
// there is nothing to do, and may be called by many at once.
func (s *Store) KeepProject(ctx context.Context, id, name string, rename bool) error {
	done := false
	err := s.peek(ctx, func(ctx context.Context, q *session) error {
		var known string
		err := q.row(ctx, "SELECT name FROM projects WHERE id = ?", []any{id}, &known)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		done = known == name || !rename
		return err
	})
	if err != nil || done {
		return err
	}
	err = s.write(ctx, func(ctx context.Context, q *session) error {
		at := s.now().Unix()
		old, err := q.get(ctx, Projects, Scope{All: true}, id, changing)
		switch {
		case IsCode(err, NotFound):
			return q.add(ctx, Projects, Values{"id": id, "name": name, "created_at": at})
		case err != nil, !rename, old[Projects.Index("name")] == name:
			return err
		}
		if err := q.exec(ctx, "UPDATE projects SET name = ?, updated_at = ? WHERE id = ?", []any{name, at, id}); err != nil {
			return err
		}
		row, err := q.get(ctx, Projects, Scope{All: true}, id, free)
		if err != nil {
			return err
		}
		return q.recordUpdate(ctx, Updated, Projects, old, row)
	})
	if errors.Is(err, engine.ErrUnique) { // another request has just made it
		return s.KeepProject(ctx, id, name, rename)
	}
	return err
}

// ResetKey gives a user a new API key. project may be empty if only one user
// has the name.
func (s *Store) ResetKey(ctx context.Context, username, project string) (string, error) {
	key := newKey()
	err := s.write(ctx, func(ctx context.Context, q *session) error {
		c := q.conditions()
		c.equal("username", username, true)
		if project != "" {
			c.equal("project_id", project, true)
		}
		var ids []any
		var id any
		if err := q.each(ctx, "SELECT id FROM users"+c.String(), c.args, []any{&id}, func() { ids = append(ids, id) }); err != nil {
			return err
		}
		switch len(ids) {
		case 0:
			return refuse(NotFound, "there is no user %q%s: `craton server bootstrap` makes the first one", username, inProject(project))
		case 1:
			old, err := q.get(ctx, Users, Scope{All: true}, ids[0], changing)
			if err != nil {
				return err
			}
			if err := q.exec(ctx, "UPDATE users SET key_hash = ?, updated_at = ? WHERE id = ?", []any{hashKey(key), s.now().Unix(), ids[0]}); err != nil {
				return err
			}
			row, err := q.get(ctx, Users, Scope{All: true}, ids[0], free)
			if err != nil {
				return err
			}
			return q.recordUpdate(ctx, Updated, Users, old, row, "new_key")
		}
		return refuse(Invalid, "%d projects have a user %q: name the project", len(ids), username)
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

func inProject(project string) string {
	if project == "" {
		return ""
	}
	return " in project " + project
}

// newKey makes an API key of 128 random bits, as 32 hexadecimal digits.
func newKey() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
