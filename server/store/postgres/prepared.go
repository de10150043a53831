package postgres

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A prepared statement costs half of one that the server has to parse and plan
// each time. But a pooler may give each transaction another connection to the
// server, on which the statement was not prepared. So statements are prepared only
// on direct connections. A connection is direct if the server's process id is the
// one in the connection's cancel key, for which a pooler makes up its own. Direct
// connections also have timeouts as parameters, which otherwise each transaction sets.

// errPooler refuses a connection that was opened for prepared statements, but leads
// to a pooler.
var errPooler = errors.New("there is a pooler between this program and the database now")

// noJIT is the setting for just-in-time compilation. PostgreSQL takes a second to
// compile a statement that it considers expensive, such as one with the values of
// five levels, which then runs in a tenth of that. Not every compatible database
// has the setting.
const noJIT = "jit"

// prepare has the connections of a pool keep prepared statements where they may.
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
