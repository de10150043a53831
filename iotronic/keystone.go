package iotronic

import (
	"errors"

	"github.com/craton-fleet/craton/keystone"
)

// WithKeystone authenticates with Keystone credentials: those of a user, an application credential, or a token that is
// exchanged. The default domain is the one with the id "default". Tokens are renewed when they expire. The certificate
// files in k, and Insecure, apply to the API too, unless [WithTLS] is used.
func WithKeystone(k keystone.Config, options ...keystone.Option) Option {
	return func(c *config) {
		auth, err := keystone.New(k, options...)
		if err != nil {
			c.problem = &AuthorizationFailureError{err}
			return
		}
		c.Auth = auth
		if !c.tls {
			c.TLS = TLS{CAPath: k.CACert, ClientCert: k.Cert, ClientKey: k.Key, Insecure: k.Insecure}.Config
		}
	}
}

// absent distinguishes a catalogue without the service from one that could not be read.
func absent(err error) bool {
	_, ok := errors.AsType[*keystone.EndpointNotFoundError](err)
	return ok
}

// refusedByKeystone distinguishes wrong credentials from a failure of Keystone.
func refusedByKeystone(err error) bool {
	e, ok := errors.AsType[*keystone.Error](err)
	return ok && e.Unauthorized()
}
