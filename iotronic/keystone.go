package iotronic

import (
	"errors"

	"github.com/craton-fleet/craton/keystone"
)

// WithKeystone authenticates with Keystone credentials: those of a user, an application credential, or a token that is
// exchanged. Where no domain is given, it is the one with the id "default". Tokens are renewed when they end. The files of
// certificates in k, and Insecure, hold for the API too, unless [WithTLS] says otherwise.
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

// absent distinguishes that the catalogue does not have a service from that it could not be read.
func absent(err error) bool {
	_, ok := errors.AsType[*keystone.EndpointNotFoundError](err)
	return ok
}

// refusedByKeystone distinguishes wrong credentials from a Keystone that is out of order.
func refusedByKeystone(err error) bool {
	e, ok := errors.AsType[*keystone.Error](err)
	return ok && e.Unauthorized()
}
