package postgres

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A statement that the server has prepared costs half of one that it has to
// read and plan anew. But a pooler gives each transaction another connection to
// the server, which does not know what was prepared on the one before. So
// connections keep prepared statements only if they lead to the server itself,
// which they tell by its process: a pooler makes up the number with which its
// clients could cancel. Such connections also keep a setting that is said in
// each transaction otherwise.

// errPooler is what a connection is refused with that was made to keep prepared
// statements, and has a pooler at its other end.
var errPooler = errors.New("there is a pooler between this program and the database now")

// noJIT is a setting: PostgreSQL takes a second to compile a statement that it
// thinks is dear, such as one with the values of five levels, and then a tenth of
// that to run it. Not every database that speaks the protocol knows it.
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
