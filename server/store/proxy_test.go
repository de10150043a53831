package store

import (
	"net"
	"net/url"
	"testing"

	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// throughProxy opens a store on an empty PostgreSQL database through a proxy. serve is called with each connection of
// the store and one to the server. Both are closed when it returns.
func throughProxy(t *testing.T, serve func(client, server net.Conn)) *Store {
	t.Helper()
	enginetest.Only(t, enginetest.Postgres)
	u, err := url.Parse(postgrestest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	address := u.Host
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				server, err := (&net.Dialer{}).Dial("tcp", address)
				if err != nil {
					return
				}
				defer server.Close()
				serve(client, server)
			}()
		}
	}()
	u.Host = l.Addr().String()
	s, err := Open(t.Context(), u.String(), Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
