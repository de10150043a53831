// Package keystone signs in to OpenStack's Keystone, and gives a client's requests a token. It serves every client of
// this module, and any other whose requests take an X-Auth-Token.
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
// A [Config] has the parameters of openstackclient. There are three ways to sign in: a password, an application
// credential, and a token that was made before. Users and projects are named, or given by id; the domain of a name is
// the one whose id is "default" unless another is given. Only version 3 of Keystone's API is spoken, below the AuthURL;
// the addresses that Keystone's own list of versions has are not followed, so a secret goes nowhere else. [LoadCloud]
// reads a Config from a clouds.yaml. One of a service that stands alone, such as Ironic without Keystone, says where
// that is ([Config.EndpointOf]), and is not for [New].
//
// # Tokens
//
// A token is made with the first request that needs one, for all that wait for one, and replaced shortly before it
// ends: two minutes, or a tenth of its life if that is less. Only the length of its life counts, so Keystone's clock
// may be wrong. When a service answers 401 nevertheless, since the token was revoked, the client calls [Auth.Renew],
// and the request is sent once more with another token. A new one that is refused as well is not replaced within the
// next minute: the service does not take this Keystone's tokens. [Config.Once] never makes a second token.
//
// # The cache
//
// With [WithCache] processes share tokens, by one file for each Keystone, user and project: so a playbook with 500
// tasks makes one token. Processes that start together wait for the one that makes it. The files are for the user only
// (mode 0600 in a folder of mode 0700), and do not count if they belong to somebody else or others may read them. A
// changed password or secret is noticed and asked about at Keystone. A cached token that a service refuses is thrown
// away. Files of tokens that ended a week ago are removed.
//
// Beside the token a file holds who signed in and the catalogue, so that [Auth.Endpoint] needs no request; never
// the password or secret.
//
// # Errors
//
// What Keystone refuses, and that it cannot be reached, is an [*Error]: it says who was to be signed in for what, what
// Keystone said, and what to do next. A service that is not in the catalogue is a [*EndpointNotFoundError], which says
// what is there. Credentials appear in no error, nor in any form of printing of a Config or an Auth.
package keystone
