package postgres

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A prepared statement costs half as much as a statement that the server parses and plans each time. But a pooler may
// use a different server connection for each transaction, on which the statement has not been prepared. So statements
// are only prepared on direct connections. A connection is direct if the server's process id is the one in its cancel
// key: a pooler generates cancel keys of its own. On direct connections, timeouts are parameters of the connection;
// otherwise, each transaction sets them.

// errPooler is the error for a connection that was opened for prepared statements, but leads to a pooler.
var errPooler = errors.New("there is a pooler between this program and the database now")

// noJIT is the setting for just-in-time compilation. PostgreSQL spends a second on compiling a statement that it
// considers expensive, such as one with the values of five levels, which then runs in a tenth of that time. Not every
// compatible database has the setting.
const noJIT = "jit"

// prepare configures a pool to cache prepared statements on direct connections. Both results are updated by each new
// connection: whether it is direct, and whether the server has the setting noJIT.
func prepare(c *pgxpool.Config, turns *turns) (direct, compiles *atomic.Bool) {
	direct, compiles = &atomic.Bool{}, &atomic.Bool{}
	before := c.BeforeConnect
	c.BeforeConnect = func(ctx context.Context, cc *pgx.ConnConfig) error {
		if direct.Load() {
			cc.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
			cc.RuntimeParams["idle_in_transaction_session_timeout"] = withinTimeout
			if compiles.Load() {
				cc.RuntimeParams[noJIT] = "off"
			}
		}
		if before == nil {
			return nil
		}
		return before(ctx, cc)
	}
	c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		var pid int64
		var known bool
		if err := conn.QueryRow(ctx, "SELECT pg_backend_pid(), current_setting('"+noJIT+"', true) IS NOT NULL", pgx.QueryExecModeExec).Scan(&pid, &known); err != nil {
			return err
		}
		compiles.Store(known)
		itself := pid == int64(conn.PgConn().PID())
		direct.Store(itself)
		if !itself && conn.Config().DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
			return errPooler
		}
		return turns.measure(ctx, conn)
	}
	return direct, compiles
}
