package openstacktest

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver of Ironic's database
)

// Multiply makes n copies of a node, which differ from it in UUID and name: the name with a number of five digits
// behind it. They are rows of Ironic's database, of which it makes a few dozen a second through its API.
func (i *Ironic) Multiply(ctx context.Context, name string, n int) error {
	db, err := i.database()
	if err != nil {
		return err
	}
	defer db.Close()
	var all string
	if err := db.QueryRowContext(ctx, `SELECT group_concat(name) FROM pragma_table_info('nodes') WHERE name <> 'id'`).Scan(&all); err != nil {
		return fmt.Errorf("columns of Ironic's nodes: %w", err)
	}
	values := strings.Split(all, ",")
	for at, column := range values {
		switch column {
		case "uuid":
			values[at] = `printf('%08x-0000-4000-8000-%012x', n, n)`
		case "name":
			values[at] = `printf('%s%05d', name, n)`
		}
	}
	const copies = `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
		INSERT INTO nodes (%s) SELECT %s FROM numbers, nodes WHERE name = ?`
	if _, err := db.ExecContext(ctx, fmt.Sprintf(copies, all, strings.Join(values, ", ")), n, name); err != nil {
		return fmt.Errorf("multiply Ironic's node %s: %w", name, err)
	}
	return nil
}

// Move puts a node into a provision state, on its way to another one or, if target is "", to none: as hardware would
// that takes its time, which the fake one does not. See [Ironic.Set].
func (i *Ironic) Move(ctx context.Context, name, state, target string) error {
	return i.Set(ctx, name, map[string]any{"provision_state": state, "target_provision_state": sql.NullString{String: target, Valid: target != ""}})
}

// Set writes columns of a node that Ironic's API does not let be written.
//
// It is for an Ironic of one's own: while another process writes, SQLite refuses what Ironic wants to write for others.
func (i *Ironic) Set(ctx context.Context, name string, columns map[string]any) error {
	db, err := i.database()
	if err != nil {
		return err
	}
	defer db.Close()
	for column, value := range columns {
		if _, err := db.ExecContext(ctx, `UPDATE nodes SET `+column+` = ? WHERE name = ?`, value, name); err != nil {
			return fmt.Errorf("set %s of Ironic's node %s: %w", column, name, err)
		}
	}
	return nil
}

// Inspected keeps what an inspection has found out about a node, as one of real hardware does; that of the fake one
// finds nothing. Both are JSON objects. See [Ironic.Set].
func (i *Ironic) Inspected(ctx context.Context, name, inventory, pluginData string) error {
	db, err := i.database()
	if err != nil {
		return err
	}
	defer db.Close()
	const row = `INSERT INTO node_inventory (created_at, version, inventory_data, plugin_data, node_id)
		SELECT CURRENT_TIMESTAMP, '1.0', ?, ?, id FROM nodes WHERE name = ?`
	if _, err := db.ExecContext(ctx, row, inventory, pluginData, name); err != nil {
		return fmt.Errorf("inventory of Ironic's node %s: %w", name, err)
	}
	return nil
}

// Firmware gives a node of the newest Ironic a component with firmware, as a conductor keeps it that has asked real
// hardware; the fake one has none. See [Ironic.Set].
func (i *Ironic) Firmware(ctx context.Context, name, component, initial, current, vendor string) error {
	db, err := i.database()
	if err != nil {
		return err
	}
	defer db.Close()
	const row = `INSERT INTO firmware_information (created_at, version, component, initial_version, current_version, vendor, node_id)
		SELECT CURRENT_TIMESTAMP, '1.0', ?, ?, ?, ?, id FROM nodes WHERE name = ?`
	if _, err := db.ExecContext(ctx, row, component, initial, current, vendor, name); err != nil {
		return fmt.Errorf("firmware of Ironic's node %s: %w", name, err)
	}
	return nil
}

func (i *Ironic) database() (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+filepath.Join(i.process.dir, "ironic.db")+"?_pragma=busy_timeout(60000)")
}
