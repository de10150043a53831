package postgres

import (
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// config reads a database URL, and returns how messages call it.
func config(database string) (*pgxpool.Config, string, error) {
	u, err := url.Parse(database)
	if err != nil {
		return nil, "", fmt.Errorf("the database is no URL")
	}
	c, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, "", err
	}
	c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.MaxConns = 16
	return c, u.Redacted(), nil
}
