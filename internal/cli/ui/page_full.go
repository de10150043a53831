//go:build !collection && !nopage

package ui

import (
	"fmt"
	"net"
	"net/http"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/inventory"
)

// page returns the page of a fleet, and its start address.
func page(c *connect.Connection, o *inventory.Options, at net.Addr) (http.Handler, string, error) {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		return nil, "", fmt.Errorf("%s is not a TCP address", at)
	}
	l := web.NewLocal(web.Options{Client: func(*http.Request) (*craton.Client, error) { return c.Client, nil }, Where: c.Where, Inventory: o}, tcp)
	return l, l.URL(), nil
}
