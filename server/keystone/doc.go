// Package keystone validates OpenStack Keystone tokens, and determines what their roles allow.
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
// Keystone answers GET /v3/auth/tokens to the token itself, and to users with the role service or admin. Without
// [Config.Credentials] each token is used to validate itself: there is nothing to set up and no password to keep, and
// Keystone's default policy allows it (identity:validate_token has "or rule:token_subject"). Credentials are for a
// Keystone whose policy does not.
//
// # Caching
//
// A valid token is cached for [Config.CacheTime], never beyond its expiry, so a revoked token, a removed role and a
// disabled user take effect within that time. An invalid token is cached for a sixth of it: it may have been used a
// moment before Keystone knew it. Failures are not cached. Only SHA-256 hashes of tokens are kept, and their number is
// bounded. Concurrent requests with one token are validated together.
//
// # What is refused
//
// Tokens of application credentials with access rules are not valid here: Keystone reveals them only to services that
// enforce the rules.
//
// No token or password is ever part of an error.
package keystone
