package connect

import (
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/iotronic"
)

// Advice returns what to do about an error of a connection, in terms of the settings, which the client libraries do not
// know; "" if there is nothing to add.
func Advice(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "set ca_path (CRATON_CA_PATH), or os_cacert (OS_CACERT) for Keystone, to the PEM file of the authority that signed it"
	}
	switch {
	case iotronic.WantsBasicAuth(err):
		return withRefusalHint(err, "it has its own users: with auth_type http_basic (OS_AUTH_TYPE), set username and password (OS_USERNAME, OS_PASSWORD, or for a cloud in clouds.yaml) to those of such a user")
	case iotronic.StatusOf(err) == http.StatusUnauthorized:
		return withRefusalHint(err, "set token (OS_TOKEN) to a valid one, or set os_cloud (OS_CLOUD), or auth_url (OS_AUTH_URL) and credentials for Keystone")
	}
	return ""
}

// Advised returns an error with its [Advice].
func Advised(err error) error { return advice.With(err, Advice(err)) }

// withRefusalHint appends to advice what is known about the user whose credentials were refused.
func withRefusalHint(err error, next string) string {
	return advice.Join(next, iotronic.RefusalHint(err))
}
