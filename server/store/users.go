package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store/engine"
)

// secrets returns the columns that are written but never read into a [Row].
func (e *Entity) secrets() []Column {
	if e == Users {
		return []Column{{Name: "key_hash", Type: Text}}
	}
	return nil
}

// setRole sets all columns that depend on the role. If values has no role, is_root and is_admin determine it.
func (values Values) setRole() {
	name, _ := values["role"].(string)
	role, ok := schema.ParseRole(name)
	switch {
	case ok:
	case values["is_root"] == true:
		role = schema.Root
	case values["is_admin"] == true:
		role = schema.Admin
	default:
		role = schema.Member
	}
	values["role"], values["is_admin"], values["is_root"] = role.String(), role >= schema.Admin, role == schema.Root
}

// role returns the role in a row of users.
func (r Row) role() schema.Role {
	role, _ := schema.ParseRole(r[Users.Index("role")].(string))
	return role
}

// CreateUser creates a user of the project in values. It returns the user's row and first API key, which cannot be read
// again. The default role is member. It fails with [NotFound] if the project does not exist in the scope, and with
// [ExceedsGrant] for the role root unless the caller is root.
func (s *Store) CreateUser(ctx context.Context, sc Scope, values Values) (Row, string, error) {
	key := value.NewUUID() // v1 has keys in the form of UUIDs
	values["key_hash"] = ""
	delete(values, "is_root")
	values.setRole()
	if _, err := s.Get(ctx, Projects, sc, values["project_id"].(string)); err != nil {
		return nil, "", err
	}
	if values["role"] == schema.Root.String() && !sc.All {
		return nil, "", errGivesRoot
	}
	most := schema.Admin // see Manager.limit
	if sc.All {
		most = 0
	}
	row, err := s.create(ctx, Users, values, CreateParams{}, func(ctx context.Context, q *session, row Row) error {
		return q.addFirstKey(ctx, row, key, most)
	})
	return row, key, err
}

// Bootstrap finds or creates a project and a root user, both with the given name. key is empty if the user exists
// already.
func (s *Store) Bootstrap(ctx context.Context, name string) (project, key string, err error) {
	err = s.write(ctx, func(ctx context.Context, q *session) error {
		key = ""
		if err := q.lockExclusively(ctx); err != nil {
			return err
		}
		err := q.row(ctx, "SELECT project_id FROM users WHERE username = ? AND role = 'root' ORDER BY id LIMIT 1", []any{name}, &project)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		at := s.now().Unix()
		err = q.row(ctx, "SELECT id FROM projects WHERE name = ? ORDER BY seq LIMIT 1", []any{name}, &project)
		if errors.Is(err, sql.ErrNoRows) {
			project = value.NewUUID()
			_, err = q.add(ctx, Projects, Values{"id": project, "name": name, "created_at": at})
		}
		if err != nil {
			return err
		}
		values := Values{"project_id": project, "username": name, "key_hash": "", "role": schema.Root.String(), "created_at": at}
		values.setRole()
		user, err := q.add(ctx, Users, values)
		if errors.Is(err, engine.ErrUnique) {
			return refuse(Conflict, "project %s has a user named %q that is not root: craton server bootstrap --new-key makes it root", project, name)
		}
		if err != nil {
			return err
		}
		key = newKey()
		return q.addFirstKey(ctx, user, key, 0)
	})
	return project, key, err
}

// MakeRoot grants the role root to the existing user whose name prevents [Store.Bootstrap] from creating one. It
// returns the user's project and a new key. All previous keys are deleted, because other people may have them.
func (s *Store) MakeRoot(ctx context.Context, name string) (project, key string, err error) {
	key = newKey()
	err = s.write(ctx, func(ctx context.Context, q *session) error {
		if err := q.row(ctx, "SELECT id FROM projects WHERE name = ? ORDER BY seq LIMIT 1", []any{name}, &project); err != nil {
			return err
		}
		var id int64
		if err := q.row(ctx, "SELECT id FROM users WHERE username = ? AND project_id = ?", []any{name, project}, &id); err != nil {
			return err
		}
		old, err := q.get(ctx, Users, Scope{All: true}, id, changing)
		if err != nil {
			return err
		}
		if err := q.exec(ctx, "DELETE FROM user_keys WHERE user_id = ?", []any{id}); err != nil {
			return err
		}
		values := Values{"role": schema.Root.String(), "updated_at": s.now().Unix()}
		values.setRole()
		if err := q.setColumns(ctx, Users, id, values); err != nil {
			return err
		}
		if err := q.exec(ctx, "UPDATE users SET key_hash = '' WHERE id = ?", []any{id}); err != nil {
			return err
		}
		if err := q.addFirstKey(ctx, old, key, 0); err != nil {
			return err
		}
		row, err := q.get(ctx, Users, Scope{All: true}, id, unlocked)
		if err != nil {
			return err
		}
		return q.recordUpdate(ctx, Updated, Users, old, row, memberNewKey)
	})
	return project, key, err
}

// EnsureProject returns the id of the database's first project. If there is none, it creates one with the given name
// and id; an empty newID stands for a random id.
func (s *Store) EnsureProject(ctx context.Context, name, newID string) (id string, err error) {
	err = s.write(ctx, func(ctx context.Context, q *session) error {
		if err := q.lockExclusively(ctx); err != nil {
			return err
		}
		err := q.row(ctx, "SELECT id FROM projects ORDER BY seq LIMIT 1", nil, &id)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		id = cmp.Or(newID, value.NewUUID())
		_, err = q.add(ctx, Projects, Values{"id": id, "name": name, "created_at": s.now().Unix()})
		return err
	})
	return id, err
}

// add inserts an object without variables, and records its creation.
func (q *session) add(ctx context.Context, e *Entity, values Values) (Row, error) {
	row, err := q.insert(ctx, e, values)
	if err != nil {
		return nil, err
	}
	return row, q.recordNew(ctx, e, row, nil, nil)
}

// KeepProject ensures that there is a project with an id from another system. With rename, an existing project gets the
// name. It is cheap if there is nothing to do, and may be called concurrently.
func (s *Store) KeepProject(ctx context.Context, id, name string, rename bool) error {
	done := false
	err := s.readOne(ctx, func(ctx context.Context, q *session) error {
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
			_, err := q.add(ctx, Projects, Values{"id": id, "name": name, "created_at": at})
			return err
		case err != nil, !rename, old[Projects.Index("name")] == name:
			return err
		}
		if err := q.exec(ctx, "UPDATE projects SET name = ?, updated_at = ? WHERE id = ?", []any{name, at, id}); err != nil {
			return err
		}
		row, err := q.get(ctx, Projects, Scope{All: true}, id, unlocked)
		if err != nil {
			return err
		}
		return q.recordUpdate(ctx, Updated, Projects, old, row)
	})
	if errors.Is(err, engine.ErrUnique) { // a concurrent request has created it
		return s.KeepProject(ctx, id, name, rename)
	}
	return err
}

// ResetKey creates a new first API key for a user. It replaces the previous first key, if that still exists; other keys
// are not affected. project may be empty if only one user has the name.
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
			return refuse(NotFound, "there is no user %q%s: `craton server bootstrap` creates the first one", username, inProject(project))
		case 1:
			old, err := q.get(ctx, Users, Scope{All: true}, ids[0], changing)
			if err != nil {
				return err
			}
			if err := q.exec(ctx, "UPDATE users SET key_hash = '', updated_at = ? WHERE id = ?", []any{s.now().Unix(), ids[0]}); err != nil {
				return err
			}
			if err := q.exec(ctx, "DELETE FROM user_keys WHERE user_id = ? AND name = ?", []any{ids[0], firstKey}); err != nil {
				return err
			}
			if err := q.addFirstKey(ctx, old, key, 0); err != nil {
				return err
			}
			row, err := q.get(ctx, Users, Scope{All: true}, ids[0], unlocked)
			if err != nil {
				return err
			}
			return q.recordUpdate(ctx, Updated, Users, old, row, memberNewKey)
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
