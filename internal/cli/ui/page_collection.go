//go:build collection

package ui

import (
	"errors"
	"net"
	"net/http"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/inventory"
)

func page(*connect.Connection, *inventory.Options, net.Addr) (http.Handler, string, error) {
	return nil, "", errors.New("this build of craton, which came with the collection craton.fleet, has no page: take the program from its releases or build it (make build)")
}
