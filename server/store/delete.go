package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/craton-fleet/craton/internal/schema"
)

// contents returns the entities whose objects are deleted with an object of e, and their common foreign key to it. The
// innermost entities are first, so that all foreign keys are valid at any time. Interfaces are only contents of
// devices.
func (e *Entity) contents() (column string, inside []*Entity) {
	if e.IsDevice() {
		return "device_id", []*Entity{NetworkInterfaces}
	}
	for _, held := range slices.Backward(e.of.Contents()) {
		inner := known[held]
		if inner.IsDevice() {
			inner = anyDevice
		}
		if inner != NetworkInterfaces && !slices.Contains(inside, inner) {
			inside = append(inside, inner)
		}
	}
	return e.of.ContentKey(), inside
}

// Delete deletes an object with its variables, labels and contents, in one transaction. It fails with [InUse] if
// another object depends on a deleted one, such as a device on its parent or an interface on its network, and for the
// last root user with a key. It fails with [NotFound] if there is no such object in the scope, and with [Forbidden] for
// a root user unless the caller is root.
func (s *Store) Delete(ctx context.Context, e *Entity, sc Scope, id string) error {
	return s.write(ctx, func(ctx context.Context, q *session) error {
		row, err := q.find(ctx, e, sc, id, removing)
		if err != nil {
			return err
		}
		return q.delete(ctx, e, sc, row)
	})
}

// delete is [Store.Delete] for a locked row.
func (q *session) delete(ctx context.Context, e *Entity, sc Scope, row Row) error {
	if e == Users && !sc.All && row.role() == schema.Root {
		return refuse(Forbidden, "only a root user may delete a root user")
	}
	key := row[e.Index(e.key)]
	subject := e.title(row)
	if e == Users || e == Projects {
		if err := q.keepRootUser(ctx, e, row, "cannot be deleted"); err != nil {
			return err
		}
	}
	column, inside := e.contents()
	if row.protected(e) {
		return refuse(InUse, "The %s cannot be deleted: it is protected; unprotect it first (craton unprotect %s %v).", subject, e.of.Name, key)
	}
	// Lock the rows that the checks below depend on first. A concurrent write that adds, protects or moves contents is
	// then either visible to the checks, or waits for this write.
	if err := q.lockContents(ctx, inside, column, key); err != nil {
		return err
	}
	if err := q.keepProtected(ctx, subject, column, inside, key); err != nil {
		return err
	}
	switch {
	case e.IsDevice():
		if err := q.checkDependent(ctx, subject, "has it as its parent; move, detach or delete that first",
			"SELECT type, id, name FROM devices WHERE parent_id = ? ORDER BY id LIMIT 1", key); err != nil {
			return err
		}
	case e == Networks:
		if err := q.checkDependent(ctx, subject, "is on it; delete that first",
			"SELECT 'network_interfaces', id, name FROM network_interfaces WHERE network_id = ? ORDER BY id LIMIT 1", key); err != nil {
			return err
		}
	case inside != nil:
		if err := q.checkOutsiders(ctx, subject, column, key); err != nil {
			return err
		}
		for _, inner := range inside {
			if err := q.recordWithin(ctx, inner, column, key); err != nil {
				return err
			}
		}
		for _, inner := range inside {
			if err := q.deleteWhere(ctx, inner, column, key); err != nil {
				return err
			}
		}
	}
	if err := q.recordGone(ctx, e, []Row{row}); err != nil {
		return err
	}
	return q.deleteWhere(ctx, e, e.key, key)
}

// lockContents locks the contents of an object that is deleted or moved. It must be called before anything is written
// to the log: a write that has locked the log would wait for writes that have locked rows and wait for the log.
func (q *session) lockContents(ctx context.Context, inside []*Entity, column string, key any) error {
	hold := q.lockClause(removing)
	if hold == "" {
		return nil
	}
	for _, e := range inside {
		text := "SELECT count(*) FROM (SELECT 1 FROM %s t WHERE t.%s ORDER BY t.created_at, t." + e.key + hold + ") held"
		if err := q.queueExec(ctx, fmt.Sprintf(text, e.Table, column+" = ?"), []any{key}); err != nil {
			return err
		}
		if e == anyDevice {
			within := fmt.Sprintf("device_id IN (SELECT id FROM devices WHERE %s = ?)", column)
			if err := q.queueExec(ctx, fmt.Sprintf(text, NetworkInterfaces.Table, within), []any{key}); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkOutsiders refuses to delete a place if an object outside of it depends on its contents.
func (q *session) checkOutsiders(ctx context.Context, subject, column string, key any) error {
	if err := q.checkDependent(ctx, subject, "has a parent in it; move, detach or delete that first", fmt.Sprintf(
		`SELECT c.type, c.id, c.name FROM devices p JOIN devices c ON c.parent_id = p.id
		WHERE p.%[1]s = ? AND (c.%[1]s IS NULL OR c.%[1]s <> ?) ORDER BY c.id LIMIT 1`, column), key, key); err != nil {
		return err
	}
	return q.checkDependent(ctx, subject, "is on a network in it; delete that first", fmt.Sprintf(
		`SELECT 'network_interfaces', i.id, i.name FROM networks n JOIN network_interfaces i ON i.network_id = n.id JOIN devices d ON d.id = i.device_id
		WHERE n.%[1]s = ? AND (d.%[1]s IS NULL OR d.%[1]s <> ?) ORDER BY i.id LIMIT 1`, column), key, key)
}

// checkDependent returns an [InUse] error if a query finds an object: see describeFound.
func (q *session) checkDependent(ctx context.Context, subject, why, text string, args ...any) error {
	found, err := q.describeFound(ctx, text, args...)
	if found == "" || err != nil {
		return err
	}
	return refuse(InUse, "The %s cannot be deleted: %s %s.", subject, found, why)
}

// describeFound describes the object that a query finds, or returns "" if there is none. The query returns the object's
// kind (see kindText), id and name.
func (q *session) describeFound(ctx context.Context, text string, args ...any) (string, error) {
	var kind, name string
	var id int64
	err := q.row(ctx, text, args, &kind, &id, &name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return fmt.Sprintf("%s %q (id %d)", nounOf(kind), name, id), err
}

// kindText returns an expression for the kind of a row of a table t, as an argument of nounOf: a device's type, or the
// name of the table.
func (e *Entity) kindText() string {
	if e.Table == devicesTable {
		return "t.type"
	}
	return "'" + e.Table + "'"
}

// deleteWhere deletes all rows of e with the given value in a column, with their variables, labels and interfaces.
func (q *session) deleteWhere(ctx context.Context, e *Entity, column string, value any) error {
	chosen := fmt.Sprintf("(SELECT %s FROM %s WHERE %s = ?)", e.ownerID, e.Table, column)
	if e.Table == anyDevice.Table {
		for _, text := range []string{
			fmt.Sprintf("DELETE FROM variables WHERE owner_kind = %d AND owner_id IN (SELECT id FROM network_interfaces WHERE device_id IN %s)", NetworkInterfaces.owner, chosen),
			"DELETE FROM network_interfaces WHERE device_id IN " + chosen,
			"DELETE FROM labels WHERE device_id IN " + chosen,
		} {
			if err := q.exec(ctx, text, []any{value}); err != nil {
				return err
			}
		}
	}
	if e == Users {
		if err := q.exec(ctx, "DELETE FROM user_keys WHERE user_id IN "+chosen, []any{value}); err != nil {
			return err
		}
	}
	if e == Networks {
		// checkOutsiders has ensured that all interfaces on these networks belong to contents that are deleted too.
		for _, text := range []string{
			fmt.Sprintf("DELETE FROM variables WHERE owner_kind = %d AND owner_id IN (SELECT id FROM network_interfaces WHERE network_id IN %s)", NetworkInterfaces.owner, chosen),
			"DELETE FROM network_interfaces WHERE network_id IN " + chosen,
		} {
			if err := q.exec(ctx, text, []any{value}); err != nil {
				return err
			}
		}
	}
	if err := q.exec(ctx, fmt.Sprintf("DELETE FROM variables WHERE owner_kind = %d AND owner_id IN %s", e.owner, chosen), []any{value}); err != nil {
		return err
	}
	return q.exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s = ?", e.Table, column), []any{value})
}
