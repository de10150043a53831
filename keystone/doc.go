// Package keystone signs in to OpenStack's Keystone and adds a token to a client's requests. The clients of this module
// use it, and so can any other client whose requests need an X-Auth-Token.
//
//	auth, err := keystone.New(keystone.Config{
//		AuthURL:     "https://keystone.example:5000/v3",
//		Username:    "deploy",
//		Password:    password,
//		ProjectName: "fleet",
//	})
//	...
//	url, err := auth.Endpoint(ctx, "fleet_management")
//	...
//	c, err := craton.New(url, craton.WithAuth(auth))
//
// A [Config] has the same parameters as openstackclient. There are three ways to sign in: with a password, with an
// application credential, or with an existing token. Users and projects are given by name or id; the domain of a name
// is the one whose id is "default", unless another is given. Only version 3 of Keystone's API is supported, at the
// AuthURL: URLs in Keystone's list of versions are not followed, so that secrets are never sent anywhere else.
// [LoadCloud] reads a Config from a clouds.yaml. The Config of a standalone service, such as Ironic without Keystone,
// has only the service's endpoint ([Config.EndpointOf]), and cannot be used with [New].
//
// # Tokens
//
// The first request that needs a token requests one, for all requests that wait for it. It is replaced shortly before
// it expires: two minutes before, or a tenth of its lifetime if that is less. Only the length of the lifetime is used,
// so Keystone's clock may be wrong. If a service rejects a token earlier with 401, because it was revoked, the client
// calls [Auth.Renew] and retries the request once with a new token. If the service rejects that one too, it is not
// replaced during the next minute: the service does not accept tokens of this Keystone. With [Config.Once], only one
// token is ever requested.
//
// # The cache
//
// With [WithCache], processes share tokens in files, one for each Keystone, user and project: a playbook with 500 tasks
// requests one token. Processes that start at the same time wait for the one that requests it. Only the user can read
// the files (mode 0600, in a directory with mode 0700); files that belong to somebody else, or that others can read,
// are ignored. After a change of the password or secret, the cached token is not used, and Keystone has to issue
// another one. A cached token that a service rejects is discarded. Files that were written more than a week ago are
// deleted.
//
// Besides the token, a file contains who signed in and the catalogue, so that [Auth.Endpoint] needs no request. It
// never contains the password or secret.
//
// # Errors
//
// If Keystone rejects a request or cannot be reached, the error is an [*Error]: it says who tried to sign in and to
// which project, what Keystone responded, and what to do next. A service that is not in the catalogue is an
// [*EndpointNotFoundError], which lists what the catalogue has. Errors never contain credentials; printing a Config or
// an Auth, with any verb, shows none either.
package keystone
