package craton

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/rest"
)

// listQuery returns list options as parameters, with sort keys that are safe for paging: without a unique last key,
// objects that are equal in all keys are lost between pages (Q13).
func listQuery(options any) url.Values {
	q, plain := options.(url.Values)
	if q = maps.Clone(q); q == nil {
		q = url.Values{}
	}
	if !plain {
		q = rest.Query(options)
	}
	if keys := q.Get("sort_keys"); keys != "" && !slices.Contains(strings.Split(keys, ","), "id") {
		q.Set("sort_keys", keys+",id")
	}
	return q
}
