//go:build collection || nopage

package ui

import (
	"errors"
	"net"
	"net/http"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/inventory"
)

func page(*connect.Connection, *inventory.Options, net.Addr) (http.Handler, string, error) {
	return nil, "", errors.New("this build of craton has no page, as that of the collection craton.fleet: take the program from its releases or build it (make build)")
}
