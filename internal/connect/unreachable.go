package connect

import (
	"errors"
	"net"
	"net/http"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/keystone"
)

// Unreachable reports whether err means that the fleet exists but cannot be reached now: no connection, no response in
// time, or a failing server, proxy or Keystone. Refused credentials, invalid certificates and invalid responses do not
// count.
func Unreachable(err error) bool {
	if rest.IsWrongServer(err) {
		return false
	}
	if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == "remote error" && alert.Err.Error() != "tls: internal error" {
		return false // the server is there, and refuses this client's certificate, or requires one
	}
	if _, ok := errors.AsType[*TimeoutError](err); ok {
		return true
	}
	status := craton.StatusOf(err)
	if k, ok := errors.AsType[*keystone.Error](err); ok && status == 0 {
		if _, none := errors.AsType[net.Error](k.Err); k.Status == 0 {
			return none
		}
		status = k.Status
	}
	if status != 0 {
		return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests
	}
	_, none := errors.AsType[*craton.ConnectionError](err)
	return none
}
