package openstacktest

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver of Ironic's database
)

// Multiply makes n copies of a node, which differ from it in UUID and name: the
// name with a number of five digits behind it. They are rows of Ironic's
// database, of which it makes a few dozen a second through its API.
func (i *Ironic) Multiply(ctx context.Context, name string, n int) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(i.process.dir, "ironic.db")+"?_pragma=busy_timeout(60000)")
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
