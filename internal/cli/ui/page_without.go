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
	return nil, "", errors.New("this build of craton, such as the one in the collection craton.fleet, has no page: use a release of the program, or build it (make build)")
}
