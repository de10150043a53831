// Package keystone finds out from an OpenStack Keystone whose a token is, and
// what its roles allow.
//
//	v, err := keystone.New(keystone.Config{URL: "https://keystone:5000/v3", CacheTime: 30 * time.Second})
//	if err != nil {
//		return err
//	}
//	token, _, err := v.Validate(ctx, r.Header.Get("X-Auth-Token"))
//	if errors.Is(err, keystone.ErrInvalid) {
//		... // 401
//	}
//	role, err := roles.Role(token)
//
// # Who asks
//
// Keystone answers GET /v3/auth/tokens to the token itself, and to users with
// the role service or admin. Without [Config.Credentials] every token is
// asked about in its own name: there is nothing to set up and no password to
// keep, and Keystone's default policy allows it (identity:validate_token has
// "or rule:token_subject"). Credentials are for a Keystone whose policy
// does not.
//
// # How long an answer holds
//
// An answer is kept for [Config.CacheTime], never beyond the token's expiry,
// so a revoked token, a removed role and a disabled user end within that time.
// That a token is not valid is kept for a sixth of it: it may have been asked
// about a moment before Keystone knew it. Failures are not kept at all. Tokens
// are kept as SHA-256 hashes only, and the number of answers is bounded.
// Requests with one token that arrive together ask once.
//
// # What is refused
//
// Tokens of application credentials with access rules are not valid here:
// Keystone reveals them only to services that enforce the rules.
//
// No token or password is ever part of an error.
package keystone
