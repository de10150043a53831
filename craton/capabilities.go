package craton

import (
	"context"
	"net/http"
	"slices"

	"github.com/craton-fleet/craton/internal/value"
)

// Capabilities describe the features of a server that v1 does not have.
type Capabilities struct {
	Version  string   `json:"version"`
	Features []string `json:"features"` // sorted; see [Capabilities.Has]
	Revision string   `json:"revision"` // the end of its change log: a cursor; "" before the first change
	Horizon  int64    `json:"horizon"`  // the revision from which on the change log is complete
	// HashedKeys are patterns of the keys of variables whose values the change log keeps only as a hash: see
	// [Capabilities.Hashes].
	HashedKeys []string `json:"hashed_keys"`
}

// Has reports whether the server has a feature, such as "move" or "fleet".
func (c *Capabilities) Has(feature string) bool { return slices.Contains(c.Features, feature) }

// Hashes reports whether values of variables with a key are secrets, of which the change log has only a hash.
func (c *Capabilities) Hashes(key string) bool { return value.MatchesKey(c.HashedKeys, key) }

// Capabilities returns the features of the server. The original server has none, which is not an error.
func (c *Client) Capabilities(ctx context.Context) (*Capabilities, error) {
	out := new(Capabilities)
	err := c.call(ctx, http.MethodGet, "/capabilities", nil, nil, out, "features")
	if e, ok := err.(*Error); ok && e.Status == http.StatusNotFound { //nolint:errorlint // call returns it bare
		return new(Capabilities), nil
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}
